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
// elsewhere. Each of these circles has a limit, beyond which the host goes on by
// itself (overrule). The other things that bring an I/O back are bounded by their
// nature: error recovery drives an I/O again ios.MaxRetries times, an I/O is
// promoted once for each mirror at most, and its back-end detours are scheduled
// only from their disabled run, of which there is one each time the primary is
// started.
const (
	// RetryPatience is the longest time for which front-end detours can leave a
	// request queued, again and again, between two starts of it.
	RetryPatience = 5 * machine.Second
	// MaxLabelReads is the largest number of label reads that back-end detours get
	// for one mirror request.
	MaxLabelReads = 16
	// MaxMirrorAttempts is the largest number of further attempts that post-status
	// detours get for one mirror request; no shipped detour can be set to more. They
	// get them within RetryPatience from the first one.
	MaxMirrorAttempts = 1000
	// MaxRoutes is the number of times that a read can be sent to a mirror. It comes
	// back if the mirror has missed a write before the read is started there.
	MaxRoutes = 4
	// MaxOverstays is the number of requests that a detour may keep beyond their
	// time; then it is passed over for good. Writes to the same blocks wait for each
	// other, so each write that is kept for the whole of its time adds that time to
	// all that follow. A correct detour never reaches the limit: post-status detours
	// are told that the time is over (abi.FlagTimedOut), and a request that is left
	// queued because mirror I/Os of its own are still active (122) does not count.
	MaxOverstays = 16
)

// The names of the circles in messages.
const (
	circleRetry = "asks without end to leave the request queued"
	circleLabel = "asks without end for the mirror's label"
	circleAgain = "asks without end for another attempt of the mirror I/O"
	circleHold  = "holds a completion whose time is over"
)

// overrule notes that the host goes on with an I/O although a detour asks once
// more for something else, and applies the detour's containment rule. The first
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

// overruleHold ends the hold of a detour that does not let a request go although
// its time is over.
func (x *Process) overruleHold(c *call) {
	x.overrule(c, circleHold)
	if c.asked.Containment == hooks.FailIO {
		x.failWaiting(c, &abi.Intent{Code: arch.CompletionPermanent})
	}
	x.overstayed(c)
}

// overruleRetry returns the return code with which the host goes on with a request
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
// returns the reason if the attempt may not be made.
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

// overstayed counts a request that the detour has not let go in time. It passes
// the detour over at MaxOverstays such requests.
func (x *Process) overstayed(c *call) {
	a := c.asked
	if a.Overstays++; a.Overstays == MaxOverstays && !a.Disabled {
		x.passOver(a, c, "too many requests not let go in time", nil)
	}
}
