package adaptive

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/frontend/engine"
	"github.com/iosrun/iosrun/plugins/internal/pair"
)

// The settings, in the manifest's order.
const (
	// Lag is the number of writes by which a mirror lags behind when the pair goes to
	// constant copy.
	Lag = iota
	// CaughtUp is the largest lag in writes at which the pair goes back. A value that
	// is not below Lag counts as Lag - 1.
	CaughtUp
	Interloper // treatment of an application's write to a mirror (130): 0 reject, 1 inhibit
	Settings   // number of settings
)

// FrontEnd answers for the DDTSIO slot, before a request is started. A chain that is
// longer than the frame carries is treated as in step 218: no valid mirror chain.
func FrontEnd(f *abi.Frame) { FrontEndLong(f, nil) }

// FrontEndLong is FrontEnd, but reads long chains with rest; without rest it is the
// same.
func FrontEndLong(f *abi.Frame, rest *chain.Rest) {
	engine.Variant{Inhibit: f.Settings.Value[Interloper] != 0, Rest: rest}.FrontEnd(f)
	if mirrored(&f.Response) {
		adapt(f)
	}
}

// mirrored reports whether the response asks for mirror writes and leaves the mode
// alone. A chain that suspends itself sets the mode for its own reasons (182, 216,
// 234): that holds until the next write that does not.
func mirrored(r *abi.Response) bool {
	if r.Intents == 2 && r.Intent[0].Kind == abi.IntentMirror { // the intents of a plain write
		return true
	}
	write := false
	for i := range r.Intent[:r.Intents] {
		switch r.Intent[i].Kind {
		case abi.IntentMirror:
			write = true
		case abi.IntentMode:
			return false
		}
	}
	return write
}

// adapt asks for the other mode when the lag of the mirrors requires it.
func adapt(f *abi.Frame) {
	high := max(f.Settings.Value[Lag], 1)
	low := min(f.Settings.Value[CaughtUp], high-1)
	switch n := int64(lag(&f.Pair)); {
	case f.Pair.Mode == abi.ModeConstantCopy && n <= low:
		f.Response.Ask(abi.IntentMode).Code = uint8(abi.ModeSynchronous)
	case f.Pair.Mode == abi.ModeSynchronous && n >= high:
		f.Response.Ask(abi.IntentMode).Code = uint8(abi.ModeConstantCopy)
	}
}

// lag returns the largest lag, in writes, of the mirrors that follow the primary.
func lag(p *abi.Pair) (most uint32) {
	all := pair.Mirrors(p)
	for i := range all {
		if m := &all[i]; pair.Follows(m) {
			most = max(most, m.Queue, m.AtRisk)
		}
	}
	return most
}
