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
	"github.com/iosrun/iosrun/lab/catalog"
	"github.com/iosrun/iosrun/lab/report"
)

// Stage is an experiment's machine, with a policy's detours on its slots, on
// which a caller plays what it likes in place of the experiment's workload. It
// belongs to one goroutine.
type Stage struct{ r *run }

// Stage builds the machine for one of the plan's policies. The caller closes it.
func (p *Plan) Stage(ctx context.Context, which int, o Options) (*Stage, error) {
	r, err := p.machine(ctx, which, o)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", p.Policies[which].Policy.Name, err)
	}
	return &Stage{r}, nil
}

// Close takes the detours off the slots and closes them and the volumes.
func (s *Stage) Close() error { return errors.Join(s.r.ios.Hooks.Close(), s.r.storage.close()) }

// Machine is the host computer.
func (s *Stage) Machine() *machine.Machine { return s.r.m }

// Supervisor is its I/O supervisor.
func (s *Stage) Supervisor() *ios.Supervisor { return s.r.ios }

// Intercept is its intercept process.
func (s *Stage) Intercept() *intercept.Process { return s.r.x }

// Pair is a primary and its mirrors; pairs are numbered from 1.
func (s *Stage) Pair(number int) *intercept.Pair { return s.r.storage.pairs[number-1].Pair }

// Unit is the unit of a place of a pair, numbered from 1: place 0 is the
// primary's, 1 the first mirror's.
func (s *Stage) Unit(pair, place int) *ios.UCB { return s.r.storage.pairs[pair-1].at(place).unit }

// Submit asks the block access method for bytes to be read or written, now.
// Options.Completed is told of the end under the number that is returned.
func (s *Stage) Submit(write bool, offset, length int64) (int64, error) {
	r := s.r
	number := r.issued
	r.inflight.put(inflight{number: number, at: r.m.Clock.Now(), write: write, bytes: length})
	r.issued++
	return number, r.block.Submit(uint64(number), write, offset, length)
}

// Programs makes an access method for channel programs that are run as they are.
func (s *Stage) Programs() *access.Excp {
	e := access.NewExcp(s.r.ios)
	e.Witness = s.r.watched
	return e
}

// Happen lets a fault happen, now.
func (s *Stage) Happen(f Fault) error { return s.r.happen(f) }

// Synchronise makes a mirror of a pair, both numbered from 1, identical to its
// primary (FIG. 2). What the options say of the devices is filled in.
func (s *Stage) Synchronise(pair, number int, o mirror.SyncOptions) error {
	return s.r.makeIdentical(pair, number, o)
}

// Install puts another policy's detours on the slots, now.
func (s *Stage) Install(ctx context.Context, pol *catalog.Prepared) error {
	return s.r.install(ctx, pol)
}

// Play lets everything happen until nothing is left to do, the standing chains
// of the places and their end included.
func (s *Stage) Play(ctx context.Context) error {
	s.r.startStanding()
	if err := s.r.loop(ctx); err != nil {
		return err
	}
	s.r.stopStanding()
	return s.r.loop(ctx)
}

// Checks holds the machine against what must hold at the end of a run.
func (s *Stage) Checks() ([]report.Check, error) { return s.r.checks() }

// LostWrites is the number of acknowledged writes that are on no volume that their
// pair reads from, known once Checks has been called.
func (s *Stage) LostWrites() int64 { return s.r.lost().Writes }

// Differ is on how many tracks a mirror of a pair, both numbered from 1, differs
// from the primary.
func (s *Stage) Differ(pair, number int) (int, error) {
	p := &s.r.storage.pairs[pair-1]
	n, _, err := s.r.compare(p, p.Mirrors()[number-1])
	return n, err
}
