package player

import (
	"context"
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/rig"
	"github.com/iosrun/iosrun/policy/catalog"
)

// Swap is a planned change of policy; the policy has been loaded.
type Swap struct {
	description.Swap
	Prepared *catalog.Prepared
}

// Swapped is a change of policy that was made.
type Swapped struct {
	// At is the time for which the change was planned.
	At     machine.Time
	Policy string
	// InFlight is the number of I/Os under way, which kept the earlier policy.
	InFlight int64
}

// Late is a swap or a fault that did not happen because the run had ended before it.
type Late struct{ What, Text string }

// SwapError says that a policy could not replace another one.
type SwapError struct {
	At     machine.Time
	Policy string
	Err    error
}

func (e *SwapError) Error() string {
	return fmt.Sprintf("swap at %v: policy %s: %v", e.At.Duration(), e.Policy, e.Err)
}

func (e *SwapError) Unwrap() error { return e.Err }

// timeline holds the events besides the requests.
type timeline struct {
	faults      []description.Fault
	swaps       []Swap
	synchronise mirror.SyncOptions

	swapped []Swapped
	late    []Late
}

// Planned returns the numbers of planned faults and swaps.
func (p *Player) Planned() (faults, swaps int) { return len(p.events.faults), len(p.events.swaps) }

// Swapped returns the changes of policy that were made, in order.
func (p *Player) Swapped() []Swapped { return p.events.swapped }

// Late returns the events that did not happen because the run had ended before them.
func (p *Player) Late() []Late { return p.events.late }

// Swap puts another policy's detours on the slots now. at is the planned time, on
// the workload's clock.
func (p *Player) Swap(ctx context.Context, at machine.Time, pol *catalog.Prepared) error {
	inflight := p.rig.Supervisor.Hooks.Current().Inflight()
	p.events.swapped = append(p.events.swapped, Swapped{at, pol.Policy.Name, int64(inflight)})
	if err := p.rig.Install(ctx, pol); err != nil {
		return &SwapError{at, pol.Policy.Name, err}
	}
	return nil
}

// actions holds the function that carries out each action.
var actions = [description.Actions]func(*Player, *description.Fault, *rig.Volume) error{
	description.LinkDown:      func(_ *Player, _ *description.Fault, v *rig.Volume) error { v.Link.Fail(); return nil },
	description.LinkUp:        func(p *Player, _ *description.Fault, v *rig.Volume) error { v.Link.Restore(); return p.online(v) },
	description.Fail:          failure(dasd.EquipmentCheck),
	description.Gone:          failure(dasd.NotOperational),
	description.NotResponding: failure(dasd.NotResponding),
	description.Restore:       func(p *Player, _ *description.Fault, v *rig.Volume) error { v.Device.Restore(); return p.online(v) },
	description.Resynchronise: func(p *Player, f *description.Fault, _ *rig.Volume) error { return p.resynchronise(f) },
}

func failure(how dasd.Failure) func(*Player, *description.Fault, *rig.Volume) error {
	return func(_ *Player, _ *description.Fault, v *rig.Volume) error { v.Device.Fail(how); return nil }
}

func (p *Player) online(v *rig.Volume) error {
	p.rig.Online(v)
	return nil
}

// Happen makes a fault happen now.
func (p *Player) Happen(f description.Fault) error {
	p.rig.Log.Info("fault", "time", p.clock.Now(), "pair", f.Pair, "mirror", f.Mirror, "action", f.Action.String())
	return actions[f.Action](p, &f, p.rig.Pairs[f.Pair-1].At(f.Mirror))
}

// resynchronise copies the marked tracks to a mirror and lets it follow the primary
// again. A mirror that is being synchronised already is left alone, and this
// synchronisation counts as failed.
func (p *Player) resynchronise(f *description.Fault) error {
	err := p.Copies.Begin(f.Pair, f.Mirror, p.events.synchronise)
	if errors.Is(err, mirror.ErrBusy) {
		p.rig.Log.Warn("not synchronised", "time", p.clock.Now(), "error", err)
		p.Copies.refused(f.Pair, f.Mirror, mirror.ErrBusy)
		return nil
	}
	return err
}

// tooLate reports whether the run has ended before an event, and then notes the
// event. A run has ended when the last request has ended, no other will come, and no
// synchronisation or mirror I/O is under way that the event could affect.
func (p *Player) tooLate(what, text string) bool {
	if p.arrivals.more || p.tally.Ended != p.tally.Issued || p.Copies.Now() != "" || p.mirroring() {
		return false
	}
	p.rig.Log.Warn("event after the end of the run", "time", p.clock.Now(), "end", p.tally.LastEnd, what, text)
	p.events.late = append(p.events.late, Late{what, text})
	return true
}

// mirroring reports whether a mirror I/O is under way or about to start.
func (p *Player) mirroring() bool {
	for _, m := range p.rig.Mirrors() {
		if under, _ := m.Oldest(); under != nil || m.Waiting() != 0 {
			return true
		}
	}
	return false
}
