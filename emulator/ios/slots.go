package ios

import (
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// FirstPointer is what the DDTSIO slot points to: conventionally the module
// DDTSIO, hooked the front-end detour (step 94).
type FirstPointer interface {
	DDTSIO(p *machine.Processor, q *IOQ) ReturnCode
}

// ReturnAddress is where IOSVSCP returns the condition code, when an IOQ has
// one: hooked, the back-end detour. It ends by returning to IOSVSSCH.
type ReturnAddress interface {
	Return(p *machine.Processor, q *IOQ, cc channel.CC)
}

// ThirdPointer is what SRBEP points to: conventionally IECVPST, hooked the
// post-status detour (step 286).
type ThirdPointer interface {
	PostStatus(p *machine.Processor, b *IOSB)
}

// Slots are the pointers that a supervisor owns. A nil pointer leads to the
// conventional target.
type Slots struct {
	DDTSIO FirstPointer
	SRBEP  ThirdPointer
}

// PathLengths are what the modules cost in virtual time. The defaults are an
// estimate: 10 to 20 thousand instructions an I/O, as a rule of thumb for MVS,
// on a processor of 1000 million instructions a second, spread over the
// modules.
type PathLengths struct {
	IOSVSSCQ machine.Time
	IOSVSSCH machine.Time
	DDTSIO   machine.Time
	IOSVSCP  machine.Time
	IOSVRSUM machine.Time
	IOSVSLIH machine.Time
	IECVPST  machine.Time
}

// DefaultPathLengths are the defaults.
func DefaultPathLengths() PathLengths {
	return PathLengths{
		IOSVSSCQ: 1000, IOSVSSCH: 1500, DDTSIO: 1000, IOSVSCP: 1500,
		IOSVRSUM: 1000, IOSVSLIH: 2500, IECVPST: 3000,
	}
}
