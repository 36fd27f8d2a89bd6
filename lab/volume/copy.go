package volume

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// CopyOptions holds the options of Copy.
type CopyOptions struct {
	// Source holds the options for opening the volume to copy.
	Source image.Options
	// Target holds the options for the files of the copy. Its format must be for the
	// same kind of volume as the source's; empty stands for the plain format.
	Target image.CreateOptions
	// Workers is the number of goroutines that compress in parallel; 0 stands for one
	// for each processor.
	Workers  int
	Progress Progress
}

// Copied is the outcome of a copy.
type Copied struct {
	Source   string     `json:"source"`
	Target   string     `json:"target"`
	Geometry Geometry   `json:"geometry"`
	Units    int        `json:"units"` // tracks, or block groups
	Bytes    int64      `json:"bytes"` // size of the track images, or blocks
	From     image.Info `json:"from"`
}

// Copy copies the volume at source to a new image at target, in any format that
// holds its kind. Tracks are checked on the way; after an error no target is left.
func Copy(source, target string, o CopyOptions) (*Copied, error) {
	v, err := image.Open(source, media.ReadOnly, sequential(o.Source))
	if err != nil {
		return nil, err
	}
	c, err := copyTo(v, target, o)
	if c != nil {
		c.Source, c.Target = source, target
	}
	return c, errors.Join(err, v.Close())
}

func copyTo(v image.Volume, target string, o CopyOptions) (*Copied, error) {
	g := v.Geometry()
	if o.Target.Format == "" {
		o.Target.Format = image.FormatCKD
		if g.FBA() {
			o.Target.Format = image.FormatFBA
		}
	}
	if o.Target.Format.FBA() != g.FBA() {
		return nil, fmt.Errorf("%s: format %s cannot hold a %s", target, o.Target.Format, g.Name)
	}
	if !g.FBA() {
		o.Target.Null = image.NullEmpty
	}
	b, err := image.NewBuilder(target, g, o.Target)
	if err != nil {
		return nil, err
	}
	c := &Copied{Geometry: geometryOf(g), Units: b.Units(), From: v.Info()}
	if o.Target.Format.Compressed() {
		err = c.pipeline(v, b, o)
	} else {
		err = c.straight(v, b, o.Progress)
	}
	if err != nil {
		b.Abort()
		return nil, err
	}
	return c, b.Commit()
}

// reader returns a function that reads the units of a volume for a builder: tracks
// in the volume's memory, block groups in p.
func reader(v image.Volume) func(n int, p []byte) ([]byte, error) {
	switch v := v.(type) {
	case *image.CKD:
		return func(n int, _ []byte) ([]byte, error) {
			t, err := v.Track(n)
			if err != nil {
				return nil, err
			}
			return t.Image, nil
		}
	case *image.FBA:
		total := v.Geometry().Blocks
		return func(n int, p []byte) ([]byte, error) {
			const size = image.GroupHeader + image.BlocksPerGroup*media.BlockSize
			if cap(p) < size {
				p = make([]byte, size)
			}
			p = p[:size]
			first := int64(n) * image.BlocksPerGroup
			blocks := p[image.GroupHeader:][:min(image.BlocksPerGroup, total-first)*media.BlockSize]
			clear(p[image.GroupHeader+len(blocks):])
			return p, v.ReadBlocks(first, blocks)
		}
	}
	return nil
}

// straight copies without compressing, so that reading and writing are the only
// work.
func (c *Copied) straight(v image.Volume, b *image.Builder, p Progress) error {
	read := reader(v)
	var buffer []byte
	for n := range c.Units {
		if err := p.step(n, c.Units); err != nil {
			return err
		}
		unit, err := read(n, buffer)
		if err != nil {
			return err
		}
		buffer = unit
		c.Bytes += int64(len(unit))
		if err := b.Put(n, unit); err != nil {
			return err
		}
	}
	return p.step(c.Units, c.Units)
}

// job is a unit on its way through the pipeline. Its memory is used again.
type job struct {
	n      int
	unit   []byte
	packed image.Packed
	err    error
	done   chan struct{}
}

// pipeline copies with several goroutines that compress; reading and writing
// stay on this one, in order, so that equal volumes make equal files.
func (c *Copied) pipeline(v image.Volume, b *image.Builder, o CopyOptions) error {
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	jobs := make([]*job, 4*workers)
	for i := range jobs {
		jobs[i] = &job{done: make(chan struct{}, 1)}
	}
	queue := make(chan *job, len(jobs))
	var group sync.WaitGroup
	for range workers {
		packer := b.NewPacker()
		group.Go(func() {
			for j := range queue {
				j.packed, j.err = packer.Pack(j.packed, j.n, j.unit)
				j.done <- struct{}{}
			}
		})
	}
	err := c.feed(v, b, o.Progress, jobs, queue)
	close(queue)
	group.Wait()
	return err
}

func (c *Copied) feed(v image.Volume, b *image.Builder, p Progress, jobs []*job, queue chan<- *job) error {
	read := reader(v)
	store := func(j *job) error {
		<-j.done
		if j.err != nil {
			return j.err
		}
		return b.PutPacked(j.n, j.packed)
	}
	for n := range c.Units + len(jobs) {
		j := jobs[n%len(jobs)]
		if n >= len(jobs) {
			if err := store(j); err != nil {
				return err
			}
			if err := p.step(j.n+1, c.Units); err != nil {
				return err
			}
		}
		if n >= c.Units {
			continue
		}
		unit, err := read(n, j.unit)
		if err != nil {
			return err
		}
		if !v.Geometry().FBA() {
			unit = append(j.unit[:0], unit...) // a track is valid until the next one is read
		}
		j.unit = unit
		j.n = n
		c.Bytes += int64(len(unit))
		queue <- j
	}
	return nil
}

// WriteText writes the outcome for people.
func (c *Copied) WriteText(w io.Writer) error {
	p := &printer{w: w}
	unit := "tracks"
	if c.Geometry.Blocks > 0 {
		unit = "block groups"
	}
	p.line("%s: %s copied to %s, %d %s, %d bytes", c.Source, c.Geometry.Device, c.Target, c.Units, unit, c.Bytes)
	return p.err
}
