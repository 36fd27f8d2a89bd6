package chain

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// parameter copies the command's parameters into the next free entry of
// g.Parameters, if one is left.
func (g *Program) parameter(s *machine.Storage, e *abi.CCW, c channel.CCW) {
	switch c.Command {
	case arch.CommandSeek, arch.CommandSeekCylinder, arch.CommandSeekHead, arch.CommandRecalibrate:
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

// dataAddress returns the address of a CCW's data, through the first
// indirect-data-address word if it has one.
func dataAddress(s *machine.Storage, c channel.CCW) machine.Address {
	if c.Flags&arch.FlagIDA != 0 {
		if v := s.View(machine.Address(c.Address), 4); v != nil {
			return machine.Address(binary.BigEndian.Uint32(v))
		}
	}
	return machine.Address(c.Address)
}

// where works out the tracks that a chain can touch: the tracks that its locate
// and seek commands name, within its extent.
type where struct {
	geo           *Geometry
	define        Extent
	defined       bool
	located       Extent
	any, isWide   bool
	pointed       bool // a locate or a seek has named a track
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
			w.wide() // the cylinder that an earlier chain has sought is not known
		} else if len(v) >= arch.SeekSize {
			w.seek(w.at - w.at%w.geo.Heads + uint32(binary.BigEndian.Uint16(v[arch.SeekAt+2:])))
		}
	case arch.CommandRecalibrate:
		w.seek(0)
	}
}

// resumed returns the places of a chain after it has suspended itself at this point:
// its extent still holds, but it must position anew within it.
func (w *where) resumed() where {
	return where{geo: w.geo, define: w.define, defined: w.defined, extentAt: w.extentAt, base: w.base, logical: w.logical}
}

func (w *where) seek(t uint32) {
	w.add(Extent{t, t})
	w.seeked, w.at = true, t
}

// multitrack notes a command that may continue to the end of the cylinder.
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
	if len(p) < arch.DefineExtentSize {
		return
	}
	w.define = Extent{w.track(p[8:]), w.track(p[12:])}
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
		last = min(last, w.define.Last)
	}
	w.add(Extent{t, max(t, last)})
}

func (w *where) fba(code byte, p []byte) {
	switch {
	case code == arch.CommandDefineExtent && len(p) >= arch.FBAExtentSize:
		w.base, w.logical = binary.BigEndian.Uint32(p[arch.FBAExtentPhysical:]), binary.BigEndian.Uint32(p[arch.FBAExtentFirst:])
		last := binary.BigEndian.Uint32(p[arch.FBAExtentLast:])
		w.define = Extent{w.base / w.geo.TrackBlocks, (w.base + last - w.logical) / w.geo.TrackBlocks}
		w.defined = true
	case code == arch.CommandFBALocate && len(p) >= arch.FBALocateSize:
		first := w.base + binary.BigEndian.Uint32(p[arch.FBALocateBlock:]) - w.logical
		count := max(uint32(binary.BigEndian.Uint16(p[arch.FBALocateCount:])), 1)
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

// write notes a command that writes. If no locate or seek came before it, any
// track of the extent may be meant.
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
