package mirror_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
)

// TestSynchronisationUnderOverlappingWrites: two mirrors that lack writes are made
// identical, to the byte and without a mark left, while writes that overlap each
// other go on, in whatever manner their tracks are copied.
func TestSynchronisationUnderOverlappingWrites(t *testing.T) {
	for _, c := range []struct {
		name  string
		whole bool
	}{
		{"runs of tracks", false},
		{"whole tracks", true},
	} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s/%d", c.name, seed), func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				g := newRig(t, 2)
				somewhere := func() { g.write(firstTrack+random.IntN(9), random.IntN(records), 1+random.IntN(2*records)) }
				for range 40 { // nobody mirrors these
					somewhere()
				}
				g.run()
				require.NotEmpty(t, g.differing(0))
				g.install(toAll)
				var ends []error
				for i, m := range g.pair.Mirrors() {
					o := g.options(&ends)
					o.Full, o.Whole, o.Streams, o.Threshold = i == 0, c.whole, 1+random.IntN(8), random.IntN(4)
					o.MaxRounds = 1 + random.IntN(6)
					if i == 1 {
						o.TracksPerSecond = 500
					}
					s, err := g.mirroring.Synchronise(m, o)
					require.NoError(t, err)
					_, err = g.mirroring.Synchronise(m, o)
					require.ErrorIs(t, err, mirror.ErrBusy)
					defer func() {
						p := s.Progress()
						assert.True(t, p.Ended)
						assert.False(t, p.Held)
						assert.Zero(t, p.Left)
						assert.Positive(t, p.Copied)
						assert.GreaterOrEqual(t, p.Round, 2)
						assert.LessOrEqual(t, p.Round, o.MaxRounds+1)
					}()
				}
				for range 150 {
					somewhere()
					g.runFor(machine.Time(random.IntN(2000)) * machine.Microsecond)
				}
				g.run()
				require.Equal(t, []error{nil, nil}, ends)
				assert.Len(t, g.ended, int(g.asked))
				for i, m := range g.pair.Mirrors() {
					assert.Equal(t, abi.MirrorInSync, m.State)
					assert.Empty(t, g.marked(i))
					assert.Empty(t, g.differing(i))
				}
			})
		}
	}
}

// TestAFailingTrackIsTriedAgain: of a run of tracks that fails, each is copied whole.
// One that fails then too ends the synchronisation, and the error names it; what has
// not been copied is marked, and the next synchronisation copies it.
func TestAFailingTrackIsTriedAgain(t *testing.T) {
	const track = 37
	const always = 1000
	for _, c := range []struct {
		name   string
		change bool // fails when it is written on the mirror, not read from the primary
		times  int
		want   string // of the error; empty for none
	}{
		{"write fails once", true, 1, ""},
		{"write fails always", true, always, "track 37: write to the mirror ended with code"},
		{"read fails once", false, 1, ""},
		{"read fails always", false, always, "track 37: read of the primary ended with code"},
	} {
		for _, streams := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d streams", c.name, streams), func(t *testing.T) {
				g := newRig(t, 1)
				for n := firstTrack; n < trackCount; n++ {
					g.write(n, 0, records)
				}
				g.run()
				failed := 0
				fail := func(n int, change bool) bool {
					if n != track || change != c.change || failed == c.times {
						return false
					}
					failed++
					return true
				}
				if c.change {
					g.mirrors[0].fail = fail
				} else {
					g.primary.fail = fail
				}
				m := g.pair.Mirrors()[0]
				var ends []error
				o := g.options(&ends)
				o.Full, o.Streams = true, streams
				s, err := g.mirroring.Synchronise(m, o)
				require.NoError(t, err)
				g.run()
				require.Len(t, ends, 1)
				if c.want == "" {
					require.NoError(t, ends[0])
					assert.Equal(t, 1, failed)
				} else {
					require.ErrorContains(t, ends[0], c.want)
					assert.GreaterOrEqual(t, failed, 2, "it was tried again")
					assert.Positive(t, s.Progress().Left, "nothing is begun after it")
					assert.Equal(t, abi.MirrorSuspended, m.State)
					assert.Contains(t, g.marked(0), track)
					assert.Subset(t, g.marked(0), g.differing(0))
					last := g.write(firstTrack, 0, 1)
					g.run()
					assert.Contains(t, g.ended, last, "writes go on")

					g.primary.fail, g.mirrors[0].fail = nil, nil
					_, err = g.mirroring.Synchronise(m, g.options(&ends))
					require.NoError(t, err)
					g.run()
					require.NoError(t, ends[1])
				}
				assert.Equal(t, abi.MirrorInSync, m.State)
				assert.Empty(t, g.marked(0))
				assert.Empty(t, g.differing(0))
			})
		}
	}
}

// TestSynchronisationOfAMirrorThatIsCut: a mirror that is dissociated meanwhile stays
// so, whatever its synchronisation is doing.
func TestSynchronisationOfAMirrorThatIsCut(t *testing.T) {
	for _, after := range []machine.Time{0, 100 * machine.Microsecond, 5 * machine.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			g := newRig(t, 1)
			g.write(20, 0, records)
			g.run()
			m := g.pair.Mirrors()[0]
			var ends []error
			o := g.options(&ends)
			o.Full = true
			s, err := g.mirroring.Synchronise(m, o)
			require.NoError(t, err)
			g.runFor(after)
			m.State = abi.MirrorSuspended
			g.run()
			require.Len(t, ends, 1)
			require.ErrorContains(t, ends[0], "was dissociated meanwhile")
			assert.Positive(t, s.Progress().Left, "nothing is begun after that")
			assert.Equal(t, abi.MirrorSuspended, m.State)
			assert.Subset(t, g.marked(0), g.differing(0))
		})
	}
}

// TestAFailedSynchronisationMarksWhatDiffers: a synchronisation that fails in the
// middle of writes leaves no track that differs without a mark.
func TestAFailedSynchronisationMarksWhatDiffers(t *testing.T) {
	differed := 0
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 3))
		g := newRig(t, 1)
		g.install(toAll)
		var ends []error
		o := g.options(&ends)
		o.Full = true
		_, err := g.mirroring.Synchronise(g.pair.Mirrors()[0], o)
		require.NoError(t, err)
		broken := firstTrack + 10 + random.IntN(trackCount-firstTrack-10)
		g.mirrors[0].fail = func(track int, change bool) bool { return track == broken && change }
		for range 60 {
			g.write(firstTrack+random.IntN(9), random.IntN(records), 1+random.IntN(2*records))
			g.runFor(machine.Time(random.IntN(1000)) * machine.Microsecond)
		}
		g.run()
		require.Len(t, ends, 1)
		require.ErrorContains(t, ends[0], fmt.Sprintf("track %d: ", broken))
		require.Subset(t, g.marked(0), g.differing(0), "seed %d", seed)
		differed += len(g.differing(0))
	}
	assert.Positive(t, differed)
}

// TestTheLastCopyWaitsForWrites: the last copy begins when the writes that were under
// way have ended, and others wait for it.
func TestTheLastCopyWaitsForWrites(t *testing.T) {
	g := newRig(t, 1)
	g.primary.delay = 100 * machine.Millisecond
	first := g.write(20, 0, 1)
	g.runFor(machine.Millisecond)
	g.primary.delay = 0
	var ends []error
	s, err := g.mirroring.Synchronise(g.pair.Mirrors()[0], g.options(&ends))
	require.NoError(t, err)
	g.runFor(50 * machine.Millisecond)
	second := g.write(40, 0, 1)
	g.runFor(40 * machine.Millisecond)
	assert.True(t, s.Progress().Held)
	assert.Equal(t, 1, s.Progress().Round)
	assert.Empty(t, g.ended)
	g.run()
	assert.Equal(t, []error{nil}, ends)
	assert.Equal(t, 2, s.Progress().Round)
	assert.Less(t, g.ended[first], g.ended[second])
	assert.Greater(t, s.Progress().HeldFor, 20*machine.Millisecond)
	assert.Equal(t, []int{40}, g.differing(0), "nobody mirrors the second one")
	assert.Equal(t, []int{40}, g.marked(0))
}

// TestSynchronisationWithoutRoom: where main storage has no room for its buffers, a
// synchronisation does not begin, the mirror stays as it was, and later there is room.
func TestSynchronisationWithoutRoom(t *testing.T) {
	g := newRig(t, abi.MaxMirrors)
	var ends []error
	begun, refused := 0, 0
	for streams := mirror.MaxStreams; streams > 0; streams-- {
		for i, m := range g.pair.Mirrors() {
			o := g.options(&ends)
			o.Full, o.Streams = true, streams
			switch _, err := g.mirroring.Synchronise(m, o); {
			case err == nil:
				begun++
			case m.State == abi.MirrorSynchronising:
				require.ErrorIs(t, err, mirror.ErrBusy)
			default:
				refused++
				require.ErrorContains(t, err, fmt.Sprintf("pair 1, mirror %d: buffers", i+1))
				require.Equal(t, abi.MirrorInSync, m.State)
				require.Zero(t, m.OutOfSync())
			}
		}
	}
	require.Positive(t, refused)
	require.Less(t, begun, abi.MaxMirrors, "one mirror is left without room")
	g.run()
	require.Len(t, ends, begun)
	for i, m := range g.pair.Mirrors() {
		_, err := g.mirroring.Synchronise(m, g.options(&ends))
		require.NoError(t, err, "mirror %d", i+1)
		g.run()
	}
	for _, err := range ends {
		assert.NoError(t, err)
	}
}
