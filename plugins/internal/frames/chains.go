package frames

import (
	"unsafe"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
)

// fillChain makes a chain and puts it into the frame as a host does, or, now and
// then, as no host would.
func (g *Generator) fillChain(f *abi.Frame) {
	r := g.rand
	g.chain = g.chain[:0]
	g.cpa, g.parameter, g.data = 0x1000+8*r.Uint32N(16), 0x1800, 0x2000+64*r.Uint32N(16)
	if f.Target.Class == abi.ClassFBA {
		g.fba()
	} else {
		g.eckd()
	}
	if n := len(g.chain); n != 0 {
		g.chain[n-1].Flags &^= arch.FlagCC | arch.FlagCD
	}
	for range pick(r, 0, 0, 0, 0, 1, 1, 3) {
		g.disturb()
	}
	c := &f.Chain
	*c = abi.Chain{Size: uint32(unsafe.Sizeof(*c)), Count: uint16(len(g.chain))}
	c.Inline = uint16(copy(c.CCW[:], g.chain))
	for i := range c.CCW[:c.Inline] {
		w := &c.CCW[i]
		need := (w.Count + abi.ParameterSize - 1) / abi.ParameterSize
		if !hasParameters(w.Command) || need == 0 || c.Parameters+need > abi.InlineParameters {
			continue
		}
		w.Parameter = uint8(c.Parameters + 1)
		for range need {
			g.parameters(&c.Parameter[c.Parameters])
			c.Parameters++
		}
	}
	switch r.IntN(50) {
	case 0:
		c.Flags = abi.ChainTruncated
	case 1:
		c.Inline = uint16(r.Uint32())
	case 2:
		c.Count = uint16(r.Uint32())
	case 3:
		c.Parameters = uint16(r.UintN(10))
		for i := range c.CCW {
			c.CCW[i].Parameter = uint8(r.UintN(8))
		}
	}
}

func hasParameters(command uint8) bool {
	switch command {
	case arch.CommandDefineExtent, arch.CommandLocateRecord, arch.CommandLocateRecordExtended, arch.CommandPrefix, arch.CommandFBALocate:
		return true
	}
	return false
}

// parameters makes bytes in which cache fast write is on about as often as not,
// for define extent and for prefix.
func (g *Generator) parameters(p *[abi.ParameterSize]byte) {
	for i := range p {
		p[i] = uint8(g.rand.Uint32())
	}
}

// eckd makes a chain for a count-key-data device.
func (g *Generator) eckd() {
	r := g.rand
	if r.IntN(20) == 0 {
		for range r.IntN(100) {
			g.add(uint8(r.Uint32()), r.Uint32N(5000))
		}
		return
	}
	switch r.IntN(8) {
	case 0: // by seek and search
		g.add(arch.CommandSeek, arch.SeekSize)
		for range 1 + r.IntN(3) {
			g.add(arch.CommandSearchIDEqual, arch.SearchIDSize)
			g.add(arch.CommandTransfer, 0)
			n := len(g.chain)
			g.chain[n-1].Flags, g.chain[n-1].Address = 0, g.chain[n-2].Location
			g.add(pick[uint8](r, arch.CommandWriteData, arch.CommandReadData, arch.CommandWriteKeyData, arch.CommandReadData|arch.Multitrack), 4096)
		}
		return
	case 1: // neither reads nor writes
		for range 1 + r.IntN(3) {
			g.add(pick[uint8](r,
				arch.CommandNoOperation, arch.CommandBasicSense, arch.CommandUnconditionalReserve, arch.CommandPerformSubsystemFunction, arch.CommandReadSubsystemData,
				arch.CommandSetSubsystemMode, arch.CommandRelease, arch.CommandSetPathGroup, arch.CommandReserve, arch.CommandSenseID), 32)
		}
		return
	case 2:
		g.add(arch.CommandPrefix, arch.PrefixSize)
	default:
		g.add(arch.CommandDefineExtent, arch.DefineExtentSize)
	}
	const read, write = arch.CommandReadData | arch.Multitrack, arch.CommandWriteUpdateData
	commands := pick(r, []uint8{write}, []uint8{write}, []uint8{read}, []uint8{write, read},
		[]uint8{write, arch.CommandReadSector, arch.CommandBasicSense, arch.CommandReserve})
	for range 1 + r.IntN(3) {
		g.add(arch.CommandLocateRecord, arch.LocateRecordSize)
		for range pick(r, 1, 1, 2, r.IntN(20), r.IntN(60)) {
			if len(g.chain) < MaxChain-2 {
				g.add(pick(r, commands...), 4096)
			}
		}
	}
}

// fba makes a chain for a fixed-block device.
func (g *Generator) fba() {
	r := g.rand
	g.add(arch.CommandDefineExtent, arch.FBAExtentSize)
	for range 1 + r.IntN(4) {
		g.add(arch.CommandFBALocate, arch.FBALocateSize)
		g.add(pick[uint8](r, arch.CommandFBAWrite, arch.CommandFBARead, arch.CommandReserve, arch.CommandBasicSense), 512)
	}
}

// add adds a CCW with a data area of its own. Short areas lie with those of the
// parameters, in front of all others.
func (g *Generator) add(command uint8, count uint32) {
	at := &g.data
	if count <= 64 && len(g.chain) < 30 {
		at = &g.parameter
	}
	g.chain = append(g.chain, abi.CCW{
		Command: command, Flags: arch.FlagCC, Count: uint16(count), Address: *at, Location: g.cpa + 8*uint32(len(g.chain)),
	})
	*at += count
}

// disturb changes one CCW: flags that make a feature special, an address that
// makes the chain modify itself, a command, a count.
func (g *Generator) disturb() {
	r := g.rand
	if len(g.chain) == 0 {
		return
	}
	w := &g.chain[r.IntN(len(g.chain))]
	switch r.IntN(8) {
	case 0:
		w.Flags |= arch.FlagPCI
	case 1:
		w.Flags |= arch.FlagS
	case 2:
		w.Flags |= pick[uint8](r, arch.FlagIDA, arch.FlagMIDA, arch.FlagSkip)
	case 3:
		w.Flags ^= arch.FlagCD
	case 4:
		w.Address = g.chain[r.IntN(len(g.chain))].Location
	case 5:
		w.Address = g.chain[r.IntN(len(g.chain))].Address
	case 6:
		w.Command = uint8(r.Uint32())
	case 7:
		*w = abi.CCW{Command: uint8(r.Uint32()), Flags: uint8(r.Uint32()), Count: uint16(r.Uint32()), Address: r.Uint32(), Location: r.Uint32()}
	}
}
