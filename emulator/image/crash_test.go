package image

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
)

// operation is one change of a file: a write, a truncation (no data, size at
// least 0), or a sync (neither).
type operation struct {
	data []byte
	at   int64
	size int64
	sync bool
}

// apply makes the change in p. With torn below 1 only that part of a write
// arrives, in whole sectors of 512 bytes from its beginning.
func (o *operation) apply(p []byte, torn float64) []byte {
	switch {
	case o.sync:
		return p
	case o.data == nil:
		if o.size <= int64(len(p)) {
			return p[:o.size]
		}
		return append(p, make([]byte, o.size-int64(len(p)))...)
	}
	end := o.at + int64(len(o.data))
	if torn < 1 {
		end = (o.at + int64(torn*float64(len(o.data)))) / headerSize * headerSize
	}
	if end <= o.at {
		return p
	}
	if end > int64(len(p)) {
		p = append(p, make([]byte, end-int64(len(p)))...)
	}
	copy(p[o.at:end], o.data)
	return p
}

var errNoSpace = errors.New("no space left on the device")

// journal is a file that remembers its changes in order, and that fails them
// from number fail on where that is not negative; with once, only that one.
type journal struct {
	file
	operations []operation
	fail       int
	once       bool
}

func (j *journal) failing() bool {
	n := len(j.operations)
	return j.fail >= 0 && (n == j.fail || n > j.fail && !j.once)
}

func (j *journal) change(o operation, do func() error) error {
	bad := j.failing()
	j.operations = append(j.operations, o)
	if bad {
		return errNoSpace
	}
	return do()
}

func (j *journal) WriteAt(p []byte, at int64) (n int, err error) {
	err = j.change(operation{data: bytes.Clone(p), at: at}, func() error {
		n, err = j.file.WriteAt(p, at)
		return err
	})
	return n, err
}

func (j *journal) Truncate(size int64) error {
	return j.change(operation{size: size}, func() error { return j.file.Truncate(size) })
}

// Sync keeps the order of things but does not wait for a disk.
func (j *journal) Sync() error { return j.change(operation{sync: true}, func() error { return nil }) }

// victim is a volume that crashes: its files, and how its units are read and
// changed.
type victim struct {
	name    string
	options CreateOptions
	fba     bool
	shadow  bool
}

var victims = []victim{
	{name: "ckd", options: CreateOptions{Format: FormatCKD}},
	{name: "cckd", options: CreateOptions{Format: FormatCCKD, Compression: Zlib}},
	{name: "cckd 64-bit", options: CreateOptions{Format: FormatCCKD, Wide: true}},
	{name: "shadow", options: CreateOptions{Format: FormatCCKD, Compression: Bzip2}, shadow: true},
	{name: "fba", options: CreateOptions{Format: FormatFBA}, fba: true},
	{name: "cfba", options: CreateOptions{Format: FormatCFBA, Compression: Zlib}, fba: true},
}

// make makes the volume and gives the options to open it and the file that is
// changed.
func (c *victim) make(t *testing.T, dir string) (path string, o Options, changed string) {
	t.Helper()
	path = filepath.Join(dir, "volume")
	g := small(t)
	if c.fba {
		var err error
		g, err = media.ForBlocks(700)
		require.NoError(t, err)
	}
	c.options.NoSync = true
	require.NoError(t, Create(path, g, Content{Serial: "CRASH1"}, c.options))
	if !c.shadow {
		return path, Options{CacheBytes: 1}, path
	}
	changed = filepath.Join(dir, "shadow")
	require.NoError(t, CreateShadow(changed, path, nil, CreateOptions{Compression: Zlib, NoSync: true}))
	return path, Options{CacheBytes: 1, Shadows: []string{changed}}, changed
}

// victimUnit is the blocks of an FBA volume that are looked at as one.
const victimUnit = 10

func victimUnits(v Volume) int {
	if g := v.Geometry(); g.FBA() {
		return int(g.Blocks / victimUnit)
	}
	return v.Geometry().Tracks()
}

func readUnit(v Volume, n int) ([]byte, error) {
	if f, ok := v.(*FBA); ok {
		p := make([]byte, victimUnit*media.BlockSize)
		return p, f.ReadBlocks(int64(n)*victimUnit, p)
	}
	t, err := v.(*CKD).Track(n)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(t.Image), nil
}

// changeUnit puts random content into unit n and gives it.
func changeUnit(r *rand.Rand, v Volume, n int) ([]byte, error) {
	if f, ok := v.(*FBA); ok {
		p := bytes.Repeat([]byte{byte(r.Uint32())}, victimUnit*media.BlockSize)
		for i := range 200 {
			p[i] = byte(r.Uint32())
		}
		return p, f.WriteBlocks(int64(n)*victimUnit, p)
	}
	t, err := v.(*CKD).Update(n)
	if err != nil {
		return nil, err
	}
	t.Image = append(t.Image[:0], randomTrack(r, v.Geometry(), n)...)
	return bytes.Clone(t.Image), nil
}

// story is what happened to a volume: all that each unit held, in order, with
// the number of the file's operations when it was written, and when flushes
// returned.
type story struct {
	units   [][]told
	flushes []int
}

type told struct {
	at    int
	image []byte
}

// live changes the volume: rounds of changes that each end in a flush, the last
// one in a close.
func live(t *testing.T, path string, o Options, j *journal, rounds int) (*story, error) {
	t.Helper()
	changed := path
	if len(o.Shadows) > 0 {
		changed = o.Shadows[0]
	}
	o.wrap = func(p string, f file) file {
		if p != changed {
			return f
		}
		j.file = f
		return j
	}
	before := o
	before.wrap = nil
	v, err := Open(path, media.ReadOnly, before)
	require.NoError(t, err)
	s := &story{units: make([][]told, victimUnits(v))}
	for n := range s.units {
		image, err := readUnit(v, n)
		require.NoError(t, err)
		s.units[n] = []told{{0, image}}
	}
	require.NoError(t, v.Close())
	r := rand.New(rand.NewPCG(3, 3))
	if v, err = Open(path, media.ReadWrite, o); err != nil {
		return s, err
	}
	for range rounds {
		for range 12 {
			n := r.IntN(len(s.units))
			at := len(j.operations)
			image, err := changeUnit(r, v, n)
			if err != nil {
				// Some of it may have been written.
				s.units[n] = append(s.units[n], told{at, nil})
				return s, errors.Join(err, v.Close())
			}
			s.units[n] = append(s.units[n], told{at, image})
		}
		if err := v.Flush(); err != nil {
			return s, errors.Join(err, v.Close())
		}
		s.flushes = append(s.flushes, len(j.operations))
	}
	return s, v.Close()
}

// acknowledged is the number of operations at the last flush that had returned
// when there were so many, or 0.
func (s *story) acknowledged(operations int) int {
	last := 0
	for _, f := range s.flushes {
		if f <= operations {
			last = f
		}
	}
	return last
}

// check opens the volume after a crash and compares every unit with what it may
// hold: what it held at the last flush, or what was written since. A unit of a
// plain image may be torn; it is then one that was being written.
func (s *story) check(t *testing.T, path string, o Options, flushed int, plain bool) {
	t.Helper()
	v, err := Open(path, media.ReadOnly, o)
	require.NoError(t, err)
	for n, all := range s.units {
		first := 0
		for i, told := range all {
			if told.at < flushed {
				first = i
			}
		}
		got, err := readUnit(v, n)
		if plain && len(all[first:]) > 1 {
			if err != nil {
				require.ErrorIs(t, err, ErrDamaged)
			}
			continue
		}
		require.NoError(t, err, "unit %d", n)
		found := false
		for _, told := range all[first:] {
			found = found || bytes.Equal(told.image, got)
		}
		require.True(t, found, "unit %d", n)
	}
	require.NoError(t, v.Close())
}

// recover changes the volume once more after a crash, as its next user does, who
// is told of the crash by a compressed image.
func (s *story) recover(t *testing.T, path string, o Options, flushed int, plain bool) {
	t.Helper()
	v, err := Open(path, media.ReadOnly, o)
	require.NoError(t, err)
	opened := v.Info().Opened
	require.NoError(t, v.Close())
	if opened {
		_, err := Open(path, media.ReadWrite, o)
		require.ErrorIs(t, err, ErrInUse)
		o.IgnoreOpened = true
	}
	v, err = Open(path, media.ReadWrite, o)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(5, 5))
	var want []byte
	n := len(s.units) - 1
	if want, err = changeUnit(r, v, n); plain && errors.Is(err, ErrDamaged) {
		require.NoError(t, v.Close())
		return
	}
	require.NoError(t, err)
	require.NoError(t, v.Close())
	units := s.units[n]
	s.units[n] = append(units[:len(units):len(units)], told{1 << 30, want})
	s.check(t, path, o, flushed, plain)
	s.units[n] = units
	v, err = Open(path, media.ReadOnly, o)
	require.NoError(t, err)
	got, err := readUnit(v, n)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, v.Close())
}

// TestPowerFails lets the power fail after every operation on the file of a
// volume. Of the operations since the last sync any may be lost, and any may
// arrive in part. Everything that a flush had acknowledged is there afterwards,
// and compressed images hold each track wholly old or wholly new.
func TestPowerFails(t *testing.T) {
	t.Parallel()
	for _, c := range victims {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path, o, changed := c.make(t, t.TempDir())
			before := content(t, changed)
			j := &journal{fail: -1}
			s, err := live(t, path, o, j, 2)
			require.NoError(t, err)
			plain := !c.options.Format.Compressed()
			r := rand.New(rand.NewPCG(7, 7))
			durable, synced := bytes.Clone(before), 0
			for k := range len(j.operations) + 1 {
				for attempt := range 3 {
					p := bytes.Clone(durable)
					for i := synced; i < k; i++ {
						torn := 1.0
						switch {
						case attempt == 1:
							torn = 0
						case attempt > 1 && r.IntN(3) == 0:
							torn = float64(r.IntN(2)) * r.Float64()
						}
						if torn == 0 {
							continue
						}
						p = j.operations[i].apply(p, torn)
					}
					require.NoError(t, os.WriteFile(changed, p, 0o600))
					flushed := s.acknowledged(k)
					s.check(t, path, o, flushed, plain)
					if attempt == 2 {
						s.recover(t, path, o, flushed, plain)
					}
				}
				if k < len(j.operations) && j.operations[k].sync {
					for ; synced <= k; synced++ {
						durable = j.operations[synced].apply(durable, 1)
					}
				}
			}
			// All of it is the file as it was left.
			require.NoError(t, os.WriteFile(changed, durable, 0o600))
			s.check(t, path, o, 1<<29, plain)
		})
	}
}

// TestWritesFail lets one operation on the file of a volume fail, or it and all
// that come after. The volume says so, and what a flush had acknowledged is
// there when it is opened again.
func TestWritesFail(t *testing.T) {
	t.Parallel()
	for _, c := range victims {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path, o, changed := c.make(t, t.TempDir())
			before := content(t, changed)
			plain := !c.options.Format.Compressed()
			for fail, finished := 0, false; !finished; fail++ {
				for _, once := range []bool{true, false} {
					if !once && fail%4 != 0 {
						continue
					}
					require.NoError(t, os.WriteFile(changed, before, 0o600))
					j := &journal{fail: fail, once: once}
					s, err := live(t, path, o, j, 2)
					if len(j.operations) <= fail {
						require.NoError(t, err)
						finished = true
						break
					}
					require.ErrorIs(t, err, errNoSpace, "operation %d", fail)
					s.check(t, path, o, s.acknowledged(len(j.operations)), plain)
					s.recover(t, path, o, s.acknowledged(len(j.operations)), plain)
				}
			}
		})
	}
}
