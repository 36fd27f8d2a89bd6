package experiment

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/names/suggest"
	"github.com/iosrun/iosrun/trace"
)

// Fault is something that happens to a volume or its link at a virtual time, or
// is done about it.
type Fault struct {
	At time.Duration
	// Pair numbers the pair from 1.
	Pair int
	// Mirror numbers the pair's mirror from 1; 0 is the primary.
	Mirror int
	// Action is one of the names of faultActions.
	Action string
}

// faultActions are what can happen, by name.
var faultActions = map[string]func(r *run, f Fault, v *volume) error{
	"link-down":      func(_ *run, _ Fault, v *volume) error { v.link.Fail(); return nil },
	"link-up":        func(r *run, _ Fault, v *volume) error { v.link.Restore(); return r.online(v) },
	"fail":           func(_ *run, _ Fault, v *volume) error { v.device.Fail(dasd.EquipmentCheck); return nil },
	"gone":           func(_ *run, _ Fault, v *volume) error { v.device.Fail(dasd.NotOperational); return nil },
	"not-responding": func(_ *run, _ Fault, v *volume) error { v.device.Fail(dasd.NotResponding); return nil },
	"restore":        func(r *run, _ Fault, v *volume) error { v.device.Restore(); return r.online(v) },
	"synchronise":    (*run).synchronise,
}

// faultNames are the actions in the order in which messages list them.
const faultNames = "link-down, link-up, fail, gone, not-responding, restore, synchronise"

// ParseFault reads "TIME=PLACE:ACTION", such as "30s=mirror1:link-down". A place
// of another pair than the first has the pair's number in front of it, as in
// "pair2.mirror1".
func ParseFault(text string) (Fault, error) {
	wrong := fmt.Errorf("fault %q: want TIME=PLACE:ACTION, such as 30s=mirror1:link-down; places are primary and mirror1 to mirror8, of another pair than the first pair2.primary and so on, actions %s", text, faultNames)
	at, what, ok := strings.Cut(text, "=")
	place, action, ok2 := strings.Cut(what, ":")
	t, err := time.ParseDuration(at)
	switch {
	case !ok || !ok2 || err != nil || t < 0:
		return Fault{}, wrong
	case faultActions[action] == nil:
		return Fault{}, fmt.Errorf("%w%s", wrong, suggest.DidYouMean(action, strings.Split(faultNames, ", ")))
	case t > trace.MaxSpan.Duration():
		return Fault{}, fmt.Errorf("fault %q: its time is above %v", text, trace.MaxSpan.Duration())
	}
	f := Fault{At: t, Pair: 1, Action: action}
	if of, rest, ok := strings.Cut(place, "."); ok {
		if f.Pair, ok = number(of, "pair"); !ok {
			return Fault{}, wrong
		}
		place = rest
	}
	if place == "primary" {
		if action == "synchronise" {
			return Fault{}, fmt.Errorf("fault %q: a mirror is synchronised, not the primary", text)
		}
		return f, nil
	}
	if f.Mirror, ok = number(place, "mirror"); !ok {
		return Fault{}, wrong
	}
	return f, nil
}

// number reads a name and a number from 1, such as mirror2.
func number(text, name string) (int, bool) {
	digits, ok := strings.CutPrefix(text, name)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n >= 1
}

// CheckFault reports a fault about a volume that the experiment has not.
func (c *Config) CheckFault(f Fault) error {
	switch {
	case f.Mirror > len(c.places()):
		return fmt.Errorf("there are %d mirrors", len(c.places()))
	case f.Pair > c.pairs():
		return fmt.Errorf("there are %d pairs", c.pairs())
	}
	return nil
}

// faultsOf reads the experiment's faults; each must be about a volume that there
// is.
func (c *Config) faultsOf() ([]Fault, error) {
	var all []Fault
	for _, text := range c.Faults {
		f, err := ParseFault(text)
		if err != nil {
			return nil, err
		}
		if err := c.CheckFault(f); err != nil {
			return nil, fmt.Errorf("fault %q: %w", text, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// happen lets a fault happen.
func (r *run) happen(f Fault) error {
	r.opts.Log.Info("fault", "time", r.m.Clock.Now(), "pair", f.Pair, "mirror", f.Mirror, "action", f.Action)
	return faultActions[f.Action](r, f, r.storage.pairs[f.Pair-1].at(f.Mirror))
}

// online takes a volume into use again that the I/O supervisor has boxed because
// it did not answer, as an operator does who knows that it has been repaired.
func (r *run) online(v *volume) error {
	r.ios.Online(r.m.Clock.Now(), v.unit)
	return nil
}

// end of the standing chains: they would stand for ever.
func (r *run) stopStanding() {
	for i := range r.storage.pairs {
		for _, m := range r.storage.pairs[i].Mirrors() {
			r.x.StopStanding(m)
		}
	}
}

// startStanding sets up the standing chains that the places ask for.
func (r *run) startStanding() {
	for i := range r.storage.pairs {
		for j, place := range r.config.places() {
			if place.Standing {
				m := r.storage.pairs[i].Mirrors()[j]
				u := &unitOfWork{f: func(cpu *machine.Processor) { r.x.StartStanding(cpu, m) }}
				u.srb.Entry = u
				r.m.Dispatcher.Schedule(0, &u.srb)
			}
		}
	}
}

// unitOfWork runs a function on a processor.
type unitOfWork struct {
	srb machine.SRB
	f   func(*machine.Processor)
}

// Enter runs the function.
func (u *unitOfWork) Enter(cpu *machine.Processor, _ *machine.SRB) { u.f(cpu) }
