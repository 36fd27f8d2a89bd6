package experiment

import (
	"math"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/observer"
	"github.com/iosrun/iosrun/lab/report"
)

// observe has an independent observer watch the machine.
func (r *run) observe() error {
	r.observer = observer.New(r.m, r.ios.Channel, r.ios, claims{r})
	for i := range r.storage.pairs {
		p := &r.storage.pairs[i]
		var volumes []observer.Volume
		for place := range len(p.mirrors) + 1 {
			v := p.at(place)
			volumes = append(volumes, observer.Volume{Device: v.device, Unit: v.unit})
		}
		if err := r.observer.Watch(roles{p.Pair}, volumes, !r.config.images()); err != nil {
			return err
		}
	}
	return nil
}

// roles is what is declared of a pair, for the observer.
type roles struct{ p *intercept.Pair }

// Primary is the unit of the primary.
func (r roles) Primary() *ios.UCB { return r.p.Primary() }

// Mirror is the unit of mirror number i and its state.
func (r roles) Mirror(i int) (*ios.UCB, abi.MirrorState) {
	m := r.p.Mirrors()[i]
	return m.Unit(), m.State
}

// ConstantCopy reports whether the pair is in that mode.
func (r roles) ConstantCopy() bool { return r.p.Mode == abi.ModeConstantCopy }

// claims are the figures of the intercept process, which the observer judges.
type claims struct{ r *run }

// Early counts the completions that came before enough mirrors had the write.
func (c claims) Early() (broken, allowed uint64) {
	n := c.r.x.Counts()
	return n.Violations, n.Degraded
}

// Marked reports whether a track is marked.
func (c claims) Marked(pair, mirror int, track uint32) bool {
	return c.r.storage.pairs[pair].Mirrors()[mirror].Marked(track)
}

// Risk is what is and was at risk on a mirror.
func (c claims) Risk(pair, mirror int, now machine.Time) observer.Figures {
	k := c.r.storage.pairs[pair].Mirrors()[mirror].Risk(now)
	return observer.Figures{IOs: k.IOs, MaxIOs: k.MaxIOs, Bytes: k.Bytes, MaxBytes: k.MaxBytes, MaxAge: k.MaxAge}
}

// observed is a check for each property that the observer has watched; none where
// there is no observer. out is the report that is held against what it saw.
func (r *run) observed(out *report.Run) (all []report.Check) {
	if r.observer == nil {
		return nil
	}
	d := &out.DataAtRisk
	for _, f := range r.observer.Conclude(observer.Figures{
		MaxIOs: uint64(d.MaxIOs), MaxBytes: uint64(d.MaxBytes), MaxAge: machine.Time(math.Round(d.MaxS * float64(machine.Second))),
	}, r.until()) {
		all = append(all, report.Check{Name: f.Name, OK: f.OK, Detail: f.Detail})
	}
	return all
}
