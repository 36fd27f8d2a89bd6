package standard

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/internal/pair"
)

// masks holds a mask of mirrors for each action.
type masks struct {
	label, drop, resume, schedule, start uint8
}

// BackEnd answers both calls of the hook for an I/O: the one at the return address,
// with the processor disabled, and the enabled one that it asks for there.
func BackEnd(f *abi.Frame) {
	if !plain(f) {
		general(f)
	}
}

// plain gives the same answer as general in the usual case: the primary was started,
// and every mirror request waits for a mirror that is in sync. In any other case, or
// when steps are traced, it returns false and leaves the request to general. It is
// one loop without a call, because in a module a call costs as much as the loop.
func plain(f *abi.Frame) bool {
	if f.Head.Flags&abi.Tracing != 0 || f.Status.CC != 0 || f.Status.Flags&abi.FlagCCWError != 0 || f.Pair.Mirrors > abi.MaxMirrors {
		return false
	}
	var shadow, scheduled uint8
	for i := uint8(0); i < f.Pair.Mirrors; i++ {
		m := &f.Pair.Mirror[i&(abi.MaxMirrors-1)]
		switch m.IO {
		case abi.MirrorIOShadow:
			shadow |= 1 << i
		case abi.MirrorIOScheduled:
			scheduled |= 1 << i
		default:
			continue
		}
		if m.State != abi.MirrorInSync || m.Flags&(abi.MirrorWasSynchronising|abi.MirrorHasSuspendedChain) != 0 {
			return false
		}
	}
	kind := abi.IntentSchedule
	if f.Head.Flags&abi.Disabled == 0 {
		kind, shadow = abi.IntentStart, shadow|scheduled
	}
	if shadow != 0 {
		f.Response.Intents = 1
		f.Response.Intent[0] = abi.Intent{Kind: kind, Mirrors: shadow}
	}
	return true
}

func general(f *abi.Frame) {
	f.Took(step.LookOnShadowQueue)
	waiting := waiting(f)
	if waiting == 0 {
		leave(f)
		return
	}
	f.Took(step.AskWhetherPrimaryFailed)
	if f.Status.CC != 0 {
		f.Took(step.DropMirrorRequest)
		f.Response.Ask(abi.IntentDrop).Mirrors = waiting
		leave(f)
		return
	}
	if f.Status.Flags&abi.FlagCCWError != 0 {
		// There is no chain to start: the request stays on the shadow queue, and the
		// post-status detour decides about it (304, 306).
		leave(f)
		return
	}
	f.Took(step.MoveToMirrorQueue)
	f.Took(step.AskWhetherSynchronising)
	m := sort(f, waiting)
	if m.drop != 0 {
		f.Response.Ask(abi.IntentDrop).Mirrors = m.drop
	}
	if m.label != 0 {
		f.Took(step.ReadLabel)
		f.Response.Ask(abi.IntentLabel).Mirrors = m.label
	}
	if m.resume|m.schedule|m.start != 0 {
		f.Took(step.AskWhetherSuspendedChain)
	}
	if m.resume != 0 {
		f.Took(step.JoinSuspendedChain)
		f.Took(step.ClearSuspendBit)
		f.Took(step.ResumeSubchannel)
		f.Response.Ask(abi.IntentResume).Mirrors = m.resume
	}
	if m.schedule|m.start != 0 {
		f.Took(step.TieMirrorIOSB)
		f.Took(step.AskWhetherDisabled)
	}
	if m.schedule != 0 {
		f.Took(step.ScheduleBackEnd)
		f.Response.Ask(abi.IntentSchedule).Mirrors = m.schedule
	}
	if m.start != 0 {
		f.Took(step.MirrorStartIO)
		f.Response.Ask(abi.IntentStart).Mirrors = m.start
	}
	f.Took(step.EndBackEnd)
	leave(f)
}

// leave reports the return to IOSVSSCH, the I/O supervisor's start routine. The
// enabled call does not return there.
func leave(f *abi.Frame) {
	if f.Head.Flags&abi.Disabled != 0 {
		f.Took(step.LeaveBackEnd)
	}
}

// waiting returns the mask of the mirrors with a mirror request on the shadow queue.
func waiting(f *abi.Frame) (mask uint8) {
	all := pair.Mirrors(&f.Pair)
	for i := range all {
		if io := all[i].IO; io == abi.MirrorIOShadow || io == abi.MirrorIOScheduled {
			mask |= 1 << i
		}
	}
	return mask
}

// sort decides for each waiting mirror request whether it is started, resumed,
// delayed or dropped. (FIG. 13.)
func sort(f *abi.Frame, waiting uint8) (to masks) {
	disabled := f.Head.Flags&abi.Disabled != 0
	all := pair.Mirrors(&f.Pair)
	for i := range all {
		m, bit := &all[i], uint8(1)<<i
		switch {
		case waiting&bit == 0:
		case !pair.Follows(m):
			to.drop |= bit // cut off since the request was made
		case m.Flags&abi.MirrorWasSynchronising != 0 && m.Flags&abi.MirrorLabelRead == 0:
			to.label |= bit
		case m.Flags&abi.MirrorWasSynchronising != 0 && m.State == abi.MirrorSynchronising:
			to.drop |= bit // the synchronisation copies these tracks itself
		case m.Flags&abi.MirrorHasSuspendedChain != 0:
			to.resume |= bit
		case !disabled:
			to.start |= bit
		case m.IO == abi.MirrorIOShadow:
			to.schedule |= bit // a scheduled one is on its way already
		}
	}
	return to
}
