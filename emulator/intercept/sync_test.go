package intercept_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
)

// TestSynchroniseWhileWritesGoOn: mirrors that lack writes are made identical
// while more arrive, whether or not mirror I/Os are started meanwhile.
func TestSynchroniseWhileWritesGoOn(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 0))
		g := newRig(t, 2)
		app := newClient(g)
		for range 50 {
			app.submit(t, true, firstBlock+random.IntN(600), 1+random.IntN(clientBlocks))
		}
		g.run() // no detours: both mirrors lack everything
		g.install(t, frontEnd, backEnd, postStatus)
		ended := 0
		for i, m := range g.pair.Mirrors() {
			require.Positive(t, m.OutOfSync())
			m.State = abi.MirrorSuspended
			o := mirror.SyncOptions{
				Changed: g.primary, RecordsATrack: 12, Full: i == 0, Streams: 1 + random.IntN(4), Threshold: random.IntN(4),
				Done: func(err error) {
					assert.NoError(t, err)
					ended++
				},
			}
			_, err := g.mirror.Synchronise(m, o)
			require.NoError(t, err)
			_, err = g.mirror.Synchronise(m, o)
			require.ErrorIs(t, err, mirror.ErrBusy)
		}
		for range 200 {
			app.submit(t, random.IntN(4) != 0, firstBlock+random.IntN(600), 1+random.IntN(clientBlocks))
			g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Time(random.IntN(3000))*machine.Microsecond)
		}
		g.run()
		require.Equal(t, 2, ended, "seed %d", seed)
		require.Equal(t, app.begun, app.ended)
		require.Empty(t, app.wrong)
		for i, m := range g.pair.Mirrors() {
			require.Equal(t, abi.MirrorInSync, m.State)
			require.Zero(t, m.OutOfSync(), "seed %d", seed)
			require.Zero(t, m.InFlight())
			require.Equal(t, g.primary.tags[15*trackUnits:], g.mirrors[i].tags[15*trackUnits:], "seed %d", seed)
		}
		require.Zero(t, g.x.Pending())
	}
}
