package intercept

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// An area holds the mirror chain that the host builds from a recipe: CCWs, then
// parameter blocks, in main storage that only the host writes.
type area struct {
	base machine.Address
	view []byte
	next *area
}

const (
	areaCCWs = (abi.MaxRecipe + spareCCWs) * arch.CCWSize
	// spareCCWs is the number of CCWs of zero at the end of each chain. They stop a
	// chain that continues behind its last CCW, or skips it.
	spareCCWs = 2
	areaSize  = 2048
	// areaBase is the address of the first area in main storage; the room ends at
	// areaLimit.
	areaBase  machine.Address = 0x60000000
	areaLimit machine.Address = 0x70000000
	areasEach                 = machine.FrameSize / areaSize
)

// areas is the pool of areas. An area is mapped when it is first needed.
type areas struct {
	storage *machine.Storage
	free    *area
	next    machine.Address // offset from areaBase of the area to be mapped next
}

func (a *areas) get() (*area, error) {
	if a.free == nil {
		base := areaBase + a.next
		if base >= areaLimit {
			return nil, fmt.Errorf("mirror chain: the limit of %d areas is in use", int(areaLimit-areaBase)/areaSize)
		}
		g, err := a.storage.MapBytes(base, machine.FrameSize)
		if err != nil {
			return nil, err
		}
		a.next += machine.FrameSize
		slab := make([]area, areasEach)
		for i := range slab {
			slab[i] = area{base: base + machine.Address(i*areaSize), view: g.Bytes()[i*areaSize : (i+1)*areaSize]}
			a.put(&slab[i])
		}
	}
	r := a.free
	a.free = r.next
	r.next = nil
	return r, nil
}

func (a *areas) put(r *area) {
	r.next = a.free
	a.free = r
}

// build makes the mirror chain that a recipe describes. Every data address in the
// chain comes from the primary's chain or is a parameter block of the response,
// and the chain stores only into private copies. The response has passed its
// check.
func (x *Process) build(mr *mirrorRequest, resp *abi.Response, n *abi.Intent) hooks.Refusal {
	a, err := x.areas.get()
	if err != nil {
		x.Log.Error("mirror chain could not be built", "error", err)
		return hooks.NoRoom
	}
	mr.area = a
	params := a.base + areaCCWs
	for i := range resp.Parameter[:resp.Parameters] {
		copy(a.view[areaCCWs+i*abi.ParameterSize:], resp.Parameter[i][:])
	}
	ccws := mr.r.program.CCWs
	recipe := resp.Recipe[n.First : n.First+n.Count]
	roles := chain.RolesOf(mr.r.pair.geometry.Class)
	stores, chained := false, false // of the command that data chaining continues
	for i := range recipe {
		c := &recipe[i]
		w := channel.CCW{Command: c.Command, Flags: channel.Flags(c.Flags), Count: c.Count}
		if c.Kind != abi.RecipeTransfer && w.Command == arch.CommandTransfer || c.Kind == abi.RecipeTransfer && chained {
			return x.abandon(mr)
		}
		stores = chained && stores || roles[w.Command]&chain.IsInput != 0
		chained = w.Flags&arch.FlagCD != 0 && c.Kind != abi.RecipeTransfer
		if stores && c.Kind != abi.RecipePrivate {
			w.Flags |= arch.FlagSkip
		}
		switch c.Kind {
		case abi.RecipeCopy:
			s := &ccws[c.Source]
			if w.Count > s.Count {
				return x.abandon(mr)
			}
			w.Address = s.Address
			w.Flags = w.Flags&^(arch.FlagIDA|arch.FlagMIDA) | channel.Flags(s.Flags)&(arch.FlagIDA|arch.FlagMIDA)
		case abi.RecipePrivate:
			s := &ccws[c.Source]
			copied := x.privateCopy(mr, s, int(w.Count))
			if copied == 0 {
				return x.abandon(mr)
			}
			w.Address = uint32(copied)
			w.Flags &^= arch.FlagIDA | arch.FlagMIDA
		case abi.RecipeParameter:
			w.Address = uint32(params) + uint32(c.Parameter)*abi.ParameterSize
			w.Flags &^= arch.FlagIDA | arch.FlagMIDA
		case abi.RecipeTransfer:
			if c.Source < n.First || c.Source >= n.First+n.Count {
				return x.abandon(mr)
			}
			w = channel.CCW{Command: arch.CommandTransfer, Address: uint32(a.base) + uint32(c.Source-n.First)*arch.CCWSize}
		case abi.RecipeControl:
			w.Address = uint32(params)
			w.Flags &^= arch.FlagIDA | arch.FlagMIDA
		default:
			return x.abandon(mr)
		}
		if i == len(recipe)-1 {
			w.Flags &^= arch.FlagCC | arch.FlagCD
		}
		channel.PutCCW1(a.view[i*arch.CCWSize:], w)
	}
	clear(a.view[len(recipe)*arch.CCWSize : (len(recipe)+spareCCWs)*arch.CCWSize])
	mr.chain, mr.length = a.base, len(recipe)
	if !mr.inexact && !mr.r.program.Repeats(resp, n) {
		mr.inexact = true
		x.built.Follow(&x.ios.Machine.Storage, a.base, true, &mr.r.pair.geometry)
		mr.touches = chain.NoTracks
		if x.built.Writes {
			mr.touches = x.built.Tracks
		}
	}
	return hooks.CarriedOut
}

// abandon gives up a chain that cannot be built.
func (x *Process) abandon(mr *mirrorRequest) hooks.Refusal {
	mr.giveBack()
	return hooks.Program
}

// giveBack returns the storage of a chain that the host has built.
func (mr *mirrorRequest) giveBack() {
	x := mr.r.x
	if mr.area != nil {
		x.areas.put(mr.area)
		mr.area = nil
	}
	for mr.copies != nil {
		c := mr.copies
		mr.copies = c.next
		x.copies.put(c)
	}
}
