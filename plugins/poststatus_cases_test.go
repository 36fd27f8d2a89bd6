package plugins_test

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/poststatus/engine"
)

// failed is a primary whose device has presented equipment check.
func failed(f *abi.Frame) { sensed(0x10, 0x00)(f) }

// redriven says how often error recovery has driven the I/O again.
func redriven(n uint8) func(*abi.Frame) { return func(f *abi.Frame) { f.Target.Retries = n } }

// sensed ends the I/O in a unit check with these sense bytes.
func sensed(bytes ...byte) func(*abi.Frame) {
	return func(f *abi.Frame) {
		ended(0x0E, 0)(f)
		f.Status.SenseSize = 32
		copy(f.Status.Sense[:], bytes)
	}
}

// ended ends the I/O badly, with these bytes of unit and channel status.
func ended(unit, channel byte) func(*abi.Frame) {
	return func(f *abi.Frame) {
		f.Status.OK, f.Status.SCSW[8], f.Status.SCSW[9] = 0, unit, channel
	}
}

// control is bits of byte i of the subchannel-status word.
func control(i int, bits byte) func(*abi.Frame) {
	return func(f *abi.Frame) { f.Status.OK = 0; f.Status.SCSW[i] |= bits }
}

// notStarted fails the I/O with a completion code, whatever its status was.
func notStarted(code uint8) func(*abi.Frame) {
	return func(f *abi.Frame) { f.Status.OK, f.Target.CompletionCode = 0, code }
}

// primaryFailures are ends of a primary I/O, and whether a mirror is to take the
// primary's place where that is configured.
var primaryFailures = []struct {
	name   string
	edit   func(*abi.Frame)
	broken bool
}{
	{"equipment check", failed, false},
	{"equipment check again", with(failed, redriven(1)), true},
	{"intervention required", sensed(0x40), true},
	{"intervention required with write inhibited", sensed(0x50, 0x02), true},
	{"no path when it was started", notStarted(abi.CompletionNoPath), true},
	{"no path after it was started", control(0, 0x03), true},
	{"halted: no interruption", control(2, 0x20), true},
	{"cleared: no interruption", control(2, 0x10), true},
	{"write inhibited", with(sensed(0x10, 0x02), redriven(1)), false},
	{"command reject", sensed(0x80, 0x00), false},
	{"data check", sensed(0x08, 0x00), false},
	{"overrun", sensed(0x04, 0x00), false},
	{"invalid track format", sensed(0x00, 0x40), false},
	{"no record found", sensed(0x00, 0x08), false},
	{"file protected", sensed(0x00, 0x04), false},
	{"program check", ended(0, 0x20), false},
	{"protection check", ended(0, 0x10), false},
	{"incorrect length", ended(0x0C, 0x40), false},
	{"unit exception", ended(0x0D, 0), false},
	{"busy", ended(0x10, 0), false},
	{"sense bytes without unit check", with(failed, redriven(1), func(f *abi.Frame) { f.Status.SCSW[8] = 0x0C }), false},
	{"deferred condition code 1", control(0, 0x01), false},
	{"rejected", notStarted(abi.CompletionRejected), false},
	{"purged, with an earlier status", with(failed, redriven(1), notStarted(abi.CompletionPurged)), false},
	{"permanent error, by a containment rule", with(control(2, 0x10), notStarted(abi.CompletionPermanent)), false},
}

// promotions are the primary failures, each with and without promotion.
func promotions() (all []testCase) {
	post := &detours[5]
	for _, f := range primaryFailures {
		c := testCase{name: "primary failed: " + f.name, detour: post, edit: with(f.edit, setting(engine.OnPrimaryFailure, 1)),
			intents: asks(flag(abi.FlagPrimaryError)), steps: s(290, 292, 296, 298, 294)}
		if f.broken {
			c.intents = append(c.intents, intent(abi.IntentPromote, 0))
		}
		all = append(all, c)
		// Another I/O has had mirror 1 promoted: the device stands in its place.
		old := mirror(abi.MirrorFailed, abi.MirrorIONone)
		old.Device = 0x1000
		c.name += ", on a primary that is replaced"
		c.edit, c.intents = with(f.edit, setting(engine.OnPrimaryFailure, 1), mirrors(old, mirror(abi.MirrorInSync, abi.MirrorIONone))), asks(flag(abi.FlagPrimaryError))
		all = append(all, c)
		c.name = "primary failed: " + f.name + ", to be reported"
		c.edit, c.intents = f.edit, asks(flag(abi.FlagPrimaryError))
		all = append(all, c)
	}
	return all
}

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
	after := func(k int64) func(*abi.Frame) { return setting(engine.CompleteAfter, k) }
	hold := s(290, 292, 296, 300, 304, 308, 312)
	reported := s(290, 292, 296, 300, 304, 294)
	return []testCase{
		{name: "not a primary", detour: post, edit: role(abi.RoleMirror, abi.OriginMirror), steps: s(290, 292, 294)},
		{name: "primary failed", detour: post, edit: failed, intents: asks(flag(abi.FlagPrimaryError)), steps: s(290, 292, 296, 298, 294)},
		{name: "primary failed, the mirror that lacks least takes over", detour: post,
			edit:    with(failed, redriven(1), setting(engine.OnPrimaryFailure, 1), mirrors(mirror(abi.MirrorSuspended, 0), behind, risky, in(abi.MirrorIOBegun))),
			intents: asks(flag(abi.FlagPrimaryError), abi.Intent{Kind: abi.IntentPromote, Code: 3}), steps: s(290, 292, 296, 298, 294)},
		{name: "primary failed, no mirror to take over", detour: post, edit: with(failed, redriven(1), setting(engine.OnPrimaryFailure, 1), mirrors(mirror(abi.MirrorSynchronising, 0))),
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
		{name: "no valid chain, a mirror being synchronised", detour: post, edit: with(retries, status(abi.FlagCCWError), mirrors(mirror(abi.MirrorSynchronising, abi.MirrorIOFailed))),
			steps: s(290, 292, 296, 300, 304, 294)},
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
		{name: "mirror never answered, and the write fails", detour: post,
			edit:    with(setting(engine.OnTimeOut, 1), status(abi.FlagTimedOut), mirrors(in(abi.MirrorIOBegun), in(abi.MirrorIOComplete))),
			intents: asks(abi.Intent{Kind: abi.IntentFail, Code: abi.CompletionPermanent}, dissociate(1, abi.ScopeMirror)), steps: s(290, 292, 296, 300, 304, 294)},
		{name: "no valid chain, and the monitor gave up", detour: post, edit: with(retries, status(abi.FlagTimedOut|abi.FlagCCWError), mirrors(in(abi.MirrorIOShadow))),
			intents: asks(intent(abi.IntentDrop, 1), dissociate(1, abi.ScopeMirror)), steps: s(290, 292, 296, 300, 304, 294)},

		{name: "complete after 1 of 3, none complete", detour: post, edit: with(after(1), mirrors(in(abi.MirrorIOBegun), in(abi.MirrorIOBegun), in(abi.MirrorIOShadow))),
			verdict: abi.Return, intents: asks(incomplete), steps: hold},
		{name: "complete after 1 of 3, one complete", detour: post, edit: with(after(1), mirrors(in(abi.MirrorIOBegun), in(abi.MirrorIOComplete), in(abi.MirrorIOShadow))), steps: reported},
		{name: "complete after 2 of 3, one complete", detour: post, edit: with(after(2), mirrors(in(abi.MirrorIOBegun), in(abi.MirrorIOComplete), in(abi.MirrorIOBegun))),
			verdict: abi.Return, intents: asks(incomplete), steps: hold},
		{name: "complete after 2 of 3, two complete", detour: post, edit: with(after(2), mirrors(in(abi.MirrorIOComplete), in(abi.MirrorIOComplete), in(abi.MirrorIOBegun))), steps: reported},
		{name: "complete after 2 of 3, all complete", detour: post, edit: with(after(2), mirrors(in(abi.MirrorIOComplete), in(abi.MirrorIOComplete), in(abi.MirrorIOComplete))),
			intents: asks(flag(abi.FlagBothComplete)), steps: s(290, 292, 296, 300, 302, 294)},
		{name: "complete after 2, one follows", detour: post, edit: with(after(2), mirrors(in(abi.MirrorIOComplete), mirror(abi.MirrorSuspended, abi.MirrorIOBegun))), steps: reported},
		{name: "complete after 8, one of two complete", detour: post, edit: with(after(8), mirrors(in(abi.MirrorIOComplete), in(abi.MirrorIOBegun))),
			verdict: abi.Return, intents: asks(incomplete), steps: hold},
		{name: "complete after 1, complete on a mirror that is cut off since", detour: post,
			edit: with(after(1), mirrors(mirror(abi.MirrorSuspended, abi.MirrorIOComplete), in(abi.MirrorIOBegun))), verdict: abi.Return, intents: asks(incomplete), steps: hold},
		{name: "complete after 1, complete on a mirror that is synchronising", detour: post,
			edit: with(after(1), mirrors(mirror(abi.MirrorSynchronising, abi.MirrorIOComplete), in(abi.MirrorIOBegun))), verdict: abi.Return, intents: asks(incomplete), steps: hold},
		{name: "complete after 1, another failed", detour: post, edit: with(after(1), mirrors(in(abi.MirrorIOFailed), in(abi.MirrorIOComplete), in(abi.MirrorIOBegun))),
			intents: asks(dissociate(0b001, abi.ScopeMirror)), steps: reported},
		{name: "complete after 1, one failed, none complete", detour: post, edit: with(after(1), mirrors(in(abi.MirrorIOFailed), in(abi.MirrorIOBegun))), verdict: abi.Return,
			intents: asks(dissociate(0b01, abi.ScopeMirror), incomplete), steps: hold},
		{name: "complete after 1, no valid chain for another", detour: post, edit: with(after(1), retries, status(abi.FlagCCWError), mirrors(in(abi.MirrorIOComplete), in(abi.MirrorIOShadow))),
			intents: asks(intent(abi.IntentRetryMirror, 0b10)), steps: s(290, 292, 296, 300, 304, 306, 294)},
		{name: "complete after a number below 0", detour: post, edit: with(after(-1), mirrors(in(abi.MirrorIOComplete), in(abi.MirrorIOBegun))),
			verdict: abi.Return, intents: asks(incomplete), steps: hold},
	}
}
