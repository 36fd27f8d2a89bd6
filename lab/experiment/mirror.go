package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/go-hclog"
)

// mirrorCache bounds the cached tracks of each volume of Mirror, which reads and
// writes each once: as little as stays in the processor's own cache.
const mirrorCache = 1 << 20

// MirrorOptions says how one volume is made a mirror of another.
type MirrorOptions struct {
	Log hclog.Logger
	// Progress, if not nil, is told now and then what share of the tracks, 0 to 1,
	// has been copied.
	Progress func(share float64, copying string)
	// Stopped as in Options.
	Stopped func()
	// Streams is how many copies of tracks are under way at once; 0 is
	// mirror.DefaultStreams.
	Streams int
	// PrimaryShadows are the shadow files that lie on the primary's image, the
	// topmost last, and MirrorShadows those on the mirror's, of which only the
	// topmost is written to.
	PrimaryShadows, MirrorShadows []string
	// IgnoreOpened writes to a compressed mirror although its OPENED bit is on: its
	// last user did not close it.
	IgnoreOpened bool
	// NoSync leaves it to the operating system when the mirror is durable.
	NoSync bool
}

// Mirrored is what a synchronisation did.
type Mirrored struct {
	Primary string `json:"primary"`
	Mirror  string `json:"mirror"`
	Device  string `json:"device"`
	Tracks  int64  `json:"tracks"` // or groups of blocks
	// Programs is how many channel programs the two devices executed, and
	// BytesRead and BytesWritten what they moved.
	Programs     uint64  `json:"channelPrograms"`
	BytesRead    uint64  `json:"bytesRead"`
	BytesWritten uint64  `json:"bytesWritten"`
	VirtualS     float64 `json:"virtualSeconds"`
}

// Mirror makes the volume in the image file at mirror identical to the one at
// primary: a machine with the two as a pair reads every track of the primary and
// writes it to the mirror, with channel programs. The primary stays as it is.
func Mirror(ctx context.Context, primary, mirror string, o MirrorOptions) (m *Mirrored, err error) {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	c := Default()
	c.Primary.Image, c.Primary.ImageMode, c.Primary.Aliases = primary, "read-only", 0
	c.Mirror.Image, c.Mirror.ImageMode, c.Mirror.Aliases = mirror, "read-write", 0
	c.Primary.Shadows, c.Mirror.Shadows = o.PrimaryShadows, o.MirrorShadows
	c.Mirror.IgnoreOpened = o.IgnoreOpened
	c.Policies = nil // none is run
	c.Primary.ImageCache, c.Mirror.ImageCache = mirrorCache, mirrorCache
	r := &run{config: &c, opts: Options{Log: o.Log, Progress: o.Progress, Stopped: o.Stopped, Streams: o.Streams, NoSync: o.NoSync}}
	if err := c.checkImages(); err != nil {
		return nil, err
	}
	err = r.buildMachine()
	defer func() { err = errors.Join(err, r.storage.close()) }()
	if err != nil {
		return nil, err
	}
	if err := r.synchroniseAll(ctx); err != nil {
		return nil, fmt.Errorf("%s to %s: %w", primary, mirror, err)
	}
	p, s := r.storage.pairs[0].primary.device.Stats(), r.storage.pairs[0].mirrors[0].device.Stats()
	return &Mirrored{
		Primary: primary, Mirror: mirror, Device: r.storage.geometry.Name,
		Tracks: int64(r.lastCopied()), Programs: p.Programs + s.Programs,
		BytesRead: p.BytesRead, BytesWritten: s.BytesWrite, VirtualS: seconds(r.m.Clock.Now()),
	}, nil
}

// WriteText writes the outcome for people.
func (m *Mirrored) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %s mirrored to %s, %d tracks, %d channel programs, %d bytes read, %d written, %.1f s of virtual time\n",
		m.Primary, m.Device, m.Mirror, m.Tracks, m.Programs, m.BytesRead, m.BytesWritten, m.VirtualS)
	return err
}
