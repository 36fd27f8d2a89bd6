package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// Request is what the intercept process keeps of an I/O from its front-end call
// to its end: its entry of the flag table, its mirror requests on the shadow
// queue, the scratch area of its detours.
type Request struct {
	x          *Process
	block      *ios.IOSB
	pair       *Pair
	role       unitRole
	generation *hooks.Generation
	flags      abi.FlagTable
	origin     abi.Origin
	promise    Promise // of its policy when it began
	program    chain.Program
	scratch    [abi.ScratchSize]byte
	calls      [abi.Hooks]uint32
	mirrors    [abi.MaxMirrors]mirrorRequest
	made       uint8 // mask: mirrors for which a mirror request was made
	open       int   // mirror I/Os that have not ended
	number     uint32
	reached    bool // the primary's SSCH was accepted
	ended      bool // the application has been told
	held       bool // post-status processing was put off
	observed   bool // its outcome has been taken into the estimates
	inVain     bool // failed by a detour although the primary I/O ended well
	forced     bool // its time is over: it is held no longer, whatever a detour answers
	routes     int  // how often it was sent to a mirror
	routed     *Mirror
	awaits     *Mirror      // that is to be promoted, once it has what is on its way to it
	suspending bool         // its chain suspends itself, and the pair is in constant copy for that
	listed     bool         // in the list of held requests
	completeAt machine.Time // when the primary I/O ended well, or was first held after it had failed
	ackedAt    machine.Time
	waitsFor   uint8 // mask: mirrors whose completion the application waits for
	inhibited  *area // chain that stands in for the requester's (130)
	changed    uint8 // mask: mirrors that get the tracks copied which it changes (199)
	begun      uint8 // mask: of these copies, those begun
	copying    uint8 // mask: those under way
	copied     uint8 // mask: those that ended well
	original   machine.Address
	control    uint32

	addressed *ios.UCB     // that the requester has named
	former    *ios.UCB     // a former primary on which the write ended well before it was repeated, or nil
	leftSince machine.Time // first time that a detour left it queued, since its last start
	lacking   uint8        // mask: mirrors that lack the write, of which the application has been told
	missing   uint8        // mask: of these, those that will not get it before a synchronisation
	riskNext  *Request     // of riskList
	riskPrev  *Request
	told      uint32 // the pair's writes when the application was told of this one
	shadowed  bool   // on the shadow queue

	backEnd   machine.SRB // enabled run of the back-end detour (step 270)
	backEntry backEndEntry
	next      *Request // free list
	heldNext  *Request
	heldPrev  *Request
}

// ID is the identity of the I/O.
func (r *Request) ID() uint64 { return r.block.ID }

// Pair is the pair that the I/O is for, or nil.
func (r *Request) Pair() *Pair { return r.pair }

// PrimaryComplete reports whether the primary I/O has ended (M1).
func (r *Request) PrimaryComplete() bool { return r.flags&abi.FlagPrimaryComplete != 0 }

// Held reports whether the application waits although the primary I/O has ended.
func (r *Request) Held() bool { return r.held }

// CompleteAt is when the primary I/O ended well.
func (r *Request) CompleteAt() machine.Time { return r.completeAt }

// HeldNext is the held request whose primary I/O ended next after that of r, or
// nil.
func (r *Request) HeldNext() *Request { return r.heldNext }

// Ended reports whether the application has been told.
func (r *Request) Ended() bool { return r.ended }

// Failed reports whether the application has been told although a mirror I/O
// of the request failed since: its detour may want to do something about it.
func (r *Request) Failed() bool { return r.ended && r.flags&abi.FlagMirrorError != 0 }

// MirrorsEnded reports whether no mirror I/O of the request is under way.
func (r *Request) MirrorsEnded() bool { return r.open == 0 }

// mirrorRequest is one mirror I/O: chain, IOSB, IOQ and what became of it.
type mirrorRequest struct {
	r            *Request
	m            *Mirror
	older, newer *mirrorRequest // begun before and after it on the same mirror
	begunAt      machine.Time
	block        ios.IOSB
	state        abi.MirrorIO
	flags        abi.MirrorFlags
	counted      bool         // the account has it as under way
	settled      bool         // the account has its outcome
	late         bool         // it was under way when a synchronisation of the mirror ended
	busy         bool         // its IOSB, or its place on a standing chain, is in use
	labelling    bool         // the mirror's label is being read for it
	labels       int          // how often it has been read
	attempts     int          // further ones
	triedAt      machine.Time // of the first of them
	area         *area
	copies       *dataCopy
	inexact      bool         // its chain may do something else than the primary's
	touches      chain.Extent // the tracks that such a chain can write
	epoch        uint32       // of the account, when counted
	unit         *ios.UCB     // to which it was started
	leftSince    machine.Time
	length       int // CCWs of a chain that the host has built
	chain        machine.Address
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
			r.mirrors[i].r = r
		}
		x.requests++
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
	r.flags, r.calls, r.made, r.open = 0, [abi.Hooks]uint32{}, 0, 0
	r.reached, r.ended, r.held, r.observed, r.forced, r.inVain = false, false, false, false, false, false
	r.routed, r.awaits, r.waitsFor, r.ackedAt, r.completeAt, r.routes = nil, nil, 0, 0, 0, 0
	r.changed, r.begun, r.copying, r.copied = 0, 0, 0, 0
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
}

// release gives the request back once nothing of it is under way.
func (r *Request) release() {
	if !r.ended || r.open != 0 || r.backEnd.Queued() || r.block.SRB.Queued() {
		return
	}
	x, b := r.x, r.block
	for i := range r.mirrors {
		if r.made&(1<<i) == 0 {
			continue
		}
		if r.mirrors[i].waiting() { // the request was never started
			r.mirrors[i].drop()
		}
		r.mirrors[i].giveBack()
	}
	r.uninhibit()
	r.unsuspend()
	r.forgetRisk()
	r.generation.Leave()
	r.generation, r.block = nil, nil
	b.Use = nil
	r.next = x.free
	x.free = r
	b.Unfix()
}

// active is the mask of the mirrors with a mirror I/O of this request under way
// (step 120).
func (r *Request) active() uint8 {
	var mask uint8
	for i := range r.mirrors {
		if r.made&(1<<i) != 0 {
			switch r.mirrors[i].state {
			case abi.MirrorIOScheduled, abi.MirrorIOBegun:
				mask |= 1 << i
			default:
				if r.mirrors[i].busy { // it has ended, its blocks are still in use
					mask |= 1 << i
				}
			}
		}
	}
	return mask
}
