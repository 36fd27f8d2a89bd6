package experiment

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
)

// Fault is something that happens to a volume or its link at a virtual time, or
// is done about it.
type Fault struct {
	At time.Duration
	// Mirror numbers the mirror from 1; 0 is the primary.
	Mirror int
	// Action is one of the names of faultActions.
	Action string
}

// faultActions are what can happen, by name.
var faultActions = map[string]func(r *run, f Fault, v *volume) error{
	"link-down":      func(_ *run, _ Fault, v *volume) error { v.link.Fail(); return nil },
	"link-up":        func(_ *run, _ Fault, v *volume) error { v.link.Restore(); return nil },
	"fail":           func(_ *run, _ Fault, v *volume) error { v.device.Fail(dasd.EquipmentCheck); return nil },
	"gone":           func(_ *run, _ Fault, v *volume) error { v.device.Fail(dasd.NotOperational); return nil },
	"not-responding": func(_ *run, _ Fault, v *volume) error { v.device.Fail(dasd.NotResponding); return nil },
	"restore":        func(_ *run, _ Fault, v *volume) error { v.device.Restore(); return nil },
	"synchronise":    (*run).synchronise,
}

// faultNames are the actions in the order in which messages list them.
const faultNames = "link-down, link-up, fail, gone, not-responding, restore, synchronise"

// ParseFault reads "TIME=PLACE:ACTION", such as "30s=mirror1:link-down".
func ParseFault(text string) (Fault, error) {
	wrong := fmt.Errorf("fault %q: want TIME=PLACE:ACTION, such as 30s=mirror1:link-down; places are primary and mirror1 to mirror8, actions %s", text, faultNames)
	at, what, ok := strings.Cut(text, "=")
	place, action, ok2 := strings.Cut(what, ":")
	t, err := time.ParseDuration(at)
	if !ok || !ok2 || err != nil || t < 0 || faultActions[action] == nil {
		return Fault{}, wrong
	}
	f := Fault{At: t, Action: action}
	if place == "primary" {
		if action == "synchronise" {
			return Fault{}, fmt.Errorf("fault %q: a mirror is synchronised, not the primary", text)
		}
		return f, nil
	}
	digits, ok := strings.CutPrefix(place, "mirror")
	f.Mirror, err = strconv.Atoi(digits)
	if !ok || err != nil || f.Mirror < 1 {
		return Fault{}, wrong
	}
	return f, nil
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
		if n := len(c.places()); f.Mirror > n {
			return nil, fmt.Errorf("fault %q: there are %d mirrors", text, n)
		}
		all = append(all, f)
	}
	return all, nil
}

// happen lets a fault happen.
func (r *run) happen(f Fault) error {
	v := &r.storage.primary
	if f.Mirror > 0 {
		v = &r.storage.mirrors[f.Mirror-1]
	}
	r.opts.Log.Info("fault", "time", r.m.Clock.Now(), "mirror", f.Mirror, "action", f.Action)
	return faultActions[f.Action](r, f, v)
}

// syncThreshold is how many changed tracks are left to the last copy, with writes
// held.
const syncThreshold = 8

// synchronise brings a mirror's marked tracks over and lets it follow the
// primary again. What was dissociated meanwhile is the same mirror's: a mirror
// that follows the primary already is left alone.
func (r *run) synchronise(f Fault, _ *volume) error {
	return r.makeIdentical(f.Mirror, mirror.SyncOptions{
		Threshold: syncThreshold,
		Done: func(err error) {
			if err != nil {
				r.opts.Log.Warn("synchronisation failed", "mirror", f.Mirror, "error", err)
			}
		},
	})
}

// makeIdentical synchronises a mirror, numbered from 1; what the options say of
// the devices is filled in.
func (r *run) makeIdentical(mirror int, o mirror.SyncOptions) error {
	o.Changed = r.volumeOf(r.pair.Primary()).device.ChangedTracks()
	o.RecordsATrack = max(1, r.storage.geometry.RecordsPerTrack(0, program.BlockSize))
	s, err := r.mirror.Synchronise(r.pair.Mirrors()[mirror-1], o)
	r.copying = s
	return err
}

// end of the standing chains: they would stand for ever.
func (r *run) stopStanding() {
	for _, m := range r.pair.Mirrors() {
		r.x.StopStanding(m)
	}
}

// startStanding sets up the standing chains that the places ask for.
func (r *run) startStanding() {
	for i, p := range r.config.places() {
		if p.Standing {
			u := &unitOfWork{f: func(cpu *machine.Processor) { r.x.StartStanding(cpu, r.pair.Mirrors()[i]) }}
			u.srb.Entry = u
			r.m.Dispatcher.Schedule(0, &u.srb)
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
