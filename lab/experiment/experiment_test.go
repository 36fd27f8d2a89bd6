package experiment

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/policy"
	"github.com/iosrun/iosrun/policy/catalog"
)

// execute runs one policy of an experiment, with an observer where the workload is
// short.
func execute(t *testing.T, c Config, l *catalog.Loader, name string) report.Run {
	t.Helper()
	c.Policies = []string{name}
	require.NoError(t, c.Check())
	p, err := Prepare(context.Background(), c, l)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r, err := p.Run(ctx, 0, Options{Observe: c.Workload.Generator != nil || c.Workload.Limit != 0})
	require.NoError(t, err)
	return r.Report
}

// TestPoliciesHoldWhateverHappens runs every shipped policy on the bundled trace,
// with and without a failure in the middle.
func TestPoliciesHoldWhateverHappens(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules and plays many runs")
	}
	l := loader(t)
	base := Default()
	base.Mirrors = []Place{{}, {Kilometres: 10}}
	faults := map[string][]string{
		"nothing":         nil,
		"link failure":    {"50s=mirror1:link-down", "52s=mirror1:link-up"},
		"link and resync": {"50s=mirror1:link-down", "52s=mirror1:link-up", "60s=mirror1:synchronise", "60s=mirror2:synchronise"},
		"mirror failure":  {"50s=mirror1:fail"},
		"mirror silent":   {"50s=mirror2:not-responding"},
		"mirror gone":     {"50s=mirror1:gone"},
		"primary failure": {"50s=primary:fail"},
		"primary gone":    {"50s=primary:gone"},
	}
	for _, policy := range policy.Names() {
		doesNot := policy == "none" || policy == "audit"
		reports := doesNot || policy == "constant-copy"
		for name, f := range faults {
			t.Run(policy+"/"+name, func(t *testing.T) {
				t.Parallel()
				c := base
				c.Faults = f
				primaryFails := name == "primary failure" || name == "primary gone"
				c.Expect.FailedRequests = reports && primaryFails
				gone := doesNot && primaryFails // what nobody has mirrored is gone with the primary
				c.Expect.LostWrites = gone
				r := execute(t, c, l, policy)
				assert.Equal(t, gone, r.LostWrites > 0, "%d writes lost", r.LostWrites)
				for _, k := range r.Checks {
					assert.False(t, k.Failed(), "%s: %s", k.Name, k.Detail)
				}
				assert.Zero(t, r.Traps)
				if !primaryFails || policy != "read-select" {
					assert.Zero(t, r.RefusedIntents(), "%v", r.DetourFaults)
				} // its request is driven again while a mirror I/O to the failed primary has not ended
				if primaryFails {
					assert.Equal(t, reports, r.Failed.Total() != 0, "an application learns of the failure only where no mirror takes the primary's place")
				}
				if name == "nothing" && !doesNot {
					assert.Equal(t, []int64{0, 0}, outOfSync(r))
				}
				if name == "link and resync" && !doesNot {
					assert.Equal(t, []int64{0, 0}, outOfSync(r), "the mirror was synchronised again")
				}
			})
		}
	}
}

func outOfSync(r report.Run) []int64 {
	var n []int64
	for _, m := range r.Mirrors {
		n = append(n, m.OutOfSyncTracks)
	}
	return n
}

func TestSameInputsSameHash(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := Default()
	c.Workload.Limit = 3000
	for _, processors := range []int{1, 4} {
		c.Processors = processors
		a := execute(t, c, l, "read-select")
		b := execute(t, c, l, "read-select")
		assert.Equal(t, a.EventLogHash, b.EventLogHash)
		n := c
		n.Native = true
		assert.Equal(t, a.EventLogHash, execute(t, n, l, "read-select").EventLogHash, "native and WebAssembly decide alike")
		n.Native, n.Seed = false, 2
		assert.NotEqual(t, a.EventLogHash, execute(t, n, l, "read-select").EventLogHash)
	}
}

func TestSwapWhileIORuns(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := Default()
	c.Workload.Limit = 4000
	c.Swaps = []string{"1s=constant-copy", "2s=read-select", "3s=sync"}
	r := execute(t, c, l, "sync")
	assert.True(t, r.OK())
	assert.Len(t, r.Swaps, 3)
	assert.Equal(t, []int64{0}, outOfSync(r))
}
