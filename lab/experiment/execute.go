package experiment

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/lab/catalog"
	"github.com/iosrun/iosrun/lab/observer"
	"github.com/iosrun/iosrun/lab/policy"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/workload"
)

// Plan is an experiment whose policies have been loaded: it can be run.
type Plan struct {
	Config   Config
	Policies []*catalog.Prepared
	swaps    []preparedSwap

	trace files.Stamp // of the trace, when the plan was made
}

// Prepare loads the policies of an experiment, those of its swaps included, makes
// an instance of each of their detours and rehearses it. What is wrong with one of
// them is known then, and nothing has been played.
func Prepare(ctx context.Context, c Config, l *catalog.Loader) (*Plan, error) {
	p := &Plan{Config: c}
	if t := c.Workload.file(); t != "" {
		p.trace = files.StampOf(t)
	}
	for _, name := range c.Policies {
		r, err := p.prepare(ctx, name, l)
		if err != nil {
			return nil, c.about("policies", err)
		}
		p.Policies = append(p.Policies, r)
	}
	for _, text := range c.Swaps {
		s, err := ParseSwap(text)
		if err != nil {
			return nil, c.about("swaps", err)
		}
		r, err := p.prepare(ctx, s.Policy, l)
		if err != nil {
			return nil, c.about("swaps", fmt.Errorf("swap at %v: %w", s.At, err))
		}
		p.swaps = append(p.swaps, preparedSwap{machine.Time(s.At), r})
	}
	return p, nil
}

// Changed says that the trace is not what it was when the plan was made: the
// policies may have met different requests. The error wraps files.ErrChanged.
func (p *Plan) Changed() error {
	t := p.Config.Workload.file()
	if t == "" {
		return nil
	}
	return p.trace.Changed("trace "+t, files.StampOf(t))
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
	return r, r.Try(ctx, p.Config.Seed, p.Config.Native)
}

// Result is what one policy did.
type Result struct {
	Report report.Run
	// Reads and Writes are the latencies by request number, for a paired
	// comparison with another policy on the same workload.
	Reads, Writes report.Series
}

// Run runs one of the plan's policies on a machine of its own. It may be called
// for several policies at once, from goroutines of their own. When ctx ends it
// while the workload is played, the result, marked as interrupted and without
// checks, comes with the context's error.
func (p *Plan) Run(ctx context.Context, which int, o Options) (*Result, error) {
	pol := p.Policies[which]
	r, err := p.machine(ctx, which, o)
	var res *Result
	if err == nil {
		res, err = r.execute(ctx, pol)
	}
	// A refused swap is not the fault of the policy that it was to replace.
	if swap := (*swapError)(nil); err != nil && !errors.As(err, &swap) {
		err = fmt.Errorf("policy %s: %w", pol.Policy.Name, err)
	}
	return res, err
}

// swapError says that a policy could not take another one's place.
type swapError struct {
	at     machine.Time
	policy string
	err    error
}

func (e *swapError) Error() string {
	return fmt.Sprintf("swap at %v: policy %s: %v", e.at.Duration(), e.policy, e.err)
}

func (e *swapError) Unwrap() error { return e.err }

// machine builds a machine with a policy's detours on its slots.
func (p *Plan) machine(ctx context.Context, which int, o Options) (*run, error) {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	r := &run{config: &p.Config, opts: o, swaps: p.swaps}
	if err := r.build(); err != nil {
		return nil, errors.Join(err, r.storage.close())
	}
	r.measure()
	if o.Observe {
		if err := r.observe(); err != nil {
			return nil, errors.Join(err, r.storage.close())
		}
	}
	var err error
	if err = r.install(ctx, p.Policies[which]); err != nil {
		return nil, errors.Join(err, r.storage.close())
	}
	return r, nil
}

// execute plays the workload and takes the machine down.
func (r *run) execute(ctx context.Context, pol *catalog.Prepared) (res *Result, err error) {
	defer func() {
		closed := errors.Join(r.ios.Hooks.Close(), r.storage.close())
		if err = errors.Join(err, closed); closed != nil {
			res = nil
		}
	}()
	if r.source, err = r.open(); err != nil {
		return nil, err
	}
	defer r.source.Close()
	if r.config.images() {
		if err := r.synchroniseAll(ctx); err != nil {
			return nil, err
		}
	}
	played := r.play(ctx)
	r.measured.res.Report.Interrupted = played != nil && r.err == nil && ctx.Err() != nil && r.issued != 0
	if played != nil && !r.measured.res.Report.Interrupted {
		return nil, played
	}
	if r.issued == 0 {
		return nil, r.nothingPlayed()
	}
	if res, err = r.result(pol); err != nil {
		return nil, err
	}
	if !res.Report.Interrupted {
		res.Report.Checks = append(res.Report.Checks, r.runChecks()...)
	}
	return res, played
}

// measure has the latencies of requests recorded.
func (r *run) measure() {
	r.measured = &measured{begun: time.Now(), reads: report.NewLatency(), writes: report.NewLatency()}
}

// measured is what is recorded of the requests of a run.
type measured struct {
	begun         time.Time
	reads, writes *report.Latency
	res           Result
}

func (m *measured) record(number int64, write bool, code uint8, took machine.Time) {
	latencies, series := m.reads, &m.res.Reads
	if write {
		latencies, series = m.writes, &m.res.Writes
	}
	if code != arch.CompletionNormal {
		series.Fail(number)
		return
	}
	latencies.Record(took)
	series.Record(number, took)
}

// result says what the finished run found.
func (r *run) result(pol *catalog.Prepared) (*Result, error) {
	m := r.measured
	if err := r.fill(&m.res.Report, pol); err != nil {
		return nil, err
	}
	m.res.Report.ReadLatency, m.res.Report.WriteLatency = m.reads.Summary(), m.writes.Summary()
	m.res.Report.WallS = time.Since(m.begun).Seconds()
	return &m.res, nil
}

// open opens the workload.
func (r *run) open() (workload.Source, error) {
	w := &r.config.Workload
	source, err := w.open(r.config.input, r.block.Bytes(), r.config.Seed)
	if err != nil {
		return nil, err
	}
	r.trace, _ = source.(*workload.Trace)
	if w.Speed != 1 {
		if source, err = workload.Speedup(source, w.Speed); err != nil {
			return nil, err
		}
	}
	if w.Limit != 0 {
		if source, err = workload.Limit(source, w.Limit); err != nil {
			return nil, err
		}
	}
	return source, nil
}

// open opens the workload from its beginning. input, if not nil, is the trace's.
func (w *Workload) open(input *workload.Input, volumeBytes int64, seed uint64) (workload.Source, error) {
	if w.Generator != nil {
		g := *w.Generator
		if volumeBytes == 0 { // not known yet
			volumeBytes = workload.DefaultGenerator().VolumeBytes
		}
		if g.VolumeBytes == 0 || g.VolumeBytes > volumeBytes {
			g.VolumeBytes = volumeBytes
		}
		if g.Seed == 0 {
			g.Seed = seed
		}
		return workload.NewGenerator(g)
	}
	o := workload.TraceOptions{Device: w.TraceDevice, SkipBad: w.SkipBad, VolumeBytes: volumeBytes}
	var err error
	if o.Format, err = workload.ParseFormat(w.Format); err != nil {
		return nil, err
	}
	if o.TimeUnit, err = workload.ParseTimeUnit(w.TimeUnit); err != nil {
		return nil, err
	}
	switch {
	case w.bundled():
		return workload.Bundled(w.Trace, o)
	case input != nil:
		return input.Trace(o)
	}
	return workload.OpenTrace(w.Trace, o)
}

// file is the file that the workload is read from; empty for a bundled trace, a
// generator and standard input.
func (w *Workload) file() string {
	if w.Generator != nil || w.bundled() || w.Trace == "-" {
		return ""
	}
	return w.Trace
}

// name is what the workload is called in a report.
func (w *Workload) name() string {
	if w.Generator != nil {
		return "generated"
	}
	if w.Trace == "-" {
		return "standard input"
	}
	return w.Trace
}

// install puts a policy's detours on the slots.
func (r *run) install(ctx context.Context, pol *catalog.Prepared) error {
	sequences, err := pol.Attachments(ctx, r.config.Seed, r.config.Native)
	if err != nil {
		return err
	}
	if r.opts.Frames != nil {
		show(sequences, r.opts.Frames)
	}
	d := intercept.Promise{Durability: intercept.DurablePrimary, Copies: pol.Policy.Copies, StalePromotion: pol.Policy.StalePromotion == policy.Allow}
	if pol.Policy.Durability == "mirrors" {
		d.Durability = intercept.DurableMirrors
	}
	if pol.Policy.Consistency == "" {
		r.ungrouped = true
	}
	if err := r.x.Install(sequences, d); err != nil {
		return err
	}
	r.installed = append(r.installed, installation{pol.Policy.Name, sequences})
	if r.observer != nil {
		r.observer.Promise(observer.Promise{Mirrors: d.Durability == intercept.DurableMirrors, Copies: d.Copies})
	}
	return nil
}

// swap installs another policy while I/O runs. at is the time at which that was
// asked for, on the workload's clock.
func (r *run) swap(ctx context.Context, at machine.Time, p *catalog.Prepared) error {
	inflight := r.ios.Hooks.Current().Inflight()
	r.swapped = append(r.swapped, report.Swap{AtS: seconds(at), Policy: p.Policy.Name, InFlight: int64(inflight)})
	if err := r.install(ctx, p); err != nil {
		return &swapError{at, p.Policy.Name, err}
	}
	return nil
}

func seconds(t machine.Time) float64 { return float64(t) / float64(machine.Second) }

// fill says what the finished run found.
func (r *run) fill(out *report.Run, pol *catalog.Prepared) error {
	n := r.x.Counts()
	out.Policy = pol.Policy.Name
	out.Seed = r.config.Seed
	for s := range pol.Detours {
		for i, d := range pol.Detours[s] {
			m := report.Module{Slot: abi.HookTable[s].Report, Name: d.Module.Manifest.Name}
			if !r.config.Native {
				m.SHA256 = hex.EncodeToString(d.Module.SHA256[:])
			}
			for _, k := range r.installed[0].sequences[s][i].Records {
				m.Records = append(m.Records, report.Record(k))
			}
			out.Modules = append(out.Modules, m)
		}
	}
	out.Workload = r.played
	out.Workload.Name = r.config.Workload.name()
	if r.trace != nil {
		out.Workload.SkippedRows, _ = r.trace.Bad()
		out.Trace = traceRead(r.trace.Findings())
	}
	span := seconds(r.lastEnd - r.firstAt)
	out.Failed = r.failed.report()
	out.Throughput = report.NewThroughput(r.ended-out.Failed.Total(), r.goodBytes, span)
	for i := range r.storage.pairs {
		for j := range r.storage.pairs[i].mirrors {
			l := r.storage.pairs[i].mirrors[j].link.Stats()
			out.MirrorLinkBytes += int64(l.BytesOut + l.BytesIn)
		}
	}
	var slots []report.SlotCalls
	for s, c := range n.Calls {
		slots = append(slots, report.SlotCalls{Slot: abi.HookTable[s].Report, Calls: int64(c)})
	}
	out.WasmCalls = report.NewWasmCalls(r.issued, slots)
	out.Traps, out.InvalidResponses, out.Violations = int64(n.Traps), int64(n.Invalid), int64(n.Violations)
	out.DetourFaults = r.detourFaults()
	out.Exhausted = int64(n.Exhausted)
	out.Swaps = r.swapped
	out.Synchronisations = r.synchronised()
	err := r.eachMirror(func(_ *pair, m *intercept.Mirror, name string) error {
		k := m.Risk(r.until())
		out.DataAtRisk.MaxIOs = max(out.DataAtRisk.MaxIOs, int64(k.MaxIOs))
		out.DataAtRisk.MaxBytes = max(out.DataAtRisk.MaxBytes, int64(k.MaxBytes))
		out.DataAtRisk.MaxS = max(out.DataAtRisk.MaxS, seconds(k.MaxAge))
		out.Mirrors = append(out.Mirrors, report.Mirror{
			Name: name, State: MirrorState(m), OutOfSyncTracks: int64(m.OutOfSync()), Tracks: int64(m.Pair().Geometry().Tracks),
		})
		return nil
	})
	out.Checks = []report.Check{}
	if err == nil && !out.Interrupted {
		out.Checks, err = r.checks()
		out.Checks = append(out.Checks, r.observed(out)...)
	}
	out.Promotions = r.promotions()
	lost := r.lost()
	out.LostWrites, out.LostBytes = lost.Writes, lost.Bytes
	if err != nil {
		return err
	}
	out.VirtualS = seconds(r.until())
	out.EventLogHash = fmt.Sprintf("%016x", r.m.Clock.Hash())
	return nil
}

// stateNames are the states of a mirror that say all about it.
var stateNames = [...]string{
	abi.MirrorNone: "none", abi.MirrorSynchronising: report.MirrorSynchronising,
	abi.MirrorSuspended: report.MirrorDissociated, abi.MirrorFailed: report.MirrorFailed,
}

// MirrorState says how a mirror is: one of the states of report.Mirror. A mirror
// that follows its primary is in sync only as far as it has no marks.
func MirrorState(m *intercept.Mirror) string {
	switch n := m.OutOfSync(); {
	case m.State != abi.MirrorInSync:
		return stateNames[m.State]
	case n == 0:
		return report.MirrorInSync
	case n == int(m.Pair().Geometry().Tracks):
		return report.MirrorOutOfSync
	}
	return report.MirrorInSyncBut
}

// completionText says what a completion code means to a person.
func completionText(code uint8) string {
	switch code {
	case arch.CompletionNormal:
		return "ended well"
	case arch.CompletionNoPath:
		return "no path, or no answer"
	case arch.CompletionRejected:
		return "rejected by a detour"
	case arch.CompletionExtent:
		return "outside the extent"
	}
	return fmt.Sprintf("permanent error (code %02X)", code)
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
