package world

import (
	"math/rand/v2"
	"time"
)

// draw draws pseudo-random values from a seed.
type draw struct{ *rand.Rand }

// stream makes a world's draws different from those that other packages make from
// the same seed.
const stream = 0x576F726C64 // "World"

func newDraw(seed uint64) *draw { return &draw{rand.New(rand.NewPCG(seed, stream))} }

// chance returns true with a probability of n in of.
func (d *draw) chance(n, of int) bool { return d.IntN(of) < n }

// between draws a number from low to high.
func (d *draw) between(low, high int) int { return low + d.IntN(high-low+1) }

// within draws a time below the span, in microseconds.
func (d *draw) within(span time.Duration) time.Duration {
	return time.Duration(d.Int64N(int64(span/time.Microsecond))) * time.Microsecond
}

// pick draws one of a list.
func pick[T any](d *draw, all []T) T { return all[d.IntN(len(all))] }
