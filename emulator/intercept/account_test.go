package intercept

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

// TestAccountAgainstMaps holds the account against the plainest way to keep it.
func TestAccountAgainstMaps(t *testing.T) {
	const tracks = 150
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		a := newAccount(tracks)
		marked, inflight := map[uint32]bool{}, map[uint32]int{}
		var open []extent
		for range 300 {
			first := uint32(random.IntN(tracks))
			e := extent{first, first + uint32(random.IntN(int(min(6, tracks-first))))}
			switch random.IntN(6) {
			case 0, 1:
				a.begin(e)
				open = append(open, e)
				for t := e.first; t <= e.last; t++ {
					inflight[t]++
				}
			case 2, 3:
				if len(open) == 0 {
					continue
				}
				k := random.IntN(len(open))
				e, ok := open[k], random.IntN(3) != 0
				open = append(open[:k], open[k+1:]...)
				a.ended(e, a.epoch, ok)
				for t := e.first; t <= e.last; t++ {
					inflight[t]--
					marked[t] = marked[t] || !ok
				}
			case 4:
				a.mark(e)
				for t := e.first; t <= e.last; t++ {
					marked[t] = true
				}
			case 5:
				a.unmark(e)
				for t := e.first; t <= e.last; t++ {
					delete(marked, t)
				}
			}
			n, next := 0, uint32(0)
			for track := range uint32(tracks) {
				if marked[track] {
					n++
					got, ok := a.next(next)
					require.True(t, ok && got == track, "seed %d: the next from %d on is %d", seed, next, got)
					next = track + 1
				}
			}
			_, ok := a.next(next)
			require.False(t, ok)
			require.Equal(t, n, a.count)
			sync, clean := true, true
			for t := e.first; t <= e.last; t++ {
				sync = sync && !marked[t] && inflight[t] == 0
				clean = clean && !marked[t]
			}
			require.Equal(t, sync, a.inSync(e))
			require.Equal(t, clean, a.unmarked(e))
		}
		o := newAccount(tracks)
		o.follow(&a)
		for track := range uint32(tracks) {
			require.Equal(t, marked[track] || inflight[track] != 0, o.isMarked(track))
		}
	}
}

// TestAWriteOfAnEarlierEpoch does not end one of the present.
func TestAWriteOfAnEarlierEpoch(t *testing.T) {
	a := newAccount(4)
	e := extent{1, 2}
	a.begin(e)
	clear(a.inflight)
	a.epoch++
	a.begin(e)
	a.ended(e, 0, true)
	assert.False(t, a.inSync(e), "the one of now is under way")
	a.ended(e, 1, true)
	assert.True(t, a.inSync(e))
	a.ended(e, 0, false)
	assert.False(t, a.unmarked(e), "but what failed is marked")
}

func TestMoreWritesUnderWayThanCanBeCounted(t *testing.T) {
	a := newAccount(1)
	e := extent{0, 0}
	const n = 1<<16 + 5
	for range n {
		a.begin(e)
	}
	for range n {
		assert.True(t, a.inflight[0] != 0 || a.isMarked(0))
		a.end(e, true)
	}
	assert.False(t, a.inSync(e))
}

// TestRiskAgainstAList holds what is at risk against a list of all writes.
func TestRiskAgainstAList(t *testing.T) {
	type write struct {
		bytes   uint64
		ack     machine.Time
		settled machine.Time // 0: not yet
		missed  bool
	}
	first := func(all []*write) machine.Time {
		at := machine.Never
		for _, w := range all {
			if w.missed {
				at = min(at, w.ack)
			}
		}
		return at
	}
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		var r risk
		var all []*write
		var now, oldest machine.Time
		var maxIOs, maxBytes uint64
		for range 200 {
			now += machine.Time(1 + random.IntN(50))
			switch random.IntN(5) {
			case 0, 1:
				w := &write{bytes: uint64(1 + random.IntN(9000)), ack: now}
				all = append(all, w)
				r.acknowledge(w.bytes)
				if random.IntN(6) == 0 {
					w.missed = true
					r.miss(now)
				}
			case 2, 3:
				if len(all) == 0 {
					continue
				}
				w := all[random.IntN(len(all))]
				if w.settled != 0 || w.missed {
					continue
				}
				if random.IntN(6) == 0 {
					w.missed = true
					r.miss(w.ack)
					continue
				}
				w.settled = now
				r.settle(w.bytes, w.ack, now)
				oldest = max(oldest, now-w.ack)
			case 4:
				if random.IntN(20) != 0 {
					continue
				}
				for _, w := range all { // a synchronisation has brought everything over
					if w.missed {
						oldest = max(oldest, now-first(all))
						break
					}
				}
				r.clear(now)
				late := all[:0:0]
				for _, w := range all {
					if !w.missed && w.settled == 0 {
						late = append(late, w)
					}
				}
				all = nil
				for _, w := range late { // their mirror I/Os end nevertheless
					r.settle(w.bytes, w.ack, now+1)
				}
				now++
			}
			var ios, bytes, missed uint64
			for _, w := range all {
				if w.settled == 0 {
					ios++
					bytes += w.bytes
				}
				if w.missed {
					missed++
				}
			}
			maxIOs, maxBytes = max(maxIOs, ios), max(maxBytes, bytes)
			got := r.at(now)
			require.Equal(t, [3]uint64{ios, bytes, missed}, [3]uint64{got.IOs, got.Bytes, got.Unmirrored}, "seed %d", seed)
			require.Equal(t, [2]uint64{maxIOs, maxBytes}, [2]uint64{got.MaxIOs, got.MaxBytes}, "seed %d", seed)
			require.GreaterOrEqual(t, got.MaxAge, oldest, "seed %d", seed)
		}
	}
}
