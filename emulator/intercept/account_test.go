package intercept

import (
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAccountAgainstMaps holds the account against the plainest way to keep it.
func TestAccountAgainstMaps(t *testing.T) {
	const tracks = 150
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		a := newAccount(tracks)
		marked, inflight := map[uint32]bool{}, map[uint32]int{}
		var open []chain.Extent
		for range 300 {
			first := uint32(random.IntN(tracks))
			e := chain.Extent{First: first, Last: first + uint32(random.IntN(int(min(6, tracks-first))))}
			switch random.IntN(6) {
			case 0, 1:
				a.begin(e)
				open = append(open, e)
				for t := e.First; t <= e.Last; t++ {
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
				for t := e.First; t <= e.Last; t++ {
					inflight[t]--
					marked[t] = marked[t] || !ok
				}
			case 4:
				a.mark(e)
				for t := e.First; t <= e.Last; t++ {
					marked[t] = true
				}
			case 5:
				a.unmark(e)
				for t := e.First; t <= e.Last; t++ {
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
			for t := e.First; t <= e.Last; t++ {
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
	e := chain.Extent{First: 1, Last: 2}
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
	e := chain.Track(0)
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
