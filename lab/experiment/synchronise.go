package experiment

import (
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/lab/report"
)

// Synchronise says how mirrors are made identical to their primaries while the
// workload goes on (FIG. 2).
type Synchronise struct {
	// Full copies every track, not only those that are marked.
	Full bool `koanf:"full" json:"full,omitempty"`
	// Threshold is how many changed tracks are left to the last copy, with writes
	// held; 0 is DefaultThreshold.
	Threshold int `koanf:"threshold" json:"threshold,omitempty"`
	// Rounds, Streams and TracksPerSecond are as in mirror.SyncOptions.
	Rounds          int `koanf:"rounds" json:"rounds,omitempty"`
	Streams         int `koanf:"streams" json:"streams,omitempty"`
	TracksPerSecond int `koanf:"tracks-per-second" json:"tracks_per_second,omitempty"`
}

// DefaultThreshold is that of a synchronisation.
const DefaultThreshold = 8

func (s *Synchronise) check() *setting {
	switch {
	case s.Threshold < 0:
		return unfit("synchronise.threshold", "is %d: want 0 tracks or more", s.Threshold)
	case s.Rounds < 0:
		return unfit("synchronise.rounds", "is %d: want 0 (%d of them) or more", s.Rounds, mirror.DefaultRounds)
	case s.Streams < 0 || s.Streams > mirror.MaxStreams:
		return unfit("synchronise.streams", "is %d: want 0 (%d of them) to %d", s.Streams, mirror.DefaultStreams, mirror.MaxStreams)
	case s.TracksPerSecond < 0:
		return unfit("synchronise.tracks-per-second", "is %d: want 0 (no limit) or more", s.TracksPerSecond)
	}
	return nil
}

// copying is a synchronisation, under way or ended, or one that could not begin.
type copying struct {
	name  string       // of the mirror
	sync  *mirror.Sync // nil for one that could not begin
	begun machine.Time
	ended machine.Time // 0 before
	err   error
}

// synchronise brings a mirror's marked tracks over and lets it follow the
// primary again. A mirror that is being synchronised already is left alone, and
// the synchronisation counts as one that has failed.
func (r *run) synchronise(f Fault, _ *volume) error {
	s := &r.config.Synchronise
	threshold := s.Threshold
	if threshold == 0 {
		threshold = DefaultThreshold
	}
	err := r.makeIdentical(f.Pair, f.Mirror, mirror.SyncOptions{
		Full: s.Full, Threshold: threshold, MaxRounds: s.Rounds, Streams: s.Streams, TracksPerSecond: s.TracksPerSecond,
	})
	if errors.Is(err, mirror.ErrBusy) {
		now := r.m.Clock.Now()
		r.opts.Log.Warn("not synchronised", "time", now, "error", err)
		r.copies = append(r.copies, &copying{name: r.config.mirrorName(f.Pair, f.Mirror), begun: now, ended: now, err: mirror.ErrBusy})
		return nil
	}
	return err
}

// makeIdentical synchronises a mirror of a pair, both numbered from 1; what the
// options say of the devices is filled in.
func (r *run) makeIdentical(number, place int, o mirror.SyncOptions) error {
	p := &r.storage.pairs[number-1]
	c := &copying{name: r.config.mirrorName(number, place), begun: r.m.Clock.Now()}
	o.Changed = p.volumeOf(p.Primary()).device.ChangedTracks()
	o.RecordsATrack = max(1, r.storage.geometry.RecordsPerTrack(0, program.BlockSize))
	done := o.Done
	o.Done = func(err error) {
		c.ended, c.err = r.m.Clock.Now(), err
		if err != nil {
			r.opts.Log.Warn("synchronisation failed", "mirror", c.name, "error", err)
		} else {
			r.opts.Log.Info("synchronised", "mirror", c.name, "time", c.ended, "tracks", c.sync.Progress().Copied)
		}
		if done != nil {
			done(err)
		}
	}
	var err error
	if c.sync, err = r.mirror.Synchronise(p.Mirrors()[place-1], o); err == nil {
		r.copies = append(r.copies, c)
	}
	return err
}

// progress tells how far the synchronisation is.
func (c *copying) progress() mirror.SyncProgress {
	if c.sync == nil {
		return mirror.SyncProgress{Ended: true}
	}
	return c.sync.Progress()
}

// lastCopied is how many tracks the latest synchronisation has copied.
func (r *run) lastCopied() uint64 {
	if len(r.copies) == 0 {
		return 0
	}
	return r.copies[len(r.copies)-1].progress().Copied
}

// copyingNow says which mirrors are being synchronised and how far that is.
func (r *run) copyingNow() string {
	n, left, text := 0, 0, ""
	for _, c := range r.copies {
		if p := c.progress(); !p.Ended {
			n++
			left += p.Left
			text = fmt.Sprintf("synchronising %s, round %d", c.name, p.Round)
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s, %d tracks left", text, left)
	}
	return fmt.Sprintf("synchronising %d mirrors, %d tracks left", n, left)
}

// synchronised is what the report says of the synchronisations.
func (r *run) synchronised() (all []report.Synchronisation) {
	for _, c := range r.copies {
		p := c.progress()
		s := report.Synchronisation{
			Mirror: c.name, BegunS: seconds(c.begun), EndedS: seconds(c.ended), Rounds: p.Round, Tracks: int64(p.Copied), HeldS: seconds(p.HeldFor),
		}
		if c.err != nil {
			s.Error = c.err.Error()
		}
		all = append(all, s)
	}
	return all
}
