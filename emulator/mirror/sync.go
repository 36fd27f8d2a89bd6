package mirror

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
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
	// Threshold is how many tracks may have changed during a copy for the last
	// copy, with writes held, to follow (step 78).
	Threshold int
	// MaxRounds is how many copies are made with writes allowed before the last
	// one follows whatever the threshold says; 0 stands for DefaultRounds.
	MaxRounds int
	// Streams is how many copies of tracks are under way at once; 0 stands for
	// DefaultStreams.
	Streams int
	// TracksPerSecond throttles the copies made with writes allowed; 0 does not.
	TracksPerSecond int
	// Changed is the primary device's mask.
	Changed ChangedTracks
	// RecordsATrack is how many 4 KiB records a formatted track of the devices
	// has. Tracks that are formatted otherwise are copied whole, one by one.
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

// Sync is a synchronisation under way (FIG. 2).
type Sync struct {
	p       *Process
	m       *intercept.Mirror
	o       SyncOptions
	todo    []uint64 // tracks of the round
	next    uint32
	left    int
	busy    int
	phase   phase
	round   int
	copied  uint64
	failed  error
	streams []*stream
	run     uint32 // tracks that a stream copies at once, if not whole
	pace    machine.Time
	held    *ios.UCB // on which writes are held, or nil
	heldAt  machine.Time
	heldFor machine.Time
	changed *changed // of a copy of the tracks that a request has changed, else nil
}

type phase uint8

const (
	copying   phase = iota // writes allowed (74, 80)
	draining               // writes held, those under way still ending (82)
	finishing              // the last copy (84)
	ended
)

// SyncProgress is how far a synchronisation is.
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
	return SyncProgress{s.round, s.left, s.copied, s.held != nil, s.heldFor, s.phase == ended}
}

const kindDrained = machine.KindMirror + 1

// DrainPatience is how long a synchronisation keeps writes held while those under
// way end. It is above what missing-interrupt handling takes to end one; a
// synchronisation that has to wait for longer fails.
const DrainPatience = 20 * machine.Second

// drainInterval is how often the mirror process looks whether writes that were
// under way have ended.
const drainInterval = 50 * machine.Microsecond

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
	s := &Sync{p: p, m: m, o: o, todo: make([]uint64, (pair.Geometry().Tracks+63)/64), run: tracksAtOnce(pair.Geometry(), o.RecordsATrack)}
	for len(s.streams) < o.Streams {
		t, err := p.newStream(s)
		if err != nil {
			p.free = append(p.free, s.streams...)
			return nil, fmt.Errorf("pair %d, mirror %d: %w", pair.ID, m.Index()+1, err)
		}
		s.streams = append(s.streams, t)
	}
	m.Synchronising()
	p.active = append(p.active, s)
	p.step(step.ClearChangedTracks, 0)
	o.Changed.Clear()
	if o.Full {
		m.MarkAll()
	}
	for t, ok := m.NextMarked(0); ok; t, ok = m.NextMarked(t + 1) {
		s.add(t)
	}
	// The label says so before the first track is copied, so that whoever reads
	// it meanwhile learns of it; its track is copied with the others. A volume
	// without a label is synchronised all the same.
	p.step(step.WriteLabel, 0)
	err := p.label(p.m.Clock.Now(), m, true, abi.MirrorSynchronising, func(_ *machine.Processor, _ abi.MirrorState, err error) {
		// After an error nobody knows whether the label was written.
		if pair.Geometry().Class == abi.ClassECKD {
			m.Mark(labelTrack)
			s.add(labelTrack)
		}
		p.step(step.CopyEveryTrack, 0)
		s.begin()
	})
	return s, err
}

// busy reports whether tracks are being copied to m: a second copy could bring an
// older state of a track after a newer one.
func (p *Process) busy(m *intercept.Mirror) bool {
	for _, s := range p.active {
		if s.m == m {
			return true
		}
	}
	return false
}

// inactive notes that s copies nothing any more.
func (p *Process) inactive(s *Sync) {
	for i, o := range p.active {
		if o == s {
			p.active = append(p.active[:i], p.active[i+1:]...)
			return
		}
	}
}

// labelTrack is where the volume label is.
const labelTrack = 0

func (p *Process) step(n machine.Step, io uint64) {
	if r := p.m.Steps; r != nil {
		r.Step(p.m.Clock.Now(), n, who, io)
	}
}

func (s *Sync) add(t uint32) {
	if w, b := &s.todo[t/64], uint64(1)<<(t%64); *w&b == 0 {
		*w |= b
		s.left++
	}
}

func (s *Sync) has(t uint32) bool {
	return t < s.m.Pair().Geometry().Tracks && s.todo[t/64]&(1<<(t%64)) != 0
}

// begin starts a round's copies.
func (s *Sync) begin() {
	s.next = 0
	s.round++
	s.pace = s.p.m.Clock.Now()
	for _, t := range s.streams {
		t.idle = true
	}
	s.feed()
}

// feed gives idle streams tracks to copy, and ends the round when there are
// none.
func (s *Sync) feed() {
	for _, t := range s.streams {
		if t.idle && s.left > 0 && s.failed == nil {
			s.take(t)
		}
	}
	if s.busy == 0 {
		s.roundDone()
	}
}

// take gives the next run of tracks to a stream.
func (s *Sync) take(t *stream) {
	first := s.next
	for !s.has(first) {
		first++
	}
	run := s.run
	if s.whole() && s.m.Pair().Geometry().Class == abi.ClassECKD {
		run = 1
	}
	n := uint32(1)
	for n < run && s.has(first+n) {
		n++
	}
	for i := range n {
		s.todo[(first+i)/64] &^= 1 << ((first + i) % 64)
	}
	s.left -= int(n)
	s.next = first + n
	s.busy++
	at := s.p.m.Clock.Now()
	if s.o.TracksPerSecond > 0 && s.phase == copying {
		at = max(at, s.pace)
		s.pace = at + machine.Time(n)*machine.Second/machine.Time(s.o.TracksPerSecond)
	}
	t.start(at, first, n)
}

// streamDone is told by a stream that its tracks are done.
func (s *Sync) streamDone(t *stream, err error) {
	t.idle = true
	s.busy--
	if err != nil && s.failed == nil {
		s.failed = err
	}
	if err == nil {
		s.copied += uint64(t.n)
	}
	s.lookForCut()
	s.feed()
}

// lookForCut gives the synchronisation up when the mirror has been dissociated.
func (s *Sync) lookForCut() {
	if s.changed == nil && s.failed == nil && s.m.State != abi.MirrorSynchronising {
		s.failed = errCut
	}
}

// roundDone decides what follows a copy.
func (s *Sync) roundDone() {
	if s.phase == ended {
		return
	}
	s.lookForCut()
	if s.failed != nil {
		s.end(s.failed)
		return
	}
	if s.phase == finishing {
		s.end(nil)
		return
	}
	s.p.step(step.ReadChangedTracks, 0)
	changed := s.o.Changed.Count()
	s.p.step(step.CompareWithThreshold, 0)
	if changed > s.o.Threshold && s.round < s.o.MaxRounds {
		s.p.step(step.CopyChangedTracks, 0)
		s.addChanged()
		s.begin()
		return
	}
	s.p.step(step.SuspendWrites, 0)
	s.phase = draining
	s.hold()
	s.Event(kindDrained, 0)
}

// addChanged puts the tracks of the mask, and those that the account has marked
// meanwhile, into the next copy and clears the mask.
func (s *Sync) addChanged() {
	for t := s.o.Changed.Next(0); t >= 0; t = s.o.Changed.Next(t + 1) {
		s.add(uint32(t))
	}
	for t, ok := s.m.NextMarked(0); ok; t, ok = s.m.NextMarked(t + 1) {
		s.add(t)
	}
	s.o.Changed.Clear()
}

// Event looks whether the writes that were under way have ended; then nothing
// can change any more, and the last copy begins.
func (s *Sync) Event(kind machine.Kind, arg uint64) {
	if s.changed != nil {
		s.copyEvent(kind, arg)
		return
	}
	if s.m.Pair().Writing() != 0 || s.m.Waiting() != 0 {
		if s.lookForCut(); s.failed == nil && s.p.m.Clock.Now() >= s.heldAt+DrainPatience {
			s.failed = fmt.Errorf("writes under way have not ended within %v", DrainPatience)
		}
		if s.failed != nil {
			s.end(s.failed)
			return
		}
		s.p.m.Clock.At(s.p.m.Clock.Now()+drainInterval, s, kindDrained, uint64(s.m.Pair().ID))
		return
	}
	s.phase = finishing
	s.p.step(step.CopyLastTracks, 0)
	s.addChanged()
	s.begin()
}

// end lets writes go on. After an error the mirror stays cut off, with every
// track marked that is not known to be the same.
func (s *Sync) end(err error) {
	if s.changed != nil {
		s.endCopy(err)
		return
	}
	s.phase = ended
	if err != nil {
		for t := s.o.Changed.Next(0); t >= 0; t = s.o.Changed.Next(t + 1) {
			s.m.Mark(uint32(t))
		}
		for i := range s.todo {
			for w := s.todo[i]; w != 0; w &= w - 1 {
				s.m.Mark(uint32(i*64) + uint32(bits.TrailingZeros64(w)))
			}
		}
		if s.m.State == abi.MirrorSynchronising {
			s.m.State = abi.MirrorSuspended
		}
	} else {
		s.m.Synchronised(s.p.m.Clock.Now())
	}
	for _, t := range s.streams {
		t.restore()
	}
	s.p.free = append(s.p.free, s.streams...)
	s.p.inactive(s)
	s.p.step(step.ResumeWrites, 0)
	s.release()
	if s.o.Done != nil {
		s.o.Done(err)
	}
}

// hold keeps the primary from starting requests that write.
func (s *Sync) hold() {
	s.held, s.heldAt = s.m.Pair().Primary(), s.p.m.Clock.Now()
	s.p.x.Supervisor().HoldWrites(s.held)
}

// release ends hold.
func (s *Sync) release() {
	if s.held != nil {
		s.p.release(s.held)
		s.held, s.heldFor = nil, s.p.m.Clock.Now()-s.heldAt
	}
}

// release lets a unit start requests that write again, from a unit of work.
func (p *Process) release(u *ios.UCB) {
	r := &releaser{p: p, u: u}
	r.srb.Entry = r
	r.srb.Priority = machine.PriorityHigh
	r.srb.Parm = uint64(u.Index)
	p.m.Dispatcher.Schedule(p.m.Clock.Now(), &r.srb)
}

type releaser struct {
	p   *Process
	u   *ios.UCB
	srb machine.SRB
}

// Enter drives what has waited.
func (r *releaser) Enter(cpu *machine.Processor, _ *machine.SRB) {
	r.p.x.Supervisor().Release(cpu, r.u)
}

// tracksAtOnce is how many tracks one channel program copies.
func tracksAtOnce(g chain.Geometry, recordsATrack int) uint32 {
	if g.Class == abi.ClassFBA {
		return max(1, program.MaxBlocks*(program.BlockSize/512)/g.TrackBlocks)
	}
	return uint32(max(1, program.MaxBlocks/recordsATrack))
}
