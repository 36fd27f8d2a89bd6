package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// A detour can ask for things that bring it the same I/O again: leave the request
// queued, read the label, try the mirror again, hold the completion, send the read
// elsewhere. Each of these circles has a limit, past which the host goes on by
// itself (overrule). The other things that bring an I/O back are bounded by what
// they are: an I/O is driven again by error recovery ios.MaxRetries times, promoted
// once for each mirror at most, and its back-end detours are scheduled only from
// their disabled run, of which there is one each time the primary is started.
const (
	// RetryPatience is the longest time for which front-end detours can leave a
	// request queued, again and again, between two starts of it.
	RetryPatience = 5 * machine.Second
	// MaxLabelReads is the most label reads that back-end detours get for one mirror
	// request.
	MaxLabelReads = 16
	// MaxMirrorAttempts is the most further attempts that post-status detours get for
	// one mirror request, the most that a setting of a shipped one asks for. They get
	// them within RetryPatience from the first one.
	MaxMirrorAttempts = 1000
	// MaxRoutes is how often a read can be sent to a mirror. It comes back when the
	// mirror has missed a write by the time at which its turn comes.
	MaxRoutes = 4
	// MaxOverstays is how many requests a detour may fail to let go when their time
	// is over; then it is passed over for good. Writes to the same blocks wait for
	// each other, so each that is kept for the whole of its time adds that time to
	// all that follow. A detour that is right never gets there: post-status detours
	// are told that the time is over (abi.FlagTimedOut), and a request that is left
	// queued because mirror I/Os of its own are still active (122) does not count.
	MaxOverstays = 16
)

// The circles, as messages name them.
const (
	circleRetry = "asks without end to leave the request queued"
	circleLabel = "asks without end for the mirror's label"
	circleAgain = "asks without end for another attempt of the mirror I/O"
	circleHold  = "holds a completion whose time is over"
)

// overrule notes that the host goes on with an I/O although a detour asks for
// something else once more, and applies the detour's containment rule. The first
// time is logged.
func (x *Process) overrule(c *call, circle string) {
	a := c.asked
	a.Counters.Overruled++
	x.counts.Overruled++
	if a.Counters.Overruled == 1 {
		x.Log.Error("detour overruled: the host goes on with the I/O; further ones are not reported", "detour", a.Name, "hook", c.hook, "io", c.block.ID, "because", circle, "containment", a.Containment)
	}
	x.contain(a, c)
}

// overruleHold ends a hold of a detour that does not let a request go although its
// time is over.
func (x *Process) overruleHold(c *call) {
	x.overrule(c, circleHold)
	if c.asked.Containment == hooks.FailIO {
		x.failWaiting(c, &abi.Intent{Code: arch.CompletionPermanent})
	}
	x.overstayed(c)
}

// overruleRetry gives the return code with which the host goes on with a request
// that a front-end detour would leave queued although its time is over.
func (x *Process) overruleRetry(c *call) ios.ReturnCode {
	x.overrule(c, circleRetry)
	if c.r.active() == 0 {
		x.overstayed(c)
	}
	if c.asked.Containment == hooks.FailIO {
		c.block.CompletionCode = arch.CompletionPermanent
		return ios.Refused
	}
	return ios.Started
}

// attempt counts a further attempt of a mirror request that a detour asks for. It
// reports why it may not be made.
func (x *Process) attempt(c *call, mr *mirrorRequest) hooks.Refusal {
	if mr.attempts == 0 {
		mr.triedAt = c.p.Now()
	}
	switch {
	case mr.attempts == MaxMirrorAttempts:
		x.overrule(c, circleAgain)
		x.overstayed(c)
		return hooks.TooOften
	case c.p.Now() >= mr.triedAt+RetryPatience:
		x.overrule(c, circleAgain)
		return hooks.PatienceOver
	}
	mr.attempts++
	return hooks.CarriedOut
}

// overstayed counts a request that the detour has not let go in time, and passes
// the detour over when there are too many.
func (x *Process) overstayed(c *call) {
	a := c.asked
	if a.Overstays++; a.Overstays == MaxOverstays && !a.Disabled {
		x.passOver(a, c, "too many requests not let go in time", nil)
	}
}
