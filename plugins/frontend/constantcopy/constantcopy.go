package constantcopy

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/frontend/engine"
)

// The settings, in the manifest's order.
const (
	Interloper = iota // treatment of an application's write to a mirror (130): 0 reject, 1 inhibit
	Settings          // number of settings
)

// FrontEnd answers for the DDTSIO slot, before a request is started. A chain that is
// longer than the frame carries is treated as in step 218: no valid mirror chain.
func FrontEnd(f *abi.Frame) { FrontEndLong(f, nil) }

// FrontEndLong is FrontEnd, but reads long chains with rest; without rest it is the
// same.
func FrontEndLong(f *abi.Frame, rest *chain.Rest) {
	engine.Variant{ConstantCopy: true, Inhibit: f.Settings.Value[Interloper] != 0, Rest: rest}.FrontEnd(f)
}
