package adaptive

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/frontend/engine"
	"github.com/iosrun/iosrun/plugins/internal/pair"
)

// The settings, in the manifest's order.
const (
	// Lag is how many writes a mirror lags behind when the pair goes to constant
	// copy.
	Lag = iota
	// CaughtUp is how many it may lag behind at most for the pair to go back. What
	// is not below Lag means one below it.
	CaughtUp
	Interloper // what becomes of a write to a mirror (130): 0 reject, 1 inhibit
	Settings   // how many there are
)

// FrontEnd answers for the DDTSIO slot. Chains that are longer than the frame
// carries are cases of step 218: no valid mirror chain.
func FrontEnd(f *abi.Frame) { FrontEndLong(f, nil) }

// FrontEndLong is FrontEnd with the means to read long chains.
func FrontEndLong(f *abi.Frame, rest *chain.Rest) {
	engine.Variant{Inhibit: f.Settings.Value[Interloper] != 0, Rest: rest}.FrontEnd(f)
	if mirrored(&f.Response) {
		adapt(f)
	}
}

// mirrored reports whether the answer has the mirrors written to and leaves the
// mode alone. A chain that suspends itself sets the mode for its own reasons
// (182, 216, 234): that holds until the next write that does not.
func mirrored(r *abi.Response) bool {
	if r.Intents == 2 && r.Intent[0].Kind == abi.IntentMirror { // what plain writes get
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

// adapt asks for the other mode where the pair's is no longer the right one.
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

// lag is the most that one of the mirrors that follow lags behind.
func lag(p *abi.Pair) (most uint32) {
	all := pair.Mirrors(p)
	for i := range all {
		if m := &all[i]; pair.Follows(m) {
			most = max(most, m.Queue, m.AtRisk)
		}
	}
	return most
}
