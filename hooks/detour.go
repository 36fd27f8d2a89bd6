package hooks

import (
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/abi"
)

// Slot is one of the three pointers at which control is taken. A detour stands on the
// slot of the hook that it implements; abi.HookTable has the names of both.
type Slot uint8

// The slots.
const (
	DDTSIO        Slot = Slot(abi.FrontEnd)
	ReturnAddress Slot = Slot(abi.BackEnd)
	SRBEP         Slot = Slot(abi.PostStatus)
	Slots         Slot = Slot(abi.Hooks) // number of slots
)

// Hook returns the hook through which a detour on the slot is called.
func (s Slot) Hook() abi.Hook { return abi.Hook(s) }

func (s Slot) String() string {
	if s < Slots {
		return abi.HookTable[s].Slot
	}
	return fmt.Sprintf("slot %d", uint8(s))
}

// Detour is something that can be attached to a slot, native or WebAssembly.
// Its calls come from one goroutine at a time.
type Detour interface {
	// Frame returns the frame that the caller fills and reads the response from. It
	// lies in the detour's own memory, and stays at its address until Close or Renew.
	Frame() *abi.Frame
	// Call runs the hook on what the frame holds. An error means that the call
	// ended abnormally (a trap): the response means nothing and the detour must
	// be renewed before it is called again.
	Call(abi.Hook) error
	// Renew replaces the state that an abnormal end has left behind by a fresh one.
	Renew() error
	// Close releases the detour. No call follows.
	Close() error
}

// Containment is the rule for an I/O whose detour ended abnormally or gave an
// invalid response.
type Containment uint8

// The containment rules.
const (
	// Bypass lets the I/O go on as if the detour had not been there.
	Bypass Containment = iota
	// FailIO fails the application's I/O.
	FailIO
	// SuspendMirroring dissociates the mirrors and goes on.
	SuspendMirroring
)

var containmentNames = [...]string{"bypass", "fail-io", "suspend-mirroring"}

func (c Containment) String() string {
	if int(c) < len(containmentNames) {
		return containmentNames[c]
	}
	return fmt.Sprintf("containment %d", uint8(c))
}

// ParseContainment returns the rule of that name. The error lists the names that
// exist.
func ParseContainment(name string) (Containment, error) {
	for i, n := range containmentNames {
		if n == name {
			return Containment(i), nil
		}
	}
	return 0, fmt.Errorf("containment %q is unknown: want one of %v", name, containmentNames)
}

// ErrExhausted says that a call exceeded its limit of time or stack. A detour's
// error wraps it.
var ErrExhausted = errors.New("more than a call may use")

// Counters holds the events counted for a link since it was attached.
type Counters struct {
	Calls     uint64
	Continues uint64
	Returns   uint64
	Intents   uint64
	Refused   uint64 // intents that the host refused: the sum of Attachment.Refusals
	Traps     uint64 // calls that ended abnormally
	Exhausted uint64 // of these, calls that exceeded their limit of time or stack
	Invalid   uint64 // responses that did not pass the check
	Overruled uint64 // number of times that the host went on with an I/O all the same
}

// Failures returns the number of calls that gave no valid response.
func (c *Counters) Failures() uint64 { return c.Traps + c.Invalid }

// Attachment is a detour on a slot, with the data that the event loop needs for a
// call. Its counts belong to the event loop: no other goroutine may read or change
// them.
type Attachment struct {
	Name        string
	Detour      Detour
	Granted     abi.Capability
	Containment Containment
	Counters    Counters
	// Refusals counts the intents that the host has refused.
	Refusals RefusalCounts
	// FirstFailure is the error of the first call without a valid response, or nil.
	FirstFailure error
	// Records holds the records that the detour's manifest declares (NewRecords), by
	// the number of abi.IntentRecord.
	Records []Record
	// Disabled is set when too many calls gave no answer, the detour could not be
	// renewed, or it has kept too many requests: it is passed over, as PassedOver
	// says.
	Disabled   bool
	PassedOver PassedOver
	// Overstays counts the requests that the detour did not let go in time.
	Overstays int

	slot        Slot
	generations int // number of generations that hold it; guarded by the table's lock
	link        *Link
}

// ChainReader reads the request's channel program beyond what the frame
// carries.
type ChainReader interface {
	// ReadChain copies CCWs of the chain from number first on and reports how
	// many it copied.
	ReadChain(first int, into []abi.CCW) int
}

// ChainUser is implemented by a detour that can read long chains. The reader is
// given once, before the first call, and answers for the I/O of the call that is
// under way.
type ChainUser interface {
	UseChain(ChainReader)
}
