package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/hooks"
)

// inhibit replaces the request's chain by a copy with which the device permits no
// write: the file mask of its define extent says so, or a set file mask in front
// of a chain without one. (Step 130, the alternative.)
func (x *Process) inhibit(c *call, _ *abi.Intent) hooks.Refusal {
	r, b := c.r, c.block
	switch {
	case c.role.role != abi.RoleMirror || c.origin != abi.OriginApplication:
		return hooks.WrongTarget
	case r.inhibited != nil:
		return hooks.Contradiction // it is inhibited already
	case r.program.Modifies || r.program.Truncated():
		return hooks.Program
	}
	defined := -1
	roles := chain.RolesOf(c.role.pair.geometry.Class)
	for i := range r.program.CCWs {
		if r.program.CCWs[i].Command == arch.CommandDefineExtent {
			defined = i
			break
		}
		if roles[r.program.CCWs[i].Command]&chain.IsWrite != 0 {
			break // before any define extent
		}
	}
	first := 0
	if defined < 0 {
		if c.role.pair.geometry.Class == abi.ClassFBA {
			return hooks.Program // nothing without a define extent can write there
		}
		first = 1
	}
	a, err := x.areas.get()
	if err != nil {
		x.Log.Error("inhibited chain could not be built", "error", err)
		return hooks.NoRoom
	}
	if r.program.Branches || !copyChain(a, first, r.program.CCWs) {
		x.areas.put(a)
		return hooks.Program
	}
	parameter := a.view[areaCCWs:]
	at := uint32(a.base) + areaCCWs
	if defined >= 0 {
		d := &r.program.CCWs[defined]
		if d.Count == 0 || int(d.Count) > areaSize-areaCCWs || !chain.LoadData(&x.ios.Machine.Storage, d, parameter[:d.Count]) {
			x.areas.put(a)
			return hooks.Program
		}
		parameter[0] = parameter[0]&^arch.MaskWrite | arch.MaskWriteNone
		channel.PutCCW1(a.view[defined*arch.CCWSize:], channel.CCW{
			Command: d.Command, Flags: channel.Flags(d.Flags) &^ arch.FlagIDA, Count: d.Count, Address: at,
		})
	} else {
		parameter[0] = arch.MaskWriteNone
		channel.PutCCW1(a.view, channel.CCW{Command: arch.CommandSetFileMask, Flags: arch.FlagCC, Count: 1, Address: at})
	}
	r.inhibited, r.original, r.control = a, b.ChannelProgram, b.Control
	b.ChannelProgram = a.base
	if b.Control != 0 {
		b.Control |= channel.ORBFormat1
	}
	return hooks.CarriedOut
}

// uninhibit restores the requester's own chain.
func (r *Request) uninhibit() {
	if r.inhibited == nil {
		return
	}
	r.block.ChannelProgram, r.block.Control = r.original, r.control
	r.x.areas.put(r.inhibited)
	r.inhibited = nil
}
