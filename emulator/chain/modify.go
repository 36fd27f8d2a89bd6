package chain

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// span is a range of main storage, from first up to but not including end. The
// zero span is empty.
type span struct{ first, end machine.Address }

// cover extends the span so that it includes the n bytes at a.
func (p *span) cover(a machine.Address, n int) {
	if p.end == 0 {
		*p = span{a, a + machine.Address(n)}
		return
	}
	p.first, p.end = min(p.first, a), max(p.end, a+machine.Address(n))
}

func (p span) overlaps(o span) bool { return p.first < o.end && o.first < p.end }

// dataSpan returns the address and length of a CCW's data area. With indirect
// addresses the span reaches from the first block to the last; with modified
// indirect addresses, or if the list cannot be read, it is all of storage.
func dataSpan(s *machine.Storage, c channel.CCW) (machine.Address, int) {
	switch {
	case c.Flags&arch.FlagMIDA != 0:
		return 0, machine.StorageSize
	case c.Flags&arch.FlagIDA == 0:
		return machine.Address(c.Address), int(c.Count)
	}
	var p span
	list := machine.Address(c.Address)
	for left := int(c.Count); left > 0; list += 4 {
		v := s.View(list, 4)
		if v == nil {
			return 0, machine.StorageSize
		}
		at := machine.Address(binary.BigEndian.Uint32(v))
		n := min(left, idawBlock-int(at%idawBlock))
		p.cover(at, n)
		left -= n
	}
	return p.first, int(p.end - p.first)
}

// modified looks closer at a chain that may store into itself. The effect of such
// a chain is unknown before it has run. If it stores into a CCW or into
// parameters, it may write anywhere in its extent; if it stores into the
// parameters of its define extent, or has none, it may write anywhere on the
// device.
func (g *Program) modified(s *machine.Storage, roles *Roles, w *where) {
	command, chained := byte(0), false
	for i := range g.CCWs {
		if c := &g.CCWs[i]; c.Command != arch.CommandTransfer {
			if !chained {
				command = c.Command
			}
			chained = channel.Flags(c.Flags)&arch.FlagCD != 0
			if roles[command]&IsInput != 0 && channel.Flags(c.Flags)&arch.FlagSkip == 0 && c.Count != 0 {
				var stored span
				stored.cover(dataSpan(s, plain(c)))
				g.storedInto(s, roles, w, stored)
			}
		}
	}
}

func plain(c *abi.CCW) channel.CCW {
	return channel.CCW{Command: c.Command, Flags: channel.Flags(c.Flags), Count: c.Count, Address: c.Address}
}

func (g *Program) storedInto(s *machine.Storage, roles *Roles, w *where, stored span) {
	command, chained := byte(0), false
	for i := range g.CCWs {
		c := &g.CCWs[i]
		at := machine.Address(c.Location)
		hit := stored.overlaps(span{at, at + arch.CCWSize})
		if c.Command != arch.CommandTransfer {
			if !chained {
				command = c.Command
			}
			chained = channel.Flags(c.Flags)&arch.FlagCD != 0
			if roles[command]&IsInput == 0 && c.Count != 0 {
				var sent span
				if sent.cover(dataSpan(s, plain(c))); stored.overlaps(sent) {
					g.Modifies = true
					hit = hit || roles[command]&IsWrite == 0
				}
			}
		}
		if !hit {
			continue
		}
		g.Modifies, g.Writes = true, true
		w.wide()
		if i == w.extentAt {
			w.defined = false
		}
	}
}
