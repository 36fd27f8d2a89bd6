package channelcase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
)

// MaxEvents is the number of events after which a channel program is assumed to be
// endless. An event is up to channel.MaxCCWs CCWs.
const MaxEvents = 128

const (
	deviceNumber          = 0x0120
	interruptionParameter = 0x12345678
	sensePlace            = StorageSize - machine.KeyBlockSize // address of the sense program
)

// Options selects cases, and the volumes that they run on.
type Options struct {
	// Images names, by suite, an image file to use as the suite's volume instead of
	// the one that the file of cases describes. The files are not changed unless Write
	// is on.
	Images map[string]string
	Write  bool
	// IgnoreOpened writes to a compressed image although its OPENED bit is on: its
	// last user did not close it.
	IgnoreOpened bool
	// Cases lists the identifiers of the cases to report; empty stands for all. The
	// cases before them in their suites run too, because they may change the volume.
	Cases []string
}

// Result is a case that was run.
type Result struct {
	Case *Case
	// Outcome is incomplete when Err is not nil.
	Outcome Outcome
	// Err is the reason why the case did not end, or cannot be shown in full; it is a
	// *CaseError.
	Err error
}

// CaseError says that a case did not end or cannot be shown in full: its program
// goes on for ever, or a track that it asks for cannot be listed. The cases after it
// still run.
type CaseError struct {
	ID  string
	Err error
}

func (e *CaseError) Error() string {
	return fmt.Sprintf("case %s: %s", e.ID, strings.ReplaceAll(e.Err.Error(), "\n", "; "))
}

func (e *CaseError) Unwrap() error { return e.Err }

// CheckOptions returns the error with which Run would refuse o before it runs
// anything: a case or suite that the file does not have, a suite without a volume.
func (f *File) CheckOptions(o Options) error {
	chosen, err := f.choose(o.Cases)
	if err != nil {
		return err
	}
	suites := make(map[string]bool)
	for i := range f.Cases {
		c := &f.Cases[i]
		suites[c.Suite] = true
		_, described := f.Volumes[c.Suite]
		_, named := o.Images[c.Suite]
		if !described && !named && (chosen == nil || chosen[c.ID]) {
			return fmt.Errorf("case %s: suite %q has no volume: want an entry of \"volumes\", or an image file", c.ID, c.Suite)
		}
	}
	for _, suite := range sorted(o.Images) {
		if !suites[suite] {
			return fmt.Errorf("suite %q: no case is of it", suite)
		}
	}
	return nil
}

// Run runs the cases in order and passes each result to report, whose error ends it.
// Volumes are made, or opened, at the first case of a suite. When all cases have run
// it returns the errors of those that did not end.
func (f *File) Run(ctx context.Context, o Options, report func(Result) error) error {
	if err := f.CheckOptions(o); err != nil {
		return err
	}
	chosen, err := f.choose(o.Cases)
	if err != nil {
		return err
	}
	var failed []error
	for i := 0; i < len(f.Cases); {
		suite, end := f.Cases[i].Suite, i
		last := -1
		for ; end < len(f.Cases) && f.Cases[end].Suite == suite; end++ {
			if chosen == nil || chosen[f.Cases[end].ID] {
				last = end
			}
		}
		if last >= 0 {
			err := f.suite(ctx, o, f.Cases[i:last+1], func(r Result) error {
				if chosen != nil && !chosen[r.Case.ID] {
					return nil
				}
				failed = append(failed, r.Err)
				return report(r)
			})
			if err != nil {
				return err
			}
		}
		i = end
	}
	return errors.Join(failed...)
}

func (f *File) choose(ids []string) (map[string]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	chosen := make(map[string]bool)
	for _, id := range ids {
		if !slices.ContainsFunc(f.Cases, func(c Case) bool { return c.ID == id }) {
			return nil, fmt.Errorf("case %q: no case has this id", id)
		}
		chosen[id] = true
	}
	return chosen, nil
}

// suite runs cases on one volume.
func (f *File) suite(ctx context.Context, o Options, cases []Case, report func(Result) error) (err error) {
	name := cases[0].Suite
	v, err := f.volume(name, o)
	if err != nil {
		return fmt.Errorf("suite %q: %w", name, err)
	}
	defer func() { err = errors.Join(err, v.close()) }()
	r, err := newRig(v)
	if err != nil {
		return fmt.Errorf("suite %q: %w", name, err)
	}
	for i := range cases {
		if err := ctx.Err(); err != nil {
			return err
		}
		out, err := r.run(&cases[i])
		if err != nil {
			err = &CaseError{cases[i].ID, err}
		}
		if err := report(Result{&cases[i], out, err}); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) volume(suite string, o Options) (medium, error) {
	if path, ok := o.Images[suite]; ok {
		return open(path, o)
	}
	v, err := ParseVolume(f.Volumes[suite])
	if err != nil {
		return medium{}, err
	}
	return v.medium()
}

// rig is a machine with one device.
type rig struct {
	m       *machine.Machine
	storage *machine.Segment
	medium  medium
	way     channel.Session

	// The rest belongs to the case that runs.
	c       *Case
	css     *channel.Subsystem
	target  *channel.Subchannel // target of the instructions
	irb     channel.IRB
	out     Outcome
	stopped bool
}

func newRig(v medium) (*rig, error) {
	m, err := machine.New(1)
	if err != nil {
		return nil, err
	}
	r := &rig{m: m, medium: v}
	if r.storage, err = m.Storage.MapBytes(0, StorageSize); err != nil {
		return nil, err
	}
	sub, err := dasd.NewSubsystem(m, "cases", dasd.Config{})
	if err != nil {
		return nil, err
	}
	var d *dasd.Device
	if v.fba != nil {
		d, err = sub.NewFBA(deviceNumber, v.fba)
	} else {
		d, err = sub.NewECKD(deviceNumber, v.ckd)
	}
	if err != nil {
		return nil, err
	}
	link, err := dasd.NewLink(m, dasd.LinkConfig{Type: dasd.FICONExpress8})
	if err != nil {
		return nil, err
	}
	r.way = d.NewSession(link)
	return r, nil
}

func (r *rig) now() machine.Time { return r.m.Clock.Now() }

// run runs a case. An error says that the case did not end, or cannot be shown in
// full.
func (r *rig) run(c *Case) (Outcome, error) {
	r.reset()
	r.c, r.out, r.irb, r.stopped = c, Outcome{}, channel.IRB{}, false
	for _, m := range c.memory {
		if _, err := r.m.Storage.Store(m.at, m.bytes); err != nil {
			return Outcome{}, err
		}
	}
	if err := r.modify("msch", true); err != nil {
		return Outcome{}, err
	}
	for i := range c.steps {
		if r.stopped {
			break
		}
		if err := c.steps[i].operation.run(r, &c.steps[i]); err != nil {
			return r.out, errors.Join(err, r.show(c))
		}
	}
	r.settle()
	err := r.show(c)
	return r.out, err
}

// reset is a system reset, clear: the subchannel is as new; the device keeps its
// state. A program that the case before has left behind is cleared.
func (r *rig) reset() {
	if r.css != nil {
		r.css.ClearSubchannel(r.now(), r.css.Subchannel(channel.FirstID))
	}
	r.settle()
	r.way.Reset(true)
	r.css = channel.New(r.m)
	r.target = r.css.Add(deviceNumber, r.way)
	clear(r.storage.Bytes())
	for a := machine.Address(0); r.m.Storage.Keyed() && a < StorageSize; a += machine.KeyBlockSize {
		r.m.Storage.SetKey(a, 0)
	}
}

// settle lets events happen until there are none; a program that does not end is
// cleared, repeatedly until nothing of it is left.
func (r *rig) settle() {
	for n := 1; r.m.Clock.Step(); n++ {
		if n%MaxEvents == 0 && r.css != nil {
			r.css.ClearSubchannel(r.now(), r.css.Subchannel(channel.FirstID))
		}
	}
}

// show puts storage and tracks into the outcome. The error names the parts that it
// cannot show; the outcome has the others.
func (r *rig) show(c *Case) error {
	var failed []error
	for _, a := range c.areas {
		p := make([]byte, a.size)
		if _, err := r.m.Storage.Load(a.at, p); err != nil {
			failed = append(failed, fmt.Errorf("storage at %s: %w", a.name, err))
			continue
		}
		if r.out.Dump == nil {
			r.out.Dump = make(map[string]string)
		}
		r.out.Dump[a.name] = fmt.Sprintf("%x", p)
	}
	for _, t := range c.Tracks {
		content, err := r.track(t)
		if err != nil {
			failed = append(failed, fmt.Errorf("track %v: %w", t, err))
			continue
		}
		if r.out.Tracks == nil {
			r.out.Tracks = make(map[string]TrackContent)
		}
		r.out.Tracks[t.String()] = content
	}
	return errors.Join(failed...)
}

func (r *rig) track(t Track) (TrackContent, error) {
	if r.medium.ckd == nil {
		return TrackContent{}, errors.New("the volume has blocks, not tracks")
	}
	g := r.medium.ckd.Geometry()
	if t[0] >= g.Cylinders || t[1] >= g.Heads {
		return TrackContent{}, fmt.Errorf("the volume has %d cylinders of %d heads", g.Cylinders, g.Heads)
	}
	track, err := r.medium.ckd.Track(t[0]*g.Heads + t[1])
	if err != nil {
		return TrackContent{}, err
	}
	return listTrack(track)
}
