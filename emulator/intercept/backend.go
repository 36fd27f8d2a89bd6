package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// each calls f for every mirror request of the mask that was made. It returns the
// first refusal of f, or the refusal that says that there is no such mirror
// request.
func (r *Request) each(mask uint8, f func(*mirrorRequest) hooks.Refusal) hooks.Refusal {
	if mask == 0 || mask&^r.made() != 0 {
		return hooks.NoRequest
	}
	why := hooks.CarriedOut
	for i := range r.pair.mirrors {
		if mask&(1<<i) != 0 {
			why = why.First(f(&r.mirrors[i]))
		}
	}
	return why
}

// dropMirrors takes mirror requests off the shadow queue.
func (x *Process) dropMirrors(c *call, n *abi.Intent) hooks.Refusal {
	return c.r.each(n.Mirrors, func(mr *mirrorRequest) hooks.Refusal {
		if !mr.state.waiting() {
			return hooks.RequestState
		}
		mr.drop()
		return hooks.CarriedOut
	})
}

// readLabels starts reading the labels of mirrors for the request. A label that is
// already being read for it is not read again: with several mirrors the detour
// runs while one of them waits. (Step 250.)
func (x *Process) readLabels(c *call, n *abi.Intent) hooks.Refusal {
	r := c.r
	switch {
	case r.block.CC != 0:
		return hooks.NotStarted
	case x.Mirror == nil:
		return hooks.NoRoom
	}
	return r.each(n.Mirrors, func(mr *mirrorRequest) hooks.Refusal {
		switch {
		case !mr.state.waiting():
			return hooks.RequestState
		case mr.label == labelReading:
			return hooks.CarriedOut
		case mr.labels == MaxLabelReads:
			x.overrule(c, circleLabel)
			return hooks.TooOften
		case !x.Mirror.ReadLabel(c.p, r, mr.m):
			return hooks.NoRoom
		}
		mr.enterLabel(labelReading) // until SetLabel
		mr.labels++
		return hooks.CarriedOut
	})
}

// schedule makes the back-end detours run again, enabled, at high priority. (Step
// 270.)
func (x *Process) schedule(c *call, n *abi.Intent) hooks.Refusal {
	r := c.r
	switch {
	case c.p.Mode != machine.Disabled:
		return hooks.WrongMoment
	case r.block.CC != 0:
		return hooks.NotStarted
	case n.Mirrors == 0 || n.Mirrors&^r.made() != 0:
		return hooks.NoRequest
	}
	why := r.each(n.Mirrors, func(mr *mirrorRequest) hooks.Refusal {
		switch {
		case mr.state != mirrorShadow:
			return hooks.RequestState
		case mr.chain == noChain:
			return hooks.Program
		}
		mr.enter(mirrorScheduled)
		return hooks.CarriedOut
	})
	r.backEnd.Parm = r.block.ID
	x.ios.Machine.Dispatcher.Schedule(c.p.Now(), &r.backEnd)
	return why
}

// startMirrors issues STARTIO for mirror requests: they go from the shadow queue
// to the mirrors' queues. (Steps 268, 274, 260, 262.)
func (x *Process) startMirrors(c *call, n *abi.Intent) hooks.Refusal {
	if c.p.Mode != machine.Enabled {
		return hooks.WrongMoment
	}
	return c.r.each(n.Mirrors, func(mr *mirrorRequest) hooks.Refusal {
		switch {
		case !mr.state.waiting():
			return hooks.RequestState
		case mr.chain == noChain:
			return hooks.Program
		case mr.m.State == abi.MirrorSuspended || mr.m.State == abi.MirrorFailed:
			return hooks.MirrorState
		}
		mr.start(c.p)
		return hooks.CarriedOut
	})
}
