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

// Stage is an experiment's machine, with a policy's detours on its slots, on
// which a caller plays what it likes in place of the experiment's workload. It
// belongs to one goroutine.
type Stage struct{ r *run }

// Stage builds the machine for one of the plan's policies. The caller closes it.
func (p *Plan) Stage(ctx context.Context, which int, o Options) (*Stage, error) {
	r, err := p.begin(ctx, which, o)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", p.Policies[which].Policy.Name, err)
	}
	return &Stage{r}, nil
}

// Close takes the detours off the slots and closes them, the volumes and a trace.
func (s *Stage) Close() error { return errors.Join(s.r.rig.Close(), s.r.player.Close()) }

// Machine is the host computer.
func (s *Stage) Machine() *machine.Machine { return s.r.rig.Machine }

// Supervisor is its I/O supervisor.
func (s *Stage) Supervisor() *ios.Supervisor { return s.r.rig.Supervisor }

// Intercept is its intercept process.
func (s *Stage) Intercept() *intercept.Process { return s.r.rig.Intercept }

// Pair is a primary and its mirrors; pairs are numbered from 1.
func (s *Stage) Pair(number int) *intercept.Pair { return s.r.rig.Pairs[number-1].Pair }

// Unit is the unit of a place of a pair, numbered from 1: place 0 is the
// primary's, 1 the first mirror's.
func (s *Stage) Unit(pair, place int) *ios.UCB { return s.r.rig.Pairs[pair-1].At(place).Unit }

// Submit asks the block access method for bytes to be read or written, now.
// Options.Completed is told of the end under the number that is returned.
func (s *Stage) Submit(write bool, offset, length int64) (int64, error) {
	return s.r.player.Submit(write, offset, length)
}

// Programs makes an access method for channel programs that are run as they are.
func (s *Stage) Programs() *access.Excp {
	e := access.NewExcp(s.r.rig.Supervisor)
	e.Witness = s.r.witness.Programs()
	return e
}

// Happen lets a fault happen, now.
func (s *Stage) Happen(f description.Fault) error { return s.r.player.Happen(f) }

// Synchronise makes a mirror of a pair, both numbered from 1, identical to its
// primary (FIG. 2). What the options say of the devices is filled in.
func (s *Stage) Synchronise(pair, number int, o mirror.SyncOptions) error {
	return s.r.player.Copies.Begin(pair, number, o)
}

// Install puts another policy's detours on the slots, now.
func (s *Stage) Install(ctx context.Context, pol *catalog.Prepared) error {
	return s.r.player.Swap(ctx, s.r.rig.Machine.Clock.Now(), pol)
}

// PlayTrace plays a trace from now on, at its own times, beside whatever else is
// done. There is one at a time. Options.Completed is told of its requests under
// numbers of their own.
func (s *Stage) PlayTrace(t *trace.Trace) error { return s.r.player.PlayTrace(t) }

// Play lets everything happen until nothing is left to do, the standing chains
// of the places and their end included.
func (s *Stage) Play(ctx context.Context) error { return s.r.player.Drain(ctx) }

// Result is what was measured, and what came of the checks of what must hold at
// the end of a run. It is asked for once, when everything has happened.
func (s *Stage) Result() (*Result, error) {
	res, _, err := s.r.result()
	return res, err
}

// LostWrites is the number of acknowledged writes that are on no volume that their
// pair reads from, known once Result has been called.
func (s *Stage) LostWrites() int64 { return s.r.witness.Lost().Writes }

// Differ is the number of tracks on which a mirror of a pair, both numbered from 1,
// differs from the primary.
func (s *Stage) Differ(pair, number int) (int, error) {
	m := s.r.rig.Mirror(pair, number)
	n, _, err := m.Compare(s.r.rig.Geometry)
	return n, err
}
