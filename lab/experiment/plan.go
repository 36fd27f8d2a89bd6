package experiment

import (
	"context"
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/player"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/policy"
	"github.com/iosrun/iosrun/policy/catalog"
)

// Plan is an experiment whose policies have been loaded, so that it can be run.
type Plan struct {
	Experiment *description.Experiment
	Policies   []*catalog.Prepared
	swaps      []player.Swap

	trace files.Stamp // state of the trace's file when the plan was made
}

// NewPlan makes a plan of policies that have been prepared already, for an
// experiment without swaps.
func NewPlan(x *description.Experiment, policies ...*catalog.Prepared) *Plan {
	p := &Plan{Experiment: x, Policies: policies}
	if t := x.Traffic.File(); t != "" {
		p.trace = files.StampOf(t)
	}
	return p
}

// Prepare parses the settings of an experiment and loads its policies.
func Prepare(ctx context.Context, c Config, l *catalog.Loader) (*Plan, error) {
	x, err := c.Parse()
	if err != nil {
		return nil, err
	}
	return PrepareParsed(ctx, x, l)
}

// PrepareParsed loads the policies of an experiment, those of its swaps included,
// makes an instance of each of their detours and rehearses it. So a fault in one of
// them is found before anything is played.
func PrepareParsed(ctx context.Context, x *description.Experiment, l *catalog.Loader) (*Plan, error) {
	p := NewPlan(x)
	for _, name := range x.Policies {
		r, err := p.prepare(ctx, name, l)
		if err != nil {
			return nil, x.About("policies", err)
		}
		p.Policies = append(p.Policies, r)
	}
	for _, s := range x.Swaps {
		r, err := p.prepare(ctx, s.Policy, l)
		if err != nil {
			return nil, x.About("swaps", fmt.Errorf("swap at %v: %w", s.At.Duration(), err))
		}
		p.swaps = append(p.swaps, player.Swap{Swap: s, Prepared: r})
	}
	return p, nil
}

func (p *Plan) prepare(ctx context.Context, name string, l *catalog.Loader) (*catalog.Prepared, error) {
	pol, err := policy.Load(name)
	if err != nil {
		return nil, err
	}
	r, err := l.Prepare(ctx, pol)
	if err != nil {
		return nil, err
	}
	return r, r.Try(ctx, p.Experiment.Machine.Seed, p.Experiment.Machine.Native)
}

// Changed returns an error when the trace has changed since the plan was made: the
// policies may have met different requests. The error wraps files.ErrChanged.
func (p *Plan) Changed() error {
	t := p.Experiment.Traffic.File()
	if t == "" {
		return nil
	}
	return p.trace.Changed("trace "+t, files.StampOf(t))
}

// Result holds the report and the measurements of one policy's run.
type Result struct {
	Report report.Run
	// Reads and Writes hold the latencies by request number, for a paired comparison
	// with another policy on the same workload.
	Reads, Writes report.Series
	// Transitions lists all possible changes of state, each with the number of times
	// that it happened.
	Transitions []intercept.Transition
}

// Run runs one of the plan's policies on a machine of its own. It may be called for
// several policies at once, from goroutines of their own. When ctx ends while the
// workload is played, Run returns the result so far, marked as interrupted and
// without checks, together with the context's error.
func (p *Plan) Run(ctx context.Context, which int, o Options) (*Result, error) {
	r, err := p.begin(ctx, which, o)
	var res *Result
	if err == nil {
		res, err = r.execute(ctx)
	}
	// A refused swap is not the fault of the policy that it should have replaced.
	if swap := (*player.SwapError)(nil); err != nil && !errors.As(err, &swap) {
		err = fmt.Errorf("policy %s: %w", p.Policies[which].Policy.Name, err)
	}
	return res, err
}

// Versus compares two runs of the same workload, I/O by I/O.
func Versus(baseline, r *Result, seed uint64) (*report.Versus, error) {
	reads, err := report.Compare(&baseline.Reads, &r.Reads, seed)
	if err != nil {
		return nil, fmt.Errorf("reads: %w", err)
	}
	writes, err := report.Compare(&baseline.Writes, &r.Writes, seed)
	if err != nil {
		return nil, fmt.Errorf("writes: %w", err)
	}
	return &report.Versus{Baseline: baseline.Report.Policy, Reads: reads, Writes: writes}, nil
}
