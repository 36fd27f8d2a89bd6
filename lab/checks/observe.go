package checks

import (
	"math"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/observer"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/rig"
)

// observe makes an independent observer that watches the machine.
func (w *Witness) observe() error {
	w.observer = observer.New(w.rig.Machine, w.rig.Supervisor.Channel, w.rig.Supervisor, claims{w.rig})
	for i := range w.rig.Pairs {
		p := &w.rig.Pairs[i]
		var seen []observer.Volume
		for place := range p.Places() {
			v := p.At(place)
			seen = append(seen, observer.Volume{Device: v.Device, Unit: v.Unit})
		}
		if err := w.observer.Watch(roles{p.Pair}, seen, !w.rig.Description.InFiles()); err != nil {
			return err
		}
	}
	w.player.Look = w.observer.Look
	w.rig.Promised = func(p intercept.Promise) {
		w.observer.Promise(observer.Promise{Mirrors: p.Durability == intercept.DurableMirrors, Copies: p.Copies})
	}
	return nil
}

// roles tells the observer the roles of a pair's devices.
type roles struct{ p *intercept.Pair }

// Primary returns the unit of the primary.
func (r roles) Primary() *ios.UCB { return r.p.Primary() }

// Mirror returns the unit of mirror number i, and its state.
func (r roles) Mirror(i int) (*ios.UCB, abi.MirrorState) {
	m := r.p.Mirrors()[i]
	return m.Unit(), m.State
}

// ConstantCopy reports whether the pair is in that mode.
func (r roles) ConstantCopy() bool { return r.p.Mode == abi.ModeConstantCopy }

// claims passes the figures of the intercept process to the observer, which judges
// them.
type claims struct{ r *rig.Rig }

// Early counts the completions that came before enough mirrors had the write.
func (c claims) Early() (broken, allowed uint64) {
	n := c.r.Intercept.Counts()
	return n.Violations, n.Degraded
}

// Marked reports whether a track is marked, or has a write or a copy under way by the
// account: error recovery may have it in hand while no I/O is on the channel. At the
// end of a run, when nothing can be under way, the check of the mirrors asks for marks
// alone.
func (c claims) Marked(pair, mirror int, track uint32) bool {
	m := c.r.Pairs[pair].Mirrors()[mirror]
	return m.Marked(track) || m.UnderWay(track, track)
}

// Risk returns the data at risk on a mirror, now and at most.
func (c claims) Risk(pair, mirror int, now machine.Time) observer.Figures {
	k := c.r.Pairs[pair].Mirrors()[mirror].Risk(now)
	return observer.Figures{IOs: k.IOs, MaxIOs: k.MaxIOs, Bytes: k.Bytes, MaxBytes: k.MaxBytes, MaxAge: k.MaxAge}
}

// Observed returns a check for each property that the observer has watched, or none
// without an observer. It compares the figures of the report with the observer's.
func (w *Witness) Observed(d *report.DataAtRisk) (all []report.Check) {
	if w.observer == nil {
		return nil
	}
	for _, f := range w.observer.Conclude(observer.Figures{
		MaxIOs: uint64(d.MaxIOs), MaxBytes: uint64(d.MaxBytes), MaxAge: machine.Time(math.Round(d.MaxS * float64(machine.Second))),
	}, w.player.Until()) {
		all = append(all, report.Check{Name: f.Name, OK: f.OK, Detail: f.Detail})
	}
	return all
}
