package mirror

import (
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
)

// ChangedTracks is the changed-track mask that a storage subsystem keeps of a
// device: a bit a track, set when the track is written.
type ChangedTracks interface {
	Clear()
	Count() int
	// Next is the first changed track from t on, or -1.
	Next(t int) int
}

// SyncOptions say how a mirror is made identical to its primary.
type SyncOptions struct {
	// Full copies every track; otherwise only those that the account has marked.
	Full bool
	// Threshold is the number of tracks that may have changed during a copy for the last
	// copy, with writes held, to follow (step 78).
	Threshold int
	// MaxRounds is the number of copies that are made with writes allowed before the last
	// one follows whatever the threshold says; 0 stands for DefaultRounds.
	MaxRounds int
	// Streams is the number of copies of tracks under way at once; 0 stands for
	// DefaultStreams.
	Streams int
	// TracksPerSecond throttles the copies made with writes allowed; 0 does not.
	TracksPerSecond int
	// Changed is the primary device's mask.
	Changed ChangedTracks
	// RecordsATrack is the number of 4 KiB records on a formatted track of the
	// devices. Tracks that are formatted otherwise are copied whole, one by one.
	RecordsATrack int
	// Whole copies all tracks of a CKD device whole. That is faster where the
	// tracks of either side are not formatted in records of 4 KiB, as on volumes of
	// files, and slower where they are.
	Whole bool
	// Done, if not nil, is called when the synchronisation has ended.
	Done func(err error)
}

// Defaults of SyncOptions.
const (
	DefaultRounds  = 16
	DefaultStreams = 4
	// MaxStreams is the most copies under way at once.
	MaxStreams = 64
)

// errCut says that the mirror has been dissociated while it was synchronised.
var errCut = errors.New("the mirror was dissociated meanwhile")

// ErrBusy says that the mirror is being synchronised already.
var ErrBusy = errors.New("is being synchronised already")

// DrainPatience is the longest time for which a synchronisation keeps writes held while those under
// way end. It is above what missing-interrupt handling takes to end one; a
// synchronisation that has to wait for longer fails.
const DrainPatience = 20 * machine.Second

// Sync is a synchronisation under way (FIG. 2): a driver of a copier.
type Sync struct {
	copier  copier
	o       SyncOptions
	state   syncState
	round   int
	pace    machine.Time // the throttle lets the next tracks begin then
	heldAt  machine.Time
	heldFor machine.Time
}

// syncState is the state of a synchronisation.
type syncState uint8

const (
	syncLabelling syncState = iota // the label is being written
	syncCopying                    // writes allowed (74, 80)
	syncDraining                   // writes held, those under way still ending (82)
	syncFinishing                  // writes held, the last copy (84)
	syncEnded
)

// holds reports whether writes are held.
func (s syncState) holds() bool { return s == syncDraining || s == syncFinishing }

// enter puts the synchronisation into a state. The hold on writes follows.
func (s *Sync) enter(to syncState) {
	was := s.state
	s.state = to
	switch {
	case to.holds() && !was.holds():
		s.heldAt = s.now()
		s.copier.hold()
	case was.holds() && !to.holds():
		s.heldFor = s.now() - s.heldAt
		s.copier.release()
	}
}

func (s *Sync) now() machine.Time { return s.copier.p.m.Clock.Now() }

// SyncProgress describes the progress of a synchronisation.
type SyncProgress struct {
	Round  int    // copies begun
	Left   int    // tracks of this copy not begun
	Copied uint64 // tracks copied, over all rounds
	Held   bool   // writes are held
	// HeldFor is for how long writes were held.
	HeldFor machine.Time
	Ended   bool
}

// Progress tells how far the synchronisation is.
func (s *Sync) Progress() SyncProgress {
	return SyncProgress{s.round, s.copier.todo.count, s.copier.copied, s.state.holds(), s.heldFor, s.state == syncEnded}
}

// Synchronise makes the mirror identical to its primary while applications go on
// (steps 72 to 86). It returns at once; SyncOptions.Done tells of the end.
func (p *Process) Synchronise(m *intercept.Mirror, o SyncOptions) (*Sync, error) {
	pair := m.Pair()
	if m.State == abi.MirrorSynchronising || p.busy(m) {
		return nil, fmt.Errorf("pair %d, mirror %d: %w", pair.ID, m.Index()+1, ErrBusy)
	}
	if o.Streams == 0 {
		o.Streams = DefaultStreams
	}
	if o.MaxRounds == 0 {
		o.MaxRounds = DefaultRounds
	}
	if o.Streams < 1 || o.Streams > MaxStreams || o.MaxRounds < 1 || o.Threshold < 0 || o.RecordsATrack < 1 || o.Changed == nil {
		return nil, fmt.Errorf("pair %d, mirror %d: synchronise with %d streams (1 to %d), %d rounds, threshold %d, %d records a track", pair.ID, m.Index()+1, o.Streams, MaxStreams, o.MaxRounds, o.Threshold, o.RecordsATrack)
	}
	s := &Sync{o: o}
	s.copier.p, s.copier.driver = p, s
	how := manner{run: tracksAtOnce(pair.Geometry(), o.RecordsATrack), recordsATrack: o.RecordsATrack, whole: o.Whole}
	if err := s.copier.open(m, how, o.Streams); err != nil {
		return nil, fmt.Errorf("pair %d, mirror %d: %w", pair.ID, m.Index()+1, err)
	}
	l, err := p.newLabelIO()
	if err != nil {
		s.copier.close()
		return nil, fmt.Errorf("pair %d, mirror %d: %w", pair.ID, m.Index()+1, err)
	}
	m.Synchronising()
	p.step(step.ClearChangedTracks, 0)
	o.Changed.Clear()
	if o.Full {
		m.MarkAll()
	}
	s.addMarked()
	// The label says so before the first track is copied, so that whoever reads
	// it meanwhile learns of it. A volume without a label is synchronised all the
	// same.
	p.step(step.WriteLabel, 0)
	l.begin(p.m.Clock.Now(), m, true, abi.MirrorSynchronising, func(*machine.Processor, abi.MirrorState, error) { s.labelled() })
	return s, nil
}

// labelTrack is the track of the volume label.
const labelTrack = 0

// labelled begins the first copy. The track of the label is copied with the others,
// after an error too: nobody knows then whether the label was written.
func (s *Sync) labelled() {
	m := s.copier.m
	if m.Pair().Geometry().Class == abi.ClassECKD {
		m.Mark(labelTrack)
		s.copier.todo.add(labelTrack)
	}
	s.copier.p.step(step.CopyEveryTrack, 0)
	s.enter(syncCopying)
	s.begin()
}

func (p *Process) step(n machine.Step, io uint64) {
	if r := p.m.Steps; r != nil {
		r.Step(p.m.Clock.Now(), n, who, io)
	}
}

// begin starts a round's copies.
func (s *Sync) begin() {
	s.round++
	s.pace = s.now()
	s.copier.begin()
}

// when keeps the copies made with writes allowed to the throttle.
func (s *Sync) when(n uint32) machine.Time {
	at := s.now()
	if s.o.TracksPerSecond > 0 && s.state == syncCopying {
		at = max(at, s.pace)
		s.pace = at + machine.Time(n)*machine.Second/machine.Time(s.o.TracksPerSecond)
	}
	return at
}

// allow lets a copy that has begun go on, though the mirror may have been dissociated
// meanwhile: ran and finished see that.
func (s *Sync) allow() error { return nil }

// ran leaves a track that others format meanwhile, and that is marked, to the next
// copy, and has nothing more copied to a mirror that has been dissociated.
func (s *Sync) ran(err error) error {
	if err == nil || errors.Is(err, errFormatted) && s.state == syncCopying {
		return s.cut()
	}
	return err
}

// cut returns an error when the mirror has been dissociated.
func (s *Sync) cut() error {
	if s.copier.m.State != abi.MirrorSynchronising {
		return errCut
	}
	return nil
}

// finished decides what follows a copy.
func (s *Sync) finished(err error) {
	if err == nil {
		err = s.cut()
	}
	if err != nil || s.state == syncFinishing {
		s.end(err)
		return
	}
	p := s.copier.p
	p.step(step.ReadChangedTracks, 0)
	changed := s.o.Changed.Count()
	p.step(step.CompareWithThreshold, 0)
	if changed > s.o.Threshold && s.round < s.o.MaxRounds {
		p.step(step.CopyChangedTracks, 0)
		s.addChanged()
		s.begin()
		return
	}
	p.step(step.SuspendWrites, 0)
	s.enter(syncDraining)
	s.drain()
}

// addMarked puts the tracks that the account has marked into the next copy.
func (s *Sync) addMarked() {
	m := s.copier.m
	for t, ok := m.NextMarked(0); ok; t, ok = m.NextMarked(t + 1) {
		s.copier.todo.add(t)
	}
}

// addChanged puts the tracks of the mask, and those that the account has marked
// meanwhile, into the next copy and clears the mask.
func (s *Sync) addChanged() {
	for t := s.o.Changed.Next(0); t >= 0; t = s.o.Changed.Next(t + 1) {
		s.copier.todo.add(uint32(t))
	}
	s.addMarked()
	s.o.Changed.Clear()
}

// Event looks again whether the writes that were under way have ended.
func (s *Sync) Event(machine.Kind, uint64) { s.drain() }

// drain begins the last copy once the writes that were under way have ended: nothing
// can change any more then.
func (s *Sync) drain() {
	m := s.copier.m
	if m.Pair().Writing() == 0 && m.Waiting() == 0 {
		s.enter(syncFinishing)
		s.copier.p.step(step.CopyLastTracks, 0)
		s.addChanged()
		s.begin()
		return
	}
	err := s.cut()
	if err == nil && s.now() >= s.heldAt+DrainPatience {
		err = fmt.Errorf("writes under way have not ended within %v", DrainPatience)
	}
	if err != nil {
		s.end(err)
		return
	}
	s.copier.look(s.now()+drainInterval, s)
}

// end lets writes go on. After an error the mirror stays cut off, with every
// track marked that is not known to be the same.
func (s *Sync) end(err error) {
	m := s.copier.m
	if err != nil {
		s.markRest()
		if m.State == abi.MirrorSynchronising {
			m.State = abi.MirrorSuspended
		}
	} else {
		m.Synchronised(s.now())
	}
	s.copier.close()
	s.copier.p.step(step.ResumeWrites, 0)
	s.enter(syncEnded)
	if s.o.Done != nil {
		s.o.Done(err)
	}
}

// markRest marks what has changed since the latest copy was begun, and what is left
// of that copy.
func (s *Sync) markRest() {
	m := s.copier.m
	for t := s.o.Changed.Next(0); t >= 0; t = s.o.Changed.Next(t + 1) {
		m.Mark(uint32(t))
	}
	for t, ok := s.copier.todo.next(0); ok; t, ok = s.copier.todo.next(t + 1) {
		m.Mark(t)
	}
}
