package plugins_test

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/poststatus/engine"
)

func failed(f *abi.Frame) { f.Status.OK = 0 }

func call(n uint32) func(*abi.Frame) { return func(f *abi.Frame) { f.Head.Call = n } }

func postStatusCases() []testCase {
	post, constant := &detours[5], &detours[6]
	in := func(io abi.MirrorIO) abi.Mirror { return mirror(abi.MirrorInSync, io) }
	behind := in(abi.MirrorIOBegun)
	behind.OutOfSync = 2
	risky := in(abi.MirrorIOBegun)
	risky.AtRisk = 1
	incomplete := flag(abi.FlagMirrorIncomplete)
	dissociate := func(mask, scope uint8) abi.Intent {
		return abi.Intent{Kind: abi.IntentDissociate, Mirrors: mask, Code: scope}
	}
	retries := setting(engine.ChainRetries, 2)
	hold := s(290, 292, 296, 300, 304, 308, 312)
	return []testCase{
		{name: "not a primary", detour: post, edit: role(abi.RoleMirror, abi.OriginMirror), steps: s(290, 292, 294)},
		{name: "primary failed", detour: post, edit: failed, intents: asks(flag(abi.FlagPrimaryError)), steps: s(290, 292, 296, 298, 294)},
		{name: "primary failed, the mirror that lacks least takes over", detour: post,
			edit:    with(failed, setting(engine.OnPrimaryFailure, 1), mirrors(mirror(abi.MirrorSuspended, 0), behind, risky, in(abi.MirrorIOBegun))),
			intents: asks(flag(abi.FlagPrimaryError), abi.Intent{Kind: abi.IntentPromote, Code: 3}), steps: s(290, 292, 296, 298, 294)},
		{name: "primary failed, no mirror to take over", detour: post, edit: with(failed, setting(engine.OnPrimaryFailure, 1), mirrors(mirror(abi.MirrorSynchronising, 0))),
			intents: asks(flag(abi.FlagPrimaryError)), steps: s(290, 292, 296, 298, 294)},

		{name: "both complete", detour: post, edit: mirrors(in(abi.MirrorIOComplete), in(abi.MirrorIONone), in(abi.MirrorIODropped)),
			intents: asks(flag(abi.FlagBothComplete)), steps: s(290, 292, 296, 300, 302, 294)},
		{name: "mirror under way", detour: post, edit: mirrors(in(abi.MirrorIOComplete), in(abi.MirrorIOBegun)), verdict: abi.Return,
			intents: asks(incomplete), steps: hold},
		{name: "mirror not started", detour: post, edit: mirrors(in(abi.MirrorIOScheduled)), verdict: abi.Return, intents: asks(incomplete), steps: hold},
		{name: "mirror under way, request of constant copy", detour: post, edit: with(mirrors(in(abi.MirrorIOBegun)), status(abi.FlagConstantCopy)),
			steps: s(290, 292, 296, 300, 304, 294)},
		{name: "mirror under way", detour: constant, edit: mirrors(in(abi.MirrorIOBegun)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "mirror cut off meanwhile", detour: post, edit: mirrors(mirror(abi.MirrorSuspended, abi.MirrorIOBegun)), steps: s(290, 292, 296, 300, 304, 294)},

		{name: "one mirror failed", detour: post, edit: mirrors(in(abi.MirrorIOFailed), in(abi.MirrorIOComplete)),
			intents: asks(dissociate(0b01, abi.ScopeMirror)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "one mirror failed, one under way", detour: post, edit: mirrors(in(abi.MirrorIOFailed), in(abi.MirrorIOBegun)), verdict: abi.Return,
			intents: asks(dissociate(0b01, abi.ScopeMirror), incomplete), steps: hold},
		{name: "one mirror failed, the pair with it", detour: post, edit: with(mirrors(in(abi.MirrorIOFailed), in(abi.MirrorIOBegun)), setting(engine.OnMirrorFailure, 1)),
			intents: asks(dissociate(0b01, abi.ScopePair)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "one mirror failed, the group with it", detour: post, edit: with(mirrors(in(abi.MirrorIOFailed), in(abi.MirrorIOBegun)), setting(engine.OnMirrorFailure, 2)),
			intents: asks(dissociate(0b01, abi.ScopeGroup)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "mirror failed", detour: constant, edit: mirrors(in(abi.MirrorIOFailed)),
			intents: asks(dissociate(0b01, abi.ScopeMirror)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "failed and cut off already", detour: post, edit: mirrors(mirror(abi.MirrorSuspended, abi.MirrorIOFailed), in(abi.MirrorIOBegun)), verdict: abi.Return,
			intents: asks(incomplete), steps: hold},

		{name: "no valid chain", detour: post, edit: with(retries, status(abi.FlagCCWError), mirrors(in(abi.MirrorIOShadow), in(abi.MirrorIOFailed))), verdict: abi.Return,
			intents: asks(intent(abi.IntentRetryMirror, 0b11), incomplete), steps: s(290, 292, 296, 300, 304, 306, 308, 312)},
		{name: "no valid chain, tried often enough", detour: post, edit: with(retries, call(2), status(abi.FlagCCWError), mirrors(in(abi.MirrorIOShadow), in(abi.MirrorIOFailed))),
			intents: asks(intent(abi.IntentDrop, 0b01), dissociate(0b11, abi.ScopeMirror)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "no valid chain, dissociated at once", detour: post, edit: with(retries, setting(engine.OnChainError, 1), status(abi.FlagCCWError), mirrors(in(abi.MirrorIOShadow))),
			intents: asks(intent(abi.IntentDrop, 1), dissociate(1, abi.ScopeMirror)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "no valid chain at first, under way now", detour: post, edit: with(retries, call(1), status(abi.FlagCCWError), mirrors(in(abi.MirrorIOBegun))), verdict: abi.Return,
			intents: asks(incomplete), steps: hold},
		{name: "no valid chain", detour: constant, edit: with(retries, status(abi.FlagCCWError), mirrors(in(abi.MirrorIOShadow))),
			intents: asks(intent(abi.IntentRetryMirror, 1)), steps: s(290, 292, 296, 300, 304, 306, 294)},

		{name: "mirror never answered", detour: post, edit: with(status(abi.FlagTimedOut), mirrors(in(abi.MirrorIOBegun), in(abi.MirrorIOScheduled), in(abi.MirrorIOComplete))),
			intents: asks(intent(abi.IntentDrop, 0b10), dissociate(0b11, abi.ScopeMirror)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "no valid chain, and the monitor gave up", detour: post, edit: with(retries, status(abi.FlagTimedOut|abi.FlagCCWError), mirrors(in(abi.MirrorIOShadow))),
			intents: asks(intent(abi.IntentDrop, 1), dissociate(1, abi.ScopeMirror)), steps: s(290, 292, 296, 300, 304, 294)},
	}
}
