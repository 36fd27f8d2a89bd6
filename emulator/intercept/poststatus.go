package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// PostStatus is the target of the third pointer: the post-status detours, then
// IECVPST or the dispatcher. (Steps 290 to 312.)
func (x *Process) PostStatus(p *machine.Processor, b *ios.IOSB) {
	switch use := b.Use.(type) {
	case *mirrorRequest:
		x.postMirror(p, use)
	case *Request:
		x.postRequest(p, use)
	default:
		x.ios.IECVPST(p, b)
	}
}

// postMirror ends a mirror I/O and tells the mirror process of it (M1).
func (x *Process) postMirror(p *machine.Processor, mr *mirrorRequest) {
	r := mr.r
	c := call{hook: abi.PostStatus, p: p, r: r, block: &mr.block, role: x.roleOf(mr.block.UCB), origin: abi.OriginMirror, program: &r.program}
	x.consult(&c)
	x.ios.IECVPST(p, &mr.block)
	if mr.block.Ended() {
		r.mirrorEnded(p)
		r.release()
	}
}

// mirrorEnded tells the mirror process that a mirror I/O of r has ended.
func (r *Request) mirrorEnded(p *machine.Processor) {
	r.noteMirrors()
	if r.x.Mirror != nil {
		r.x.Mirror.Ended(p, r)
	}
}

func (x *Process) postRequest(p *machine.Processor, r *Request) {
	b := r.block
	c := call{hook: abi.PostStatus, p: p, r: r, block: b, role: r.role, origin: r.origin, program: &r.program}
	ok := b.CompletionCode == 0 && b.IRB.OK()
	switch {
	case r.state == requestTold: // a mirror I/O of it has failed since
		x.consult(&c)
		r.release()
		return
	case r.state.open():
		x.answered(r, ok)
	case r.Held():
		r.enter(requestAgain)
		r.awaits = nil
	}
	if r.role.role == abi.RoleNone && r.generation.Empty() {
		x.finish(p, r)
		return
	}
	holder := x.consult(&c)
	if r.awaits != nil {
		r.hold(p, requestAwaiting)
		return
	}
	if ok && r.role.role == abi.RolePrimary {
		x.copyChanged(p, r)
		if (holder != nil || r.waitsForCopies()) && !r.overdue() && b.CompletionCode == 0 && x.holdable(r) {
			r.hold(p, requestHeld)
			return
		}
		if holder != nil && r.overdue() {
			x.overruleHold(&c)
		}
	}
	x.finish(p, r)
}

// answered takes the outcome of a drive of the request; ok says that it has ended
// well.
func (x *Process) answered(r *Request, ok bool) {
	b := r.block
	x.observe(r, b)
	if ok {
		r.completeAt = b.EndedAt
	} else if r.onPrimary() {
		x.doubt(r)
	}
	if r.onPrimary() {
		r.overtaken()
	}
	r.enter(requestAnswered)
	switch {
	case r.primary != legUnderWay: // it was not started
	case ok:
		r.enterPrimary(legGood)
	default:
		r.enterPrimary(legBad)
	}
}

// holdable reports whether a held request will be looked at again: because of a
// mirror I/O under way, or by the monitor.
func (x *Process) holdable(r *Request) bool {
	return r.outstanding() || r.backEnd.Queued() || x.Mirror != nil
}

// failWaiting fails the request for the application although the primary I/O ended
// well: it has waited for a mirror in vain. Tracks on which the mirror lacks the
// write stay marked. (M2.)
func (x *Process) failWaiting(c *call, n *abi.Intent) hooks.Refusal {
	r, code := c.r, n.Code
	switch {
	case c.origin == abi.OriginMirror || c.role.role != abi.RolePrimary:
		return hooks.WrongTarget
	case r.Ended() || c.block.CompletionCode != 0:
		return hooks.WrongMoment
	}
	if code == 0 || code == arch.CompletionNormal {
		code = arch.CompletionPermanent
	}
	c.block.CompletionCode = code
	return hooks.CarriedOut
}

// observe takes the outcome of a request into its device's estimates.
func (x *Process) observe(r *Request, b *ios.IOSB) {
	if r.pair == nil || b.EndedAt <= b.StartedAt || b.CompletionCode != 0 {
		return
	}
	e := &r.pair.estimate
	if r.routed != nil {
		e = &r.routed.estimate
	} else if r.role.mirror != nil {
		e = &r.role.mirror.estimate
	}
	e.observe(r.program.Writes, b.EndedAt-b.StartedAt, r.program.Tracks.Last)
}

// doubt marks the tracks of a write that the primary has answered with an error:
// nobody knows which of the devices have it.
func (x *Process) doubt(r *Request) {
	for _, m := range r.pair.mirrors {
		m.account.mark(r.program.Tracks)
	}
}

// overtaken looks at the tracks that the chain of a write could touch after it had
// suspended itself. Other writes to them that have come to the primary while it was
// under way may have been made before that or after, and a mirror may have got them in
// the other order. Such tracks are marked, and the mirror I/Os of the write count as not
// exact.
func (r *Request) overtaken() {
	for t := r.program.Late.First; t <= r.program.Late.Last; t++ {
		if r.pair.written[t] <= r.number {
			continue
		}
		for i, m := range r.pair.mirrors {
			m.account.miss(chain.Track(t))
			r.mirrors[i].inexact = true
		}
	}
}

// finish passes the request to IECVPST: it is driven again, or its application is
// told. It keeps the account of the writes on which the application may rely.
func (x *Process) finish(p *machine.Processor, r *Request) {
	b := r.block
	if r.state == requestAgain {
		r.enter(requestAnswered)
	}
	if r.routed != nil && !b.IRB.OK() && (b.CompletionCode == 0 || b.CompletionCode == arch.CompletionNoPath) {
		x.returnToPrimary(p, r)
		return
	}
	write := r.onPrimary()
	if r.role.role == abi.RolePrimary && b.UCB != r.pair.primary &&
		(!b.IRB.OK() || write && b.CompletionCode == 0 && !r.survived()) {
		r.repeat(p) // the primary has failed, and another device has its place
		return
	}
	if r.number != 0 {
		r.told = r.pair.writes
	}
	x.ios.IECVPST(p, b)
	if !b.Ended() {
		r.told = 0
		return // error recovery drives it again
	}
	if write && b.OK() {
		x.acknowledge(p, r)
	}
	r.enter(requestTold)
	r.watchMirrors(p)
	r.release()
}

// watchMirrors asks the monitor to watch the mirror I/Os of a request whose
// application has been told.
func (r *Request) watchMirrors(p *machine.Processor) {
	if r.x.Mirror == nil {
		return
	}
	legs := r.legs()
	for i := range legs {
		if mr := &legs[i]; mr.state.busy() {
			r.x.Mirror.Watch(p, mr.begunAt)
		}
	}
}

// acknowledge is called when an application is told that its write is done: from
// now on the write is at risk for each mirror that lacks it. The promise of the
// policy is checked.
func (x *Process) acknowledge(p *machine.Processor, r *Request) {
	r.ackedAt = p.Now()
	have, following := 0, 0
	for i, m := range r.pair.mirrors {
		mr := &r.mirrors[i]
		// by its own mirror I/O, or by a synchronisation after it
		on := r.onMirror(i) || r.brought(m)
		if m.State == abi.MirrorInSync {
			following++
			if on {
				have++
			}
		}
		if on {
			continue
		}
		r.lacks(m)
		if mr.leg != legUnderWay && mr.copy != copyUnderWay {
			r.missed(m)
		}
	}
	x.counts.Acknowledged++
	if following == 0 && r.promise.Durability == DurableMirrors {
		x.counts.Alone++
	}
	want := following
	if n := r.promise.Copies; n != 0 {
		want = min(n, following)
	}
	if have < want && r.promise.Durability == DurableMirrors {
		// A mirror cannot hold back the effects of a program-controlled interruption,
		// which has told of the write before the end of the chain (184).
		if r.flags&abi.FlagConstantCopy != 0 || r.pair.Mode == abi.ModeConstantCopy || r.program.Interrupts {
			x.counts.Degraded++
		} else {
			x.counts.Violations++
		}
	}
}

// returnToPrimary drives a read that a mirror could not serve again, on the
// primary.
func (x *Process) returnToPrimary(p *machine.Processor, r *Request) {
	b := r.block
	r.routed = nil // its origin stays, which keeps it from being routed again
	b.CompletionCode, b.Retries = 0, 0
	b.UCB = r.pair.primary
	x.ios.IOSVSSCQ(p, b)
}

// repeat drives a request again on the pair's new primary.
func (r *Request) repeat(p *machine.Processor) {
	b := r.block
	if r.onPrimary() && b.IRB.OK() {
		r.former = b.UCB
	}
	b.CompletionCode, b.Retries = 0, 0
	b.UCB = r.pair.primary
	r.x.ios.IOSVSSCQ(p, b)
}

// heldList lists the requests that are held, in the order in which their primary
// I/Os ended, so that the time of the first one is over first. A request stays in
// the list while post-status processing looks at it again.
type heldList struct{ head, tail *Request }

// hold delays post-status processing of the request. s is one of the states in
// which a request is held.
func (r *Request) hold(p *machine.Processor, s requestState) {
	if r.completeAt == 0 { // it has failed; its time runs from now on
		r.completeAt = p.Now()
	}
	r.enter(s)
	if r.x.Mirror != nil {
		r.x.Mirror.Watch(p, r.completeAt)
	}
}

// list puts the request into the list of held ones. Requests come nearly in the
// order of the list.
func (r *Request) list() {
	h := &r.x.held
	before := h.tail
	for before != nil && before.completeAt > r.completeAt {
		before = before.heldPrev
	}
	r.heldPrev = before
	if before == nil {
		r.heldNext, h.head = h.head, r
	} else {
		r.heldNext, before.heldNext = before.heldNext, r
	}
	if r.heldNext == nil {
		h.tail = r
	} else {
		r.heldNext.heldPrev = r
	}
}

func (r *Request) unlist() {
	h := &r.x.held
	if r.heldPrev == nil {
		h.head = r.heldNext
	} else {
		r.heldPrev.heldNext = r.heldNext
	}
	if r.heldNext == nil {
		h.tail = r.heldPrev
	} else {
		r.heldNext.heldPrev = r.heldPrev
	}
	r.heldNext, r.heldPrev = nil, nil
}

// LongestHeld returns the held request whose primary I/O ended first, or nil.
func (x *Process) LongestHeld() *Request { return x.held.head }

// Reschedule makes post-status processing run again for a held request (M1).
func (r *Request) Reschedule(p *machine.Processor) { r.reschedule(p.Now()) }

func (r *Request) reschedule(now machine.Time) {
	r.x.ios.Machine.Dispatcher.Schedule(now, &r.block.SRB)
}

// TimeOut posts an error for a request whose mirror does not answer (M2): its
// detours get a call with FlagTimedOut set. If a detour holds the request even
// then, the host completes it nevertheless.
func (r *Request) TimeOut(now machine.Time) {
	if r.block.SRB.Queued() {
		return // not looked at yet since something has happened
	}
	if !r.overdue() {
		r.x.counts.TimedOut++
	}
	r.flags |= abi.FlagTimedOut
	r.reschedule(now)
}
