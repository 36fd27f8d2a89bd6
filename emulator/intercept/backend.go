package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

func (x *Process) carryOutBackEnd(a *hooks.Attachment, c *call, ans *response) {
	r := c.r
	for i := range ans.intents[:ans.n] {
		n := &ans.intents[i]
		why := hooks.CarriedOut
		switch n.Kind {
		case abi.IntentDrop:
			why = r.dropMirrors(n.Mirrors)
		case abi.IntentSchedule:
			why = x.schedule(c.p, r, n.Mirrors)
		case abi.IntentStart:
			why = x.startMirrors(c.p, r, n.Mirrors)
		case abi.IntentLabel:
			why = x.readLabels(a, c, n.Mirrors)
		case abi.IntentResume:
			why = x.resume(c.p, r, n.Mirrors)
		default:
			why = x.anywhere(c, n)
		}
		if why != hooks.CarriedOut {
			x.refuse(a, c, n, why)
		}
	}
}

// each calls f for every mirror request of the mask that was made. The refusal is
// the first one of f, or says that there is no such mirror request.
func (r *Request) each(mask uint8, f func(*mirrorRequest) hooks.Refusal) hooks.Refusal {
	if mask == 0 || mask&^r.made != 0 {
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
func (r *Request) dropMirrors(mask uint8) hooks.Refusal {
	return r.each(mask, func(mr *mirrorRequest) hooks.Refusal {
		if !mr.waiting() {
			return hooks.RequestState
		}
		mr.drop()
		return hooks.CarriedOut
	})
}

// readLabels has the labels of mirrors read for the request. A label that is
// being read for it already answers this question too: with several mirrors the
// detour runs while one of them waits. (Step 250.)
func (x *Process) readLabels(a *hooks.Attachment, c *call, mask uint8) hooks.Refusal {
	r := c.r
	switch {
	case r.block.CC != 0:
		return hooks.NotStarted
	case x.Mirror == nil:
		return hooks.NoRoom
	}
	return r.each(mask, func(mr *mirrorRequest) hooks.Refusal {
		switch {
		case !mr.waiting():
			return hooks.RequestState
		case mr.labelling:
			return hooks.CarriedOut
		case mr.labels == MaxLabelReads:
			x.overrule(a, c, circleLabel)
			return hooks.TooOften
		case !x.Mirror.ReadLabel(c.p, r, mr.m):
			return hooks.NoRoom
		}
		mr.labelling = true
		mr.labels++
		r.open++ // until SetLabel
		return hooks.CarriedOut
	})
}

// schedule has the back-end detours run again, enabled, at high priority. (Step
// 270.)
func (x *Process) schedule(p *machine.Processor, r *Request, mask uint8) hooks.Refusal {
	switch {
	case p.Mode != machine.Disabled:
		return hooks.WrongMoment
	case r.block.CC != 0:
		return hooks.NotStarted
	case mask == 0 || mask&^r.made != 0:
		return hooks.NoRequest
	}
	why := hooks.CarriedOut
	for i := range r.pair.mirrors {
		if mr := &r.mirrors[i]; mask&(1<<i) != 0 {
			if mr.state != abi.MirrorIOShadow {
				why = why.First(hooks.RequestState)
				continue
			}
			if mr.chain == noChain {
				why = why.First(hooks.Program)
				continue
			}
			mr.state = abi.MirrorIOScheduled
		}
	}
	r.backEnd.Parm = r.block.ID
	x.ios.Machine.Dispatcher.Schedule(p.Now(), &r.backEnd)
	return why
}

// startMirrors issues STARTIO for mirror requests: they go from the shadow queue
// to the mirrors' queues. (Steps 268, 274, 260, 262.)
func (x *Process) startMirrors(p *machine.Processor, r *Request, mask uint8) hooks.Refusal {
	switch {
	case p.Mode != machine.Enabled:
		return hooks.WrongMoment
	case mask == 0 || mask&^r.made != 0:
		return hooks.NoRequest
	}
	why := hooks.CarriedOut
	for i := range r.pair.mirrors {
		if mask&(1<<i) == 0 {
			continue
		}
		mr := &r.mirrors[i]
		switch {
		case !mr.waiting():
			why = why.First(hooks.RequestState)
		case mr.chain == noChain:
			why = why.First(hooks.Program)
		case mr.m.State == abi.MirrorSuspended || mr.m.State == abi.MirrorFailed:
			why = why.First(hooks.MirrorState)
		default:
			mr.start(p)
		}
	}
	return why
}

// underWay reports whether the mirror request may still bring a write to the
// mirror.
func (mr *mirrorRequest) underWay() bool {
	return mr.chain != noChain && (mr.waiting() || mr.state == abi.MirrorIOBegun)
}

// wanted reports whether a mirror I/O that is about to start still makes sense:
// its mirror takes writes, or has become the primary and has no later write from
// somebody who was told that this one was done.
func (mr *mirrorRequest) wanted(role unitRole) bool {
	if role.mirror == mr.m {
		return mr.m.State == abi.MirrorInSync || mr.m.State == abi.MirrorSynchronising
	}
	r := mr.r
	if mr.inexact || role.role != abi.RolePrimary {
		return false
	}
	for t := r.program.tracks.first; r.told != 0 && t <= r.program.tracks.last; t++ {
		if r.pair.written[t] > r.told {
			return false
		}
	}
	return true
}

// onItsWay notes what the mirror is about to get. A track is marked when the
// chain may do something else than the primary's, or when a write may be on the
// mirror already that reached the primary only after the application was told of
// this one: here the order is the wrong one.
func (mr *mirrorRequest) onItsWay() {
	r, m := mr.r, mr.m
	if mr.inexact {
		m.account.miss(mr.touches)
	}
	if !r.program.writes {
		return
	}
	number := r.number
	if !r.reached {
		number = max(number, r.pair.writes+1)
	}
	for t := r.program.tracks.first; t <= r.program.tracks.last; t++ {
		if mr.inexact || r.told != 0 && m.started[t] > r.told {
			m.account.miss(extent{t, t})
		}
		m.started[t] = max(m.started[t], number)
	}
}

// waiting reports whether the mirror request is on the shadow queue.
func (mr *mirrorRequest) waiting() bool {
	return mr.state == abi.MirrorIOShadow || mr.state == abi.MirrorIOScheduled
}

func (mr *mirrorRequest) start(p *machine.Processor) {
	r, x := mr.r, mr.r.x
	b := &mr.block
	b.Init(x.ios)
	b.ID = r.block.ID
	b.UCB = mr.m.unit
	b.ChannelProgram = mr.chain
	b.Control = r.block.Control
	if mr.area != nil {
		b.Control = channel.ORBDefaultControl // the host builds format 1
	}
	b.DriverID = ios.DriverMirror
	b.Writes = false // never held back: the primary has the write
	b.Exit = mr
	b.IRBRoutine = mr
	b.Use = mr
	b.SRB.Parm = b.ID
	mr.state, mr.busy, mr.unit, mr.leftSince = abi.MirrorIOBegun, true, b.UCB, 0
	mr.leaveShadow()
	mr.m.began(mr, p.Now())
	if x.Mirror != nil {
		x.Mirror.Watch(p, p.Now())
	}
	r.open++
	x.counts.Mirrored++
	x.step(p, step.AskWhetherMirrorStarted, abi.HookTable[abi.BackEnd].Actor, b.ID)
	if !r.observed {
		x.step(p, step.RunInParallel, "host", b.ID) // primary and mirror run in parallel
	}
	x.step(p, step.MarkBegun, abi.HookTable[abi.BackEnd].Actor, b.ID)
	x.ios.STARTIO(p, b)
}

// enterShadow counts the mirror request, and its request, onto the shadow queue.
func (mr *mirrorRequest) enterShadow() {
	mr.m.waiting++
	r := mr.r
	if x := r.x; !r.shadowed {
		r.shadowed = true
		x.shadow++
		x.counts.ShadowPeak = max(x.counts.ShadowPeak, x.shadow)
	}
}

// leaveShadow counts the mirror request off the shadow queue, and the request
// with the last of its mirror requests that was on it.
func (mr *mirrorRequest) leaveShadow() {
	mr.m.waiting--
	r := mr.r
	for i := range r.pair.mirrors {
		if r.made&(1<<i) != 0 && r.mirrors[i].waiting() {
			return
		}
	}
	if r.shadowed {
		r.shadowed = false
		r.x.shadow--
	}
}

// drop takes a mirror request off the shadow queue; where the primary has the
// write, the mirror has missed it. (Step 242.)
func (mr *mirrorRequest) drop() {
	mr.state = abi.MirrorIODropped
	mr.leaveShadow()
	mr.giveBack()
	mr.settle(false)
}

// fail ends a mirror request that was never started.
func (mr *mirrorRequest) fail(p *machine.Processor) {
	mr.state = abi.MirrorIOFailed
	mr.leaveShadow()
	mr.settle(false)
	mr.r.flags |= abi.FlagMirrorError
	mr.r.mirrorEnded(p)
}

// forget makes the place free for another mirror request of the same I/O.
func (mr *mirrorRequest) forget() {
	if mr.waiting() {
		mr.state = abi.MirrorIONone
		mr.leaveShadow()
	}
	mr.settle(mr.state == abi.MirrorIOComplete)
	mr.state = abi.MirrorIONone
	mr.giveBack()
}

// Status is the IRB routine of a mirror I/O: it sets the mirror-completion flag
// when the mirror has the write. (Step 284.)
func (mr *mirrorRequest) Status(p *machine.Processor, b *ios.IOSB) {
	mr.m.estimate.observe(true, b.EndedAt-b.StartedAt, mr.r.program.tracks.last)
	if !b.IRB.OK() {
		return // error recovery may drive it again; Done knows
	}
	mr.state = abi.MirrorIOComplete
	mr.settle(true)
	mr.landed(p.Now())
	mr.r.noteMirrors()
}

// landed notes that the mirror has what the request has written: it is at risk no
// longer, and the consistency group learns of it. A chain that may have written
// something else brings nothing; a unit that has become the primary meanwhile is
// not the mirror.
func (mr *mirrorRequest) landed(now machine.Time) {
	if mr.r.program.writes {
		mr.m.pair.group.got(mr.r.block.RequestedAt)
	}
	for _, m := range mr.m.pair.mirrors {
		if !mr.inexact && m.unit == mr.unit {
			mr.r.arrived(m, now)
			mr.r.x.wake(m)
		}
	}
}

// settle tells the account how the mirror request has ended, once.
func (mr *mirrorRequest) settle(onMirror bool) {
	if !mr.counted || mr.settled {
		return
	}
	mr.settled = true
	r := mr.r
	mr.m.account.ended(r.program.tracks, mr.epoch, onMirror)
	if mr.epoch != mr.m.account.epoch {
		// Its unit has become the primary meanwhile: whoever has had the tracks
		// copied from there may have them as they were before.
		for _, m := range r.pair.mirrors {
			m.account.overtaken(r.program.tracks, m.State == abi.MirrorInSync)
		}
	}
	if !onMirror {
		r.missed(mr.m)
	}
	r.x.wake(mr.m)
}

// noteMirrors sets the mirror-completion flag once no mirror I/O is on its way.
func (r *Request) noteMirrors() {
	for i := range r.pair.mirrors {
		if r.made&(1<<i) != 0 {
			switch r.mirrors[i].state {
			case abi.MirrorIOShadow, abi.MirrorIOScheduled, abi.MirrorIOBegun:
				return
			}
		}
	}
	r.flags |= abi.FlagMirrorComplete
}

// Done is the exit of a mirror I/O.
func (mr *mirrorRequest) Done(p *machine.Processor, b *ios.IOSB) {
	if !b.OK() {
		mr.state = abi.MirrorIOFailed
		if b.CC != 0 {
			mr.r.x.step(p, step.MarkFailed, abi.HookTable[abi.BackEnd].Actor, b.ID)
		}
		mr.settle(false)
		mr.r.flags |= abi.FlagMirrorError
		mr.r.noteMirrors()
	}
}

// Released ends the mirror I/O's hold on its request.
func (mr *mirrorRequest) Released(*ios.IOSB) {
	r := mr.r
	if mr.state == abi.MirrorIOComplete {
		mr.giveBack() // otherwise it may be tried again
	}
	mr.busy = false
	mr.m.finished(mr)
	r.open--
}
