package intercept

import (
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// InFlight is how many writes the account has as under way to the mirror, summed
// over the tracks.
func (m *Mirror) InFlight() int {
	n := 0
	for _, c := range m.account.inflight {
		n += int(c)
	}
	return n
}

// Shadow is how many requests are on the shadow queue.
func (x *Process) Shadow() int { return x.shadow }

// Lent is how many areas and private copies are not in their pools.
func (x *Process) Lent() int {
	n := int(x.areas.next / areaSize)
	for a := x.areas.free; a != nil; a = a.next {
		n--
	}
	n += int(x.copies.next / machine.FrameSize)
	for c := x.copies.free; c != nil; c = c.next {
		n--
	}
	return n
}

// MoveIllegally makes a transition that there cannot be, for a request of I/O 7.
func MoveIllegally(x *Process) {
	r := x.newRequest()
	r.block = &ios.IOSB{ID: 7}
	r.enter(requestTold)
}
