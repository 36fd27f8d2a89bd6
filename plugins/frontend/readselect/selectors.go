package readselect

import (
	"math/bits"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/engine"
)

// Selector is a way to choose where a read goes. Each is one that systems with
// several copies or several paths are known to use; its comment says which.
type Selector int64

// The selectors. Where two sides are equally good the primary wins, and then the
// mirror with the lower number.
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
	// the address goes to a disk as RAID 0 has it).
	Stripe
	// Sequential stays with the side whose last request ended where this one
	// begins, and else takes the side whose head is nearest (md raid1's read
	// balance for disks with heads, by next sequential sector and head distance).
	Sequential
	// PreferPrimary stays with the primary unless it is congested, and then takes
	// the mirror with the fewest requests (DRBD's prefer-local and
	// when-congested-remote).
	PreferPrimary
	Selectors // how many there are
)

// Choose says to which of the mirrors of the mask, or to the primary
// (engine.Primary), the read goes. The mask must have none but mirrors that the
// pair has.
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

// expected is the time until a further request would be done, in nanoseconds.
func expected(latency, queue uint32) uint64 { return uint64(latency) * (uint64(queue) + 1) }

// leastPending gives the mirror with the fewest requests, fewer than primary, or
// else the primary.
func leastPending(p *abi.Pair, mirrors uint8, primary uint32) int {
	best, queue := engine.Primary, primary
	for m := mirrors; m != 0; m &= m - 1 {
		if i := bits.TrailingZeros8(m); p.Mirror[i].Queue < queue {
			best, queue = i, p.Mirror[i].Queue
		}
	}
	return best
}

// turn gives the side whose turn it is: the primary, then each mirror.
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

// nearest gives the side on which the read is sequential, or else the one with
// the head nearest.
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

// distance is how many tracks a head at last has to go for first; going on with
// the same track or the next is no way at all.
func distance(first, last uint32) uint32 {
	switch {
	case first == last+1:
		return 0
	case first > last:
		return first - last
	}
	return last - first
}
