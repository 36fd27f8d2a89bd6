package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// Request is the record that the intercept process keeps of an I/O from its
// front-end call to its end: its entry of the flag table, its mirror requests on
// the shadow queue, the scratch area of its detours. Its states are in states.go.
type Request struct {
	x          *Process
	block      *ios.IOSB
	pair       *Pair
	role       unitRole
	generation *hooks.Generation
	state      requestState
	primary    legState
	flags      abi.FlagTable // flags except those that the host derives from states
	origin     abi.Origin
	promise    Promise // promise of its policy when it began
	program    chain.Program
	scratch    [abi.ScratchSize]byte
	calls      [abi.Hooks]uint32
	mirrors    [abi.MaxMirrors]mirrorRequest
	number     uint32 // number of the write among the pair's writes
	told       uint32 // the pair's last write when the application was told of this one
	waiting    int    // number of its mirror requests on the shadow queue
	routes     int    // number of times that it was sent to a mirror
	routed     *Mirror
	awaits     *Mirror      // mirror for whose promotion it waits
	suspending bool         // its chain suspends itself, and the pair is in constant copy for that
	completeAt machine.Time // time of the good end of the primary I/O, or of the first hold after a failure
	ackedAt    machine.Time
	leftSince  machine.Time // time at which a detour first left it queued since its last start
	inhibited  *area        // chain that replaces the requester's own (130)
	original   machine.Address
	control    uint32

	addressed *ios.UCB // unit that the requester has named
	former    *ios.UCB // former primary that has the write, which was then repeated; or nil

	backEnd   machine.SRB // enabled run of the back-end detour (step 270)
	backEntry backEndEntry
	next      *Request // in the free list
	heldNext  *Request
	heldPrev  *Request
	riskNext  *Request // in riskList
	riskPrev  *Request
}

// ID returns the identity of the I/O.
func (r *Request) ID() uint64 { return r.block.ID }

// Pair returns the pair that the I/O is for, or nil.
func (r *Request) Pair() *Pair { return r.pair }

// PrimaryComplete reports whether the primary I/O has ended well (M1).
func (r *Request) PrimaryComplete() bool { return r.primary == legGood }

// Held reports whether the application waits although the primary I/O has ended.
func (r *Request) Held() bool { return r.state == requestHeld || r.state == requestAwaiting }

// CompleteAt returns the time at which the primary I/O ended well.
func (r *Request) CompleteAt() machine.Time { return r.completeAt }

// HeldNext returns the held request whose primary I/O ended next after that of r,
// or nil.
func (r *Request) HeldNext() *Request { return r.heldNext }

// Ended reports whether the application has been told.
func (r *Request) Ended() bool { return r.state == requestTold }

// Failed reports whether a mirror I/O of the request has failed after the
// application was told: its detour may want to act on that.
func (r *Request) Failed() bool { return r.Ended() && r.flags&abi.FlagMirrorError != 0 }

// overdue reports whether the monitor has given the request up: it is not held any
// longer, whatever a detour answers.
func (r *Request) overdue() bool { return r.flags&abi.FlagTimedOut != 0 }

// flagTable returns the request's entry of the flag table as detours see it.
func (r *Request) flagTable() abi.FlagTable {
	if r.PrimaryComplete() {
		return r.flags | abi.FlagPrimaryComplete
	}
	return r.flags
}

// onPrimary reports whether the request is a write that the primary has accepted.
func (r *Request) onPrimary() bool {
	return r.primary != legIdle && r.program.Writes && r.role.role == abi.RolePrimary
}

// legs returns the request's places for its mirrors, whether in use or not.
func (r *Request) legs() []mirrorRequest {
	if r.pair == nil {
		return nil
	}
	return r.mirrors[:len(r.pair.mirrors)]
}

// mask returns the mirrors whose place has the property, one bit for each.
func (r *Request) mask(has func(*mirrorRequest) bool) (mask uint8) {
	legs := r.legs()
	for i := range legs {
		if has(&legs[i]) {
			mask |= 1 << i
		}
	}
	return mask
}

// any reports whether the place of some mirror has the property.
func (r *Request) any(has func(*mirrorRequest) bool) bool {
	legs := r.legs()
	for i := range legs {
		if has(&legs[i]) {
			return true
		}
	}
	return false
}

// made returns the mask of the mirrors for which a mirror request was made.
func (r *Request) made() uint8 { return r.mask((*mirrorRequest).made) }

// active returns the mask of the mirrors with a mirror I/O of this request under
// way (step 120).
func (r *Request) active() (mask uint8) {
	legs := r.legs() // without a call for each: it is asked for every frame
	for i := range legs {
		if legs[i].active() {
			mask |= 1 << i
		}
	}
	return mask
}

// outstanding reports whether something of the request is under way: a mirror I/O,
// a copy of tracks, a read of a label.
func (r *Request) outstanding() bool {
	legs := r.legs()
	for i := range legs {
		if legs[i].outstanding() {
			return true
		}
	}
	return false
}

// mirrorRequest is a request's place for one mirror: its mirror I/O (chain, IOSB,
// IOQ) and the states of the mirror I/O, of the copy of its tracks, and of the
// write.
type mirrorRequest struct {
	// What is looked at most lies together.
	r            *Request
	m            *Mirror
	number       uint8 // number of the leg, from 1
	state        mirrorState
	leg          legState
	label        labelState
	copy         copyState
	risk         riskState
	flags        abi.MirrorFlags
	inexact      bool // its chain may do something else than the primary's
	chain        machine.Address
	epoch        uint32         // epoch of the account when it counted as under way
	older, newer *mirrorRequest // mirror requests begun before and after it on the same mirror
	begunAt      machine.Time
	block        ios.IOSB
	begunIn      uint32       // number of the mirror's synchronisations when it was begun
	endedIn      uint32       // the same number when its IOSB was free again
	labels       int          // number of times that the label has been read
	attempts     int          // number of further attempts
	triedAt      machine.Time // time of the first further attempt
	area         *area
	copies       *dataCopy
	touches      chain.Extent // tracks that such a chain can write
	unit         *ios.UCB     // unit to which it was started
	leftSince    machine.Time
	length       int // number of CCWs of a chain that the host has built
}

func (mr *mirrorRequest) made() bool { return mr.state != mirrorNone }

func (mr *mirrorRequest) onItsWay() bool { return mr.state.onItsWay() }

func (mr *mirrorRequest) active() bool {
	return mr.state == mirrorScheduled || mr.state == mirrorCopying || mr.state.busy() || mr.copy == copyUnderWay
}

func (mr *mirrorRequest) outstanding() bool {
	return mr.state.busy() || mr.copy == copyUnderWay || mr.label == labelReading
}

// underWay reports whether the mirror request may still bring a write to the
// mirror.
func (mr *mirrorRequest) underWay() bool {
	return mr.chain != noChain && (mr.state.waiting() || mr.state == mirrorBegun)
}

// outlived reports whether the mirror I/O was under way at the end of a
// synchronisation. The synchronisation has then not copied the data of its write.
func (mr *mirrorRequest) outlived() bool {
	end := mr.endedIn
	if mr.state.busy() {
		end = mr.m.synchronisations
	}
	return mr.made() && !mr.state.complete() && mr.begunIn != end
}

// prepare makes the place ready for a mirror request to m.
func (mr *mirrorRequest) prepare(m *Mirror, cpa machine.Address) {
	mr.m, mr.chain, mr.unit = m, cpa, nil
	mr.flags, mr.labels, mr.attempts, mr.area = 0, 0, 0, nil
	mr.enterLeg(legIdle)
	mr.enterLabel(labelUnasked)
	mr.begunIn, mr.endedIn = m.synchronisations, m.synchronisations
}

func (x *Process) newRequest() *Request {
	r := x.free
	if r == nil {
		r = &Request{x: x}
		r.backEntry.r = r
		r.backEnd.Entry = &r.backEntry
		r.backEnd.Priority = machine.PriorityHigh
		r.program.CCWs = make([]abi.CCW, 0, abi.InlineCCWs)
		for i := range r.mirrors {
			r.mirrors[i].r, r.mirrors[i].number = r, uint8(i+1)
		}
		x.population[requestFree]++
		return r
	}
	x.free = r.next
	r.next = nil
	return r
}

// begin makes r the request of b, under the generation that is current now.
func (r *Request) begin(b *ios.IOSB, role unitRole) {
	r.block, r.role, r.pair, r.generation = b, role, role.pair, r.x.ios.Hooks.Enter()
	r.former = nil
	r.addressed, r.leftSince, r.told, r.number = b.UCB, 0, 0, 0
	r.flags, r.calls = 0, [abi.Hooks]uint32{}
	r.routed, r.awaits, r.ackedAt, r.completeAt, r.routes = nil, nil, 0, 0, 0
	r.scratch = [abi.ScratchSize]byte{}
	r.origin = abi.OriginApplication
	r.promise = r.x.Promise
	switch b.DriverID {
	case ios.DriverProcess:
		r.origin = abi.OriginSync
	case ios.DriverMirror:
		r.origin = abi.OriginMirror // a standing chain
	}
	b.Fix()
	b.Use = r
	r.enter(requestQueued)
}

// drive begins a drive of the request on a unit of the given role: its first, or a
// further one by error recovery or on another unit.
func (r *Request) drive(role unitRole) {
	if r.state != requestQueued {
		r.enter(requestQueued)
	}
	r.enterPrimary(legIdle)
	r.role = role
	r.flags &^= abi.FlagTimedOut
}

// release frees the request once nothing of it is under way.
func (r *Request) release() {
	if r.state != requestTold || r.outstanding() || r.backEnd.Queued() || r.block.SRB.Queued() {
		return
	}
	x, b := r.x, r.block
	r.forgetMirrors()
	r.uninhibit()
	r.unsuspend()
	r.forgetRisk()
	r.enterPrimary(legIdle)
	r.enter(requestFree)
	r.generation.Leave()
	r.generation, r.block = nil, nil
	b.Use = nil
	r.next = x.free
	x.free = r
	b.Unfix()
}
