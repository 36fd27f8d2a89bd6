package experiment

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/report"
)

// observedChecks are the checks that an observer adds.
var observedChecks = []string{"observed durability", "observed marks", "observed risk"}

// troubled is a short workload of partial-block writes and reads on a machine that
// the seed makes, with faults, swaps of the policy and synchronisations.
func troubled(seed uint64) (c Config, first string) {
	r := rand.New(rand.NewPCG(seed, 0))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	c = Default()
	c.Native, c.Seed, c.Model = true, seed+1, pick("3390-3", "3390-3", "9336-20")
	c.Processors = 1 + r.IntN(3)
	c.Pairs = 1 + r.IntN(3)/2
	c.Workload.Stripe = 64
	c.Primary.Aliases, c.Mirror.Aliases = 7, 7
	c.Mirrors = []Place{
		{Kilometres: 20},
		{Kilometres: 100, Standing: r.IntN(2) == 0},
		{Kilometres: 5, SameSubsystem: r.IntN(2) == 0},
	}[:1+r.IntN(3)]
	generate(&c, 1500)
	g := c.Workload.Generator
	g.ReadShare, g.Skew, g.VolumeBytes = 0.3, 0.8, 4<<20
	g.Sizes, g.AlignBytes = g.Sizes[:1], 512
	g.Sizes[0].Bytes = int64(512 * (1 + r.IntN(40)))
	c.Patience = 2 * time.Second
	at := func() time.Duration { return time.Duration(r.IntN(450)) * time.Millisecond }
	for range r.IntN(4) {
		pair, m := 1+r.IntN(c.Pairs), r.IntN(len(c.Mirrors)+1)
		place := "primary"
		if m != 0 {
			place = fmt.Sprintf("mirror%d", m)
		}
		begin := at()
		c.Faults = append(c.Faults, fmt.Sprintf("%v=pair%d.%s:%s", begin, pair, place, pick("link-down", "fail", "gone", "not-responding")))
		if m != 0 && r.IntN(2) == 0 {
			c.Faults = append(c.Faults,
				fmt.Sprintf("%v=pair%d.%s:link-up", begin+50*time.Millisecond, pair, place),
				fmt.Sprintf("%v=pair%d.%s:restore", begin+50*time.Millisecond, pair, place),
				fmt.Sprintf("%v=pair%d.%s:synchronise", begin+time.Duration(60+r.IntN(250))*time.Millisecond, pair, place))
		}
	}
	policies := []string{"sync", "constant-copy", "read-select", "multi-mirror", "adaptive", "consistency-group", "none"}
	for range r.IntN(3) {
		c.Swaps = append(c.Swaps, fmt.Sprintf("%v=%s", at(), pick(policies...)))
	}
	first = pick(policies...)
	if r.IntN(3) == 0 { // the primary, and what takes its place
		begin := at()
		c.Faults = append(c.Faults, fmt.Sprintf("%v=primary:gone", begin), fmt.Sprintf("%v=mirror1:gone", begin+time.Duration(r.IntN(150))*time.Millisecond))
	}
	return c, first
}

// TestObserverAgrees: what the observer sees of the media and the channel, and what
// the host's account says, is the same, whatever happens meanwhile.
func TestObserverAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	first, last := uint64(0), uint64(39)
	if text := os.Getenv("IOSRUN_SEEDS"); text != "" {
		_, err := fmt.Sscanf(text, "%d-%d", &first, &last)
		require.NoError(t, err, "IOSRUN_SEEDS=%s: want FIRST-LAST", text)
	}
	for seed := first; seed <= last; seed++ {
		c, policy := troubled(seed)
		r := execute(t, c, l, policy)
		again := fmt.Sprintf("%s; swaps %v, faults %v; IOSRUN_SEEDS=%d-%d go test ./lab/experiment -run %s", policy, c.Swaps, c.Faults, seed, seed, t.Name())
		for _, name := range observedChecks {
			k := check(t, r, name)
			assert.True(t, k.OK, "%s: %s; %s", k.Name, k.Detail, again)
		}
	}
}

// TestObservingChangesNothing: a run with an observer is the same as one without.
func TestObservingChangesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c, _ := troubled(3)
	c.Policies = []string{"sync"}
	p, err := Prepare(t.Context(), c, l)
	require.NoError(t, err)
	plain, err := p.Run(t.Context(), 0, Options{})
	require.NoError(t, err)
	seen, err := p.Run(t.Context(), 0, Options{Observe: true})
	require.NoError(t, err)
	assert.Equal(t, plain.Report.EventLogHash, seen.Report.EventLogHash)
	assert.Len(t, seen.Report.Checks, len(plain.Report.Checks)+len(observedChecks))
	for _, k := range plain.Report.Checks {
		assert.NotContains(t, observedChecks, k.Name)
	}
}

// TestObserverNamesWhatIsWrong: where the figures that it judges are wrong, the
// observer says which write, which place, when, and both values.
func TestObserverNamesWhatIsWrong(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := fourPairs()
	c.Pairs = 1
	generate(&c, 300)
	c.Policies = []string{"constant-copy"}
	p, err := Prepare(t.Context(), c, l)
	require.NoError(t, err)
	for _, w := range []struct {
		name, check string
		wrong       func(d *report.DataAtRisk)
		want        []string
	}{
		{"I/Os", "observed risk", func(d *report.DataAtRisk) { d.MaxIOs-- }, []string{"the report says at most", "writes at risk at a time, seen were"}},
		{"bytes", "observed risk", func(d *report.DataAtRisk) { d.MaxBytes /= 2 }, []string{"the report says at most", "bytes at risk at a time, seen were"}},
		{"time", "observed risk", func(d *report.DataAtRisk) { d.MaxS -= 1e-9 }, []string{"the report says that a write was at risk for at most", "seen were"}},
	} {
		t.Run(w.name, func(t *testing.T) {
			r, err := p.begin(t.Context(), 0, Options{Observe: true})
			require.NoError(t, err)
			res, err := r.execute(t.Context())
			require.NoError(t, err)
			require.True(t, res.Report.OK(), "%v", res.Report.Checks)
			d := res.Report.DataAtRisk
			w.wrong(&d)
			for _, found := range r.witness.Observed(&d) {
				if found.Name != w.check {
					assert.True(t, found.OK, found.Detail)
					continue
				}
				assert.False(t, found.OK)
				for _, text := range w.want {
					assert.True(t, strings.Contains(found.Detail, text), "%s: want %s", found.Detail, text)
				}
			}
		})
	}
}
