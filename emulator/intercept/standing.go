package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// A standing chain is a mirror I/O that never ends by itself: its last CCW is
// suspended. To join the next mirror chain, a TIC (transfer in channel, a jump)
// without the suspend bit replaces the suspended CCW, and the subchannel is
// resumed; the joined chain ends in a suspended CCW again. Chains that come while
// the subchannel works on an earlier one wait until it is suspended: a channel
// program has one define extent, and for the control unit it begins anew with each
// resume. (FIG. 13, steps 252 to 258.)
type standing struct {
	m        *Mirror
	x        *Process
	block    ios.IOSB
	state    standingState
	first    *area    // area in which the subchannel is suspended, or which it has left
	at       int      // offset in first of the CCW at which it is or was suspended
	joined   []joined // chains behind it, in order; the first is running, the others wait
	failures int
	stopped  bool
	again    machine.SRB // sets the chain up again after the requests that it made way for
}

// Enter sets the standing chain up again.
func (s *standing) Enter(p *machine.Processor, _ *machine.SRB) {
	if !s.stopped {
		s.x.StartStanding(p, s.m)
	}
}

// joined is one mirror chain that is joined to a standing chain.
type joined struct {
	mr   *mirrorRequest
	area *area
	tail int // offset in area of its last CCW, which is suspended until another chain is joined
}

type standingState uint8

const (
	standingNone standingState = iota
	standingStarting
	standingSuspended
	standingRunning
)

// maxStandingFailures is the number of times that a standing chain is set up again
// after an error; then the mirror works without one.
const maxStandingFailures = 3

const (
	suspendedFlags = arch.FlagCC | arch.FlagS | arch.FlagSLI
)

// StartStanding sets up a standing chain for a mirror of pair; mirror I/Os then
// need no STARTIO while it is suspended. It does nothing if there is one.
func (x *Process) StartStanding(p *machine.Processor, m *Mirror) {
	s := m.standing
	if s == nil {
		s = &standing{m: m, x: x}
		s.again.Entry = s
		s.again.Priority = machine.PriorityTask
		m.standing = s
	}
	if s.state != standingNone || s.failures > maxStandingFailures {
		return
	}
	a, err := x.areas.get()
	if err != nil {
		x.Log.Error("standing chain could not be built", "error", err)
		return
	}
	s.first, s.at, s.joined = a, 0, s.joined[:0]
	s.stopped = false
	putSuspended(a.view)
	s.state = standingStarting
	b := &s.block
	b.Init(x.ios)
	b.ID = 0
	b.UCB = m.unit
	b.ChannelProgram = a.base
	b.Control = channel.ORBDefaultControl | channel.ORBSuspend
	b.DriverID = ios.DriverMirror
	b.Exit = s
	b.IRBRoutine = s
	b.KeepSuspended = false // until it is suspended: its start may be lost
	x.ios.STARTIO(p, b)
}

func putSuspended(p []byte) {
	channel.PutCCW1(p, channel.CCW{Command: arch.CommandNoOperation, Flags: suspendedFlags, Count: 1})
}

// StopStanding ends a suspended standing chain with CSCH.
func (x *Process) StopStanding(m *Mirror) {
	s := m.standing
	if s == nil {
		return
	}
	s.stopped = true
	if s.state == standingSuspended {
		x.ios.Cancel(&s.block)
	}
}

// resume joins mirror requests to the standing chains of their mirrors. (Steps
// 254, 256, 258, 260, 262.)
func (x *Process) resume(c *call, n *abi.Intent) hooks.Refusal {
	if c.r.block.CC != 0 {
		return hooks.NotStarted
	}
	return c.r.each(n.Mirrors, func(mr *mirrorRequest) hooks.Refusal {
		s := mr.m.standing
		switch {
		case !mr.state.waiting():
			return hooks.RequestState
		case mr.chain == noChain:
			return hooks.Program
		case s == nil || !s.open() || mr.m.State != abi.MirrorInSync:
			return hooks.MirrorState
		}
		return s.join(c.p, mr)
	})
}

// join puts the request's chain behind the suspended CCW and resumes.
func (s *standing) join(p *machine.Processor, mr *mirrorRequest) hooks.Refusal {
	x, r := s.x, mr.r
	a := mr.area
	n := mr.length
	if a == nil {
		n = len(r.program.CCWs)
		if n+1 > abi.MaxRecipe || r.program.Suspends {
			return hooks.Program
		}
		var err error
		if a, err = x.areas.get(); err != nil {
			x.Log.Error("mirror chain could not be built", "error", err)
			return hooks.NoRoom
		}
		if r.program.Branches || !copyChain(a, 0, r.program.CCWs) {
			x.areas.put(a)
			return hooks.Program
		}
	} else if n+1 > abi.MaxRecipe {
		return hooks.Program
	}
	if !joinable(a, n) {
		if mr.area == nil {
			x.areas.put(a)
		}
		return hooks.Program
	}
	mr.area = nil // the area belongs to the standing chain from here on
	last := a.view[(n-1)*arch.CCWSize:]
	last[1] |= byte(arch.FlagCC)
	tail := a.view[n*arch.CCWSize : (n+1)*arch.CCWSize]
	putSuspended(tail)

	s.joined = append(s.joined, joined{mr, a, n * arch.CCWSize})
	mr.unit, mr.begunAt = s.block.UCB, p.Now()
	mr.sent()
	mr.enter(mirrorBegun)
	if x.Mirror != nil {
		x.Mirror.Watch(p, p.Now())
	}
	x.counts.Mirrored++
	x.counts.Resumed++
	if s.state == standingSuspended {
		s.resume(p)
	}
	x.step(p, step.MarkBegun, abi.HookTable[abi.BackEnd].Actor, r.block.ID)
	return hooks.CarriedOut
}

// joinable reports whether the chain of n CCWs in the area ends with its last
// one: it has no CCW that suspends it, and the last is not a transfer in channel.
func joinable(a *area, n int) bool {
	for i := range n {
		if a.view[i*arch.CCWSize] != arch.CommandTransfer && channel.Flags(a.view[i*arch.CCWSize+1])&arch.FlagS != 0 {
			return false
		}
	}
	return n > 0 && a.view[(n-1)*arch.CCWSize] != arch.CommandTransfer
}

// open reports whether chains can be joined.
func (s *standing) open() bool {
	return !s.stopped && !s.block.UCB.Waiting() && (s.state == standingSuspended || s.state == standingRunning)
}

// resume joins the first of the waiting chains to the suspended CCW and lets the
// subchannel go on from there. (Steps 254, 256, 258.)
func (s *standing) resume(p *machine.Processor) {
	channel.PutCCW1(s.first.view[s.at:s.at+arch.CCWSize], channel.CCW{Command: arch.CommandTransfer, Address: uint32(s.joined[0].area.base)})
	s.state = standingRunning
	s.block.KeepSuspended = false
	s.block.StartedAt = p.Now()
	s.x.step(p, step.ResumeSubchannel, "IOSVRSUM", s.joined[0].mr.r.block.ID)
	if s.x.ios.IOSVRSUM(p, &s.block) != 0 {
		s.block.CompletionCode = arch.CompletionPermanent
		s.x.ios.Cancel(&s.block)
	}
}

// copyChain copies CCWs in format 1 to the area from CCW number first on and makes
// every TIC point within the copy. It reports whether all CCWs could be copied.
func copyChain(a *area, first int, ccws []abi.CCW) bool {
	if first+len(ccws) > abi.MaxRecipe {
		return false
	}
	clear(a.view[(first+len(ccws))*arch.CCWSize : (first+len(ccws)+spareCCWs)*arch.CCWSize])
	for i := range ccws {
		c := &ccws[i]
		w := channel.CCW{Command: c.Command, Flags: channel.Flags(c.Flags), Count: c.Count, Address: c.Address}
		if arch.IsTransfer(c.Command) {
			to := -1
			for j := range ccws {
				if ccws[j].Location == c.Address {
					to = j
					break
				}
			}
			if to < 0 {
				return false
			}
			w = channel.CCW{Command: arch.CommandTransfer, Address: uint32(a.base) + uint32(first+to)*arch.CCWSize}
		}
		channel.PutCCW1(a.view[(first+i)*arch.CCWSize:], w)
	}
	return true
}

// Status is the IRB routine of the standing chain: if it is suspended again, the
// joined chain is done.
func (s *standing) Status(p *machine.Processor, b *ios.IOSB) {
	w := &b.IRB.SCSW
	if w.Control&arch.Suspended != 0 && w.Control&arch.StatusIntermed != 0 {
		s.suspendedAt(p, machine.Address(w.CCWAddress)-arch.CCWSize)
		return
	}
	// Any other status ends the chain for good: it makes no sense to drive it again
	// from its first CCW.
	b.CompletionCode = arch.CompletionPermanent
	if s.stopped || s.state == standingSuspended {
		b.CompletionCode = arch.CompletionPurged // another request needs the subchannel
	}
}

// suspendedAt ends the mirror I/O whose chain ends with the suspended CCW, and
// resumes if more chains have come meanwhile.
func (s *standing) suspendedAt(p *machine.Processor, at machine.Address) {
	s.state = standingSuspended
	s.block.KeepSuspended = true
	if len(s.joined) != 0 && s.joined[0].area.base+machine.Address(s.joined[0].tail) == at {
		j := s.joined[0]
		s.joined = s.joined[:copy(s.joined, s.joined[1:])]
		s.failures = 0
		s.m.estimate.observe(true, s.block.EndedAt-s.block.StartedAt, j.mr.r.program.Tracks.Last)
		s.x.areas.put(s.first)
		s.first, s.at = j.area, j.tail
		j.mr.enter(mirrorArrived)
		j.mr.settle(true)
		j.mr.landed(p.Now())
		j.mr.joinedEnd(p)
	}
	switch {
	case len(s.joined) != 0 && s.state == standingSuspended:
		s.resume(p)
	case s.stopped || s.block.UCB.Waiting():
		s.x.ios.Cancel(&s.block)
	}
}

// lose gives up the joined requests: their chains have not reached the mirror, or
// may not have.
func (s *standing) lose(p *machine.Processor) {
	for _, j := range s.joined {
		if j.mr.chain == j.area.base { // built from a recipe; it may be tried again
			j.area.view[j.tail-arch.CCWSize+1] &^= byte(arch.FlagCC)
			clear(j.area.view[j.tail : j.tail+spareCCWs*arch.CCWSize])
			j.mr.area = j.area
		} else {
			s.x.areas.put(j.area)
		}
		j.mr.enter(mirrorFailing)
		j.mr.settle(false)
		j.mr.r.flags |= abi.FlagMirrorError
		s.x.step(p, step.MarkFailed, abi.HookTable[abi.BackEnd].Actor, j.mr.r.block.ID)
		j.mr.joinedEnd(p)
	}
	s.joined = s.joined[:0]
}

// joinedEnd ends a mirror I/O that had no IOSB of its own.
func (mr *mirrorRequest) joinedEnd(p *machine.Processor) {
	r := mr.r
	mr.freed()
	r.mirrorEnded(p)
	r.release()
}

// Done is called when the standing chain has ended, by an error or by
// StopStanding.
func (s *standing) Done(p *machine.Processor, _ *ios.IOSB) { s.lose(p) }

// Released gives the standing chain's storage back.
func (s *standing) Released(b *ios.IOSB) {
	s.x.areas.put(s.first)
	s.first = nil
	s.state = standingNone
	switch {
	case s.stopped:
	case b.CompletionCode == arch.CompletionPurged:
		s.again.Parm = uint64(s.m.unit.Index)
		s.x.ios.Machine.Dispatcher.Schedule(s.x.ios.Machine.Clock.Now(), &s.again)
	default:
		s.failures++
		s.x.Log.Warn("standing chain ended", "pair", s.m.pair.ID, "mirror", s.m.index+1, "code", b.CompletionCode)
	}
}
