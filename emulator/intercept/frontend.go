package intercept

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// frontEnd calls the front-end detours for a request and carries out what they
// ask. It returns Started when the request is to go on to DDTSIO, and whether
// the return address is to point at the back-end detours (106, 108).
func (x *Process) frontEnd(c *call, q *ios.IOQ) (ios.ReturnCode, bool) {
	r := c.r
	backEnd := false
	for _, a := range r.generation.Chain(hooks.DDTSIO) {
		ans, ok := x.ask(a, c)
		if !ok {
			if a.Containment == hooks.FailIO && !a.Disabled {
				c.block.CompletionCode = ios.CodePermanent
				return ios.Refused, false
			}
			x.contain(a, c)
			continue
		}
		f := a.Detour.Frame()
		rc := ios.Started
		for i := range ans.intents[:ans.n] {
			n := &ans.intents[i]
			done := true
			switch n.Kind {
			case abi.IntentBackEnd:
				backEnd = true
			case abi.IntentMirror:
				done = x.makeMirrors(c, n, &f.Response)
			case abi.IntentReject:
				c.block.CompletionCode = n.Code
				if n.Code == 0 || n.Code == ios.CodeNormal {
					c.block.CompletionCode = ios.CodeRejected
				}
				x.counts.Rejected++
				rc = ios.Refused
			case abi.IntentRetry:
				if done = rc == ios.Started && c.patient(); done {
					rc = ios.Queued
				}
			case abi.IntentInhibit:
				done = x.inhibit(c)
			case abi.IntentChangedTracks:
				done = x.changedTracks(c, n.Mirrors)
			case abi.IntentRoute:
				if done = rc == ios.Started && x.routable(c, n.Code); done {
					x.route(c, q, r.pair.mirrors[n.Code])
					x.depth--
					r.calls[c.hook]++
					return ios.Moved, false
				}
			default:
				done = x.anywhere(c, n)
			}
			if !done {
				x.refuse(a, c, n)
			}
		}
		x.depth--
		if rc != ios.Started {
			r.calls[c.hook]++
			return rc, false
		}
		if ans.verdict == abi.Return {
			break
		}
	}
	if c.origin != abi.OriginMirror {
		r.calls[c.hook]++
	}
	*c.since = 0
	return ios.Started, backEnd
}

// retryPatience is for how long a detour can leave a request queued, again and
// again: as long as the monitor lets a held one wait.
const retryPatience = 5 * machine.Second

// patient reports whether the request may be left queued once more.
func (c *call) patient() bool {
	if *c.since == 0 {
		*c.since = c.p.Now()
	}
	return c.p.Now()-*c.since < retryPatience
}

// anywhere carries out the intents that are heard on more than one slot.
func (x *Process) anywhere(c *call, n *abi.Intent) bool {
	switch n.Kind {
	case abi.IntentNone:
		return true
	case abi.IntentFlag:
		// What the host itself knows is not for a detour to say.
		c.r.flags |= abi.FlagTable(n.Value) &^ hostFlags
		return true
	case abi.IntentMode:
		if c.role.pair == nil || n.Code > uint8(abi.ModeConstantCopy) {
			return false
		}
		if mode := abi.PairMode(n.Code); mode != c.role.pair.Mode {
			c.role.pair.Mode = mode
			x.counts.Modes++
		}
		return true
	case abi.IntentDissociate:
		if c.role.pair == nil || n.Code > abi.ScopeGroup {
			return false
		}
		x.step(c.p, machine.StepM+4, hookNames[c.hook], c.block.ID)
		x.dissociate(c.p, c.role.pair, n.Mirrors, n.Code)
		return true
	case abi.IntentRecord:
		return c.asked.Record(n.Code, n.Value)
	}
	return false
}

const hostFlags = abi.FlagPrimaryComplete | abi.FlagMirrorComplete | abi.FlagMirrorError | abi.FlagTimedOut

// refuse notes, visibly, that an intent was not carried out.
func (x *Process) refuse(a *hooks.Attachment, c *call, n *abi.Intent) {
	a.Counters.Refused++
	x.counts.Refused++
	if x.Log.IsDebug() {
		x.Log.Debug("intent refused", "detour", a.Name, "hook", c.hook, "io", c.block.ID, "intent", n.Kind, "mirrors", n.Mirrors, "code", n.Code)
	}
}

// makeMirrors makes mirror requests and holds them on the shadow queue. (Steps
// 124, 228, 236.)
func (x *Process) makeMirrors(c *call, n *abi.Intent, resp *abi.Response) bool {
	r := c.r
	if c.role.role != abi.RolePrimary || r.program.flags&abi.ChainTruncated != 0 && n.Flags&abi.MirrorWithError == 0 {
		return false
	}
	all := true
	for i, m := range r.pair.mirrors {
		bit := uint8(1) << i
		if n.Mirrors&bit == 0 {
			continue
		}
		if m.State != abi.MirrorInSync && m.State != abi.MirrorSynchronising || r.made&bit != 0 {
			all = false
			continue
		}
		mr := &r.mirrors[i]
		mr.m, mr.flags, mr.counted, mr.settled, mr.labelling, mr.area = m, 0, false, false, false, nil
		mr.chain, mr.unit = r.block.ChannelProgram, nil
		mr.inexact, mr.touches = r.program.modifies, r.program.tracks
		switch {
		case n.Flags&abi.MirrorWithError != 0:
			mr.chain = noChain
		case n.Count == 0 && r.program.stores:
			all = false // two devices would store into the same areas
			continue
		case n.Count != 0:
			if !x.build(mr, resp, n) {
				all = false
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
		x.step(c.p, machine.StepM+5, "intercept process", c.block.ID)
	}
	return all && n.Mirrors>>len(r.pair.mirrors) == 0
}

// noChain is the channel-program address of a mirror request without a valid
// chain.
const noChain = ^machine.Address(0)

// routable reports whether the read may be served by mirror number i: the
// mirror has every track as the primary has it, and the chain only reads.
func (x *Process) routable(c *call, i uint8) bool {
	r := c.r
	if c.role.role != abi.RolePrimary || c.origin != abi.OriginApplication || int(i) >= len(r.pair.mirrors) || r.program.writes || r.made != 0 {
		return false
	}
	m := r.pair.mirrors[i]
	return m.State == abi.MirrorInSync && m.account.inSync(r.program.tracks)
}

// route hands the request to the mirror's unit. (Step 192.)
func (x *Process) route(c *call, q *ios.IOQ, m *Mirror) {
	c.r.routed, c.r.origin = m, abi.OriginRouted
	x.counts.Routed++
	x.ios.Move(c.p, q, m.unit)
}
