package intercept

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// MaxChain is the most CCWs of a chain that are followed; a longer chain is
// said to be truncated, and every track of its extent counts as written.
const MaxChain = 1024

// program is what the host knows of a request's channel program.
type program struct {
	ccws       []abi.CCW
	parameters [abi.InlineParameters][abi.ParameterSize]byte
	blocks     int // in use in parameters
	flags      abi.ChainFlags
	writes     bool
	bytes      uint32 // that the commands transfer, parameters not counted
	written    uint32 // of these, those of write commands
	tracks     extent // that it can touch
	suspends   bool
	interrupts bool              // by program-controlled interruption
	stores     bool              // puts something into main storage
	modifies   bool              // stores into its own CCWs, or into what it sends
	branches   bool              // its order is not the one in which its CCWs are in storage
	others     []machine.Address // ways not followed yet, in scan
}

// role of a command code as the host sees it.
const (
	isWrite = 1 << iota
	isData
	isParameter
	isSearch // may skip the next CCW, by status modifier
	isMulti  // may go on with the next track of the cylinder
	isInput  // puts data into main storage
)

var eckdRoles = func() (t [256]uint8) {
	for c := range t {
		if code := uint8(c); arch.IsWrite(code) || arch.IsRead(code) || arch.IsReadBackward(code) {
			t[c] = isData
		}
		if arch.IsWrite(uint8(c)) {
			t[c] |= isWrite
		}
	}
	for _, c := range []int{
		arch.CommandSearchIDEqual, arch.CommandSearchIDHigh, arch.CommandSearchIDEqualHigh,
		arch.CommandSearchKeyEqual, arch.CommandSearchKeyHigh, arch.CommandSearchKeyEqualHigh, arch.CommandSearchHomeEqual,
	} {
		t[c], t[c|arch.Multitrack] = isSearch, isSearch|isMulti
	}
	for _, c := range []int{
		arch.CommandReadData, arch.CommandReadKeyData, arch.CommandReadCountKeyData,
		arch.CommandReadCount, arch.CommandReadRecordZero, arch.CommandReadHome,
	} {
		t[c|arch.Multitrack] |= isMulti
	}
	for _, c := range []int{arch.CommandDefineExtent, arch.CommandLocateRecord, arch.CommandLocateRecordExtended, arch.CommandPrefix,
		arch.CommandSeek, arch.CommandSeekCylinder, arch.CommandSeekHead, arch.CommandRecalibrate} {
		t[c] = isParameter
	}
	return withInput(t)
}()

var fbaRoles = func() (t [256]uint8) {
	for c := range t {
		if arch.IsRead(uint8(c)) {
			t[c] = isData
		}
	}
	t[arch.CommandFBAWrite] = isData | isWrite
	t[arch.CommandDefineExtent], t[arch.CommandFBALocate] = isParameter, isParameter
	return withInput(t)
}()

// withInput adds what holds for every device: read, sense and read backward
// commands (xxxxxx10, xxxx0100, xxxx1100) put data into main storage.
func withInput(t [256]uint8) [256]uint8 {
	for c := range t {
		if arch.Stores(uint8(c)) {
			t[c] |= isInput
		}
	}
	return t
}

func rolesOf(c abi.DeviceClass) *[256]uint8 {
	if c == abi.ClassFBA {
		return &fbaRoles
	}
	return &eckdRoles
}

// maxBranches is how many ways that a chain can take instead are followed; one
// with more is said to be truncated.
const maxBranches = 16

// scan follows the channel program at cpa and fills g, whose buffers it reuses.
// Where a search can skip a CCW, the way with it and the way without it are
// followed.
func (g *program) scan(s *machine.Storage, cpa machine.Address, format1 bool, geo *Geometry) {
	g.ccws = g.ccws[:0]
	g.blocks, g.flags, g.writes, g.bytes, g.written, g.suspends, g.interrupts = 0, 0, false, 0, 0, false, false
	g.stores, g.modifies, g.branches = false, false, false
	roles := rolesOf(geo.Class)
	w := where{geo: geo, extentAt: -1}
	g.others = g.others[:0]
	var (
		chained  bool // by data chaining: the command code means nothing
		skips    bool // the command before may skip this one
		jumped   bool // some CCW may be met again
		command  byte
		in, code span
	)
	for at := cpa; ; {
		v := s.View(at, arch.CCWSize)
		over := v == nil || len(g.ccws) == MaxChain
		if over {
			g.flags |= abi.ChainTruncated
		} else if jumped && g.seen(uint32(at)) {
			over, g.branches = true, true
		}
		if over {
			if at = g.other(); at == noChain {
				break
			}
			chained, skips, jumped = false, false, true
			continue
		}
		var c channel.CCW
		if format1 {
			c = channel.ParseCCW1(v)
		} else {
			c = channel.ParseCCW0(v)
		}
		n := len(g.ccws)
		if n < cap(g.ccws) {
			g.ccws = g.ccws[:n+1]
		} else {
			g.ccws = append(g.ccws, abi.CCW{})
		}
		e := &g.ccws[n]
		*e = abi.CCW{Command: c.Command, Flags: uint8(c.Flags), Count: c.Count, Address: c.Address, Location: uint32(at)}
		code.cover(at, arch.CCWSize)
		if c.Command == arch.CommandTransfer || !format1 && arch.IsTransfer(c.Command) {
			e.Command = arch.CommandTransfer // in the terms of format 1
			to := machine.Address(c.Address)
			if g.seen(uint32(to)) {
				at += arch.CCWSize // the loop of a search: it goes on behind
			} else {
				if skips {
					g.branch(at + arch.CCWSize)
				}
				at, jumped = to, true
			}
			skips = false
			continue
		}
		if !chained {
			command = c.Command
			r := roles[command]
			if r&isParameter != 0 {
				g.parameter(s, e, c)
				w.command(command, s, e)
				if command == arch.CommandDefineExtent || command == arch.CommandPrefix {
					w.extentAt = n
				}
			} else if r&isWrite != 0 {
				g.writes = true
				w.write(command)
			}
			if r&isMulti != 0 {
				w.multitrack()
			}
		}
		r := roles[command]
		if r&isData != 0 {
			g.bytes += uint32(c.Count)
			if r&isWrite != 0 {
				g.written += uint32(c.Count)
			}
		}
		switch {
		case c.Count == 0:
		case r&isInput == 0:
			code.cover(dataSpan(s, c))
		case c.Flags&arch.FlagSkip == 0:
			g.stores = true
			in.cover(dataSpan(s, c))
		}
		if c.Flags&arch.FlagS != 0 {
			g.suspends = true
		}
		if c.Flags&arch.FlagPCI != 0 {
			g.interrupts = true
		}
		going := c.Flags&(arch.FlagCC|arch.FlagCD) != 0
		if skips && (!going || c.Flags&arch.FlagCD != 0) {
			g.branch(at + arch.CCWSize)
		}
		chained = c.Flags&arch.FlagCD != 0
		skips = r&isSearch != 0 && !chained
		at += arch.CCWSize
		if going {
			continue
		}
		if at = g.other(); at == noChain {
			break
		}
		skips, jumped = false, true
	}
	if g.flags&abi.ChainTruncated != 0 {
		g.writes = true
		w.wide()
	}
	if g.stores && in.overlaps(code) {
		g.modified(s, roles, &w)
	}
	g.tracks = w.extent()
}

// branch notes a way that the chain can take instead, from at on.
func (g *program) branch(at machine.Address) {
	if g.branches = true; len(g.others) == maxBranches {
		g.flags |= abi.ChainTruncated
		return
	}
	g.others = append(g.others, at)
}

// other is the beginning of a way that has not been followed yet, or noChain.
func (g *program) other() machine.Address {
	n := len(g.others)
	if n == 0 {
		return noChain
	}
	at := g.others[n-1]
	g.others = g.others[:n-1]
	return at
}

func (g *program) seen(location uint32) bool {
	for i := range g.ccws {
		if g.ccws[i].Location == location {
			return true
		}
	}
	return false
}

// parameter copies the command's parameters into blocks, while there are any.
func (g *program) parameter(s *machine.Storage, e *abi.CCW, c channel.CCW) {
	switch c.Command {
	case arch.CommandSeek, arch.CommandSeekCylinder, arch.CommandSeekHead, arch.CommandRecalibrate:
		return
	}
	need := (int(c.Count) + abi.ParameterSize - 1) / abi.ParameterSize
	if need == 0 || g.blocks+need > len(g.parameters) {
		return
	}
	from := dataAddress(s, c)
	e.Parameter = uint8(g.blocks + 1)
	for left := int(c.Count); left > 0; left -= abi.ParameterSize {
		p := &g.parameters[g.blocks]
		n := min(left, abi.ParameterSize)
		if v := s.View(from, n); v != nil {
			copy(p[:n], v)
		} else if _, err := s.Load(from, p[:n]); err != nil {
			clear(p[:])
		}
		if n < len(p) {
			clear(p[n:])
		}
		g.blocks++
		from += machine.Address(n)
	}
}

// dataAddress is where a CCW's data begins, through the first indirect-address
// word where there is one.
func dataAddress(s *machine.Storage, c channel.CCW) machine.Address {
	if c.Flags&arch.FlagIDA != 0 {
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
	define        extent
	defined       bool
	located       extent
	any, isWide   bool
	pointed       bool // a locate or a seek has said where
	seeked        bool // the last of them was a seek, to track at
	at            uint32
	extentAt      int // index of the define extent, or -1
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
	case arch.CommandDefineExtent:
		w.extentOf(v)
	case arch.CommandPrefix:
		if len(v) >= arch.PrefixExtent {
			if v[arch.PrefixValidity]&arch.PrefixExtentValid != 0 {
				w.extentOf(v[arch.PrefixExtent:])
			}
			if v[arch.PrefixFormat] != 0 && len(v) >= arch.PrefixLocate {
				w.locate(v[arch.PrefixLocate:])
			}
		}
	case arch.CommandLocateRecord, arch.CommandLocateRecordExtended:
		w.locate(v)
	case arch.CommandSeek, arch.CommandSeekCylinder:
		if len(v) >= arch.SeekSize {
			w.seek(w.track(v[arch.SeekAt:]))
		}
	case arch.CommandSeekHead:
		if !w.seeked {
			w.wide() // of a cylinder that an earlier chain has sought
		} else if len(v) >= arch.SeekSize {
			w.seek(w.at - w.at%w.geo.Heads + uint32(binary.BigEndian.Uint16(v[arch.SeekAt+2:])))
		}
	case arch.CommandRecalibrate:
		w.seek(0)
	}
}

func (w *where) seek(t uint32) {
	w.add(extent{t, t})
	w.seeked, w.at = true, t
}

// multitrack notes a command that may go on to the end of the cylinder.
func (w *where) multitrack() {
	if w.seeked {
		w.add(extent{w.at, w.at - w.at%w.geo.Heads + w.geo.Heads - 1})
	}
}

func (w *where) track(p []byte) uint32 {
	cc, hh := uint32(binary.BigEndian.Uint16(p)), uint32(binary.BigEndian.Uint16(p[2:]))
	cc |= hh >> 4 << 16 // 28-bit cylinder addresses of large volumes
	return cc*w.geo.Heads + hh&0xF
}

func (w *where) extentOf(p []byte) {
	if len(p) < arch.DefineExtentSize {
		return
	}
	w.define = extent{w.track(p[arch.DefineExtentFirst:]), w.track(p[arch.DefineExtentLast:])}
	w.defined = true
}

func (w *where) locate(p []byte) {
	if len(p) < arch.LocateRecordSize {
		return
	}
	w.seeked = false
	t := w.track(p[arch.LocateRecordTrack:])
	last := t + max(uint32(p[arch.LocateRecordCount]), 1) - 1
	if w.defined {
		last = min(last, w.define.last)
	}
	w.add(extent{t, max(t, last)})
}

func (w *where) fba(code byte, p []byte) {
	switch {
	case code == arch.CommandDefineExtent && len(p) >= arch.FBAExtentSize:
		w.base, w.logical = binary.BigEndian.Uint32(p[arch.FBAExtentPhysical:]), binary.BigEndian.Uint32(p[arch.FBAExtentFirst:])
		last := binary.BigEndian.Uint32(p[arch.FBAExtentLast:])
		w.define = extent{w.base / w.geo.TrackBlocks, (w.base + last - w.logical) / w.geo.TrackBlocks}
		w.defined = true
	case code == arch.CommandFBALocate && len(p) >= arch.FBALocateSize:
		first := w.base + binary.BigEndian.Uint32(p[arch.FBALocateBlock:]) - w.logical
		count := max(uint32(binary.BigEndian.Uint16(p[arch.FBALocateCount:])), 1)
		w.add(extent{first / w.geo.TrackBlocks, (first + count - 1) / w.geo.TrackBlocks})
	}
}

func (w *where) add(e extent) {
	w.pointed = true
	if !w.any {
		w.located, w.any = e, true
		return
	}
	w.located.first = min(w.located.first, e.first)
	w.located.last = max(w.located.last, e.last)
}

// write notes a command that writes; where nothing has said where, the whole
// extent may be meant.
func (w *where) write(byte) {
	if !w.pointed {
		w.isWide = true
	}
}

func (w *where) wide() { w.isWide = true }

func (w *where) extent() extent {
	e := extent{0, w.geo.Tracks - 1}
	if w.defined {
		e = w.define
	}
	if w.any && !w.isWide {
		e = w.located
	}
	e.last = min(e.last, w.geo.Tracks-1)
	e.first = min(e.first, e.last)
	return e
}
