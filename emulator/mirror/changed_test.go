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

// TestChangedTracksAreCopied: the tracks of requests that overlap each other are
// copied before the applications are told.
func TestChangedTracksAreCopied(t *testing.T) {
	g := newRig(t, 2)
	g.install(changed)
	random := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		g.write(firstTrack+random.IntN(6), random.IntN(records), 1+random.IntN(2*records))
		g.runFor(machine.Time(random.IntN(1000)) * machine.Microsecond)
	}
	g.run()
	assert.Len(t, g.ended, 50)
	for i, m := range g.pair.Mirrors() {
		assert.Equal(t, abi.MirrorInSync, m.State)
		assert.Empty(t, g.marked(i))
		assert.Empty(t, g.differing(i))
	}
}

// TestACopyThatTakesTooLongIsGivenUp: after CopyPatience writes go on, the request
// has been told and its tracks are marked, whether the copy has waited for what was
// under way or is on its way itself. Nothing else copies to the mirror before that
// has ended, and the tracks are still marked then.
func TestACopyThatTakesTooLongIsGivenUp(t *testing.T) {
	const track, late = 27, 3 * machine.Second
	for _, c := range []struct {
		name string
		// waits has a mirror I/O on its way to the track when the copy is to begin.
		waits bool
	}{
		{"waits for a mirror I/O", true},
		{"is on its way", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			m := g.pair.Mirrors()[0]
			g.install(changed)
			g.write(70, 0, 1) // the end of its copy's time falls into that of the next
			g.runFor(mirror.CopyPatience / 2)
			require.Len(t, g.ended, 1)
			g.mirrors[0].delay = late
			if c.waits {
				g.install(toAll)
				g.write(track, 0, 1)
				g.runFor(10 * machine.Millisecond)
				require.True(t, m.UnderWay(track, track))
			}
			g.install(changed)
			begun := g.m.Clock.Now()
			copied := g.write(track, 1, 1)
			g.runFor(100 * machine.Millisecond)
			g.install(func(*abi.Frame) {})
			held := g.write(50, 0, 1)
			g.runFor(mirror.CopyPatience / 2)
			assert.Zero(t, g.ended[copied])
			assert.Zero(t, g.ended[held], "writes are held")

			g.runFor(mirror.CopyPatience)
			for _, n := range []uint64{copied, held} {
				require.Contains(t, g.ended, n)
				assert.InDelta(t, int64(mirror.CopyPatience), int64(g.ended[n]-begun), float64(20*machine.Millisecond))
			}
			assert.Contains(t, g.marked(0), track)
			var ends []error
			_, err := g.mirroring.Synchronise(m, g.options(&ends))
			if c.waits {
				require.NoError(t, err, "nothing is being copied any more")
			} else {
				require.ErrorIs(t, err, mirror.ErrBusy)
				g.runFor(2 * late)
				assert.Contains(t, g.marked(0), track, "what came late is not trusted")
				_, err = g.mirroring.Synchronise(m, g.options(&ends))
				require.NoError(t, err)
			}
			g.mirrors[0].delay = 0
			g.run()
			assert.Equal(t, []error{nil}, ends)
			assert.Empty(t, g.marked(0))
			assert.Empty(t, g.differing(0))
		})
	}
}

// TestACopyToAMirrorThatIsCut: a copy of changed tracks ends when its mirror is
// dissociated, and the tracks are marked.
func TestACopyToAMirrorThatIsCut(t *testing.T) {
	for _, drained := range []bool{false, true} {
		t.Run(fmt.Sprintf("drained %v", drained), func(t *testing.T) {
			g := newRig(t, 1)
			m := g.pair.Mirrors()[0]
			g.mirrors[0].delay = 100 * machine.Millisecond
			if !drained {
				g.install(toAll)
				g.write(27, 0, 1)
				g.runFor(10 * machine.Millisecond)
			}
			g.install(changed)
			n := g.write(27, 1, 1)
			g.primary.delay = 50 * machine.Millisecond // the copy's read of the primary
			g.runFor(70 * machine.Millisecond)
			m.State = abi.MirrorSuspended
			g.run()
			assert.Less(t, g.ended[n], 300*machine.Millisecond)
			assert.Equal(t, []int{27}, g.marked(0))
		})
	}
}

// TestAFailingCopyOfChangedTracks: a track that fails is marked and the rest of the
// request's tracks with it; the application is told all the same.
func TestAFailingCopyOfChangedTracks(t *testing.T) {
	g := newRig(t, 1)
	g.install(changed)
	g.mirrors[0].fail = func(track int, change bool) bool { return track == 28 && change }
	n := g.write(27, 0, 3*records)
	g.run()
	assert.Contains(t, g.ended, n)
	assert.Equal(t, []int{27, 28, 29}, g.marked(0))
	g.mirrors[0].fail = nil
	n = g.write(27, 0, 3*records)
	g.run()
	assert.Contains(t, g.ended, n)
	assert.Empty(t, g.marked(0), "the next copy brings them")
	assert.Empty(t, g.differing(0))
}

// TestBothAtOnce: synchronisations of a mirror begin again and again while requests
// have their changed tracks copied to it. One of the two gives way, and in the end
// nothing differs.
func TestBothAtOnce(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			g := newRig(t, 1)
			m := g.pair.Mirrors()[0]
			g.install(changed)
			var ends []error
			begun, busy := 0, 0
			for range 400 {
				g.write(firstTrack+random.IntN(8), random.IntN(records), 1+random.IntN(records))
				g.runFor(machine.Time(random.IntN(1500)) * machine.Microsecond)
				if random.IntN(4) != 0 {
					continue
				}
				was := m.State
				o := g.options(&ends)
				o.Full, o.Streams, o.Threshold = random.IntN(8) == 0, 1+random.IntN(4), random.IntN(4)
				if _, err := g.mirroring.Synchronise(m, o); err == nil {
					begun++
				} else {
					require.ErrorIs(t, err, mirror.ErrBusy)
					if was == abi.MirrorInSync {
						busy++ // by a copy of changed tracks
					}
				}
			}
			g.run()
			assert.Len(t, g.ended, int(g.asked))
			assert.Len(t, ends, begun)
			for _, err := range ends {
				assert.NoError(t, err)
			}
			assert.Positive(t, begun)
			assert.Positive(t, busy)
			assert.Equal(t, abi.MirrorInSync, m.State)
			assert.Empty(t, g.marked(0))
			assert.Empty(t, g.differing(0))
		})
	}
}
