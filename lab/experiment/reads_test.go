package experiment

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/readcheck"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/workload"
)

// dense is a workload of reads and writes on top of each other, of blocks and of
// parts of them.
func dense(n int64) Config {
	c := Default()
	g := workload.DefaultGenerator()
	g.Count, g.Duration, g.ReadShare, g.Rate, g.Skew = n, 0, 0.5, 8000, 0.8
	g.Sizes = []workload.SizeWeight{{Bytes: 4096, Weight: 6}, {Bytes: 512, Weight: 1}, {Bytes: 16384, Weight: 2}, {Bytes: 98304, Weight: 1}}
	g.AlignBytes, g.VolumeBytes = 512, 8<<20
	c.Workload.Trace, c.Workload.Generator = "", &g
	c.Model = "3390-1"
	return c
}

// readsRight fails a test in which a read was wrong, or none was looked at.
func readsRight(t *testing.T, r report.Run) {
	t.Helper()
	for _, k := range r.Checks {
		assert.True(t, k.OK, "%s: %s", k.Name, k.Detail)
	}
	k := check(t, r, "reads current")
	assert.False(t, k.Nothing)
	var reads, units, writes, swept int
	_, err := fmt.Sscanf(k.Detail, "%d reads of %d units of 512 bytes held against %d writes, %d units at the end", &reads, &units, &writes, &swept)
	require.NoError(t, err, k.Detail)
	assert.GreaterOrEqual(t, reads, int(r.Workload.Reads))
	assert.GreaterOrEqual(t, units, int(r.Workload.ReadBytes/512))
	assert.EqualValues(t, r.Workload.Writes, writes)
	assert.Greater(t, swept, 1000)
}

// TestReadsAreCurrent plays reads and writes on top of each other under policies that
// serve reads from the primary and from mirrors, on devices of both kinds, in stripes,
// and with faults: every read is right, every block at the end too.
func TestReadsAreCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	for _, c := range []struct {
		name, policy string
		change       func(*Config)
	}{
		{"sync", "sync", func(*Config) {}},
		{"fixed blocks", "sync", func(c *Config) { c.Model = "9336-20" }},
		{"stripes", "sync", func(c *Config) { c.Pairs, c.Workload.Stripe, c.Primary.Aliases, c.Mirror.Aliases = 3, 16, 31, 31 }},
		{"reads from mirrors", "read-select", func(*Config) {}},
		{"reads from mirrors that are behind", "testdata/policies/far-reads.yaml", func(*Config) {}},
		{"reads from mirrors that are behind, resynchronised", "testdata/policies/far-reads.yaml", func(c *Config) {
			c.Faults = []string{"50ms=mirror1:gone", "80ms=mirror1:restore", "100ms=mirror1:synchronise"}
		}},
		{"reads from mirrors to which writes were lost on the way", "testdata/policies/far-reads.yaml", func(c *Config) {
			c.Faults = []string{"50ms=mirror1:link-down", "80ms=mirror1:link-up"}
		}},
		{"promotion", "read-select", func(c *Config) { c.Mirrors, c.Faults = make([]Place, 2), []string{"100ms=primary:gone"} }},
		{"promotion of the mirror that lacks least", "multi-mirror", func(c *Config) {
			c.Mirrors, c.Faults = []Place{{Kilometres: 10}, {Kilometres: 80}}, []string{"100ms=primary:gone", "200ms=mirror1:gone"}
		}},
		{"promotion of a mirror that is behind", "testdata/policies/far-reads.yaml", func(c *Config) { c.Faults = []string{"100ms=primary:gone"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := dense(3000)
			c.change(&config)
			readsRight(t, execute(t, config, l, c.policy))
		})
	}
}

// TestReadsOfImages: volumes in files begin with content that nobody has told the
// check of; it learns that from the first reads.
func TestReadsOfImages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := dense(2000)
	dir := t.TempDir()
	c.Primary.Image = created(t, filepath.Join(dir, "p"), "3390", 16, image.CreateOptions{})
	c.Mirror.Image = created(t, filepath.Join(dir, "m"), "3390", 16, image.CreateOptions{})
	c.Workload.FirstCylinder, c.Workload.Cylinders = 2, 12
	r := execute(t, c, l, "sync")
	readsRight(t, r)
	assert.Contains(t, check(t, r, "reads current").Detail, "not judged, whose content was not known")
}

// looked is a report of the checks of what was done on a machine.
func looked(t *testing.T, r *run) report.Run {
	t.Helper()
	seen, err := r.witness.Look()
	require.NoError(t, err)
	return report.Run{Checks: seen.OfMachine()}
}

// TestWrongMediaAreFound: what is changed on the volumes behind the machine's back is
// found by the next read, or at the end.
func TestWrongMediaAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	tags := func(t *testing.T, r *run, record int) []machine.Tag {
		track, err := r.rig.Pairs[0].At(0).CKD.Update(15)
		require.NoError(t, err)
		rec, ok, err := track.Record(record)
		require.NoError(t, err)
		require.True(t, ok)
		return track.DataTags(rec)
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, r *run)
		reread bool
		want   string
	}{
		{"lost", func(t *testing.T, r *run) { clear(tags(t, r, 2)) }, true,
			"16 units are wrong: request 4 (I/O 4, read) found at pair 1, track 15, record 2, unit 0: zeros; right was unit 0 of write 2 (request 2, I/O 2, acknowledged at "},
		{"lost, never read", func(t *testing.T, r *run) { clear(tags(t, r, 2)) }, false, "at the end pair 1, track 15, record 2, unit 0, holds zeros"},
		{"another record", func(t *testing.T, r *run) { copy(tags(t, r, 2), tags(t, r, 1)) }, true, "unit 0: unit 0 of write 1 "},
		{"record gone", func(t *testing.T, r *run) {
			track, err := r.rig.Pairs[0].At(0).CKD.Update(15)
			require.NoError(t, err)
			rec, _, err := track.Record(1)
			require.NoError(t, err)
			track.EraseAfter(rec)
		}, false, "record 2, unit 0, holds no record of a block"},
		{"a byte of an imaged track", func(t *testing.T, r *run) {
			track, err := r.rig.Pairs[0].At(0).CKD.Update(15)
			require.NoError(t, err)
			track.Materialize(r.rig.Geometry)
			rec, _, err := track.Record(2)
			require.NoError(t, err)
			track.Data(rec)[700] ^= 1
		}, true, "2 units are wrong: request 4 (I/O 4, read) found at pair 1, track 15, record 2, unit 1: content that no write of the run has stored; right was unit 1 of write 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := Default()
			config.Policies, config.Native = []string{"none"}, true
			r := manned(t, config, l)
			s := Stage{r: r}
			for _, write := range []bool{true, true} {
				_, err := s.Submit(write, r.player.Tally().Issued*4096, 4096)
				require.NoError(t, err)
			}
			_, err := s.Submit(false, 0, 8192)
			require.NoError(t, err)
			require.NoError(t, s.Play(t.Context()))
			c.change(t, r)
			if c.reread {
				_, err := s.Submit(false, 0, 8192)
				require.NoError(t, err)
				require.NoError(t, s.Play(t.Context()))
			}
			k := check(t, looked(t, r), "reads current")
			assert.False(t, k.OK)
			assert.Contains(t, k.Detail, c.want)
		})
	}
}

// TestNothingToLookAt: a check that has seen nothing says so.
func TestNothingToLookAt(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	c := Default()
	c.Policies, c.Native = []string{"none"}, true
	r := manned(t, c, loader(t))
	k := check(t, looked(t, r), "reads current")
	assert.True(t, k.Nothing)
	assert.Equal(t, "no read ended well, and nothing was written", k.Detail)
	assert.True(t, check(t, looked(t, r), "nothing lost").Nothing)
}

// TestLostWrites: what is on no volume that its pair reads from is counted, and the
// check fails unless the experiment or the policy allows it.
func TestLostWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	for _, c := range []struct {
		name, policy string
		faults       []string
		expect       bool // lost writes
		lost, ok     bool
		refused      bool
		want         string
	}{
		{"nothing happens", "none", nil, false, false, true, false, "every acknowledged write is on a volume that its pair reads from"},
		{"primary gone, nothing mirrored", "none", []string{"100ms=primary:gone"}, false, true, false, false, "the primary cannot be read any more, and no mirror that follows it has the write"},
		{"the same, expected", "none", []string{"100ms=primary:gone"}, true, true, true, false, "as the experiment expects"},
		{"primary gone and back", "none", []string{"100ms=primary:gone", "300ms=primary:restore"}, false, false, true, false, ""},
		{"primary cut off", "none", []string{"100ms=primary:link-down"}, false, true, false, false, ""},
		{"primary gone, mirror kept", "constant-copy", []string{"100ms=primary:gone"}, false, false, true, false, ""},
		{"mirror dissociated, then the primary gone", "sync", []string{"50ms=mirror1:gone", "60ms=mirror1:restore", "100ms=primary:gone"}, false, true, false, false, ""},
		{"both gone", "sync", []string{"100ms=mirror1:gone", "100ms=primary:gone"}, false, true, false, false, ""},
		{"stale mirror promoted by leave", "testdata/policies/careless.yaml", []string{"100ms=primary:gone"}, false, true, true, false, "lost by a promotion that the policy allows"},
		{"stale mirror not promoted", "testdata/policies/refused.yaml", []string{"100ms=primary:gone", "300ms=primary:restore"}, false, false, true, true, "promotions of a mirror that lacks acknowledged writes were refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := dense(3000)
			config.Faults = c.faults
			if c.expect {
				config.Expect.LostWrites = true
			}
			r := execute(t, config, l, c.policy)
			assert.Equal(t, c.lost, r.LostWrites > 0, "%d writes", r.LostWrites)
			assert.Equal(t, c.lost, r.LostBytes > 0, "%d bytes", r.LostBytes)
			k := check(t, r, "nothing lost")
			assert.Equal(t, c.ok, k.OK, k.Detail)
			assert.Contains(t, k.Detail, c.want)
			assert.Equal(t, c.refused, len(r.Promotions) > 0 && r.Promotions[0].Refused > 0)
			reads := check(t, r, "reads current")
			assert.True(t, reads.OK, reads.Detail)
		})
	}
}

// TestLostWritesAreExact: of known writes, those that are lost are counted one by
// one, with their bytes.
func TestLostWritesAreExact(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	c := Default()
	c.Policies, c.Native = []string{"testdata/policies/careless.yaml"}, true
	r := manned(t, c, loader(t))
	s := Stage{r: r}
	play := func(write bool, offset, length int64) {
		_, err := s.Submit(write, offset, length)
		require.NoError(t, err)
		require.NoError(t, s.Play(t.Context()))
	}
	play(true, 0, 4096)     // overwritten
	play(true, 0, 4096)     // lost
	play(true, 8192, 65536) // lost but for the middle
	play(true, 16384, 4096) // lost
	play(true, 1<<20, 512)  // overwritten after the promotion
	require.NoError(t, s.Happen(description.Fault{Pair: 1, Action: description.Gone}))
	play(true, 1<<20, 4096)
	play(false, 0, 1<<20+4096)
	require.EqualValues(t, 1, r.rig.Intercept.Counts().Promoted)
	seen, err := r.witness.Look()
	require.NoError(t, err)
	lost := r.witness.Lost()
	assert.EqualValues(t, 4, lost.Writes)
	assert.EqualValues(t, 4096+65536+512, lost.Bytes)
	n := seen.Reads.Tally
	assert.Equal(t, readcheck.Tally{Reads: n.Reads, Writes: 6, Acknowledged: 6, Units: n.Units, Swept: n.Swept}, n)
	promotions := r.rig.Intercept.Promotions()
	require.Len(t, promotions, 1)
	assert.EqualValues(t, 5, promotions[0].Writes)
	assert.NotZero(t, promotions[0].Tracks)
}
