package engine

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/internal/pair"
	"github.com/iosrun/iosrun/plugins/internal/status"
)

// primaryFailed sets the primary-error flag. It asks for the promotion of a mirror
// when that is configured, the device or its path does not work, and there is a
// suitable mirror. (Step 298, M3.)
func (v Variant) primaryFailed(f *abi.Frame) {
	f.Took(step.SetPrimaryError)
	f.Response.SetFlags(abi.FlagPrimaryError)
	if f.Settings.Value[OnPrimaryFailure] != promote || !broken(f) || replaced(f) {
		return
	}
	if i, ok := successor(f); ok {
		f.Response.Ask(abi.IntentPromote).Code = i
	}
}

// replaced reports whether a mirror was promoted because of another I/O since this
// one was started. The device that it failed on is then a mirror itself, and the
// host starts the request again on the new primary.
func replaced(f *abi.Frame) bool {
	all := pair.Mirrors(&f.Pair)
	for i := range all {
		if all[i].Device == f.Target.Device {
			return true
		}
	}
	return false
}

// successor returns the mirror that lacks least of the primary's data: the one with
// the fewest tracks out of sync, and among equals with the fewest writes at risk. ok
// is false when there is none.
func successor(f *abi.Frame) (best uint8, ok bool) {
	all := pair.Mirrors(&f.Pair)
	for i := range all {
		m := &all[i]
		if m.State != abi.MirrorInSync {
			continue
		}
		if b := &all[best]; !ok || m.OutOfSync < b.OutOfSync || m.OutOfSync == b.OutOfSync && m.AtRisk < b.AtRisk {
			best, ok = uint8(i), true
		}
	}
	return best, ok
}

// broken reports whether the I/O has failed because the primary or its path does
// not work: there is no path, no interruption came, or the device says so itself.
// An equipment check must have come again after error recovery has driven the
// request once more: the first may have been temporary. Any other error comes from
// the channel program, the data or a state that the device was put into (a command
// reject, a file mask, write inhibited): a mirror would answer in the same way.
func broken(f *abi.Frame) bool {
	s := &f.Status
	switch {
	case f.Target.CompletionCode != abi.CompletionNone:
		// It was not started, or the host made it fail: its status belongs to an earlier
		// start.
		return f.Target.CompletionCode == abi.CompletionNoPath
	case status.NoPath(s) || status.Missing(s):
		return true
	case !status.UnitCheck(s):
		return false
	}
	sense := arch.SenseOf(&s.Sense)
	return sense&arch.SenseIntervention != 0 ||
		sense&arch.SenseEquipmentCheck != 0 && sense&arch.SenseWriteInhibited == 0 && f.Target.Retries != 0
}
