package player

import (
	"context"
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/lab/rig"
)

// Copies makes mirrors of a rig identical to their primaries, and keeps a list of
// all synchronisations that were asked for.
type Copies struct {
	rig *rig.Rig
	all []*Copy // in the order in which they were begun
}

// Copy is a synchronisation, under way or ended, or one that could not begin.
type Copy struct {
	// Mirror is the mirror's name.
	Mirror string
	Begun  machine.Time
	// Ended is the virtual time of the end; before the end it is 0, and Err nil.
	Ended machine.Time
	Err   error

	sync *mirror.Sync // nil for one that could not begin
}

// NewCopies makes Copies of a rig's mirrors; none is begun.
func NewCopies(r *rig.Rig) *Copies { return &Copies{rig: r} }

// Begin begins to synchronise a mirror of a pair, both numbered from 1. It fills in
// the options that depend on the devices.
func (c *Copies) Begin(pair, place int, o mirror.SyncOptions) error {
	p := &c.rig.Pairs[pair-1]
	k := &Copy{Mirror: c.rig.MirrorName(pair, place), Begun: c.now()}
	o.Changed = p.VolumeOf(p.Primary()).Device.ChangedTracks()
	o.RecordsATrack = max(1, c.rig.RecordsATrack())
	done := o.Done
	o.Done = func(err error) {
		k.Ended, k.Err = c.now(), err
		if err != nil {
			c.rig.Log.Warn("synchronisation failed", "mirror", k.Mirror, "error", err)
		} else {
			c.rig.Log.Info("synchronised", "mirror", k.Mirror, "time", k.Ended, "tracks", k.sync.Progress().Copied)
		}
		if done != nil {
			done(err)
		}
	}
	var err error
	if k.sync, err = c.rig.Mirroring.Synchronise(p.Mirrors()[place-1], o); err == nil {
		c.all = append(c.all, k)
	}
	return err
}

// refused notes a synchronisation that could not begin.
func (c *Copies) refused(pair, place int, why error) {
	now := c.now()
	c.all = append(c.all, &Copy{Mirror: c.rig.MirrorName(pair, place), Begun: now, Ended: now, Err: why})
}

// Whole makes every mirror of the first pair identical to the primary, one after the
// other, with streams copies of tracks under way at once; 0 stands for
// mirror.DefaultStreams. The loop runs meanwhile.
func (c *Copies) Whole(ctx context.Context, l *Loop, streams int) error {
	for i := range c.rig.Pairs[0].Mirrors() {
		done, failed := false, error(nil)
		err := c.Begin(1, i+1, mirror.SyncOptions{Full: true, Whole: true, Streams: streams, Done: func(err error) { done, failed = true, err }})
		if err == nil {
			err = l.Run(ctx)
		}
		if err == nil {
			err = failed
		}
		if err == nil && !done {
			err = errors.New("has not ended")
		}
		if err != nil {
			return fmt.Errorf("synchronisation of mirror %d: %w", i+1, err)
		}
	}
	return nil
}

func (c *Copies) now() machine.Time { return c.rig.Machine.Clock.Now() }

// All returns the synchronisations that were asked for, in order.
func (c *Copies) All() []*Copy { return c.all }

// Any reports whether a synchronisation was asked for.
func (c *Copies) Any() bool { return len(c.all) != 0 }

// Progress returns the progress of the synchronisation.
func (k *Copy) Progress() mirror.SyncProgress {
	if k.sync == nil {
		return mirror.SyncProgress{Ended: true}
	}
	return k.sync.Progress()
}

// Last returns the number of tracks that the latest synchronisation has copied.
func (c *Copies) Last() uint64 {
	if len(c.all) == 0 {
		return 0
	}
	return c.all[len(c.all)-1].Progress().Copied
}

// Share returns the share of the volume, 0 to 1, that the latest synchronisation has
// copied.
func (c *Copies) Share() float64 { return min(1, float64(c.Last())/float64(c.rig.Geometry.Tracks())) }

// Now returns a text with the mirrors that are being synchronised and their
// progress; it is empty when there are none.
func (c *Copies) Now() string {
	n, left, text := 0, 0, ""
	for _, k := range c.all {
		if p := k.Progress(); !p.Ended {
			n++
			left += p.Left
			text = fmt.Sprintf("synchronising %s, round %d", k.Mirror, p.Round)
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
