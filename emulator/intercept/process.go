package intercept

import (
	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// Limits and defaults of the intercept process.
const (
	// MaxFailures is the number of calls without an answer, by an abnormal end or by
	// a response that fails its check, after which a detour is passed over for good.
	MaxFailures = 16
	// DetourCost is the virtual time that a call of a detour takes, until its
	// instructions are counted: an estimate of 300 instructions at 1000 million a
	// second.
	DetourCost = 300 * machine.Time(1)
)

// MirrorProcess holds the calls by which the mirror process learns of events.
type MirrorProcess interface {
	// Ended says that a mirror I/O of r has ended. If the primary I/O is complete
	// and held, the mirror process schedules post-status processing for it again
	// (M1).
	Ended(p *machine.Processor, r *Request)
	// ReadLabel reads the label of m and then calls r.SetLabel; it returns false if
	// it cannot (250).
	ReadLabel(p *machine.Processor, r *Request, m *Mirror) bool
	// Watch says that since the given time something waits for a mirror: a mirror I/O
	// has begun, or a request is held whose primary I/O has ended (312). The monitor
	// watches over it (M2).
	Watch(p *machine.Processor, since machine.Time)
	// CopyTracks copies tracks of the primary to m, which follows it, and then calls
	// r.Copied; it returns false if it cannot (199, 306).
	CopyTracks(p *machine.Processor, r *Request, m *Mirror, first, last uint32) bool
}

// Durability is the promise of a policy for the writes whose completion it
// reports.
type Durability uint8

// The durabilities.
const (
	DurablePrimary Durability = iota // the primary has it
	DurableMirrors                   // so many mirrors that are in sync have it too
)

// Promise holds the declarations of a policy on the completions that it reports.
type Promise struct {
	Durability Durability
	// Copies is the number of mirrors in sync that must have a write under
	// DurableMirrors; 0, or a number greater than that of the mirrors in sync, stands
	// for all of them.
	Copies int
	// StalePromotion allows a mirror to be promoted although the account knows that it
	// lacks acknowledged writes.
	StalePromotion bool
}

// Counts holds the counters of the process over a run.
type Counts struct {
	Calls      [abi.Hooks]uint64 // calls of detours
	Mirrored   uint64            // mirror I/Os started
	Resumed    uint64            // of these joined to a standing chain
	Routed     uint64            // reads sent to a mirror
	Rejected   uint64            // requests failed by a detour
	Retried    uint64            // mirror I/Os tried again
	Refused    uint64            // intents that the host did not carry out
	Traps      uint64
	Exhausted  uint64 // traps because the call used up its limit of resources
	Invalid    uint64 // responses that failed the check
	PassedOver uint64 // detours that are not called any more
	// Acknowledged counts the writes of applications that ended well. Alone counts
	// those of them that no mirror could have, because none was in sync, although the
	// policy promises mirrors.
	Acknowledged, Alone uint64

	Violations  uint64 // completions earlier than the declared durability allows
	Degraded    uint64 // completions in constant copy although the policy is synchronous
	ShadowPeak  int    // longest shadow queue
	Modes       uint64 // changes of a pair's mode
	Dissociated uint64 // mirrors cut off
	Promoted    uint64 // mirrors made the primary
	// StaleRefused is the number of promotions refused because the mirror lacked
	// acknowledged writes.
	StaleRefused uint64
	TimedOut     uint64 // held requests that the monitor gave up
	Overruled    uint64 // times that the host went on although a detour asked once more
	Illegal      uint64 // illegal transitions: faults of this package
}

// Process is the intercept process of a machine.
type Process struct {
	// Seed is the seed of the random numbers for detours.
	Seed uint64
	// Promise is the promise of the policy in force.
	Promise Promise
	// Cost is the virtual time that a call of a detour takes.
	Cost machine.Time
	// Mirror is the mirror process; it is nil only in tests of a part.
	Mirror MirrorProcess
	// Promoted, if not nil, is told that a mirror of a pair has become its primary;
	// stale says that it was allowed to lack acknowledged writes. Refused promotions
	// are in Promotions only.
	Promoted func(p *Pair, stale bool)
	// Illegal, if not nil, is told of each illegal transition; it may panic. All of
	// them are counted and logged.
	Illegal func(of, from, to string, io uint64)
	// Log takes messages for the operator; it is never nil after New.
	Log hclog.Logger

	ios    *ios.Supervisor
	pairs  []*Pair
	groups []*group
	roles  []unitRole
	free   *Request
	// population is the number of requests in each state.
	population  [maxStates]int
	transitions transitions
	shadow      int // number of requests on the shadow queue
	held        heldList
	areas       areas
	copies      copies
	counts      Counts
	asked       []Promotion
	stack       [maxDepth]response
	depth       int
	built       chain.Program  // a chain that does something else than the primary's
	current     *chain.Program // chain of the call under way, for ReadChain
}

// maxDepth is the largest depth to which calls of detours can nest: a back-end
// detour that starts a mirror I/O causes a call of the front-end detour.
const maxDepth = 4

// response is the host's copy of a detour's answer.
type response struct {
	verdict abi.Verdict
	n       int
	intents [abi.MaxIntents]abi.Intent
}

// New puts an intercept process behind the slots of s.
func New(s *ios.Supervisor, log hclog.Logger) *Process {
	if log == nil {
		log = hclog.NewNullLogger()
	}
	x := &Process{ios: s, Cost: DetourCost, Log: log}
	x.areas.storage = &s.Machine.Storage
	x.copies.storage = &s.Machine.Storage
	s.Slots.DDTSIO = x
	s.Slots.SRBEP = x
	s.Told = x.boxed
	return x
}

// boxed is called when missing-interrupt handling has given up a device, or when
// the device is in use again. Mirror I/Os to a boxed mirror fail at once, and the
// post-status detours judge them like those to any mirror that has failed (M4).
func (x *Process) boxed(at machine.Time, u *ios.UCB, boxed bool) {
	device := hclog.Fmt("%04X", u.DeviceNumber)
	if boxed {
		x.Log.Warn("device does not answer and is boxed: its requests end without a path until it is restored", "device", device, "time", at)
	} else {
		x.Log.Warn("device is online again", "device", device, "time", at)
	}
}

// Install puts the detours of a policy on the slots at once, together with the
// policy's promise: requests that begin from now on use them. (hooks.Table.) The
// pairs' modes belonged to the policy before, so all pairs return to synchronous
// mode.
func (x *Process) Install(sequences [hooks.Slots][]*hooks.Attachment, d Promise) error {
	for _, c := range sequences {
		for _, a := range c {
			if u, ok := a.Detour.(hooks.ChainUser); ok {
				u.UseChain(x)
			}
		}
	}
	if _, err := x.ios.Hooks.Install(sequences); err != nil {
		return err
	}
	x.Promise = d
	x.resetModes()
	return nil
}

// Counts returns the counts so far.
func (x *Process) Counts() Counts { return x.counts }

// Pairs returns the pairs, in the order of their identities. The slice must not be
// changed.
func (x *Process) Pairs() []*Pair { return x.pairs }

// Pending returns the number of requests that have not ended with all their mirror
// I/Os.
func (x *Process) Pending() (n int) {
	for s, m := range x.population {
		if requestState(s) != requestFree {
			n += m
		}
	}
	return n
}

// ReadChain answers a detour that asks for CCWs for which its frame has no room.
// It copies CCWs from number first on to into and returns their number.
func (x *Process) ReadChain(first int, into []abi.CCW) int {
	if x.current == nil || first < 0 || first >= len(x.current.CCWs) {
		return 0
	}
	return copy(into, x.current.CCWs[first:])
}

// DDTSIO is the target of the first pointer: it calls the front-end detours, then
// the conventional module. (Steps 94 to 108.)
func (x *Process) DDTSIO(p *machine.Processor, q *ios.IOQ) ios.ReturnCode {
	b := q.IOSB
	if mr, ok := b.Use.(*mirrorRequest); ok {
		return x.startMirror(p, q, mr)
	}
	role := x.roleOf(b.UCB)
	r, _ := b.Use.(*Request)
	if r == nil {
		r = x.newRequest()
		r.begin(b, role)
		x.scan(r, b)
	}
	r.drive(role)
	if r.routed != nil && role.mirror != nil && !role.mirror.account.unmarked(r.program.Tracks) {
		r.routed, r.origin = nil, abi.OriginApplication // the mirror has missed a write meanwhile
		x.ios.Move(p, q, role.pair.primary)
		return ios.Moved
	}
	if role.mirror != nil && r.redirected() {
		x.ios.Move(p, q, role.pair.primary)
		return ios.Moved
	}
	if role.role == abi.RoleNone && r.generation.Empty() {
		rc := x.ios.DDTSIO(p, q)
		r.accepted()
		return rc
	}
	c := call{hook: abi.FrontEnd, p: p, q: q, r: r, block: b, role: role, origin: r.origin, program: &r.program, since: &r.leftSince}
	if role.role == abi.RolePrimary && r.calls[abi.FrontEnd] != 0 && r.active() == 0 {
		r.redriven()
	}
	if rc := x.frontEnd(&c); rc != ios.Started {
		return rc
	}
	if c.backEnd {
		q.ReturnAddress = x
	}
	rc := x.ios.DDTSIO(p, q)
	if !r.backEnd.Queued() {
		r.settleUnstarted(p)
	}
	r.accepted()
	return rc
}

// startMirror lets a mirror I/O past the front-end detours.
func (x *Process) startMirror(p *machine.Processor, q *ios.IOQ, mr *mirrorRequest) ios.ReturnCode {
	b := q.IOSB
	c := call{hook: abi.FrontEnd, p: p, q: q, r: mr.r, block: b, role: x.roleOf(b.UCB), origin: abi.OriginMirror, program: &mr.r.program, since: &mr.leftSince}
	if rc := x.frontEnd(&c); rc != ios.Started {
		return rc
	}
	if !mr.wanted(c.role) {
		b.CompletionCode = arch.CompletionPurged
		return ios.Refused
	}
	rc := x.ios.DDTSIO(p, q)
	if b.CC == 0 {
		mr.sent()
	}
	return rc
}

func (x *Process) scan(r *Request, b *ios.IOSB) {
	geo := &noGeometry
	if r.pair != nil {
		geo = &r.pair.geometry
	}
	format1 := b.Control == 0 || b.Control&channel.ORBFormat1 != 0
	r.program.Follow(&x.ios.Machine.Storage, b.ChannelProgram, format1, geo)
}

// noGeometry stands for a device that is not part of a pair.
var noGeometry = chain.Geometry{Class: abi.ClassECKD, Tracks: 1 << 31, Heads: 15}

// redriven forgets the mirror requests of an earlier drive of the request.
func (r *Request) redriven() {
	r.forgetMirrors()
	r.flags = 0
}

// accepted notes that the unit's subchannel has accepted the channel program, if it
// has.
func (r *Request) accepted() {
	if r.block.CC != 0 {
		return
	}
	r.enter(requestStarted)
	r.enterPrimary(legUnderWay)
	switch m := r.role.mirror; {
	case !r.program.Writes:
	case r.role.role == abi.RolePrimary:
		r.reached()
	case m != nil && r.origin == abi.OriginApplication && r.inhibited == nil:
		m.account.miss(r.program.Tracks) // somebody else writes to the mirror
	}
}

// reached notes that the primary has got a write: it gives the write its number
// and notes on each mirror a write under way or a mark.
func (r *Request) reached() {
	pair, e := r.pair, r.program.Tracks
	pair.writes++
	r.number = pair.writes
	for t := e.First; t <= e.Last; t++ {
		pair.written[t] = r.number
	}
	for i, m := range pair.mirrors {
		mr := &r.mirrors[i]
		if mr.leg == legIdle && mr.underWay() {
			m.account.begin(e)
			mr.enterLeg(legUnderWay)
			mr.epoch = m.account.epoch
		} else {
			m.account.mark(e)
		}
		// A copy under way may have read the track before this write. Tracks whose copy
		// a request has asked for are marked until they have been copied.
		if m.State == abi.MirrorSynchronising || mr.copy != copyNone {
			m.account.mark(e)
		}
	}
}

// Return is the target of the return address: it calls the back-end detours,
// disabled. (Steps 104, 110, 112.)
func (x *Process) Return(p *machine.Processor, q *ios.IOQ, _ channel.CC) {
	b := q.IOSB
	r, ok := b.Use.(*Request)
	if !ok {
		return
	}
	x.backEnd(p, r)
}

// backEndEntry is the entry point of a back-end detour that has scheduled
// itself (step 270).
type backEndEntry struct{ r *Request }

// Enter runs the back-end detours, enabled.
func (e *backEndEntry) Enter(p *machine.Processor, _ *machine.SRB) {
	e.r.x.backEnd(p, e.r)
	if !e.r.backEnd.Queued() {
		e.r.settleUnstarted(p)
	}
	e.r.release()
}

func (x *Process) backEnd(p *machine.Processor, r *Request) {
	x.consult(&call{hook: abi.BackEnd, p: p, r: r, block: r.block, role: r.role, origin: r.origin, program: &r.program})
}

// settleUnstarted fails mirror requests that the back-end detours have neither
// started nor dropped, if they have not scheduled themselves either: nothing would
// bring them to these requests again. If the primary's start was not accepted, the
// mirror requests are dropped.
func (r *Request) settleUnstarted(p *machine.Processor) {
	legs := r.legs()
	for i := range legs {
		mr := &legs[i]
		switch {
		case !mr.state.waiting():
		case r.block.CC != 0:
			mr.drop()
		case mr.label != labelReading:
			mr.fail(p)
		}
	}
}

func (x *Process) step(p *machine.Processor, n machine.Step, who string, io uint64) {
	if io == 0 {
		return
	}
	if s := x.ios.Machine.Steps; s != nil {
		s.Step(p.Now(), n, who, io)
	}
}
