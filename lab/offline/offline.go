// Package offline makes the volume in one image file a mirror of the volume in
// another. The two are a pair of an emulated machine without a policy, on which the
// mirror process copies every track with channel programs. No workload is played.
package offline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/player"
	"github.com/iosrun/iosrun/lab/rig"
)

// cache is the size in bytes of the track cache of each volume of Mirror. Each track
// is read or written only once, so a size that fits the processor's own cache is
// best.
const cache = 1 << 20

// Options holds the options of Mirror.
type Options struct {
	Log hclog.Logger
	// Progress, if not nil, is called now and then with the share of the tracks, 0 to
	// 1, that has been copied.
	Progress func(share float64, copying string)
	// Stopped, if not nil, is called when the synchronisation has noticed the end of
	// its context, before it returns.
	Stopped func()
	// Streams is the number of copies of tracks that are under way at once; 0 stands
	// for mirror.DefaultStreams.
	Streams int
	// PrimaryShadows lists the shadow files, which hold changes to the primary's
	// image, the topmost last, and MirrorShadows the mirror's, of which only the
	// topmost is written to.
	PrimaryShadows, MirrorShadows []string
	// IgnoreOpened writes to a compressed mirror although its OPENED bit is on: its
	// last user did not close it.
	IgnoreOpened bool
	// NoSync lets the operating system decide when the mirror becomes durable.
	NoSync bool
}

// Result holds the counts of a synchronisation.
type Result struct {
	Primary string `json:"primary"`
	Mirror  string `json:"mirror"`
	Device  string `json:"device"`
	Tracks  int64  `json:"tracks"` // or groups of blocks
	// Programs is the number of channel programs that the two devices executed, and
	// BytesRead and BytesWritten the numbers of bytes that they moved.
	Programs     uint64  `json:"channelPrograms"`
	BytesRead    uint64  `json:"bytesRead"`
	BytesWritten uint64  `json:"bytesWritten"`
	VirtualS     float64 `json:"virtualSeconds"`
}

// Mirror makes the volume in the image file at mirror identical to the one at
// primary: a machine with the two as a pair reads every track of the primary and
// writes it to the mirror, with channel programs. The primary stays as it is.
func Mirror(ctx context.Context, primary, mirror string, o Options) (result *Result, err error) {
	if o.Log == nil {
		o.Log = hclog.NewNullLogger()
	}
	r, err := build(primary, mirror, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	copies := player.NewCopies(r)
	far := func() (float64, string) { return copies.Share(), copies.Now() }
	loop := player.NewLoop(r.Machine, player.Hooks{Progress: o.Progress, Stopped: o.Stopped}, far)
	if err := copies.Whole(ctx, loop, o.Streams); err != nil {
		return nil, fmt.Errorf("%s to %s: %w", primary, mirror, err)
	}
	p, s := r.Pairs[0].At(0).Device.Stats(), r.Pairs[0].At(1).Device.Stats()
	return &Result{
		Primary: primary, Mirror: mirror, Device: r.Geometry.Name,
		Tracks: int64(copies.Last()), Programs: p.Programs + s.Programs,
		BytesRead: p.BytesRead, BytesWritten: s.BytesWrite, VirtualS: float64(r.Machine.Clock.Now()) / float64(machine.Second),
	}, nil
}

// build makes a rig with the two volumes as a pair.
func build(primary, mirror string, o Options) (*rig.Rig, error) {
	c := description.Default()
	c.Primary.Aliases, c.Mirror.Aliases = 0, 0
	c.Policies = nil // none is run
	x, err := c.ParseStage()
	if err != nil {
		return nil, err
	}
	x.Machine.Primary.Image = &description.Image{Path: primary, Shadows: o.PrimaryShadows, Mode: media.ReadOnly, CacheBytes: cache}
	x.Machine.Mirrors[0].Image = &description.Image{Path: mirror, Shadows: o.MirrorShadows, Mode: media.ReadWrite, CacheBytes: cache, IgnoreOpened: o.IgnoreOpened}
	if err := x.Uses(&files.Uses{}); err != nil {
		return nil, err
	}
	return rig.Build(&x.Machine, rig.Options{Log: o.Log, NoSync: o.NoSync})
}

// WriteText writes the result for people.
func (m *Result) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %s mirrored to %s, %d tracks, %d channel programs, %d bytes read, %d written, %.1f s of virtual time\n",
		m.Primary, m.Device, m.Mirror, m.Tracks, m.Programs, m.BytesRead, m.BytesWritten, m.VirtualS)
	return err
}
