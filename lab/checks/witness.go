package checks

import (
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/observer"
	"github.com/iosrun/iosrun/lab/player"
	"github.com/iosrun/iosrun/lab/readcheck"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/rig"
)

// Witness watches a run.
type Witness struct {
	rig      *rig.Rig
	player   *player.Player
	expect   description.Expect
	strict   bool
	media    *volumes
	reads    *readcheck.Checker
	observer *observer.Observer // nil when none was asked for
}

// Watch makes a Witness that watches a run from now on; the rig must not have a
// policy yet. With observe an independent observer watches the media and the
// channel, too.
func Watch(r *rig.Rig, p *player.Player, x *description.Experiment, observe bool) (*Witness, error) {
	w := &Witness{rig: r, player: p, expect: x.Expect, strict: x.Strict}
	w.media = &volumes{rig: r, block: p.Block, layout: p.Layout}
	w.reads = readcheck.New(readcheck.Config{Block: p.Block, Media: w.media, Learn: r.Description.InFiles()})
	w.media.reads = w.reads
	p.Block.Witness = w.reads
	r.Intercept.Promoted = w.promoted
	if !observe {
		return w, nil
	}
	return w, w.observe()
}

// Programs returns the witness of channel programs that are run beside the workload.
func (w *Witness) Programs() access.ProgramWitness { return w.media }

// promoted tells the read checker that a pair now reads from another volume.
func (w *Witness) promoted(p *intercept.Pair, stale bool) {
	if err := w.reads.Promoted(int(p.ID)-1, stale); err != nil {
		w.player.Fail(err)
	}
}

// Lost returns all acknowledged writes lost so far, allowed or not.
func (w *Witness) Lost() readcheck.Loss {
	allowed, other := w.reads.Lost()
	return readcheck.Loss{Writes: allowed.Writes + other.Writes, Bytes: allowed.Bytes + other.Bytes}
}

// Seen holds the observations of a run.
type Seen struct {
	Expect description.Expect
	Strict bool
	// Begin is the time at which the workload began.
	Begin machine.Time
	Tally player.Tally
	Block access.Counts
	// Duplicates counts requests, I/Os and units of work that ended twice.
	Duplicates uint64
	Intercept  intercept.Counts
	Mirrors    []Mirror
	Reads      Reads
	Left       Left
	// PointInTime says whether the mirrors hold a point in time; it is nil when a
	// policy was in force that does not promise one.
	PointInTime *PointInTime
	Detours     []report.DetourFault
	// DetourCount is the number of detours that have stood on the slots.
	DetourCount int
	// Faults and Swaps are the numbers of planned events; Late lists those that came
	// too late to happen.
	Faults, Swaps int
	Late          []player.Late
	Copies        []*player.Copy
}

// Mirror compares a mirror with its primary, in numbers of tracks.
type Mirror struct {
	Name                             string
	Tracks, Differ, Unmarked, Marked int
}

// Reads holds the findings of the read checker.
type Reads struct {
	readcheck.Tally
	Findings []string
	// Allowed counts the writes lost by a promotion with the policy's permission,
	// Other those lost otherwise.
	Allowed, Other readcheck.Loss
	Lost           []string
}

// Left counts the work that was left at the end.
type Left struct {
	Requests  int // requests on units
	Intercept int // requests with the intercept process
	Work      int // units of work
	Events    int
	Quiet     bool // no event is pending
}

// Look makes the observations at the end: it compares the volumes and collects all
// counts. It must be called once, when no event is left.
func (w *Witness) Look() (*Seen, error) {
	s := &Seen{
		Expect: w.expect, Strict: w.strict, Begin: w.player.Begin(), Tally: *w.player.Tally(), Block: w.player.Block.Counts(),
		Intercept: w.rig.Intercept.Counts(), Late: w.player.Late(), Copies: w.player.Copies.All(),
	}
	s.Duplicates = s.Block.Duplicates + w.rig.Supervisor.Counts().Duplicates + s.Tally.Duplicates
	s.Faults, s.Swaps = w.player.Planned()
	if err := w.compare(s); err != nil {
		return nil, err
	}
	if err := w.sweep(); err != nil {
		return nil, err
	}
	s.Reads = Reads{Tally: w.reads.Tally(), Findings: w.reads.Findings(), Lost: w.reads.LostFindings()}
	s.Reads.Allowed, s.Reads.Other = w.reads.Lost()
	s.Left = w.left()
	s.Detours, s.DetourCount = DetourFaults(w.rig.Installed()), countDetours(w.rig.Installed())
	if grouped(w.rig.Installed()) {
		s.PointInTime = new(PointInTime)
		s.PointInTime.Strict, s.PointInTime.Lenient = w.rig.Pairs[0].PointInTime()
	}
	return s, nil
}

// PointInTime says whether the mirrors of the consistency group have been a point in
// time all along, as far as writes that waited for mirrors go, and those that did not.
type PointInTime struct{ Strict, Lenient bool }

// grouped reports whether every policy that was in force promises a point in time.
func grouped(all []rig.Installation) bool {
	for _, i := range all {
		if !i.PointInTime {
			return false
		}
	}
	return true
}

// compare compares every mirror with its primary.
func (w *Witness) compare(s *Seen) (err error) {
	for _, m := range w.rig.Mirrors() {
		k := Mirror{Name: m.Name, Tracks: int(m.Pair().Geometry().Tracks), Marked: m.OutOfSync()}
		if k.Differ, k.Unmarked, err = m.Compare(w.rig.Geometry); err != nil {
			return err
		}
		s.Mirrors = append(s.Mirrors, k)
	}
	return nil
}

// sweep checks the content of the volumes at the end of the run, and finds data that
// cannot be read any more.
func (w *Witness) sweep() error {
	if err := w.reads.Sweep(); err != nil {
		return err
	}
	for i := range w.rig.Pairs {
		p := &w.rig.Pairs[i]
		if p.VolumeOf(p.Primary()).Works() {
			continue
		}
		var legs []func(int64, *readcheck.Block) error
		for _, m := range p.Mirrors() {
			if v := p.VolumeOf(m.Unit()); m.Follows() && v.Works() {
				legs = append(legs, func(block int64, into *readcheck.Block) error {
					_, home, _ := w.player.Block.Place(block)
					return w.media.read(v, home, into)
				})
			}
		}
		if err := w.reads.Unreadable(i, legs); err != nil {
			return err
		}
	}
	return nil
}

func (w *Witness) left() Left {
	m := w.rig.Machine
	l := Left{Intercept: w.rig.Intercept.Pending(), Work: m.Dispatcher.Length(), Events: m.Clock.Pending(), Quiet: m.Clock.Next() == machine.Never}
	for _, u := range w.rig.Supervisor.Units() {
		l.Requests += u.Length()
	}
	return l
}
