package experiment

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/lab/workload"
	"github.com/iosrun/iosrun/policy/catalog"
)

// endings notes when IECVPST (step 288, the last one before the application is
// told) has had each I/O.
type endings map[uint64]machine.Time

func (e endings) Transition(machine.Time, string, int, string, string, uint64) {}

func (e endings) Step(at machine.Time, taken machine.Step, _ string, io uint64) {
	if taken == step.EndRequest {
		e[io] = at
	}
}

// The latencies of the report are the times from the arrivals that the generator
// is told to make to the steps that end the I/Os, which the machine reports on
// another way.
func TestLatenciesAreThoseOfTheClock(t *testing.T) {
	if testing.Short() {
		t.Skip("plays long runs, one after the other")
	}
	const requests, every = 400, 20 * machine.Millisecond
	rt, err := host.NewRuntime(context.Background(), host.RuntimeConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Close(context.Background())) })
	for _, c := range []struct {
		name  string
		reads float64
	}{{"reads", 1}, {"writes", 0}} {
		t.Run(c.name, func(t *testing.T) {
			g := workload.DefaultGenerator()
			g.ReadShare, g.Arrival, g.Rate, g.Count, g.Duration = c.reads, workload.ArrivalFixed, float64(machine.Second/every), requests, 0
			cfg := Default()
			cfg.Workload, cfg.Policies = Workload{Speed: 1, Generator: &g}, []string{"none"}
			p, err := Prepare(context.Background(), cfg, &catalog.Loader{Runtime: rt})
			require.NoError(t, err)
			ended := make(endings)
			number := make(map[uint64]int64) // of the request, by identity
			var first machine.Time           // of the arrivals
			var told machine.Time            // sum of what Completed is told
			r, err := p.Run(context.Background(), 0, Options{
				Steps:      ended,
				Identified: func(n int64, io uint64) { number[io] = n },
				Completed: func(n int64, _ bool, _ uint8, took machine.Time) {
					told += took
				},
			})
			require.NoError(t, err)
			require.Len(t, ended, requests)
			var sum machine.Time
			for io, at := range ended {
				if number[io] == 0 {
					first = at - at%every
				}
			}
			for io, at := range ended {
				sum += at - first - machine.Time(number[io])*every
			}
			want := float64(sum) / requests / float64(machine.Microsecond)
			s := r.Report.ReadLatency
			if c.reads == 0 {
				s = r.Report.WriteLatency
			}
			assert.EqualValues(t, requests, s.Count)
			assert.InEpsilon(t, want, s.MeanUS, 0.01, "mean latency of the report in µs")
			assert.InEpsilon(t, want, float64(told)/requests/float64(machine.Microsecond), 0.01, "mean latency that Completed is told in µs")
		})
	}
}
