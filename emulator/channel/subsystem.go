package channel

import "github.com/iosrun/iosrun/emulator/machine"

// InterruptHandler is told that a subchannel has become status pending and
// would interrupt (the IOS's first-level handler).
type InterruptHandler interface {
	Interruption(now machine.Time, sch *Subchannel)
}
