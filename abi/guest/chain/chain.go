package chain

import "github.com/iosrun/iosrun/abi"

// Read copies CCWs of the request's chain from number first on, and reports how
// many it copied: fewer than into holds when the chain ends, 0 from its end on
// and for a first below 0. It is for hooks only: it answers for the I/O of the
// call that is under way. into must stay within 1 to 65535 CCWs.
//
// The CCWs that it copies have no Parameter, because only the frame carries
// parameter blocks. Built for anything but WebAssembly it copies none, because there
// is no host to ask.
func Read(first int, into []abi.CCW) int {
	if first < 0 || len(into) == 0 {
		return 0
	}
	return read(first, into)
}
