package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// wanted reports whether a mirror I/O that is about to start is still useful: its
// mirror takes writes, or has become the primary and its tracks have had no write
// since the application was told that this one was done.
func (mr *mirrorRequest) wanted(role unitRole) bool {
	if role.mirror == mr.m {
		return mr.m.State == abi.MirrorInSync || mr.m.State == abi.MirrorSynchronising
	}
	r := mr.r
	if mr.inexact || role.role != abi.RolePrimary {
		return false
	}
	for t := r.program.Tracks.First; r.told != 0 && t <= r.program.Tracks.Last; t++ {
		if r.pair.written[t] > r.told {
			return false
		}
	}
	return true
}

// sent notes the write that the mirror is about to get. It marks a track if the
// chain may do something else than the primary's. It also marks a track if a write
// may be on the mirror already that reached the primary only after the application
// was told of this one, because the order is then wrong.
func (mr *mirrorRequest) sent() {
	r, m := mr.r, mr.m
	if mr.inexact {
		m.account.miss(mr.touches)
	}
	if !r.program.Writes {
		return
	}
	number := r.number
	if !r.onPrimary() {
		number = max(number, r.pair.writes+1)
	}
	for t := r.program.Tracks.First; t <= r.program.Tracks.Last; t++ {
		if mr.inexact || r.told != 0 && m.started[t] > r.told {
			m.account.miss(chain.Track(t))
		}
		m.started[t] = max(m.started[t], number)
	}
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
		b.Control = channel.ORBDefaultControl // the chains that the host builds have format 1
	}
	b.DriverID = ios.DriverMirror
	b.Writes = false // never held back: the primary has the write
	b.Exit = mr
	b.IRBRoutine = mr
	b.Use = mr
	b.SRB.Parm = b.ID
	mr.unit, mr.leftSince, mr.begunAt = b.UCB, 0, p.Now()
	mr.enter(mirrorBegun)
	if x.Mirror != nil {
		x.Mirror.Watch(p, p.Now())
	}
	x.counts.Mirrored++
	x.step(p, step.AskWhetherMirrorStarted, abi.HookTable[abi.BackEnd].Actor, b.ID)
	if r.state.open() {
		x.step(p, step.RunInParallel, "host", b.ID) // primary and mirror run in parallel
	}
	x.step(p, step.MarkBegun, abi.HookTable[abi.BackEnd].Actor, b.ID)
	x.ios.STARTIO(p, b)
}

// enterShadow counts the mirror request onto the shadow queue, and its request
// with the first of its mirror requests.
func (mr *mirrorRequest) enterShadow() {
	mr.m.waiting++
	r := mr.r
	if r.waiting++; r.waiting == 1 {
		x := r.x
		x.shadow++
		x.counts.ShadowPeak = max(x.counts.ShadowPeak, x.shadow)
	}
}

// leaveShadow counts the mirror request off the shadow queue, and its request with
// the last of its mirror requests.
func (mr *mirrorRequest) leaveShadow() {
	mr.m.waiting--
	r := mr.r
	if r.waiting--; r.waiting == 0 {
		r.x.shadow--
	}
}

// drop takes a mirror request off the shadow queue. If the primary has the write,
// the mirror has missed it. (Step 242.)
func (mr *mirrorRequest) drop() {
	mr.enter(mirrorDropped)
	mr.giveBack()
	mr.settle(false)
}

// fail ends a mirror request that was never started.
func (mr *mirrorRequest) fail(p *machine.Processor) {
	mr.enter(mirrorFailed)
	mr.settle(false)
	mr.r.flags |= abi.FlagMirrorError
	mr.r.mirrorEnded(p)
}

// forgetMirrors frees the places for the mirrors: for another drive of the
// request, or at its end. It drops the mirror requests on the shadow queue.
func (r *Request) forgetMirrors() {
	legs := r.legs()
	for i := range legs {
		mr := &legs[i]
		if mr.state.waiting() {
			mr.drop()
		}
		if mr.made() {
			mr.giveBack()
			mr.enter(mirrorNone)
		}
		mr.enterLeg(legIdle)
		mr.enterLabel(labelUnasked)
		mr.enterCopy(copyNone)
	}
}

// Status is the IRB routine of a mirror I/O: it sets the mirror-completion flag
// when the mirror has the write. (Step 284.)
func (mr *mirrorRequest) Status(p *machine.Processor, b *ios.IOSB) {
	mr.m.estimate.observe(true, b.EndedAt-b.StartedAt, mr.r.program.Tracks.Last)
	if !b.IRB.OK() {
		return // error recovery may drive it again; Done learns of the end
	}
	mr.enter(mirrorArrived)
	mr.settle(true)
	mr.landed(p.Now())
	mr.r.noteMirrors()
}

// landed notes that the mirror has the data that the request has written: the
// write is not at risk any more, and the consistency group learns of it. A chain
// that may have written something else does not count, nor does a unit that has
// become the primary meanwhile.
func (mr *mirrorRequest) landed(now machine.Time) {
	if mr.r.program.Writes {
		mr.m.pair.group.got(mr.r.block.RequestedAt)
	}
	for _, m := range mr.m.pair.mirrors {
		if !mr.inexact && m.unit == mr.unit {
			mr.r.arrived(m, now)
			mr.r.x.wake(m)
		}
	}
}

// settle tells the account once that the mirror request has ended.
func (mr *mirrorRequest) settle(onMirror bool) {
	if mr.leg != legUnderWay {
		return
	}
	if onMirror {
		mr.enterLeg(legGood)
	} else {
		mr.enterLeg(legBad)
	}
	r := mr.r
	mr.m.account.ended(r.program.Tracks, mr.epoch, onMirror)
	if mr.epoch != mr.m.account.epoch {
		// Its unit has become the primary meanwhile. A mirror to which the tracks were
		// copied from there may have got their earlier content.
		for _, m := range r.pair.mirrors {
			m.account.overtaken(r.program.Tracks, m.State == abi.MirrorInSync)
		}
	}
	if !onMirror {
		r.missed(mr.m)
	}
	r.x.wake(mr.m)
}

// noteMirrors sets the mirror-completion flag once no mirror I/O is on its way.
func (r *Request) noteMirrors() {
	if !r.any((*mirrorRequest).onItsWay) {
		r.flags |= abi.FlagMirrorComplete
	}
}

// Done is called when a mirror I/O has ended.
func (mr *mirrorRequest) Done(p *machine.Processor, b *ios.IOSB) {
	if !b.OK() {
		mr.enter(mirrorFailing)
		if b.CC != 0 {
			mr.r.x.step(p, step.MarkFailed, abi.HookTable[abi.BackEnd].Actor, b.ID)
		}
		mr.settle(false)
		mr.r.flags |= abi.FlagMirrorError
		mr.r.noteMirrors()
	}
}

// Released ends the mirror I/O's hold on its request.
func (mr *mirrorRequest) Released(*ios.IOSB) { mr.freed() }

// freed notes that the mirror I/O's IOSB, or its place on a standing chain, is free.
func (mr *mirrorRequest) freed() {
	if mr.state == mirrorArrived {
		mr.giveBack()
		mr.enter(mirrorComplete)
	} else { // it may be tried again
		mr.enter(mirrorFailed)
	}
	mr.endedIn = mr.m.synchronisations
}
