package hooks

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
)

// Refusal says why the host has not carried out an intent, or not for every
// mirror of its mask. The zero value says that it has.
type Refusal uint8

// The refusals. An intent that was never granted is none of them: a response
// that has one does not pass its check.
const (
	CarriedOut    Refusal = iota
	UnknownCode           // the code of the intent has no meaning
	WrongTarget           // the intent cannot be asked for this I/O
	NoSuchMirror          // the mask or the code names a mirror that the pair does not have
	NoRequest             // the I/O has no mirror request for a mirror of the mask
	RequestState          // the mirror request is in a state in which it cannot be done
	MirrorState           // the mirror is in a state in which it cannot be done
	MirrorBehind          // the mirror lacks writes to the tracks, or has them under way
	MirrorStale           // the mirror lacks writes that were acknowledged, and is not to be the primary
	Program               // the channel program, or the recipe for it, does not allow it
	NotStarted            // the primary I/O was not accepted
	WrongMoment           // the I/O is not at the point at which it can be done
	Overtaken             // something later has happened that it would undo
	Contradiction         // another intent of the same response rules it out
	PatienceOver          // the I/O has been left queued for as long as is allowed
	TooOften              // it has been asked for as often as is allowed for the I/O
	NoRoom                // storage for it is in use, or the host can do it no more
	refusals
)

// Refusals is the number of values of Refusal, CarriedOut included.
const Refusals = int(refusals)

// refusalTexts explain each refusal to a person.
var refusalTexts = [Refusals]string{
	CarriedOut:    "carried out",
	UnknownCode:   "its code stands for nothing",
	WrongTarget:   "it cannot be asked for this I/O",
	NoSuchMirror:  "the pair has no such mirror",
	NoRequest:     "the I/O has no such mirror request",
	RequestState:  "the mirror request is not in a state for it",
	MirrorState:   "the mirror is not in a state for it",
	MirrorBehind:  "the mirror lacks writes to the tracks or has them under way",
	MirrorStale:   "the mirror lacks acknowledged writes",
	Program:       "the channel program or the recipe does not allow it",
	NotStarted:    "the primary I/O was not accepted",
	WrongMoment:   "the I/O is not at the point for it",
	Overtaken:     "something later has happened that it would undo",
	Contradiction: "another intent of the response rules it out",
	PatienceOver:  "the I/O has been left queued for as long as is allowed",
	TooOften:      "it has been asked for as often as is allowed",
	NoRoom:        "no storage is left for it",
}

func (r Refusal) String() string {
	if int(r) < Refusals {
		return refusalTexts[r]
	}
	return fmt.Sprintf("refusal %d", uint8(r))
}

// First returns r, or other when r is CarriedOut. An intent that is carried out
// mirror by mirror gets its reason in this way.
func (r Refusal) First(other Refusal) Refusal {
	if r == CarriedOut {
		return other
	}
	return r
}

// RefusalCounts counts the refusals of one detour by intent and reason.
type RefusalCounts [abi.IntentKinds][Refusals]uint64

// Add counts one refusal and returns the number of refusals of that kind so far.
func (c *RefusalCounts) Add(k abi.IntentKind, why Refusal) uint64 {
	n := &c[k][why]
	*n++
	return *n
}

// PassedOver says when the host stopped calling a detour, and after how many
// failures.
type PassedOver struct {
	// At is a virtual time in nanoseconds.
	At int64
	// Failures is the number of its calls that gave no valid response until then, and
	// Overstays the number of requests that it did not let go in time.
	Failures  uint64
	Overstays int
}
