package chain

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Follow follows the channel program at cpa, whose CCWs are of format 1 or 0, and
// fills g. After a search, which may skip the next CCW, it follows both ways: with
// that CCW and without it. It stores nothing.
func (g *Program) Follow(s *machine.Storage, cpa machine.Address, format1 bool, geo *Geometry) {
	g.reset()
	c := cursor{
		g: g, storage: s, format1: format1, roles: RolesOf(geo.Class), at: cpa,
		where: where{geo: geo, extentAt: -1},
	}
	for c.step() {
	}
	if g.Truncated() {
		g.Writes = true
		c.where.wide()
		g.late.wide()
	}
	if g.Stores && c.stored.overlaps(c.sent) {
		g.modified(s, c.roles, &c.where)
	}
	g.Tracks, g.Late = c.where.extent(), NoTracks
	switch {
	case g.Suspends && g.Modifies:
		g.Late = g.Tracks
	case g.Suspends:
		g.Late = g.late.extent()
	}
}

// cursor is a place in a chain that is being followed, with what the next CCW
// takes over from the CCWs before it.
type cursor struct {
	g       *Program
	storage *machine.Storage
	format1 bool
	roles   *Roles
	where   where

	at      machine.Address // address of the next CCW
	command byte            // command code that data chaining continues
	chained bool            // by data chaining: the command code has no meaning
	skips   bool            // the command before may skip the next CCW
	jumped  bool            // some CCW may be met again
	stored  span            // main storage into which the chain stores
	sent    span            // main storage of its CCWs and of the data that it sends
}

// step takes the next CCW. It reports whether another one follows.
func (c *cursor) step() bool {
	g := c.g
	v := c.storage.View(c.at, arch.CCWSize)
	if v == nil || len(g.CCWs) == MaxCCWs {
		g.Flags |= abi.ChainTruncated
		return c.turn()
	}
	if c.jumped && g.met(uint32(c.at)) {
		g.Branches = true
		return c.turn()
	}
	var w channel.CCW
	if c.format1 {
		w = channel.ParseCCW1(v)
	} else {
		w = channel.ParseCCW0(v)
	}
	e := c.add(w)
	if w.Command == arch.CommandTransfer || !c.format1 && w.Command&0xF == arch.CommandTransfer {
		e.Command = arch.CommandTransfer // the command code of format 1
		c.transfer(machine.Address(w.Address))
		return true
	}
	if w.Flags&arch.FlagS != 0 && !c.g.Suspends {
		c.g.Suspends, c.g.late = true, c.where.resumed()
	}
	if !c.chained {
		c.begin(w, e)
	}
	c.account(w)
	return c.next(w.Flags)
}

// add appends the CCW at the cursor to the program.
func (c *cursor) add(w channel.CCW) *abi.CCW {
	g := c.g
	n := len(g.CCWs)
	if n < cap(g.CCWs) {
		g.CCWs = g.CCWs[:n+1]
	} else {
		g.CCWs = append(g.CCWs, abi.CCW{})
	}
	e := &g.CCWs[n]
	*e = abi.CCW{Command: w.Command, Flags: uint8(w.Flags), Count: w.Count, Address: w.Address, Location: uint32(c.at)}
	c.sent.cover(c.at, arch.CCWSize)
	return e
}

// transfer follows a transfer in channel (TIC), a jump to another CCW.
func (c *cursor) transfer(to machine.Address) {
	if c.g.met(uint32(to)) {
		c.at += arch.CCWSize // the loop of a search: continue behind it
	} else {
		if c.skips {
			c.g.branch(c.at + arch.CCWSize)
		}
		c.at, c.jumped = to, true
	}
	c.skips = false
}

// begin takes up the command that a CCW begins.
func (c *cursor) begin(w channel.CCW, e *abi.CCW) {
	c.command = w.Command
	r := c.roles[w.Command]
	if r&IsParameter != 0 {
		c.g.parameter(c.storage, e, w)
	} else if r&IsWrite != 0 {
		c.g.Writes = true
	}
	c.place(&c.where, w.Command, e)
	if c.g.Suspends {
		c.place(&c.g.late, w.Command, e)
	}
}

// place takes up where a command can work.
func (c *cursor) place(w *where, command byte, e *abi.CCW) {
	r := c.roles[command]
	if r&IsParameter != 0 {
		w.command(command, c.storage, e)
		if command == arch.CommandDefineExtent || command == arch.CommandPrefix {
			w.extentAt = len(c.g.CCWs) - 1
		}
	} else if r&IsWrite != 0 {
		w.write()
	}
	if r&IsMulti != 0 {
		w.multitrack()
	}
}

// account notes the data that the CCW transfers, and its flags.
func (c *cursor) account(w channel.CCW) {
	g, r := c.g, c.roles[c.command]
	if r&IsData != 0 {
		g.Bytes += uint32(w.Count)
		if r&IsWrite != 0 {
			g.Written += uint32(w.Count)
		}
	}
	switch {
	case w.Count == 0:
	case r&IsInput == 0:
		c.sent.cover(dataSpan(c.storage, w))
	case w.Flags&arch.FlagSkip == 0:
		g.Stores = true
		c.stored.cover(dataSpan(c.storage, w))
	}
	if w.Flags&arch.FlagPCI != 0 {
		g.Interrupts = true
	}
}

// next goes to the CCW behind a CCW with these flags or, at the end of a way, to
// the beginning of another way. It reports whether there is a CCW to go to.
func (c *cursor) next(flags channel.Flags) bool {
	going := flags&(arch.FlagCC|arch.FlagCD) != 0
	if c.skips && (!going || flags&arch.FlagCD != 0) {
		c.g.branch(c.at + arch.CCWSize)
	}
	c.chained = flags&arch.FlagCD != 0
	c.skips = c.roles[c.command]&IsSearch != 0 && !c.chained
	c.at += arch.CCWSize
	return going || c.turn()
}

// turn goes to a way that has not been followed yet. It reports whether it found
// one.
func (c *cursor) turn() bool {
	at, ok := c.g.way()
	c.at, c.chained, c.skips, c.jumped = at, false, false, true
	return ok
}
