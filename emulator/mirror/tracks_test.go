package mirror

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTracks holds the set against a map, on volumes that do and do not fill the last
// word of bits, one after the other.
func TestTracks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var s tracks
	for _, volume := range []uint32{200, 64, 1, 128, 65} {
		s.reset(volume)
		want := make(map[uint32]bool)
		for range 500 {
			if n := random.Uint32N(volume); random.IntN(3) != 0 {
				s.add(n)
				want[n] = true
			}
			from := random.Uint32N(volume + 2)
			next := from
			for next < volume && !want[next] {
				next++
			}
			n, ok := s.next(from)
			require.Equal(t, next < volume, ok)
			if ok {
				require.Equal(t, next, n)
			}
			if ok && random.IntN(4) == 0 {
				most := 1 + random.Uint32N(70)
				first, n := s.take(from, most)
				require.Equal(t, next, first)
				for i := range n {
					require.True(t, want[first+i])
					delete(want, first+i)
				}
				require.True(t, n == most || !want[first+n], "the run goes on")
			}
			require.Equal(t, len(want), s.count)
			require.False(t, s.has(volume))
		}
	}
}
