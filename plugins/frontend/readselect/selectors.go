package readselect

import (
	"math/bits"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/engine"
)

// Selector is a way to choose the device that serves a read. Each is used by known
// systems with several copies or several paths, which its comment names.
type Selector int64

// The selectors. A side is the primary or a mirror. Of equally good sides the
// primary is taken, or else the mirror with the lowest number.
const (
	// LowestLatency takes the side with the shortest expected time: read latency
	// times the requests that will then be on its unit. This is "shortest expected
	// delay" of queueing theory, join-the-shortest-queue weighted by service time;
	// Linux's dm-mpath weights its paths so in service-time. A side that has never
	// been measured has latency 0, and so gets the read that measures it.
	LowestLatency Selector = iota
	// LeastPending takes the side with the fewest requests on its unit (DRBD's
	// read-balancing least-pending; dm-mpath's queue-length; md raid1's read balance
	// for disks without heads).
	LeastPending
	// RoundRobin takes turns by the identity of the I/O (DRBD's and dm-mpath's
	// round-robin).
	RoundRobin
	// Stripe takes turns by the address: each side serves its stripes, so that its
	// cache holds other tracks than the others' (DRBD's 32K-striping to 1M-striping;
	// the address decides as in RAID 0).
	Stripe
	// Sequential takes the side whose last request ended where this one begins, or
	// else the side whose head is nearest (md raid1's read balance for disks with
	// heads, by next sequential sector and head distance).
	Sequential
	// PreferPrimary stays with the primary unless it is congested, and then takes
	// the mirror with the fewest requests (DRBD's prefer-local and
	// when-congested-remote).
	PreferPrimary
	Selectors // number of selectors
)

// Choose returns the index of the mirror that the read goes to, one of the mask, or
// engine.Primary. The mask must have only mirrors of the pair.
func Choose(f *abi.Frame, mirrors uint8) int {
	p := &f.Pair
	switch Selector(f.Settings.Value[SelectorSetting]) {
	case LowestLatency:
		best, cost := engine.Primary, expected(p.ReadLatency, p.Queue)
		for m := mirrors; m != 0; m &= m - 1 {
			i := bits.TrailingZeros8(m)
			if c := expected(p.Mirror[i].ReadLatency, p.Mirror[i].Queue); c < cost {
				best, cost = i, c
			}
		}
		return best
	case LeastPending:
		return leastPending(p, mirrors, p.Queue)
	case RoundRobin:
		return turn(f.Head.IO, mirrors)
	case Stripe:
		return turn(uint64(f.Target.FirstTrack)/uint64(max(f.Settings.Value[StripeTracks], 1)), mirrors)
	case Sequential:
		return nearest(f, mirrors)
	case PreferPrimary:
		if c := f.Settings.Value[Congestion]; c > 0 && int64(p.Queue) >= c {
			return leastPending(p, mirrors, p.Queue)
		}
	}
	return engine.Primary
}

// expected returns the time until a further request would be done, in nanoseconds.
func expected(latency, queue uint32) uint64 { return uint64(latency) * (uint64(queue) + 1) }

// leastPending returns the mirror with the fewest requests, if it has fewer than
// primary, the number of the primary's, or else the primary.
func leastPending(p *abi.Pair, mirrors uint8, primary uint32) int {
	best, queue := engine.Primary, primary
	for m := mirrors; m != 0; m &= m - 1 {
		if i := bits.TrailingZeros8(m); p.Mirror[i].Queue < queue {
			best, queue = i, p.Mirror[i].Queue
		}
	}
	return best
}

// turn returns the side whose turn it is: the primary, then each mirror.
func turn(n uint64, mirrors uint8) int {
	k := int(n % uint64(bits.OnesCount8(mirrors)+1))
	if k == 0 {
		return engine.Primary
	}
	for ; k > 1; k-- {
		mirrors &= mirrors - 1
	}
	return bits.TrailingZeros8(mirrors)
}

// nearest returns the side on which the read is sequential, or else the one with the
// nearest head.
func nearest(f *abi.Frame, mirrors uint8) int {
	first := f.Target.FirstTrack
	best, far := engine.Primary, distance(first, f.Pair.LastTrack)
	for m := mirrors; m != 0 && far != 0; m &= m - 1 {
		i := bits.TrailingZeros8(m)
		if d := distance(first, f.Pair.Mirror[i].LastTrack); d < far {
			best, far = i, d
		}
	}
	return best
}

// distance returns the number of tracks that a head at track last has to move to
// reach track first; the same track and the next one count as 0.
func distance(first, last uint32) uint32 {
	switch {
	case first == last+1:
		return 0
	case first > last:
		return first - last
	}
	return last - first
}
