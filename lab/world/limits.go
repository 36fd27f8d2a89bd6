package world

import (
	"errors"
	"fmt"
	"time"
)

// Limits bound the worlds that seeds make. Worlds of other limits are other worlds.
type Limits struct {
	// Pairs is the most pairs of a primary and its mirrors, Mirrors the most mirrors of
	// a primary.
	Pairs, Mirrors int
	// Cylinders is the most cylinders of a CKD volume, of which the first is the
	// label's; a fixed-block volume is about as large.
	Cylinders int
	// Tracks is the most tracks of a volume that requests and channel programs go to:
	// the fewer, the more of them meet.
	Tracks int
	// Requests is the most actions of a world that ask for I/O: requests to the block
	// access method, up to five of them at a time, and channel programs.
	Requests int
	// Faults is the most faults, Swaps the most changes of the policy and
	// Synchronisations the most of them that are begun while I/O goes on.
	Faults, Swaps, Synchronisations int
	// Unordered has channel programs that write overlap other writes that are under way.
	// Otherwise a program comes after the writes to its tracks that were asked for
	// before, and those asked for later come after it, as the block access method has it
	// among its own.
	Unordered bool
	// Span is the time over which all of that is spread.
	Span time.Duration
}

// DefaultLimits make a world that runs within a fraction of a second.
func DefaultLimits() Limits {
	return Limits{
		Pairs: 3, Mirrors: 3, Cylinders: 3, Tracks: 6, Requests: 48, Faults: 4, Swaps: 3, Synchronisations: 3,
		Span: 40 * time.Millisecond,
	}
}

// The largest limits: what a scenario can hold, and what fits a volume.
const (
	maxPairs, maxMirrors         = 8, 8
	maxCylinders, maxTracks      = 64, 15 // the tracks are those of one cylinder
	maxRequests                  = 128
	maxFaults, maxSwaps, maxSyns = 16, 8, 8
	maxSpan                      = time.Hour
)

// ErrLimits says that limits cannot be had.
var ErrLimits = errors.New("limits of a world")

// Check reports the first limit that cannot be had.
func (l *Limits) Check() error {
	for _, k := range []struct {
		name              string
		value, least, max int64
	}{
		{"pairs", int64(l.Pairs), 1, maxPairs},
		{"mirrors", int64(l.Mirrors), 1, maxMirrors},
		{"cylinders", int64(l.Cylinders), 2, maxCylinders},
		{"tracks", int64(l.Tracks), 1, maxTracks},
		{"requests", int64(l.Requests), 1, maxRequests},
		{"faults", int64(l.Faults), 0, maxFaults},
		{"swaps", int64(l.Swaps), 0, maxSwaps},
		{"synchronisations", int64(l.Synchronisations), 0, maxSyns},
		{"span in nanoseconds", int64(l.Span), int64(time.Millisecond), int64(maxSpan)},
	} {
		if k.value < k.least || k.value > k.max {
			return fmt.Errorf("%w: %s: %d: want %d to %d", ErrLimits, k.name, k.value, k.least, k.max)
		}
	}
	return nil
}
