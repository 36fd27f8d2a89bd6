package ios

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// ReturnCode is the code with which a module answers IOSVSSCH.
type ReturnCode uint8

// The return codes of the DDTSIO slot.
const (
	Started ReturnCode = 0  // SSCH was issued; the IOSB has its condition code
	Queued  ReturnCode = 4  // left on the queue, to be driven again later (step 122)
	Refused ReturnCode = 8  // failed with the IOSB's completion code (step 130)
	Moved   ReturnCode = 12 // handed to another unit's queue (step 192)
)

// Exit holds the routines of a requester that the supervisor calls back.
type Exit interface {
	// Done is the normal or abnormal exit. IECVPST takes it once for each request;
	// b.CompletionCode is then set. It runs on p, enabled.
	Done(p *machine.Processor, b *IOSB)
	// Released says that nothing refers any longer to the request's channel program
	// and data areas. It is called after Done, or within it.
	Released(b *IOSB)
}

// IRBRoutine is the routine that an IOSB names for the interruption handler to
// call with the interruption-response block (step 284). It runs disabled.
type IRBRoutine interface {
	Status(p *machine.Processor, b *IOSB)
}

// IOSB is an I/O supervisor block: one request and its outcome. It belongs to its
// requester, who may reuse it after Released. The zero IOSB needs Init.
type IOSB struct {
	// ID is the identity of the I/O; a mirror I/O has the identity of its primary
	// I/O.
	ID uint64
	// UCB is the unit (IOSUCB); for a device with aliases it is the base unit.
	UCB *UCB
	// ChannelProgram is the address of the first CCW (IOSRST).
	ChannelProgram machine.Address
	// Control is word 1 of the ORB; 0 stands for channel.ORBDefaultControl.
	Control uint32
	// Exit holds the requester's exits (IOSNRM, IOSABN); it is never nil.
	Exit Exit
	// IRBRoutine, if not nil, is called with each status.
	IRBRoutine IRBRoutine
	// DriverID names the driver that made the request (IOSDVRID).
	DriverID uint8
	// Writes says that the channel program may write: the request waits while writes
	// to the unit are held.
	Writes bool

	// KeepSuspended says that the channel program stays suspended on purpose: it is
	// never overdue, and it is ended when another request needs the subchannel.
	KeepSuspended bool

	// CompletionCode is the outcome of the request (IOSCOD); 0 while it has not
	// ended.
	CompletionCode uint8
	// CC is the condition code of the last SSCH (IOSCC).
	CC channel.CC
	// IRB is the last status (IOSIPIB). Its ECW (extended-control word) holds the
	// sense bytes of a unit check.
	IRB channel.IRB
	// Retries is the number of times that the error recovery has driven the request
	// again.
	Retries uint8
	// RequestedAt is the time of STARTIO.
	RequestedAt machine.Time
	// StartedAt is the time of the last SSCH.
	StartedAt machine.Time
	// EndedAt is the time at which the status was presented.
	EndedAt machine.Time

	// Use belongs to the intercept process (IOSUSE).
	Use any

	// SRB is the unit of work of post-status processing; its entry point is
	// SRBEP.
	SRB machine.SRB

	fixed  int32
	done   bool
	lost   bool // ended by missing-interrupt handling
	purged bool // ended by Purge
	ioq    IOQ
	entry  srbep
	orb    channel.ORB
}

// The driver identities that this supervisor's requesters use.
const (
	DriverBlock   = 0x10 // block access method
	DriverExcp    = 0x11 // a channel program that somebody has written CCW by CCW
	DriverMirror  = 0x20 // mirror I/O made by the intercept process
	DriverProcess = 0x21 // the mirror process: synchronisation, labels
)

// Init makes b ready for STARTIO; the fields that the requester has set stay. It
// keeps nothing of an earlier use.
func (b *IOSB) Init(s *Supervisor) {
	b.CompletionCode, b.CC, b.Retries = 0, 0, 0
	b.Use = nil
	b.done, b.lost, b.purged = false, false, false
	b.fixed = 1
	b.StartedAt, b.EndedAt = 0, 0
	b.IRB = channel.IRB{}
	b.ioq = IOQ{IOSB: b}
	b.entry.s, b.entry.b = s, b
	b.SRB.Entry = &b.entry
	b.SRB.Priority = machine.PriorityNormal
}

// Fix keeps the channel program and data areas as they are until Unfix.
func (b *IOSB) Fix() { b.fixed++ }

// Unfix ends a Fix, or the hold that lasts from Init to Done.
func (b *IOSB) Unfix() {
	b.fixed--
	if b.fixed == 0 {
		b.Exit.Released(b)
	}
}

// Ended reports whether the requester's exit has been taken. A completion code
// alone does not mean that: post-status processing may still be to come.
func (b *IOSB) Ended() bool { return b.done }

// OK reports whether the request ended well.
func (b *IOSB) OK() bool { return b.CompletionCode == arch.CompletionNormal }

// IOQ is an entry of a unit's queue: a request that waits or is started.
type IOQ struct {
	IOSB *IOSB
	// ReturnAddress is the routine to which IOSVSCP returns the condition code; nil
	// stands for the conventional return to IOSVSSCH.
	ReturnAddress ReturnAddress

	via     *UCB // unit through which it is being started or was started
	started bool // the start was accepted
	next    *IOQ
}

// release gives up the unit through which q was to be started.
func (q *IOQ) release() {
	if q.via != nil {
		q.via.active = nil
		q.via.putIdle()
		q.via, q.started = nil, false
	}
}

// UCB is a unit control block. The requests of a device are on the queue of its
// base unit; an alias has a subchannel of its own, through which requests of the
// base unit are started too (parallel access volumes).
type UCB struct {
	// Index numbers the supervisor's units from 0.
	Index int
	// DeviceNumber is the device number.
	DeviceNumber uint16
	// Subchannel is the unit's own subchannel.
	Subchannel *channel.Subchannel
	// Base is the base unit of an alias, or nil.
	Base *UCB
	// Aliases lists the aliases of a base unit.
	Aliases []*UCB

	active    *IOQ
	queue     ioQueue
	length    int // number of queued and started requests of a base unit
	started   int // number of these that are started
	quiesced  bool
	holdWrite int // number of calls of HoldWrites without a Release
	driving   bool
	passed    *IOQ         // the last request that drive has left on the queue
	retrying  bool         // a timer will drive the queue again
	wait      machine.Time // length of the last wait; 0 once a request was started
	slih      slih
	idle      *UCB // next idle unit in the base unit's list
	idleHead  *UCB // of a base unit: list of the units that can start a request
	isIdle    bool
	peak      int
	missing   uint8        // number of scans that found its request overdue
	heardAt   machine.Time // of a base unit: time of the last status that the device itself gave
	suspectAt machine.Time // of a base unit: time at which it had lost an interruption; 0 if heard of since
	boxed     bool         // of a base unit: given up, see box
}

type ioQueue struct{ head, tail *IOQ }

func (q *ioQueue) push(e *IOQ) {
	e.next = nil
	if q.tail == nil {
		q.head = e
	} else {
		q.tail.next = e
	}
	q.tail = e
}

// insert puts e behind prev (nil: at the head).
func (q *ioQueue) insert(prev, e *IOQ) {
	if prev == nil {
		e.next = q.head
		q.head = e
	} else {
		e.next = prev.next
		prev.next = e
	}
	if e.next == nil {
		q.tail = e
	}
}

// remove takes e out, whose predecessor is prev (nil: e is the head).
func (q *ioQueue) remove(prev, e *IOQ) {
	if prev == nil {
		q.head = e.next
	} else {
		prev.next = e.next
	}
	if q.tail == e {
		q.tail = prev
	}
	e.next = nil
}

// Length returns the number of the unit's requests, queued and started.
func (u *UCB) Length() int { return u.length }

// Waiting reports whether a request waits for the unit to become free.
func (u *UCB) Waiting() bool {
	b := u.base()
	return b.queue.head != nil && b.idleHead == nil
}

// Started returns the number of the unit's requests that are started.
func (u *UCB) Started() int { return u.started }

// Peak returns the greatest Length that the unit has had.
func (u *UCB) Peak() int { return u.peak }

func (u *UCB) base() *UCB {
	if u.Base != nil {
		return u.Base
	}
	return u
}

func (u *UCB) putIdle() {
	b := u.base()
	if !u.isIdle {
		u.isIdle = true
		u.idle = b.idleHead
		b.idleHead = u
	}
}

func (u *UCB) takeIdle() *UCB {
	i := u.idleHead
	if i != nil {
		u.idleHead = i.idle
		i.idle = nil
		i.isIdle = false
	}
	return i
}
