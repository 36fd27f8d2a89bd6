package chain

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// parameter copies the command's parameters into blocks, while there are any.
func (g *Program) parameter(s *machine.Storage, e *abi.CCW, c channel.CCW) {
	switch c.Command {
	case seek, seekCylinder, seekHead, recalibrate:
		return
	}
	need := (int(c.Count) + abi.ParameterSize - 1) / abi.ParameterSize
	if need == 0 || g.Blocks+need > len(g.Parameters) {
		return
	}
	from := dataAddress(s, c)
	e.Parameter = uint8(g.Blocks + 1)
	for left := int(c.Count); left > 0; left -= abi.ParameterSize {
		p := &g.Parameters[g.Blocks]
		n := min(left, abi.ParameterSize)
		if v := s.View(from, n); v != nil {
			copy(p[:n], v)
		} else if _, err := s.Load(from, p[:n]); err != nil {
			clear(p[:])
		}
		if n < len(p) {
			clear(p[n:])
		}
		g.Blocks++
		from += machine.Address(n)
	}
}

// dataAddress is where a CCW's data begins, through the first indirect-address
// word where there is one.
func dataAddress(s *machine.Storage, c channel.CCW) machine.Address {
	if c.Flags&channel.FlagIDA != 0 {
		if v := s.View(machine.Address(c.Address), 4); v != nil {
			return machine.Address(binary.BigEndian.Uint32(v))
		}
	}
	return machine.Address(c.Address)
}

// where works out the tracks that a chain can touch: what its locates and seeks
// name, within its extent.
type where struct {
	geo           *Geometry
	define        Extent
	defined       bool
	located       Extent
	any, isWide   bool
	pointed       bool // a locate or a seek has said where
	seeked        bool // the last of them was a seek, to track at
	at            uint32
	extentAt      int // index of the define Extent, or -1
	base, logical uint32
}

func (w *where) command(code byte, s *machine.Storage, e *abi.CCW) {
	var p [64]byte
	n := min(int(e.Count), len(p))
	at := dataAddress(s, channel.CCW{Flags: channel.Flags(e.Flags), Address: e.Address})
	v := s.View(at, n)
	if v == nil {
		if _, err := s.Load(at, p[:n]); err != nil {
			return
		}
		v = p[:n]
	}
	if w.geo.Class == abi.ClassFBA {
		w.fba(code, v)
		return
	}
	switch code {
	case DefineExtent:
		w.extentOf(v)
	case prefix:
		if len(v) >= extentInPrefix {
			if v[1]&prefixExtentValid != 0 {
				w.extentOf(v[extentInPrefix:])
			}
			if v[0] != 0 && len(v) >= 44 {
				w.locate(v[44:])
			}
		}
	case locateRecord, locateExtended:
		w.locate(v)
	case seek, seekCylinder:
		if len(v) >= 6 {
			w.seek(w.track(v[2:]))
		}
	case seekHead:
		if !w.seeked {
			w.wide() // of a cylinder that an earlier chain has sought
		} else if len(v) >= 6 {
			w.seek(w.at - w.at%w.geo.Heads + uint32(binary.BigEndian.Uint16(v[4:])))
		}
	case recalibrate:
		w.seek(0)
	}
}

func (w *where) seek(t uint32) {
	w.add(Extent{t, t})
	w.seeked, w.at = true, t
}

// multitrack notes a command that may go on to the end of the cylinder.
func (w *where) multitrack() {
	if w.seeked {
		w.add(Extent{w.at, w.at - w.at%w.geo.Heads + w.geo.Heads - 1})
	}
}

func (w *where) track(p []byte) uint32 {
	cc, hh := uint32(binary.BigEndian.Uint16(p)), uint32(binary.BigEndian.Uint16(p[2:]))
	cc |= hh >> 4 << 16 // 28-bit cylinder addresses of large volumes
	return cc*w.geo.Heads + hh&0xF
}

func (w *where) extentOf(p []byte) {
	if len(p) < 16 {
		return
	}
	w.define = Extent{w.track(p[8:]), w.track(p[12:])}
	w.defined = true
}

func (w *where) locate(p []byte) {
	if len(p) < 16 {
		return
	}
	w.seeked = false
	t := w.track(p[4:])
	last := t + max(uint32(p[3]), 1) - 1
	if w.defined {
		last = min(last, w.define.Last)
	}
	w.add(Extent{t, max(t, last)})
}

func (w *where) fba(code byte, p []byte) {
	switch {
	case code == DefineExtent && len(p) >= 16:
		w.base, w.logical = binary.BigEndian.Uint32(p[4:]), binary.BigEndian.Uint32(p[8:])
		last := binary.BigEndian.Uint32(p[12:])
		w.define = Extent{w.base / w.geo.TrackBlocks, (w.base + last - w.logical) / w.geo.TrackBlocks}
		w.defined = true
	case code == locateFBA && len(p) >= 8:
		first := w.base + binary.BigEndian.Uint32(p[4:]) - w.logical
		count := max(uint32(binary.BigEndian.Uint16(p[2:])), 1)
		w.add(Extent{first / w.geo.TrackBlocks, (first + count - 1) / w.geo.TrackBlocks})
	}
}

func (w *where) add(e Extent) {
	w.pointed = true
	if !w.any {
		w.located, w.any = e, true
		return
	}
	w.located.First = min(w.located.First, e.First)
	w.located.Last = max(w.located.Last, e.Last)
}

// write notes a command that writes; where nothing has said where, the whole
// extent may be meant.
func (w *where) write() {
	if !w.pointed {
		w.isWide = true
	}
}

func (w *where) wide() { w.isWide = true }

func (w *where) extent() Extent {
	e := Extent{0, w.geo.Tracks - 1}
	if w.defined {
		e = w.define
	}
	if w.any && !w.isWide {
		e = w.located
	}
	e.Last = min(e.Last, w.geo.Tracks-1)
	e.First = min(e.First, e.Last)
	return e
}
