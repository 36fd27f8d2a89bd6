package experiment

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/report"
)

// fourPairs is an application on four volumes, each mirrored 20 km away.
func fourPairs() Config {
	c := Default()
	c.Native = true
	c.Pairs, c.Model = 4, "3390-3"
	c.Primary.Aliases, c.Mirror.Aliases, c.Mirror.Kilometres = 31, 31, 20
	c.Workload.Limit = 8000
	return c
}

// generate has n requests made up in place of the trace's.
func generate(c *Config, n int64) {
	g := generator(n)
	g.Rate = 2000
	c.Workload = Workload{Speed: 1, Generator: &g}
}

func check(t *testing.T, r report.Run, name string) report.Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no such check", "%s among %v", name, r.Checks)
	return report.Check{}
}

// TestWorkloadOnSeveralPairs: the requests reach every pair, and a failure on one
// leaves the others in sync.
func TestWorkloadOnSeveralPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := fourPairs()
	r := execute(t, c, l, "none")
	require.True(t, r.OK(), "%v", r.Checks)
	for i, n := range outOfSync(r) {
		assert.Greater(t, n, int64(50), "pair %d was written to", i+1)
	}
	c.Faults = []string{"3s=pair3.mirror1:gone"}
	r = execute(t, c, l, "sync")
	require.True(t, r.OK(), "%v", r.Checks)
	for i, n := range outOfSync(r) {
		assert.Equal(t, i == 2, n != 0, "pair %d has %d tracks out of sync", i+1, n)
	}
	assert.Equal(t, "pair 3, mirror 1", r.Mirrors[2].Name)
}

// TestConsistencyGroup cuts one mirror off in different ways. With the scope
// "group" the mirrors stay a point in time of all volumes; with the scope "mirror"
// they do not, which is what the check is there to find.
func TestConsistencyGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	for _, scope := range []string{"group", "mirror"} {
		for _, fault := range []string{"3s=pair2.mirror1:gone", "3s=pair2.mirror1:fail", "3s=pair2.mirror1:not-responding", "3s=pair2.mirror1:link-down"} {
			t.Run(scope+"/"+fault, func(t *testing.T) {
				c := fourPairs()
				c.Faults = []string{fault}
				c.Policies = []string{"consistency-group"}
				p, err := Prepare(t.Context(), c, l)
				require.NoError(t, err)
				d := p.Policies[0].Policy.Slots.PostStatus[0]
				d.Settings = map[string]any{"on-mirror-failure": scope}
				own := *p.Policies[0].Policy
				own.Slots.PostStatus = append(own.Slots.PostStatus[:0:0], d)
				if p.Policies[0], err = l.Prepare(t.Context(), &own); err != nil {
					require.NoError(t, err)
				}
				res, err := p.Run(t.Context(), 0, Options{})
				require.NoError(t, err)
				r := res.Report
				assert.Equal(t, scope == "group", check(t, r, "point in time").OK)
				for _, name := range []string{"completed once", "durability", "mirrors equal", "nothing pending"} {
					k := check(t, r, name)
					assert.False(t, k.Failed(), "%s: %s", name, k.Detail)
				}
				for i, m := range r.Mirrors {
					assert.Equal(t, scope == "group" || i == 1, m.State == "dissociated", "%s is %s", m.Name, m.State)
				}
			})
		}
	}
}

// TestGroupComesBack: all mirrors of the group are synchronised at once, while
// the workload goes on, and copy only what they missed.
func TestGroupComesBack(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := fourPairs()
	c.Workload.Limit = 12_000
	// What the link has lost is given up after the monitor's five seconds.
	c.Faults = []string{"3s=pair2.mirror1:link-down", "4s=pair2.mirror1:link-up"}
	for i := range 4 {
		c.Faults = append(c.Faults, fmt.Sprintf("9500ms=pair%d.mirror1:synchronise", i+1))
	}
	r := execute(t, c, l, "consistency-group")
	for _, k := range r.Checks {
		assert.False(t, k.Failed(), "%s: %s", k.Name, k.Detail)
	}
	assert.Equal(t, []int64{0, 0, 0, 0}, outOfSync(r))
	require.Len(t, r.Synchronisations, 4)
	tracks := int64(3339 * 15)
	for _, s := range r.Synchronisations {
		assert.Empty(t, s.Error)
		assert.InDelta(t, 9.5, s.BegunS, 0.001)
		assert.Greater(t, s.EndedS, s.BegunS)
		assert.Less(t, s.Tracks, tracks/10, "only what was missed")
	}
}

// TestThrottledSynchronisation copies a volume at no more than the rate asked for,
// and to the end.
func TestThrottledSynchronisation(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := fourPairs()
	c.Pairs, c.Model = 1, "3390-1"
	generate(&c, 8000)
	c.Faults = []string{"1s=mirror1:synchronise"}
	c.Synchronise = Synchronise{Full: true, TracksPerSecond: 4000}
	const tracks = 1113 * 15
	r := execute(t, c, l, "sync")
	require.True(t, r.OK(), "%v", r.Checks)
	s := r.Synchronisations[0]
	assert.GreaterOrEqual(t, s.Tracks, int64(tracks))
	assert.GreaterOrEqual(t, s.EndedS-s.BegunS, tracks/4000.0)
	assert.Less(t, s.EndedS-s.BegunS, 2*tracks/4000.0)
	c.Synchronise.TracksPerSecond = 0
	fast := execute(t, c, l, "sync").Synchronisations[0]
	assert.Less(t, fast.EndedS, s.EndedS)
}

// TestMirrorCutWhileItIsSynchronised stays cut off.
func TestMirrorCutWhileItIsSynchronised(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := fourPairs()
	c.Pairs, c.Model = 2, "3390-1"
	generate(&c, 8000)
	c.Faults = []string{"1s=pair1.mirror1:synchronise", "2s=pair2.mirror1:gone"}
	c.Synchronise = Synchronise{Full: true, TracksPerSecond: 1000}
	r := execute(t, c, l, "consistency-group")
	for _, name := range []string{"completed once", "durability", "mirrors equal", "nothing pending"} {
		k := check(t, r, name)
		assert.False(t, k.Failed(), "%s: %s", name, k.Detail)
	}
	require.Len(t, r.Synchronisations, 1)
	assert.Contains(t, r.Synchronisations[0].Error, "dissociated meanwhile")
	k := check(t, r, "synchronised")
	assert.True(t, k.Failed())
	assert.Contains(t, k.Detail, "pair 1, mirror 1 from 1s: the mirror was dissociated meanwhile")
	c.Expect.FailedSynchronisations = true
	assert.True(t, check(t, execute(t, c, l, "consistency-group"), "synchronised").OK)
	for _, m := range r.Mirrors {
		assert.Equal(t, "dissociated", m.State)
		assert.Positive(t, m.OutOfSyncTracks)
	}
}

// TestAdaptiveDoesNotFlap: on a link that the workload saturates in bursts, some
// writes wait for the mirror and some do not, and the mode changes seldom.
func TestAdaptiveDoesNotFlap(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := Default()
	c.Native, c.Policies = true, []string{"adaptive"}
	c.Mirror.Megabytes = 20
	p, err := Prepare(t.Context(), c, l)
	require.NoError(t, err)
	r, err := p.begin(t.Context(), 0, Options{})
	require.NoError(t, err)
	res, err := r.execute(t.Context())
	require.NoError(t, err)
	require.True(t, res.Report.OK(), "%v", res.Report.Checks)
	n := r.rig.Intercept.Counts()
	assert.Greater(t, n.Degraded, uint64(1000), "writes in constant copy")
	assert.Less(t, n.Degraded, uint64(res.Report.Workload.Writes)*9/10)
	t.Log(n.Degraded, "writes in constant copy,", n.Modes, "changes of the mode")
	assert.Positive(t, n.Modes)
	assert.Less(t, n.Modes, n.Degraded/10, "changes of the mode")
	assert.Equal(t, []int64{0}, outOfSync(res.Report))
	slow := execute(t, c, l, "sync")
	assert.Less(t, res.Report.WriteLatency.MeanUS, slow.WriteLatency.MeanUS)
}

// TestProgressNamesWhatIsCopied.
func TestProgressNamesWhatIsCopied(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := fourPairs()
	c.Pairs, c.Policies = 1, []string{"sync"}
	r := manned(t, c, l)
	require.NoError(t, r.player.Happen(description.Fault{Pair: 1, Mirror: 1, Action: description.Resynchronise}))
	assert.Contains(t, r.player.Copies.Now(), "synchronising mirror 1, round 0")
	require.NoError(t, r.player.Run(context.Background()))
	assert.Empty(t, r.player.Copies.Now())
	assert.Less(t, r.rig.Machine.Clock.Now(), 2*machine.Second)
}

// TestVolumesOfASize: volumes in memory have the size that is asked for, and the
// end-of-run checks look at just so many tracks.
func TestVolumesOfASize(t *testing.T) {
	l := loader(t)
	for _, k := range []struct {
		model  string
		size   int64
		tracks int64
	}{{"3390-9", 3, 45}, {"9336-20", 4096, 32}} {
		c := Default()
		c.Native = true
		c.Model, c.Size = k.model, k.size
		generate(&c, 200)
		r := execute(t, c, l, "sync")
		require.True(t, r.OK(), "%v", r.Checks)
		assert.Equal(t, k.tracks, r.Mirrors[0].Tracks, k.model)
	}
	for size, want := range map[int64]string{-1: "size is -1", 1 << 40: "blocks of a fixed-block device", 300_000: "want 1 to"} {
		c := Default()
		c.Size = size
		assert.ErrorContains(t, c.Check(), want)
	}
	c := Default()
	c.Size, c.Primary.Image = 3, "some.dsk"
	assert.ErrorContains(t, c.Check(), "sizes of their own")
}
