package experiment

import (
	"context"
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/policy/catalog"
	"github.com/iosrun/iosrun/trace"
)

// Stage is an experiment's machine, with a policy's detours on its slots, on which a
// caller plays I/O of its own instead of the experiment's workload. It belongs to
// one goroutine.
type Stage struct{ r *run }

// Stage builds the machine for one of the plan's policies. The caller must close it.
func (p *Plan) Stage(ctx context.Context, which int, o Options) (*Stage, error) {
	r, err := p.begin(ctx, which, o)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", p.Policies[which].Policy.Name, err)
	}
	return &Stage{r}, nil
}

// Close takes the detours off the slots, and closes the detours, the volumes and a
// trace.
func (s *Stage) Close() error { return errors.Join(s.r.rig.Close(), s.r.player.Close()) }

// Machine returns the host computer.
func (s *Stage) Machine() *machine.Machine { return s.r.rig.Machine }

// Supervisor returns its I/O supervisor.
func (s *Stage) Supervisor() *ios.Supervisor { return s.r.rig.Supervisor }

// Intercept returns its intercept process, which calls the detours.
func (s *Stage) Intercept() *intercept.Process { return s.r.rig.Intercept }

// Pair returns a primary with its mirrors; pairs are numbered from 1.
func (s *Stage) Pair(number int) *intercept.Pair { return s.r.rig.Pairs[number-1].Pair }

// Unit returns the unit control block of a volume of a pair. Pairs are numbered from
// 1; place 0 is the primary, 1 the first mirror.
func (s *Stage) Unit(pair, place int) *ios.UCB { return s.r.rig.Pairs[pair-1].At(place).Unit }

// Submit asks the block access method to read or write bytes now. It returns the
// number with which Options.Completed is called at the end.
func (s *Stage) Submit(write bool, offset, length int64) (int64, error) {
	return s.r.player.Submit(write, offset, length)
}

// Programs makes an access method for channel programs that are run as they are.
func (s *Stage) Programs() *access.Excp {
	e := access.NewExcp(s.r.rig.Supervisor)
	e.Witness = s.r.witness.Programs()
	return e
}

// Happen makes a fault happen now.
func (s *Stage) Happen(f description.Fault) error { return s.r.player.Happen(f) }

// Synchronise makes a mirror of a pair, both numbered from 1, identical to its
// primary (FIG. 2). The options that depend on the devices are filled in.
func (s *Stage) Synchronise(pair, number int, o mirror.SyncOptions) error {
	return s.r.player.Copies.Begin(pair, number, o)
}

// Install puts another policy's detours on the slots now.
func (s *Stage) Install(ctx context.Context, pol *catalog.Prepared) error {
	return s.r.player.Swap(ctx, s.r.rig.Machine.Clock.Now(), pol)
}

// PlayTrace plays a trace from now on, at its own times, together with other I/O.
// Only one trace is played at a time. Options.Completed is called with its requests,
// which have numbers of their own.
func (s *Stage) PlayTrace(t *trace.Trace) error { return s.r.player.PlayTrace(t) }

// Play lets events happen until none are left. It also ends the standing chains of
// the volumes.
func (s *Stage) Play(ctx context.Context) error { return s.r.player.Drain(ctx) }

// Result returns the measurements and the results of the end-of-run checks. It must
// be called once, when no event is left.
func (s *Stage) Result() (*Result, error) {
	res, _, err := s.r.result()
	return res, err
}

// LostWrites returns the number of acknowledged writes that are on no volume that
// their pair reads from. It is known after Result has been called.
func (s *Stage) LostWrites() int64 { return s.r.witness.Lost().Writes }

// Differ returns the number of tracks on which a mirror of a pair, both numbered
// from 1, differs from the primary.
func (s *Stage) Differ(pair, number int) (int, error) {
	m := s.r.rig.Mirror(pair, number)
	n, _, err := m.Compare(s.r.rig.Geometry)
	return n, err
}
