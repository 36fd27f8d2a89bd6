package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// frontEnd calls the front-end detours for a request and carries out what they
// ask. It returns Started when the request is to go on to DDTSIO, and whether
// the return address is to point at the back-end detours (106, 108).
func (x *Process) frontEnd(c *call, q *ios.IOQ) (ios.ReturnCode, bool) {
	r := c.r
	c.count()
	backEnd := false
	for _, a := range r.generation.Sequence(hooks.DDTSIO) {
		ans, ok := x.ask(a, c)
		if !ok {
			if a.Containment == hooks.FailIO && c.unanswered(a) {
				c.block.CompletionCode = arch.CompletionPermanent
				return ios.Refused, false
			}
			x.contain(a, c)
			continue
		}
		f := a.Detour.Frame()
		rc := ios.Started
		for i := range ans.intents[:ans.n] {
			n := &ans.intents[i]
			why := hooks.CarriedOut
			switch n.Kind {
			case abi.IntentBackEnd:
				backEnd = true
			case abi.IntentMirror:
				why = x.makeMirrors(c, n, &f.Response)
			case abi.IntentReject:
				c.block.CompletionCode = n.Code
				if n.Code == 0 || n.Code == arch.CompletionNormal {
					c.block.CompletionCode = arch.CompletionRejected
				}
				x.counts.Rejected++
				rc = ios.Refused
			case abi.IntentRetry:
				switch {
				case rc != ios.Started:
					why = hooks.Contradiction
				case !c.patient():
					why = hooks.PatienceOver
					rc = x.overruleRetry(a, c)
				default:
					rc = ios.Queued
				}
			case abi.IntentInhibit:
				why = x.inhibit(c)
			case abi.IntentChangedTracks:
				why = x.changedTracks(c, n.Mirrors)
			case abi.IntentRoute:
				if why = x.routable(c, n.Code, rc); why == hooks.CarriedOut {
					x.route(c, q, r.pair.mirrors[n.Code])
					x.depth--
					return ios.Moved, false
				}
			default:
				why = x.anywhere(c, n)
			}
			if why != hooks.CarriedOut {
				x.refuse(a, c, n, why)
			}
		}
		x.depth--
		if rc != ios.Started {
			if rc == ios.Queued && c.role.role == abi.RolePrimary && r.active() == 0 {
				// What was asked for goes with it, as it will be asked for again. Left on
				// the shadow queue it would keep a synchronisation waiting that keeps the
				// request from being started.
				r.redriven()
			}
			return rc, false
		}
		if ans.verdict == abi.Return {
			break
		}
	}
	*c.since = 0
	return ios.Started, backEnd
}

// patient reports whether the request may be left queued once more.
func (c *call) patient() bool {
	if *c.since == 0 {
		*c.since = c.p.Now()
	}
	return c.p.Now()-*c.since < RetryPatience
}

// anywhere carries out the intents that are heard on more than one slot.
func (x *Process) anywhere(c *call, n *abi.Intent) hooks.Refusal {
	switch n.Kind {
	case abi.IntentNone:
		return hooks.CarriedOut
	case abi.IntentFlag:
		// What the host itself knows is not for a detour to say.
		c.r.flags |= abi.FlagTable(n.Value) &^ hostFlags
		return hooks.CarriedOut
	case abi.IntentMode:
		switch {
		case c.role.pair == nil:
			return hooks.WrongTarget
		case n.Code > uint8(abi.ModeConstantCopy):
			return hooks.UnknownCode
		}
		x.setMode(c, abi.PairMode(n.Code))
		return hooks.CarriedOut
	case abi.IntentDissociate:
		switch {
		case c.role.pair == nil:
			return hooks.WrongTarget
		case n.Code > abi.ScopeGroup:
			return hooks.UnknownCode
		}
		x.step(c.p, step.DissociateMirror, abi.HookTable[c.hook].Actor, c.block.ID)
		x.dissociate(c.p, c.role.pair, n.Mirrors, n.Code)
		return hooks.CarriedOut
	case abi.IntentRecord:
		if !c.asked.Record(n.Code, n.Value) {
			return hooks.UnknownCode
		}
		return hooks.CarriedOut
	}
	return hooks.UnknownCode
}

const hostFlags = abi.FlagPrimaryComplete | abi.FlagMirrorComplete | abi.FlagMirrorError | abi.FlagTimedOut

// refuse notes, visibly, that an intent was not carried out. The log has a
// warning where the number of that intent for that reason is a power of two.
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

// makeMirrors makes mirror requests and holds them on the shadow queue. (Steps
// 124, 228, 236.)
func (x *Process) makeMirrors(c *call, n *abi.Intent, resp *abi.Response) hooks.Refusal {
	r := c.r
	switch {
	case c.role.role != abi.RolePrimary:
		return hooks.WrongTarget
	case r.program.flags&abi.ChainTruncated != 0 && n.Flags&abi.MirrorWithError == 0:
		return hooks.Program
	}
	why := hooks.CarriedOut
	for i, m := range r.pair.mirrors {
		bit := uint8(1) << i
		if n.Mirrors&bit == 0 {
			continue
		}
		if m.State != abi.MirrorInSync && m.State != abi.MirrorSynchronising {
			why = why.First(hooks.MirrorState)
			continue
		}
		if r.made&bit != 0 {
			why = why.First(hooks.RequestState)
			continue
		}
		mr := &r.mirrors[i]
		mr.m, mr.flags, mr.counted, mr.settled, mr.late, mr.labelling, mr.area = m, 0, false, false, false, false, nil
		mr.labels, mr.attempts = 0, 0
		mr.chain, mr.unit = r.block.ChannelProgram, nil
		mr.inexact, mr.touches = r.program.modifies, r.program.tracks
		switch {
		case n.Flags&abi.MirrorWithError != 0:
			mr.chain = noChain
		case n.Count == 0 && r.program.stores:
			why = why.First(hooks.Program) // two devices would store into the same areas
			continue
		case n.Count != 0:
			if built := x.build(mr, resp, n); built != hooks.CarriedOut {
				why = why.First(built)
				continue
			}
		}
		mr.state = abi.MirrorIOShadow
		if m.State == abi.MirrorSynchronising {
			mr.flags |= abi.MirrorWasSynchronising
		}
		r.made |= bit
		mr.enterShadow()
		if n.Flags&abi.MirrorConstantCopy != 0 || r.pair.Mode == abi.ModeConstantCopy {
			r.flags |= abi.FlagConstantCopy
		} else {
			r.waitsFor |= bit
		}
	}
	if r.made&(r.made-1) != 0 {
		x.step(c.p, step.UseSeveralMirrors, "intercept process", c.block.ID)
	}
	if n.Mirrors>>len(r.pair.mirrors) != 0 {
		why = why.First(hooks.NoSuchMirror)
	}
	return why
}

// noChain is the channel-program address of a mirror request without a valid
// chain.
const noChain = ^machine.Address(0)

// routable reports why the read may not be served by mirror number i: the mirror
// must have every track as the primary has it, and the chain must only read. rc
// is what the intents before have made of the request.
func (x *Process) routable(c *call, i uint8, rc ios.ReturnCode) hooks.Refusal {
	r := c.r
	switch {
	case rc != ios.Started || r.made != 0:
		return hooks.Contradiction
	case c.role.role != abi.RolePrimary || c.origin != abi.OriginApplication:
		return hooks.WrongTarget
	case int(i) >= len(r.pair.mirrors):
		return hooks.NoSuchMirror
	case r.program.writes:
		return hooks.Program
	case r.routes == MaxRoutes:
		return hooks.TooOften
	case r.pair.mirrors[i].State != abi.MirrorInSync:
		return hooks.MirrorState
	case !r.pair.mirrors[i].account.inSync(r.program.tracks):
		return hooks.MirrorBehind
	}
	return hooks.CarriedOut
}

// route hands the request to the mirror's unit. (Step 192.)
func (x *Process) route(c *call, q *ios.IOQ, m *Mirror) {
	c.r.routed, c.r.origin = m, abi.OriginRouted
	c.r.routes++
	x.counts.Routed++
	x.ios.Move(c.p, q, m.unit)
}
