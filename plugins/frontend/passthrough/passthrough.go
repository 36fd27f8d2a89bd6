package passthrough

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
)

// FrontEnd answers for the DDTSIO slot: go on with DDTSIO and bypass the
// back-end detour (106, 100).
func FrontEnd(f *abi.Frame) {
	f.Took(step.BypassBackEnd)
	f.Took(step.ContinueWithDDTSIO)
}
