package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/policy"
	"github.com/iosrun/iosrun/policy/catalog"
)

// observedRequests is the number of requests up to which a workload is short.
const observedRequests = 15_000

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
	r, err := p.Run(ctx, 0, Options{Observe: c.Workload.Generator != nil || c.Workload.Limit != 0 && c.Workload.Limit <= observedRequests})
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
	base.Workload.Limit = 50_000
	faults := map[string][]string{
		"nothing":         nil,
		"link failure":    {"20s=mirror1:link-down", "22s=mirror1:link-up"},
		"link and resync": {"20s=mirror1:link-down", "22s=mirror1:link-up", "30s=mirror1:synchronise", "30s=mirror2:synchronise"},
		"mirror failure":  {"20s=mirror1:fail"},
		"mirror silent":   {"20s=mirror2:not-responding"},
		"mirror gone":     {"20s=mirror1:gone"},
		"primary failure": {"20s=primary:fail"},
		"primary gone":    {"20s=primary:gone"},
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

// TestSideBySide runs policies at once, as a comparison does, from a trace that
// comes out of a pipe. The runs share modules and what was read of the pipe, and
// nothing else: each goes as it does alone.
func TestSideBySide(t *testing.T) {
	c := Default()
	c.Workload.Limit = 300
	c.Policies = []string{"none", "sync", "read-select", "sync"}
	r, w, err := os.Pipe()
	require.NoError(t, err)
	wrote := make(chan error, 1)
	go func() { // blank rows in between, so that the pipe is read while the runs go on
		_, err := io.WriteString(w, "us,op,offset,length,flags,response_us\n")
		for n := 0; n < 1000 && err == nil; n++ {
			_, err = fmt.Fprintf(w, "%d,%s,%d,8192,-,40\n%500s\n", n*500, []string{"read", "write"}[n%2], n*7919%4096*4096, "")
		}
		wrote <- errors.Join(err, w.Close())
	}()
	c.Workload.Trace = fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(c.Workload.Trace); err != nil {
		t.Skip("the system has no names for open files")
	}
	x, err := c.Parse()
	require.NoError(t, err)
	require.NoError(t, x.CheckWorkload())
	defer func() {
		require.NoError(t, errors.Join(x.Close(), r.Close()))
		<-wrote // or given up, as nobody reads on
	}()
	p, err := PrepareParsed(t.Context(), x, loader(t))
	require.NoError(t, err)
	results, errs := make([]*Result, len(c.Policies)), make([]error, len(c.Policies))
	var wg sync.WaitGroup
	for i := range c.Policies {
		wg.Go(func() { results[i], errs[i] = p.Run(t.Context(), i, Options{Observe: i%2 == 1}) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	for i, r := range results {
		assert.True(t, r.Report.OK(), "%v", r.Report.Checks)
		assert.EqualValues(t, c.Workload.Limit, r.Report.Workload.Requests)
		alone, err := p.Run(t.Context(), i, Options{})
		require.NoError(t, err)
		assert.Equal(t, alone.Report.EventLogHash, r.Report.EventLogHash)
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
