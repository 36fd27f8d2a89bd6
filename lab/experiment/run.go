package experiment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/checks"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/player"
	"github.com/iosrun/iosrun/lab/rig"
	"github.com/iosrun/iosrun/policy/catalog"
	"github.com/iosrun/iosrun/trace/histogram"
)

// ErrNothingPlayed says that a workload had no read and no write.
var ErrNothingPlayed = errors.New("nothing was played")

// Options holds the parameters of a run besides its description. Each function is
// called on the run's goroutine.
type Options struct {
	Log hclog.Logger
	// Progress, if not nil, is called now and then with the share of the workload, 0
	// to 1, that has been read, and a text about the mirrors that are being
	// synchronised, which is empty when there are none.
	Progress func(share float64, copying string)
	// Stopped, if not nil, is called when the run has noticed the end of its context,
	// before it concludes.
	Stopped func()
	// Observe adds an independent observer that watches the media and the channel,
	// with checks of its own. It keeps about a kilobyte for each write that a mirror
	// lacks.
	Observe bool
	// Frames, if not nil, is called with the frame of each call of a detour, before
	// the call and after it. It must not change the frame.
	Frames func(*abi.Frame)
	// Steps, if not nil, records the steps that the machine takes.
	Steps machine.StepRecorder
	// Completed, if not nil, is called at the end of each request, with its number
	// from 0, whether it wrote, its completion code and the time that it took.
	Completed func(number int64, write bool, code uint8, took machine.Time)
	// Identified, if not nil, is called before the start of each I/O of a request,
	// with the number of the request from 0 and the identity of the I/O. A large
	// request has several I/Os.
	Identified func(number int64, io uint64)
}

// run is the run of one policy on one machine.
type run struct {
	x        *description.Experiment
	policy   *catalog.Prepared // policy at the beginning
	rig      *rig.Rig
	player   *player.Player
	witness  *checks.Witness
	measured measured
}

// begin builds a machine with a policy's detours on its slots, and the witnesses
// that watch it.
func (p *Plan) begin(ctx context.Context, which int, o Options) (*run, error) {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	r := &run{x: p.Experiment, policy: p.Policies[which]}
	var err error
	if r.rig, err = rig.Build(&p.Experiment.Machine, rig.Options{Log: o.Log, Steps: o.Steps, Frames: o.Frames}); err != nil {
		return nil, err
	}
	if err := r.man(ctx, p.swaps, o); err != nil {
		return nil, errors.Join(err, r.rig.Close())
	}
	return r, nil
}

// man puts a player, witnesses and the policy on the rig.
func (r *run) man(ctx context.Context, swaps []player.Swap, o Options) (err error) {
	r.measured = measured{begun: time.Now(), reads: histogram.New(), writes: histogram.New(), told: o.Completed}
	r.player, err = player.New(r.rig, r.x, swaps, player.Options{
		Hooks: player.Hooks{Progress: o.Progress, Stopped: o.Stopped}, Completed: r.measured.completed, Identified: o.Identified,
	})
	if err != nil {
		return err
	}
	if r.witness, err = checks.Watch(r.rig, r.player, r.x, o.Observe); err != nil {
		return err
	}
	return r.rig.Install(ctx, r.policy)
}

// execute plays the workload and takes the machine down.
func (r *run) execute(ctx context.Context) (res *Result, err error) {
	defer func() {
		closed := r.rig.Close()
		if err = errors.Join(err, closed); closed != nil {
			res = nil
		}
	}()
	if err := r.player.Open(); err != nil {
		return nil, err
	}
	defer r.player.Close()
	if r.x.Machine.InFiles() {
		if err := r.player.Copies.Whole(ctx, r.player.Loop, 0); err != nil {
			return nil, err
		}
	}
	played := r.player.Play(ctx)
	issued := r.player.Tally().Issued
	interrupted := played != nil && r.player.Err() == nil && ctx.Err() != nil && issued != 0
	if played != nil && !interrupted {
		return nil, played
	}
	if issued == 0 {
		return nil, r.nothingPlayed()
	}
	r.measured.res.Report.Interrupted = interrupted
	res, seen, err := r.result()
	if err != nil {
		return nil, err
	}
	if seen != nil {
		res.Report.Checks = append(res.Report.Checks, seen.OfWorkload()...)
	}
	return res, played
}

// nothingPlayed returns ErrNothingPlayed with the reason: the requests that the
// workload had instead.
func (r *run) nothingPlayed() error {
	text := ""
	if n := r.player.Tally(); n.Flushes+n.Trims != 0 {
		text = fmt.Sprintf("; %d flushes and %d trims are no I/O here", n.Flushes, n.Trims)
	}
	if t := r.player.Trace(); t != nil {
		f := t.Findings()
		text += "; the trace has " + f.Text()
	}
	return fmt.Errorf("workload %s: %w: it has no read and no write%s", r.x.Traffic.Name, ErrNothingPlayed, text)
}

// measured records the latencies of the requests of a run.
type measured struct {
	begun         time.Time
	reads, writes *histogram.Latency
	res           Result
	told          func(number int64, write bool, code uint8, took machine.Time) // Options.Completed, or nil
}

// completed records the end of a request.
func (m *measured) completed(number int64, write bool, code uint8, took machine.Time) {
	m.record(number, write, code, took)
	if m.told != nil {
		m.told(number, write, code, took)
	}
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
