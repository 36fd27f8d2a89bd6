package image

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
)

// specimen is a small image of one format that holds something.
type specimen struct {
	name    string
	content []byte
	under   []byte // of a shadow file: the image that it lies on
}

func specimens(t *testing.T) []specimen {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "specimen")
	g, err := media.Lookup("2311")
	require.NoError(t, err)
	g, err = g.Resize(2)
	require.NoError(t, err)
	b, err := media.ForBlocks(500)
	require.NoError(t, err)
	var all []specimen
	fill := func(o Options) {
		// Twice, so that there is free space between the units.
		r := rand.New(rand.NewPCG(1, 2))
		for range 2 {
			v, err := Open(path, media.ReadWrite, o)
			require.NoError(t, err)
			for range 8 {
				_, err := changeUnit(r, v, r.IntN(victimUnits(v)))
				require.NoError(t, err)
			}
			require.NoError(t, v.Close())
		}
	}
	for _, o := range []CreateOptions{
		{Format: FormatCKD}, {Format: FormatCCKD}, {Format: FormatCCKD, Compression: Zlib}, {Format: FormatCCKD, Compression: Bzip2},
		{Format: FormatCCKD, Compression: Zlib, Wide: true}, {Format: FormatFBA}, {Format: FormatCFBA}, {Format: FormatCFBA, Compression: Bzip2},
		{Format: FormatCFBA, Compression: Zlib, Wide: true},
	} {
		o.Replace, o.NoSync = true, true
		of := g
		if o.Format.FBA() {
			of = b
		}
		require.NoError(t, Create(path, of, Content{Serial: "FLIP01"}, o))
		fill(Options{})
		all = append(all, specimen{fmt.Sprintf("%s %v wide %v", o.Format, o.Compression, o.Wide), content(t, path), nil})
	}
	for _, wide := range []bool{false, true} {
		require.NoError(t, Create(path, g, Content{Serial: "FLIP01"}, CreateOptions{Replace: true, NoSync: true}))
		require.NoError(t, CreateShadow(path+".1", path, nil, CreateOptions{Compression: Zlib, Wide: wide, Replace: true, NoSync: true}))
		fill(Options{Shadows: []string{path + ".1"}})
		all = append(all, specimen{fmt.Sprintf("shadow wide %v", wide), content(t, path+".1"), content(t, path)})
	}
	return all
}

// put writes the specimen, changed to p, and gives how it is opened.
func (s *specimen) put(t *testing.T, dir string, p []byte) (path, changed string, o Options) {
	t.Helper()
	path = filepath.Join(dir, "image")
	changed = path
	if s.under != nil {
		changed = filepath.Join(dir, "shadow")
		o.Shadows = []string{changed}
		require.NoError(t, os.WriteFile(path, s.under, 0o600))
	}
	require.NoError(t, os.WriteFile(changed, p, 0o600))
	return path, changed, o
}

// examine opens an image that may be damaged, reads all of it, and gives what it
// holds (nil for what is damaged). Errors must name the file; opening and
// reading writes nothing.
func examine(t *testing.T, path, changed string, p []byte, o Options) (map[int][]byte, bool) {
	t.Helper()
	v, err := Open(path, media.ReadWrite, o)
	if err != nil {
		require.ErrorContains(t, err, changed)
		require.Equal(t, p, content(t, changed))
		return nil, false
	}
	v.Info()
	all := map[int][]byte{}
	for n := range victimUnits(v) {
		image, err := readUnit(v, n)
		if err != nil {
			require.ErrorIs(t, err, ErrDamaged)
			require.ErrorContains(t, err, changed)
			image = nil
		}
		all[n] = image
	}
	require.NoError(t, v.Close())
	require.Equal(t, p, content(t, changed))
	return all, true
}

// TestFlippedBytes puts wrong bytes into small images of each format. An image
// is refused, or it is a volume: what can be read stays the same, and what is
// written to it is there. Nothing panics.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	attempts := 50
	switch {
	case testing.Short():
		attempts /= 5
	case os.Getenv(largeEnv) != "":
		attempts *= 30
	}
	for i, s := range specimens(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			attempts := attempts
			if strings.Contains(s.name, Bzip2.String()) {
				attempts /= 3 // slow
			}
			dir := t.TempDir()
			r := rand.New(rand.NewPCG(uint64(i), 1))
			opened, refused := 0, 0
			for range attempts {
				p := append([]byte(nil), s.content...)
				for range 1 + r.IntN(3) {
					at := r.IntN(len(p))
					switch r.IntN(3) { // headers and tables, where it hurts
					case 0:
						at = r.IntN(32)
					case 1:
						at = compressedHeaderOffset + r.IntN(min(len(p), level1Offset+64)-compressedHeaderOffset)
					}
					p[at] = byte(r.Uint32())
				}
				path, changed, o := s.put(t, dir, p)
				before, ok := examine(t, path, changed, p, o)
				if !ok {
					refused++
					continue
				}
				opened++
				v, err := Open(path, media.ReadWrite, o)
				require.NoError(t, err)
				n := r.IntN(victimUnits(v))
				want, err := changeUnit(r, v, n)
				if err != nil {
					require.ErrorIs(t, err, ErrDamaged)
					require.NoError(t, v.Close())
					require.Equal(t, p, content(t, changed))
					continue
				}
				require.NoError(t, v.Close())
				after, ok := examine(t, path, changed, content(t, changed), o)
				require.True(t, ok)
				before[n] = want
				require.Equal(t, before, after)
			}
			if !testing.Short() {
				require.Positive(t, opened)
				require.True(t, refused > 0 || s.content[0] != 'C')
			}
		})
	}
}

// TestCutAnywhere cuts images of each format short. Whatever is missing is
// noticed, except of raw blocks, where every multiple of a block is a volume.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	for _, s := range specimens(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			raw := s.content[0] != 'C' && s.content[0] != 'F'
			step := max(1, len(s.content)/150)
			for n := 0; n < len(s.content); n += step {
				path, changed, o := s.put(t, dir, s.content[:n])
				_, err := Open(path, media.ReadWrite, o)
				if raw && n > 0 && n%media.BlockSize == 0 || s.name == "ckd none wide false" && n == headerSize+10*4096 {
					require.NoError(t, err, "%d bytes", n)
					continue
				}
				require.ErrorIs(t, err, ErrDamaged, "%d bytes", n)
				require.ErrorContains(t, err, changed)
				require.Equal(t, s.content[:n], content(t, changed))
			}
		})
	}
}

// TestHeaderlessMistake damages the identifier of a plain image: it must not
// pass for one of raw blocks.
func TestHeaderlessMistake(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "volume")
	require.NoError(t, Create(path, small(t), Content{Serial: "HEAD01"}, CreateOptions{NoSync: true}))
	sound := content(t, path)
	for at := range identifierSize {
		bad := append([]byte(nil), sound...)
		bad[at] ^= 1
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		_, err := Open(path, media.ReadWrite, Options{})
		require.ErrorIs(t, err, ErrDamaged)
		require.ErrorContains(t, err, "CKD_P370")
	}
}

// TestSplitDamage loses, exchanges and doubles files of a split image.
func TestSplitDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(k int) string { return filepath.Join(dir, fmt.Sprintf("v_%d.ckd", k)) }
	path := filepath.Join(dir, "v.ckd")
	require.NoError(t, Create(path, small(t), Content{Serial: "SPLIT1"}, CreateOptions{SplitBytes: 1 << 20, NoSync: true}))
	parts := map[int][]byte{1: content(t, at(1)), 2: content(t, at(2)), 3: content(t, at(3))}
	for _, c := range []struct {
		name  string
		files map[int]int // which part is under which name
		says  []string
	}{
		{"first lost", map[int]int{2: 2, 3: 3}, []string{"v.ckd"}},
		{"second lost", map[int]int{1: 1, 3: 3}, []string{at(2), "file 2 of the split image"}},
		{"last lost", map[int]int{1: 1, 2: 2}, []string{at(3), "file 3 of the split image"}},
		{"exchanged", map[int]int{1: 1, 2: 3, 3: 2}, []string{at(2), "offset 0x11", "is file 3 of a split image, should be 2"}},
		{"doubled", map[int]int{1: 1, 2: 2, 3: 2}, []string{at(3), "is file 2 of a split image, should be 3"}},
		{"first exchanged", map[int]int{1: 2, 2: 1, 3: 3}, []string{at(1), "is file 2 of a split image"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k := range parts {
				os.Remove(at(k))
				if from := c.files[k]; from != 0 {
					require.NoError(t, os.WriteFile(at(k), parts[from], 0o600))
				}
			}
			_, err := Open(path, media.ReadWrite, Options{})
			require.Error(t, err)
			for _, s := range c.says {
				require.ErrorContains(t, err, s)
			}
		})
	}
}

// TestTableMemory opens a small file whose level 1 table leads to one table over
// and over, which must not take memory for each.
func TestTableMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "volume")
	g, err := media.ForBlocks(4_000_000_000)
	require.NoError(t, err)
	require.NoError(t, Create(path, g, Content{Serial: "MEMORY"}, CreateOptions{Format: FormatCFBA, Compression: Zlib, NoSync: true}))
	p := content(t, path)
	entries := int(le32(p, compressedHeaderOffset+4))
	require.Greater(t, entries, 100_000)
	for i := range entries {
		copy(p[level1Offset+4*i:], p[level1Offset:level1Offset+4])
	}
	require.NoError(t, os.WriteFile(path, p, 0o600))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = Open(path, media.ReadOnly, Options{})
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorContains(t, err, "level 2 table 1")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}

// TestUnclosedDamage damages the tables of a file that was not closed: the error
// says what can be done, and that works where no older tracks are in the file.
func TestUnclosedDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "volume")
	g := small(t)
	b, err := NewBuilder(path, g, CreateOptions{Format: FormatCCKD, Compression: Zlib, Null: NullEmpty, NoSync: true})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(3, 8))
	want := map[int][]byte{}
	for range 40 {
		n := r.IntN(g.Tracks())
		if want[n] == nil {
			want[n] = randomTrack(r, g, n)
			require.NoError(t, b.Put(n, want[n]))
		}
	}
	require.NoError(t, b.Commit())
	p := content(t, path)
	put32(p, level1Offset, 0x70000000)
	require.NoError(t, os.WriteFile(path, p, 0o600))
	_, err = Open(path, media.ReadOnly, Options{})
	require.ErrorIs(t, err, ErrDamaged)
	require.NotContains(t, err.Error(), "cckdcdsk")
	p[compressedHeaderOffset+headerVersionSize] |= optionOpened
	require.NoError(t, os.WriteFile(path, p, 0o600))
	_, err = Open(path, media.ReadOnly, Options{})
	var d *DamageError
	require.True(t, errors.As(err, &d))
	require.ErrorContains(t, err, "cckdcdsk -f -3")

	tool(t, "cckdcdsk", "-f", "-3", path)
	v, err := OpenCKD(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	for n, image := range want {
		track, err := v.Track(n)
		require.NoError(t, err)
		require.True(t, bytes.Equal(image, track.Image), "track %d", n)
	}
	require.NoError(t, v.Close())
}
