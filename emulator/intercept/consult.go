package intercept

import (
	"errors"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// slots holds for each hook the slot on which its detours stand.
var slots = [abi.Hooks]hooks.Slot{
	abi.FrontEnd:   hooks.DDTSIO,
	abi.BackEnd:    hooks.ReturnAddress,
	abi.PostStatus: hooks.SRBEP,
}

// consult calls the detours of a slot, one after the other, and carries out their
// intents, until a detour says return or decides the fate of the I/O (call.rc). It
// returns the detour that has said return, or nil.
func (x *Process) consult(c *call) *hooks.Attachment {
	c.count()
	for _, a := range c.r.generation.Sequence(slots[c.hook]) {
		ans, ok := x.ask(a, c)
		if !ok {
			x.unanswered(a, c)
		} else {
			x.carryOut(c, ans)
			x.depth--
		}
		switch {
		case c.rc != ios.Started:
			return nil
		case ok && ans.verdict == abi.Return:
			return a
		}
	}
	return nil
}

// carryOut carries out the intents of an answer. An intent that sends the I/O
// elsewhere ends the answer.
func (x *Process) carryOut(c *call, ans *response) {
	for i := range ans.intents[:ans.n] {
		n := &ans.intents[i]
		if why := x.carry(c, n); why != hooks.CarriedOut {
			x.refuse(c.asked, c, n, why)
		}
		if c.rc == ios.Moved {
			return
		}
	}
}

// carry carries out an intent, or returns the reason why not. The check of the
// response has made sure that the slot accepts this kind of intent and that the
// detour is granted it. (Calls through a table would have the call allocated.)
func (x *Process) carry(c *call, n *abi.Intent) hooks.Refusal {
	switch n.Kind {
	case abi.IntentNone:
		return hooks.CarriedOut
	case abi.IntentBackEnd:
		return x.pointAtBackEnd(c, n)
	case abi.IntentMirror:
		return x.makeMirrors(c, n)
	case abi.IntentReject:
		return x.reject(c, n)
	case abi.IntentRetry:
		return x.leaveQueued(c, n)
	case abi.IntentInhibit:
		return x.inhibit(c, n)
	case abi.IntentRoute:
		return x.route(c, n)
	case abi.IntentMode:
		return x.setMode(c, n)
	case abi.IntentFlag:
		return x.setFlags(c, n)
	case abi.IntentDrop:
		return x.dropMirrors(c, n)
	case abi.IntentSchedule:
		return x.schedule(c, n)
	case abi.IntentStart:
		return x.startMirrors(c, n)
	case abi.IntentResume:
		return x.resume(c, n)
	case abi.IntentLabel:
		return x.readLabels(c, n)
	case abi.IntentRetryMirror:
		return x.retryMirrors(c, n)
	case abi.IntentDissociate:
		return x.dissociateMirrors(c, n)
	case abi.IntentPromote:
		return x.promote(c, n)
	case abi.IntentChangedTracks:
		return x.changedTracks(c, n)
	case abi.IntentRecord:
		return x.record(c, n)
	case abi.IntentFail:
		return x.failWaiting(c, n)
	}
	return hooks.UnknownCode
}

const hostFlags = abi.FlagPrimaryComplete | abi.FlagMirrorComplete | abi.FlagMirrorError | abi.FlagTimedOut

// setFlags sets flags of the flag table. A detour cannot set the flags that the
// host itself derives. (Steps 229, 298, 302, 308.)
func (x *Process) setFlags(c *call, n *abi.Intent) hooks.Refusal {
	c.r.flags |= abi.FlagTable(n.Value) &^ hostFlags
	return hooks.CarriedOut
}

// record adds to a record of the detour's manifest.
func (x *Process) record(c *call, n *abi.Intent) hooks.Refusal {
	if !c.asked.Record(n.Code, n.Value) {
		return hooks.UnknownCode
	}
	return hooks.CarriedOut
}

// refuse counts an intent that was not carried out. The log gets a warning when
// the number of refusals of this kind for this reason is a power of two.
func (x *Process) refuse(a *hooks.Attachment, c *call, n *abi.Intent, why hooks.Refusal) {
	a.Counters.Refused++
	x.counts.Refused++
	if count := a.Refusals.Add(n.Kind, why); powerOfTwo(count) {
		x.Log.Warn("intents refused", "detour", a.Name, "hook", c.hook, "intent", n.Kind, "reason", why, "count", count, "io", c.block.ID, "time", c.p.Now())
	}
	if x.Log.IsDebug() {
		x.Log.Debug("intent refused", "detour", a.Name, "hook", c.hook, "io", c.block.ID, "intent", n.Kind, "reason", why, "mirrors", n.Mirrors, "code", n.Code)
	}
}

// ask fills the frame of a, calls it and takes a checked copy of its answer. If it
// returns true, the caller must give the copy back (x.depth--).
func (x *Process) ask(a *hooks.Attachment, c *call) (*response, bool) {
	if a.Disabled || x.depth == maxDepth {
		return nil, false
	}
	c.asked = a
	f := a.Detour.Frame()
	x.fill(f, c)
	x.current = c.program
	x.counts.Calls[c.hook]++
	a.Counters.Calls++
	c.p.Charge(x.Cost)
	if err := a.Detour.Call(c.hook); err != nil {
		x.trapped(a, c, err)
		return nil, false
	}
	if err := f.Response.Check(c.hook, a.Granted, len(c.program.CCWs)); err != nil {
		a.Counters.Invalid++
		x.counts.Invalid++
		x.failed(a, c, "response refused", a.Counters.Invalid, err)
		return nil, false
	}
	c.r.scratch = f.Scratch
	s := &x.stack[x.depth]
	x.depth++
	s.verdict = f.Response.Verdict
	s.n = copy(s.intents[:], f.Response.Intent[:f.Response.Intents])
	a.Counters.Intents += uint64(s.n)
	if s.verdict == abi.Return {
		a.Counters.Returns++
	} else {
		a.Counters.Continues++
	}
	if f.Response.Steps != 0 && x.ios.Machine.Steps != nil {
		for _, n := range f.Response.Step[:f.Response.Steps] {
			x.ios.Machine.Steps.Step(c.p.Now(), machine.Step(n), abi.HookTable[c.hook].Actor, c.block.ID)
		}
	}
	return s, true
}

// trapped handles an abnormal end: the detour gets a fresh instance, or is passed
// over.
func (x *Process) trapped(a *hooks.Attachment, c *call, err error) {
	a.Counters.Traps++
	x.counts.Traps++
	if errors.Is(err, hooks.ErrExhausted) {
		a.Counters.Exhausted++
		x.counts.Exhausted++
	}
	if x.failed(a, c, "detour ended abnormally", a.Counters.Traps, err); a.Disabled {
		return
	}
	if err := a.Detour.Renew(); err != nil {
		x.passOver(a, c, "could not be renewed", err)
	}
}

// failed notes that a call gave no answer, for the count-th time in this way. The
// detour is passed over after MaxFailures such calls. The log gets a line when the
// count is a power of two, which bounds the log whatever a detour does.
func (x *Process) failed(a *hooks.Attachment, c *call, what string, count uint64, err error) {
	if a.FirstFailure == nil {
		a.FirstFailure = err
	}
	if powerOfTwo(count) {
		x.Log.Error(what, "detour", a.Name, "hook", c.hook, "io", c.block.ID, "time", c.p.Now(), "containment", a.Containment, "count", count, "error", err)
	}
	if a.Counters.Failures() >= MaxFailures {
		x.passOver(a, c, "too many calls without an answer", err)
	}
}

// passOver disables a detour: it is not called any more.
func (x *Process) passOver(a *hooks.Attachment, c *call, why string, err error) {
	a.Disabled = true
	a.PassedOver = hooks.PassedOver{At: int64(c.p.Now()), Failures: a.Counters.Failures(), Overstays: a.Overstays}
	x.counts.PassedOver++
	last := "none"
	if err != nil {
		last = err.Error()
	}
	x.Log.Error("detour is passed over from now on", "detour", a.Name, "hook", c.hook, "time", c.p.Now(), "why", why, "failures", a.Counters.Failures(), "overstays", a.Overstays, "error", last)
}

func powerOfTwo(n uint64) bool { return n != 0 && n&(n-1) == 0 }

// unanswered handles a detour that has given no answer, because it ended
// abnormally or its answer failed the check, as its containment rule says. A
// detour that was passed over before is not called and need not answer.
func (x *Process) unanswered(a *hooks.Attachment, c *call) {
	if a.Containment == hooks.FailIO && (!a.Disabled || c.asked == a) {
		switch {
		case c.hook == abi.FrontEnd:
			c.block.CompletionCode = arch.CompletionPermanent
			c.rc = ios.Refused
		case c.hook == abi.PostStatus && c.block.CompletionCode == 0:
			c.block.CompletionCode = arch.CompletionPermanent
		}
	}
	x.contain(a, c)
}

// contain applies the containment rule after a call that gave no answer.
func (x *Process) contain(a *hooks.Attachment, c *call) {
	if a.Containment == hooks.SuspendMirroring && c.role.pair != nil {
		x.dissociate(c.p, c.role.pair, allMirrors, abi.ScopePair)
	}
}
