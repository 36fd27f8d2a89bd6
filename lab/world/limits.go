package world

import (
	"errors"
	"fmt"
	"time"
)

// Limits bounds the worlds that are made from seeds. The same seed makes another
// world with other limits.
type Limits struct {
	// Pairs is the largest number of pairs of a primary and its mirrors, Mirrors the
	// largest number of mirrors of a primary.
	Pairs, Mirrors int
	// Cylinders is the largest number of cylinders of a CKD volume, of which the first
	// has the label; a fixed-block volume is about as large.
	Cylinders int
	// Tracks is the largest number of tracks of a volume that requests and channel
	// programs use: with fewer tracks more of them overlap.
	Tracks int
	// Requests is the largest number of actions of a world that ask for I/O: requests
	// to the block access method, up to five of them at a time, and channel programs.
	Requests int
	// Faults, Swaps and Synchronisations are the largest numbers of faults, of changes
	// of the policy, and of synchronisations that begin while I/O goes on.
	Faults, Swaps, Synchronisations int
	// Unordered lets channel programs that write overlap other writes under way.
	// Without it a program waits for earlier writes to its tracks, and later ones wait
	// for it, as the block access method orders its own requests.
	Unordered bool
	// Span is the time over which all these actions are spread.
	Span time.Duration
}

// DefaultLimits returns limits for worlds that run within a fraction of a second.
func DefaultLimits() Limits {
	return Limits{
		Pairs: 3, Mirrors: 3, Cylinders: 3, Tracks: 6, Requests: 48, Faults: 4, Swaps: 3, Synchronisations: 3,
		Span: 40 * time.Millisecond,
	}
}

// The largest limits, because of the size of a scenario and of a volume.
const (
	maxPairs, maxMirrors         = 8, 8
	maxCylinders, maxTracks      = 64, 15 // all tracks are in one cylinder
	maxRequests                  = 128
	maxFaults, maxSwaps, maxSyns = 16, 8, 8
	maxSpan                      = time.Hour
)

// ErrLimits says that limits are out of range.
var ErrLimits = errors.New("limits of a world")

// Check returns an error about the first limit that is out of range, or nil.
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
