package passthrough

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
)

// FrontEnd answers for the DDTSIO slot, before a request is started: go on with
// DDTSIO, the I/O supervisor's routine behind the slot, and bypass the back-end
// detour (106, 100).
func FrontEnd(f *abi.Frame) {
	f.Took(step.BypassBackEnd)
	f.Took(step.ContinueWithDDTSIO)
}
