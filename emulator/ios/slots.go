package ios

import (
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// FirstPointer is the target of the DDTSIO slot: conventionally the module DDTSIO,
// or the front-end detour if the slot is hooked (step 94).
type FirstPointer interface {
	DDTSIO(p *machine.Processor, q *IOQ) ReturnCode
}

// ReturnAddress is the target to which IOSVSCP returns the condition code if an
// IOQ has one: the back-end detour. It ends by returning to IOSVSSCH.
type ReturnAddress interface {
	Return(p *machine.Processor, q *IOQ, cc channel.CC)
}

// ThirdPointer is the target of SRBEP: conventionally IECVPST, or the post-status
// detour if the slot is hooked (step 286).
type ThirdPointer interface {
	PostStatus(p *machine.Processor, b *IOSB)
}

// Slots holds the pointers that a supervisor owns. A nil pointer leads to the
// conventional target.
type Slots struct {
	DDTSIO FirstPointer
	SRBEP  ThirdPointer
}

// PathLengths holds the processor time that each module costs. The defaults are an
// estimate: 10 to 20 thousand instructions for each I/O, as a rule of thumb for
// MVS, on a processor of 1000 million instructions a second, spread over the
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

// DefaultPathLengths returns the default costs.
func DefaultPathLengths() PathLengths {
	return PathLengths{
		IOSVSSCQ: 1000, IOSVSSCH: 1500, DDTSIO: 1000, IOSVSCP: 1500,
		IOSVRSUM: 1000, IOSVSLIH: 2500, IECVPST: 3000,
	}
}
