package engine

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/internal/pair"
)

// The settings, in the manifests' order.
const (
	OnMirrorFailure  = iota // the mirrors that are dissociated when a mirror I/O fails (M4): a scope of abi.IntentDissociate
	OnPrimaryFailure        // action when the primary I/O fails (M3): 0 report, 1 promote a mirror
	OnChainError            // action when no valid mirror chain was made (306): 0 retry, 1 dissociate
	ChainRetries            // largest number of attempts
	// CompleteAfter is the number of mirrors that must have a write before its
	// completion is reported; 0, or more than follow the primary, means all that
	// follow it. With ConstantCopy it has no meaning, and the manifest does not have
	// it.
	CompleteAfter
	OnTimeOut // treatment of a request whose mirror does not answer (M2): 0 release, 1 fail
	Settings  // number of settings
)

const (
	promote    = 1
	dissociate = 1
	fail       = 1
)

// Variant holds the choice in which post-status detours differ.
type Variant struct {
	// ConstantCopy says that completion is reported as soon as the primary has the
	// write, for every request.
	ConstantCopy bool
}

// mirrorIO holds masks of the mirrors, by the state of the request's I/O on them.
type mirrorIO struct {
	queued  uint8 // not started
	begun   uint8
	failed  uint8
	ignored uint8 // not complete, on mirrors that are cut off already
	copied  uint8 // any, on mirrors that a synchronisation brings what they lack
}

// PostStatus answers for SRBEP, the pointer to the routine that gets an I/O's
// status.
func (v Variant) PostStatus(f *abi.Frame) {
	if !v.plain(f) {
		v.general(f)
	}
}

// plain gives the same answer as general in the usual case: the target is not a
// primary, or its mirror I/Os are complete or under way. In any other case, or when
// steps are traced, it returns false and leaves the request to general. It is one
// loop without a call, because in a module a call costs as much as the loop.
func (v Variant) plain(f *abi.Frame) bool {
	if f.Head.Flags&abi.Tracing != 0 {
		return false
	}
	if f.Target.Role != abi.RolePrimary {
		return true
	}
	if f.Status.OK == 0 || f.Status.Flags&(abi.FlagTimedOut|abi.FlagCCWError) != 0 || f.Pair.Mirrors > abi.MaxMirrors {
		return false
	}
	under := false
	for i := uint8(0); i < f.Pair.Mirrors; i++ {
		m := &f.Pair.Mirror[i&(abi.MaxMirrors-1)]
		switch m.IO {
		case abi.MirrorIOShadow, abi.MirrorIOScheduled, abi.MirrorIOBegun:
			if m.State != abi.MirrorInSync {
				return false
			}
			under = true
		case abi.MirrorIOFailed:
			return false
		}
	}
	flag := abi.FlagBothComplete
	if under {
		if v.ConstantCopy || f.Status.Flags&abi.FlagConstantCopy != 0 || f.Settings.Value[CompleteAfter] > 0 && enough(f) {
			return true
		}
		flag = abi.FlagMirrorIncomplete
		f.Response.Verdict = abi.Return
	}
	f.Response.Intents = 1
	f.Response.Intent[0] = abi.Intent{Kind: abi.IntentFlag, Value: uint64(flag)}
	return true
}

func (v Variant) general(f *abi.Frame) {
	f.Took(step.EnterPostStatus)
	f.Took(step.AskWhetherNotPrimary)
	if f.Target.Role != abi.RolePrimary {
		f.Took(step.YieldToIECVPST)
		return
	}
	f.Took(step.AskWhetherPrimaryEndedWell)
	if f.Status.OK == 0 {
		v.primaryFailed(f)
		f.Took(step.YieldToIECVPST)
		return
	}
	f.Took(step.AskWhetherMirrorEndedWell)
	m := survey(f)
	if m.queued|m.begun|m.failed|m.ignored == 0 {
		f.Took(step.SetBothComplete)
		f.Response.SetFlags(abi.FlagBothComplete)
		f.Took(step.YieldToIECVPST)
		return
	}
	under := v.judge(f, &m)
	if under == 0 || v.ConstantCopy || f.Status.Flags&abi.FlagConstantCopy != 0 || enough(f) {
		f.Took(step.YieldToIECVPST)
		return
	}
	f.Took(step.SetMirrorIncomplete)
	f.Response.SetFlags(abi.FlagMirrorIncomplete)
	f.Response.Verdict = abi.Return
	f.Took(step.ReturnToDispatcher)
}

// enough reports whether as many mirrors in sync have the write as its completion
// waits for, although others are under way.
func enough(f *abi.Frame) bool {
	left := f.Settings.Value[CompleteAfter]
	if left <= 0 {
		return false
	}
	all := pair.Mirrors(&f.Pair)
	for i := range all {
		if m := &all[i]; m.IO == abi.MirrorIOComplete && m.State == abi.MirrorInSync {
			left--
		}
	}
	return left <= 0
}

// survey looks at the mirror I/Os. An I/O on a mirror that is cut off is ignored:
// the host has marked the tracks that the mirror lacks.
func survey(f *abi.Frame) (m mirrorIO) {
	all := pair.Mirrors(&f.Pair)
	for i := range all {
		n, bit := &all[i], uint8(1)<<i
		if n.State == abi.MirrorSynchronising {
			m.copied |= bit
		}
		to := &m.ignored
		if pair.Follows(n) {
			switch n.IO {
			case abi.MirrorIOShadow, abi.MirrorIOScheduled:
				to = &m.queued
			case abi.MirrorIOBegun:
				to = &m.begun
			case abi.MirrorIOFailed:
				to = &m.failed
			}
		}
		switch n.IO {
		case abi.MirrorIOShadow, abi.MirrorIOScheduled, abi.MirrorIOBegun, abi.MirrorIOFailed:
			*to |= bit
		}
	}
	return m
}

// judge asks for retries or dissociation of mirror I/Os that have not succeeded, and
// returns the mask of those that are still under way then. (Steps 304, 306, M4.)
func (v Variant) judge(f *abi.Frame, m *mirrorIO) (under uint8) {
	f.Took(step.AskWhetherCCWError)
	timedOut := f.Status.Flags&abi.FlagTimedOut != 0
	lost, under := m.failed, m.queued|m.begun
	switch {
	case timedOut:
		lost, under = lost|under, 0
	case f.Status.Flags&abi.FlagCCWError != 0: // a request without a chain does not start by itself
		lost, under = (lost|m.queued)&^m.copied, m.begun
		if lost != 0 && f.Settings.Value[OnChainError] != dissociate && int64(f.Head.Call) < f.Settings.Value[ChainRetries] {
			f.Took(step.RetryMirrorIO)
			f.Response.Ask(abi.IntentRetryMirror).Mirrors = lost
			return under | lost
		}
	}
	if lost == 0 {
		return under
	}
	if waiting := lost & m.queued; waiting != 0 {
		f.Response.Ask(abi.IntentDrop).Mirrors = waiting
	}
	if timedOut && !v.ConstantCopy && f.Settings.Value[OnTimeOut] == fail {
		f.Response.Ask(abi.IntentFail).Code = abi.CompletionPermanent
	}
	n := f.Response.Ask(abi.IntentDissociate)
	n.Mirrors, n.Code = lost, scope(f)
	if n.Code != abi.ScopeMirror {
		return 0
	}
	return under
}

// scope returns the scope of the dissociation when a mirror fails.
func scope(f *abi.Frame) uint8 {
	s := f.Settings.Value[OnMirrorFailure]
	if s < 0 || s > int64(abi.ScopeGroup) {
		return abi.ScopeMirror
	}
	return uint8(s)
}
