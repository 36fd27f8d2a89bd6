package standard

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/frontend/engine"
)

// The settings, in the manifest's order.
const (
	Interloper   = iota // what becomes of a write to a mirror (130): 0 reject, 1 inhibit
	Interrupting        // what becomes of a chain that writes and has PCI (184): 0 leave, 1 copy its tracks
	Settings            // how many there are
)

// FrontEnd answers for the DDTSIO slot. Chains that are longer than the frame
// carries are cases of step 218: no valid mirror chain.
func FrontEnd(f *abi.Frame) { FrontEndLong(f, nil) }

// FrontEndLong is FrontEnd with the means to read long chains.
func FrontEndLong(f *abi.Frame, rest *chain.Rest) {
	v := &f.Settings.Value
	engine.Variant{Inhibit: v[Interloper] != 0, CopyInterrupting: v[Interrupting] != 0, Rest: rest}.FrontEnd(f)
}
