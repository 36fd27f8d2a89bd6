package intercept

import (
	"github.com/iosrun/iosrun/abi"
)

// A request has one state, and so has each thing that belongs to it: the outcome
// of its write on each leg (the primary and each mirror) as the account knows it,
// each mirror I/O, each read of a mirror's label, each copy of tracks, and each
// risk of losing the write. This file has the states, the tables of the
// transitions that are possible between them, and the functions that make the
// transitions. Every question about a wait, a part under way or the fate of an I/O
// is answered from the states.

// requestState is the state of an application's request.
type requestState uint8

const (
	requestFree requestState = iota
	requestQueued
	requestStarted
	requestAnswered
	requestHeld
	requestAwaiting
	requestAgain
	requestTold
)

// open reports whether the outcome of the primary I/O is still to come.
func (s requestState) open() bool { return s == requestQueued || s == requestStarted }

// listed reports whether requests in the state are in the list of held ones.
func (s requestState) listed() bool {
	return s == requestHeld || s == requestAwaiting || s == requestAgain
}

// legState is the outcome of a request on one leg, as the account knows it, in the
// request's present drive: leg 0 is the primary, the others are the mirrors.
type legState uint8

const (
	legIdle legState = iota
	legUnderWay
	legGood
	legBad
)

// mirrorState is the state of a mirror I/O.
type mirrorState uint8

const (
	mirrorNone mirrorState = iota
	mirrorShadow
	mirrorScheduled
	mirrorBegun
	mirrorArrived
	mirrorComplete
	mirrorFailing
	mirrorFailed
	mirrorDropped
	mirrorCopying
)

// waiting reports whether a mirror I/O in the state is on the shadow queue.
func (s mirrorState) waiting() bool { return s == mirrorShadow || s == mirrorScheduled }

// busy reports whether the IOSB of a mirror I/O in the state, or its place on a
// standing chain, is in use.
func (s mirrorState) busy() bool {
	return s == mirrorBegun || s == mirrorArrived || s == mirrorFailing
}

// onItsWay reports whether the outcome of a mirror I/O in the state is still to
// come.
func (s mirrorState) onItsWay() bool {
	return s.waiting() || s == mirrorBegun || s == mirrorCopying
}

// complete reports whether the mirror has answered a mirror I/O in the state with
// good status.
func (s mirrorState) complete() bool { return s == mirrorArrived || s == mirrorComplete }

// frameStates translates each state to the state that detours see.
var frameStates = [...]abi.MirrorIO{
	mirrorNone:      abi.MirrorIONone,
	mirrorShadow:    abi.MirrorIOShadow,
	mirrorScheduled: abi.MirrorIOScheduled,
	mirrorBegun:     abi.MirrorIOBegun,
	mirrorArrived:   abi.MirrorIOComplete,
	mirrorComplete:  abi.MirrorIOComplete,
	mirrorFailing:   abi.MirrorIOFailed,
	mirrorFailed:    abi.MirrorIOFailed,
	mirrorDropped:   abi.MirrorIODropped,
	mirrorCopying:   abi.MirrorIOBegun,
}

// labelState is the state of the read of a mirror's label for a request.
type labelState uint8

const (
	labelUnasked labelState = iota
	labelReading
	labelKnown
)

// copyState is the state of the copy, to one mirror, of the tracks that a request
// changes.
type copyState uint8

const (
	copyNone copyState = iota
	copyAsked
	copyUnderWay
	copyGood
	copyBad
)

// riskState says, for one mirror, whether a write of which the application has
// been told would be lost with the primary.
type riskState uint8

const (
	riskNone riskState = iota
	riskLacks
	riskMissed
)

// kind numbers the kinds of states.
type kind uint8

const (
	ofRequest kind = iota
	ofLeg
	ofMirror
	ofLabel
	ofCopy
	ofRisk
	kinds
)

// maxStates is the largest number of states of one kind.
const maxStates = 16

// lifeRow is one state: its name, its meaning, and the states that can follow,
// each with the event that leads to it.
type lifeRow struct {
	name, text string
	next       []way
}

type way struct {
	to   uint8
	when string
}

func to[S ~uint8](s S, when string) way { return way{uint8(s), when} }

// lives holds the states of each kind by number.
var lives = [kinds]struct {
	name string
	rows []lifeRow
}{
	ofRequest: {"request", []lifeRow{
		requestFree: {"free", "it is in the pool", []way{
			to(requestQueued, "an I/O comes to the first pointer (94)"),
		}},
		requestQueued: {"queued", "it is at the front-end detours, or waits for a subchannel of its unit", []way{
			to(requestStarted, "its unit's subchannel has accepted it (104)"),
			to(requestAnswered, "it ends without having been started"),
		}},
		requestStarted: {"started", "its channel program is under way", []way{
			to(requestAnswered, "post-status processing has its outcome (290)"),
		}},
		requestAnswered: {"answered", "post-status processing decides about it, or it waits for another drive", []way{
			to(requestHeld, "its mirrors are not done (312)"),
			to(requestAwaiting, "the primary has failed and a mirror has writes on their way (M3)"),
			to(requestQueued, "it is driven again: by error recovery, or on another unit"),
			to(requestTold, "its application has been told (294)"),
		}},
		requestHeld: {"held", "its application waits for mirrors", []way{
			to(requestAgain, "a mirror I/O has ended (M1), or its time is over (M2)"),
		}},
		requestAwaiting: {"awaiting", "its application waits until a mirror can be promoted", []way{
			to(requestAgain, "the mirror has what was on its way, or the time is over (M2)"),
		}},
		requestAgain: {"again", "post-status processing decides about it once more", []way{
			to(requestHeld, "its mirrors are not done (312)"),
			to(requestAwaiting, "a mirror still has writes on their way (M3)"),
			to(requestAnswered, "it is held no longer"),
		}},
		requestTold: {"told", "its application has been told; mirror I/Os of it may be under way", []way{
			to(requestFree, "nothing of it is under way any more"),
		}},
	}},
	ofLeg: {"leg", []lifeRow{
		legIdle: {"idle", "nothing of it is on its way to the leg", []way{
			to(legUnderWay, "the primary's subchannel has accepted it; so a mirror I/O that is on its way counts as under way"),
		}},
		legUnderWay: {"under way", "the leg is about to get it", []way{
			to(legGood, "the leg has answered with good status"),
			to(legBad, "the leg has answered with an error, or will not get it: its tracks are marked"),
		}},
		legGood: {"good", "the leg has it", []way{
			to(legIdle, "it is driven again, or has ended"),
		}},
		legBad: {"bad", "the leg may lack it", []way{
			to(legIdle, "it is driven again, or has ended"),
		}},
	}},
	ofMirror: {"mirror I/O", []lifeRow{
		mirrorNone: {"none", "no mirror request has been made", []way{
			to(mirrorShadow, "a front-end detour asks for it (236)"),
			to(mirrorCopying, "the tracks are copied in its place (199)"),
		}},
		mirrorShadow: {"shadow", "it is on the shadow queue", []way{
			to(mirrorScheduled, "the back-end detours are to run again, enabled (270)"),
			to(mirrorBegun, "it is started (262) or joined to a standing chain (254)"),
			to(mirrorDropped, "it is taken off the shadow queue (242)"),
			to(mirrorFailed, "nobody starts it, or a copy in its place has failed"),
			to(mirrorCopying, "the tracks are copied in its place (306)"),
			to(mirrorComplete, "a copy in its place has ended well"),
		}},
		mirrorScheduled: {"scheduled", "it is on the shadow queue until the back-end detours run, enabled", []way{
			to(mirrorBegun, "it is started (262) or joined to a standing chain (254)"),
			to(mirrorDropped, "it is taken off the shadow queue (242)"),
			to(mirrorFailed, "nobody starts it, or a copy of its tracks has failed"),
		}},
		mirrorBegun: {"begun", "it is on its way to the mirror", []way{
			to(mirrorArrived, "the mirror has answered with good status (284)"),
			to(mirrorFailing, "it has ended with an error"),
		}},
		mirrorArrived: {"arrived", "the mirror has it; its IOSB is still in use", []way{
			to(mirrorComplete, "its IOSB is free"),
			to(mirrorFailing, "its post-status processing has made it an error"),
		}},
		mirrorComplete: {"complete", "the mirror has it", []way{
			to(mirrorFailed, "a copy of its tracks has failed"),
			to(mirrorNone, "the primary I/O is driven again, or has ended"),
		}},
		mirrorFailing: {"failing", "it has failed; its IOSB is still in use", []way{
			to(mirrorFailed, "its IOSB is free"),
		}},
		mirrorFailed: {"failed", "the mirror may lack it", []way{
			to(mirrorShadow, "a post-status detour tries it again (306)"),
			to(mirrorCopying, "the tracks are copied in its place (306)"),
			to(mirrorComplete, "a copy in its place has ended well"),
			to(mirrorNone, "the primary I/O is driven again, or has ended"),
		}},
		mirrorDropped: {"dropped", "it was taken off the shadow queue", []way{
			to(mirrorFailed, "a copy of its tracks has failed"),
			to(mirrorComplete, "a copy in its place has ended well"),
			to(mirrorNone, "the primary I/O is driven again, or has ended"),
		}},
		mirrorCopying: {"copying", "the tracks are being copied in its place", []way{
			to(mirrorComplete, "the copy has ended well"),
			to(mirrorFailed, "the copy has failed"),
		}},
	}},
	ofLabel: {"label", []lifeRow{
		labelUnasked: {"unasked", "nobody wants to know what the mirror's label says", []way{
			to(labelReading, "a back-end detour asks (250)"),
		}},
		labelReading: {"reading", "the label is being read", []way{
			to(labelKnown, "the label has been read, and the back-end detours are to run again"),
			to(labelUnasked, "the label has been read, and the mirror I/O waits for it no longer"),
		}},
		labelKnown: {"known", "the detours have the answer", []way{
			to(labelReading, "a back-end detour asks once more (250)"),
			to(labelUnasked, "the primary I/O is driven again, or has ended"),
		}},
	}},
	ofCopy: {"copy", []lifeRow{
		copyNone: {"none", "nobody has asked for one", []way{
			to(copyAsked, "a front-end detour wants the tracks copied afterwards (199)"),
			to(copyUnderWay, "a post-status detour wants a failed mirror I/O tried again (306)"),
		}},
		copyAsked: {"asked", "it begins when the primary I/O has ended", []way{
			to(copyUnderWay, "the tracks are being copied"),
			to(copyBad, "it cannot be made: the mirror follows no longer"),
			to(copyNone, "the primary I/O is driven again, or has ended"),
		}},
		copyUnderWay: {"under way", "the tracks are being copied", []way{
			to(copyGood, "the mirror has the tracks"),
			to(copyBad, "the mirror may lack them: they are marked"),
		}},
		copyGood: {"good", "the mirror has the tracks", []way{
			to(copyNone, "the primary I/O is driven again, or has ended"),
		}},
		copyBad: {"bad", "the mirror may lack the tracks", []way{
			to(copyUnderWay, "a post-status detour wants it tried again (306)"),
			to(copyNone, "the primary I/O is driven again, or has ended"),
		}},
	}},
	ofRisk: {"risk", []lifeRow{
		riskNone: {"none", "the write is not at risk for want of this mirror", []way{
			to(riskLacks, "the application is told, and the mirror does not have the write"),
		}},
		riskLacks: {"lacks", "the mirror does not have the write yet", []way{
			to(riskMissed, "nothing of it is on its way to the mirror any more"),
			to(riskNone, "the mirror has the write"),
		}},
		riskMissed: {"missed", "the mirror will not have the write before a synchronisation", []way{
			to(riskNone, "another attempt or a synchronisation has brought it, or the host forgets the request"),
		}},
	}},
}

// transition numbers a transition: three bits for the kind, four each for the
// states before and after.
type transition int

const transitionCount = 8 * maxStates * maxStates

func transitionOf(k kind, from, to uint8) transition {
	return transition(k%8)<<8 | transition(from%maxStates)<<4 | transition(to%maxStates)
}

// legal marks the possible transitions.
var legal = func() (t [transitionCount]bool) {
	for k := range lives {
		for from, row := range lives[k].rows {
			for _, w := range row.next {
				t[transitionOf(kind(k), uint8(from), w.to)] = true
			}
		}
	}
	return t
}()

// Transition is a change from one state to another, as the table of states has it.
type Transition struct {
	// Of names the kind of state: request, leg, mirror I/O, label, copy, risk.
	Of string `json:"of"`
	// From and To name the states.
	From string `json:"from"`
	To   string `json:"to"`
	// When names the event that leads from one to the other.
	When string `json:"when"`
	// Taken is the number of times that it happened.
	Taken uint64 `json:"taken"`
}

// State is one state, as the table of states has it.
type State struct {
	Of   string `json:"of"`
	Name string `json:"name"`
	// Text is the meaning of the state.
	Text string `json:"text"`
}

// States lists all states, the first of each kind first.
func States() (all []State) {
	for k := range lives {
		for _, row := range lives[k].rows {
			all = append(all, State{lives[k].name, row.name, row.text})
		}
	}
	return all
}

// transitions counts the transitions made.
type transitions [transitionCount]uint64

// Transitions lists all possible transitions, with the number of times that each
// was made.
func (x *Process) Transitions() (all []Transition) {
	for k := range lives {
		for from, row := range lives[k].rows {
			for _, w := range row.next {
				taken := x.transitions[transitionOf(kind(k), uint8(from), w.to)]
				all = append(all, Transition{lives[k].name, row.name, lives[k].rows[w.to].name, w.when, taken})
			}
		}
	}
	return all
}

// count checks, counts and traces a transition that is about to be made. A
// transition that is not in the table is made nevertheless, because the I/O must
// go on; it is reported by illegal.
func (x *Process) count(k kind, from, to uint8, io uint64, leg uint8) {
	t := transitionOf(k, from, to)
	x.transitions[t]++
	if !legal[t] || x.ios.Machine.Steps != nil {
		x.look(k, from, to, io, leg)
	}
}

// look reports a transition that is not in the table, and tells the step recorder
// of every transition.
func (x *Process) look(k kind, from, to uint8, io uint64, leg uint8) {
	if !legal[transitionOf(k, from, to)] {
		x.illegal(k, from, to, io)
	}
	if s := x.ios.Machine.Steps; s != nil {
		s.Transition(x.ios.Machine.Now(), lives[k].name, int(leg), lives[k].rows[from].name, lives[k].rows[to].name, io)
	}
}

// illegal reports a transition that is not in the table: a fault of the intercept
// process, after which its figures cannot be trusted.
func (x *Process) illegal(k kind, from, to uint8, io uint64) {
	x.counts.Illegal++
	if x.Illegal != nil {
		x.Illegal(lives[k].name, lives[k].rows[from].name, lives[k].rows[to].name, io)
	}
	if powerOfTwo(x.counts.Illegal) {
		x.Log.Error("transition that the table of states does not have", "of", lives[k].name, "from", lives[k].rows[from].name, "to", lives[k].rows[to].name, "io", io, "count", x.counts.Illegal, "time", x.ios.Machine.Clock.Now())
	}
}

// enter puts the request into a state, and into or out of the list of held
// requests.
func (r *Request) enter(s requestState) {
	was := r.state
	r.x.count(ofRequest, uint8(was), uint8(s), r.block.ID, 0)
	r.state = s
	r.x.population[was]--
	r.x.population[s]++
	switch {
	case s.listed() && !was.listed():
		r.list()
	case was.listed() && !s.listed():
		r.unlist()
	}
}

// enterPrimary sets the state of the request on the primary, leg 0. It also keeps
// the number of writes that the primary has accepted and not answered.
func (r *Request) enterPrimary(s legState) {
	if r.primary == s {
		return
	}
	writing := r.role.role == abi.RolePrimary && r.program.Writes
	if writing && r.primary == legUnderWay {
		r.pair.writing--
	}
	r.x.count(ofLeg, uint8(r.primary), uint8(s), r.block.ID, 0)
	r.primary = s
	if writing && s == legUnderWay {
		r.pair.writing++
	}
}

// enter puts the mirror I/O into a state. It also keeps the shadow queue and the
// mirror's list of I/Os under way.
func (mr *mirrorRequest) enter(s mirrorState) {
	was := mr.state
	mr.r.x.count(ofMirror, uint8(was), uint8(s), mr.r.block.ID, mr.number)
	mr.state = s
	switch {
	case s.waiting() && !was.waiting():
		mr.enterShadow()
	case was.waiting() && !s.waiting():
		mr.leaveShadow()
	}
	switch {
	case s.busy() && !was.busy():
		mr.m.began(mr)
	case was.busy() && !s.busy():
		mr.m.finished(mr)
	}
}

// enterLeg sets the state of the write on the mirror.
func (mr *mirrorRequest) enterLeg(s legState) {
	if mr.leg != s {
		mr.r.x.count(ofLeg, uint8(mr.leg), uint8(s), mr.r.block.ID, mr.number)
		mr.leg = s
	}
}

func (mr *mirrorRequest) enterLabel(s labelState) {
	if mr.label != s {
		mr.r.x.count(ofLabel, uint8(mr.label), uint8(s), mr.r.block.ID, mr.number)
		mr.label = s
	}
}

func (mr *mirrorRequest) enterCopy(s copyState) {
	if mr.copy != s {
		mr.r.x.count(ofCopy, uint8(mr.copy), uint8(s), mr.r.block.ID, mr.number)
		mr.copy = s
	}
}

func (mr *mirrorRequest) enterRisk(s riskState) {
	if mr.risk != s {
		mr.r.x.count(ofRisk, uint8(mr.risk), uint8(s), mr.r.block.ID, mr.number)
		mr.risk = s
	}
}
