package image

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

var (
	_ media.CKD = (*CKD)(nil)
	_ media.FBA = (*FBA)(nil)
)

var ckdFormats = []CreateOptions{
	{Format: FormatCKD}, {Format: FormatCKD, SplitBytes: 1 << 20}, {Format: FormatCKD, Wide: true},
	{Format: FormatCCKD}, {Format: FormatCCKD, Compression: Zlib, Level: 9}, {Format: FormatCCKD, Compression: Bzip2, Wide: true},
}

var fbaFormats = []CreateOptions{
	{Format: FormatFBA}, {Format: FormatCFBA}, {Format: FormatCFBA, Compression: Zlib, Wide: true}, {Format: FormatCFBA, Compression: Bzip2},
}

// contents is the content of every file of a volume.
func contents(t *testing.T, v Volume) [][]byte {
	t.Helper()
	var all [][]byte
	for _, f := range v.Info().Files {
		all = append(all, content(t, f.Path))
	}
	return all
}

// TestModes changes a volume in each format and mode, through a cache of a few
// tracks, and compares it with what it should hold.
func TestModes(t *testing.T) {
	t.Parallel()
	for _, o := range ckdFormats {
		for _, mode := range []media.Mode{media.ReadWrite, media.ReadOnly, media.CopyOnWrite} {
			o.NoSync = true
			path := filepath.Join(t.TempDir(), "volume")
			g := small(t)
			require.NoError(t, Create(path, g, Content{Serial: "MODES1"}, o))
			v, err := OpenCKD(path, mode, Options{CacheBytes: 1})
			require.NoError(t, err)
			require.Equal(t, o.Format, v.Info().Format)
			require.Equal(t, o.Wide, v.Info().Wide)
			before := contents(t, v)
			want := make([][]byte, g.Tracks())
			r := rand.New(rand.NewPCG(1, 1))
			for n := range want {
				track, err := v.Track(n)
				require.NoError(t, err)
				require.Equal(t, g.TrackSize, cap(track.Image))
				require.Equal(t, n, track.Cylinder*g.Heads+track.Head)
				want[n] = bytes.Clone(track.Image)
			}
			for range 100 {
				n := r.IntN(g.Tracks())
				track, err := v.Update(n)
				if mode == media.ReadOnly {
					require.ErrorIs(t, err, media.ErrReadOnly)
					continue
				}
				require.NoError(t, err)
				want[n] = randomTrack(r, g, n)
				track.Image = append(track.Image[:0], want[n]...)
				if r.IntN(30) == 0 {
					require.NoError(t, v.Flush())
				}
			}
			check := func() {
				for n := range want {
					track, err := v.Track(n)
					require.NoError(t, err)
					require.Equal(t, want[n], track.Image)
				}
			}
			check()
			require.NoError(t, v.Flush())
			if mode != media.ReadWrite {
				require.Equal(t, before, contents(t, v))
			}
			require.NoError(t, v.Close())
			require.ErrorIs(t, v.Close(), errClosed)
			_, err = v.Track(0)
			require.ErrorIs(t, err, errClosed)
			if mode == media.ReadWrite {
				v, err = OpenCKD(path, media.ReadOnly, Options{})
				require.NoError(t, err)
				check()
				require.NoError(t, v.Close())
			}
		}
	}
}

func TestModesFBA(t *testing.T) {
	t.Parallel()
	for _, o := range fbaFormats {
		for _, mode := range []media.Mode{media.ReadWrite, media.ReadOnly, media.CopyOnWrite} {
			o.NoSync = true
			path := filepath.Join(t.TempDir(), "volume")
			g, err := media.ForBlocks(1001)
			require.NoError(t, err)
			require.NoError(t, Create(path, g, Content{Serial: "MODES1"}, o))
			v, err := OpenFBA(path, mode, Options{CacheBytes: 1})
			require.NoError(t, err)
			before := contents(t, v)
			want := make([]byte, g.Blocks*media.BlockSize)
			require.NoError(t, v.ReadBlocks(0, want))
			r := rand.New(rand.NewPCG(1, 1))
			for range 60 {
				p := make([]byte, media.BlockSize*(1+r.IntN(200)))
				for i := range p {
					p[i] = byte(r.Uint32() & 7)
				}
				first := r.Int64N(g.Blocks - int64(len(p))/media.BlockSize + 1)
				err := v.WriteBlocks(first, p)
				if mode == media.ReadOnly {
					require.ErrorIs(t, err, media.ErrReadOnly)
					continue
				}
				require.NoError(t, err)
				copy(want[first*media.BlockSize:], p)
			}
			if mode != media.ReadOnly {
				require.NoError(t, v.WriteTags(500, []machine.Tag{7, 0}))
				machine.Tag(7).Fill(want[500*media.BlockSize:501*media.BlockSize], 0)
				clear(want[501*media.BlockSize : 502*media.BlockSize])
			}
			require.False(t, v.ReadTags(500, make([]machine.Tag, 2)))
			got := make([]byte, len(want))
			require.NoError(t, v.ReadBlocks(0, got))
			require.True(t, bytes.Equal(want, got))
			require.ErrorContains(t, v.ReadBlocks(1000, got[:1024]), "blocks 0 to 1000")
			require.ErrorContains(t, v.ReadBlocks(0, got[:100]), "multiple of 512")
			if mode != media.ReadWrite {
				require.NoError(t, v.Flush())
				require.Equal(t, before, contents(t, v))
			}
			require.NoError(t, v.Close())
			if mode == media.ReadWrite {
				v, err = OpenFBA(path, media.ReadOnly, Options{})
				require.NoError(t, err)
				require.NoError(t, v.ReadBlocks(0, got))
				require.True(t, bytes.Equal(want, got))
				require.NoError(t, v.Close())
			}
		}
	}
}

// TestUniformTrack stores a track that a caller made uniform.
func TestUniformTrack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "volume")
	g := device(t, "3390-1", 2)
	require.NoError(t, Create(path, g, Content{Serial: "UNI001"}, CreateOptions{Format: FormatCCKD, Compression: Zlib}))
	v, err := OpenCKD(path, media.ReadWrite, Options{})
	require.NoError(t, err)
	track, err := v.Update(5)
	require.NoError(t, err)
	require.NoError(t, track.Format(g, 12, 4096))
	track.Tags[17] = 99
	want := track.AppendImage(nil)
	require.NoError(t, v.Close())
	v, err = OpenCKD(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	track, err = v.Track(5)
	require.NoError(t, err)
	require.Equal(t, want, track.Image)
	require.NoError(t, v.Close())
}

// TestRefusesBadTrack changes a track into one that does not parse: it is not
// stored, and the others are.
func TestRefusesBadTrack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "volume")
	g := small(t)
	require.NoError(t, Create(path, g, Content{Serial: "BAD001"}, CreateOptions{NoSync: true}))
	v, err := OpenCKD(path, media.ReadWrite, Options{})
	require.NoError(t, err)
	track, err := v.Update(3)
	require.NoError(t, err)
	track.Image = track.Image[:20]
	track, err = v.Update(4)
	require.NoError(t, err)
	want := randomTrack(rand.New(rand.NewPCG(1, 2)), g, 4)
	track.Image = append(track.Image[:0], want...)
	require.ErrorContains(t, v.Flush(), "track 3: not stored")
	require.ErrorContains(t, v.Close(), "track 3: not stored")
	v, err = OpenCKD(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	track, err = v.Track(3)
	require.NoError(t, err)
	require.Equal(t, NullEmpty.size(), len(track.Image))
	track, err = v.Track(4)
	require.NoError(t, err)
	require.Equal(t, want, track.Image)
	require.NoError(t, v.Close())
}

// TestNoHalfMadeFile aborts and refuses builds: nothing is left of them, and
// nothing that was there is touched.
func TestNoHalfMadeFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "volume")
	g := small(t)
	names := func() []string {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		var n []string
		for _, e := range entries {
			n = append(n, e.Name())
		}
		return n
	}
	for _, o := range ckdFormats {
		b, err := NewBuilder(path, g, o)
		require.NoError(t, err)
		require.NoError(t, b.Put(0, NullEmpty.appendNull(nil, 0, 0)))
		require.ErrorContains(t, b.Put(1, NullEmpty.appendNull(nil, 0, 0)), "home address")
		require.NoFileExists(t, path)
		b.Abort()
		require.Empty(t, names())
	}
	b, err := NewBuilder(path, g, CreateOptions{})
	require.NoError(t, err)
	require.ErrorContains(t, b.Commit(), "0 of 300 tracks")
	require.Empty(t, names())

	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	require.ErrorIs(t, Create(path, g, Content{Serial: "A"}, CreateOptions{}), ErrExists)
	require.Equal(t, "precious", string(content(t, path)))
	require.Error(t, Create(path, g, Content{Serial: "toolong"}, CreateOptions{Replace: true, NoSync: true}))
	require.Equal(t, "precious", string(content(t, path)))
	require.NoError(t, Create(path, g, Content{Serial: "A"}, CreateOptions{Replace: true, NoSync: true}))
	require.Equal(t, []string{"volume"}, names())
}

// TestSpace compares the allocation with a map of every byte.
func TestSpace(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	const limit = 20_000
	s, _, err := newSpace([]use{{extent{0, 100}, "header", -1}}, limit)
	require.NoError(t, err)
	var held []extent
	used := make([]bool, limit)
	for step := range 20_000 {
		switch r.IntN(5) {
		case 0, 1:
			want := int64(1 + r.IntN(400))
			exact := r.IntN(4) == 0
			e, ok := s.take(want, exact)
			if !ok {
				break
			}
			require.GreaterOrEqual(t, e.length, want)
			require.Less(t, e.length, want+minimumGap)
			if exact {
				require.Equal(t, want, e.length)
			}
			require.LessOrEqual(t, e.end(), int64(limit))
			for i := e.offset; i < e.end(); i++ {
				require.False(t, used[i], "step %d, byte %d", step, i)
				used[i] = true
			}
			held = append(held, e)
		case 2, 3:
			if len(held) == 0 {
				break
			}
			i := r.IntN(len(held))
			s.free(held[i]) // stays used until the release
			held = slices.Delete(held, i, i+1)
		case 4:
			for _, e := range s.pending {
				for i := e.offset; i < e.end(); i++ {
					used[i] = false
				}
			}
			s.release()
			for i, g := range s.gaps {
				require.Positive(t, g.length)
				require.Less(t, g.end(), s.end)
				require.True(t, i == 0 || s.gaps[i-1].end() < g.offset)
			}
		}
	}
}

// TestBigEndian reads and writes an image that Hercules turned into one of the
// other byte order.
func TestBigEndian(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "volume")
	g := small(t)
	tracks := fragmented(t, path, g, false)
	tool(t, "cckdswap", path)
	r := rand.New(rand.NewPCG(6, 6))
	for range 2 {
		v, err := OpenCKD(path, media.ReadWrite, Options{})
		require.NoError(t, err)
		require.True(t, v.Info().BigEndian)
		require.Empty(t, v.Info().Notes)
		for n := range tracks {
			track, err := v.Track(n)
			require.NoError(t, err)
			require.Equal(t, tracks[n], track.Image)
		}
		for range 20 {
			n := r.IntN(len(tracks))
			track, err := v.Update(n)
			require.NoError(t, err)
			tracks[n] = randomTrack(r, g, n)
			track.Image = append(track.Image[:0], tracks[n]...)
		}
		require.NoError(t, v.Close())
	}
	tool(t, "cckdswap", path)
	checkCompressed(t, "-3", path)
}

// TestSteadyState reads and rewrites tracks that fit the cache, and then more
// than fit: neither allocates in a plain image.
func TestSteadyState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "volume")
	g := small(t)
	require.NoError(t, Create(path, g, Content{Serial: "STEADY"}, CreateOptions{NoSync: true}))
	for _, bytes := range []int{0, 1} {
		v, err := OpenCKD(path, media.ReadWrite, Options{CacheBytes: bytes})
		require.NoError(t, err)
		n := 0
		pass := func() {
			for range 50 {
				n = (n + 1) % 100
				track, err := v.Update(n)
				if err != nil || len(track.Image) == 0 {
					t.Fatal(err)
				}
			}
		}
		pass()
		pass()
		require.Zero(t, testing.AllocsPerRun(10, pass))
		require.NoError(t, v.Close())
	}
}

func BenchmarkTrack(b *testing.B) {
	path := filepath.Join(b.TempDir(), "volume")
	g, err := media.Lookup("3390-1")
	require.NoError(b, err)
	g, err = g.Resize(100)
	require.NoError(b, err)
	for _, o := range []CreateOptions{{Format: FormatCKD}, {Format: FormatCCKD, Compression: Zlib}, {Format: FormatCCKD, Compression: Bzip2}} {
		w, err := NewBuilder(path, g, CreateOptions{Format: o.Format, Compression: o.Compression, Replace: true, NoSync: true})
		require.NoError(b, err)
		r := rand.New(rand.NewPCG(1, 1))
		for n := range w.Units() {
			require.NoError(b, w.Put(n, randomTrack(r, g, n)))
		}
		require.NoError(b, w.Commit())
		for _, cached := range []bool{false, true} {
			name := string(o.Format) + "-" + o.Compression.String()
			if cached {
				name += "-cached"
			}
			b.Run(name, func(b *testing.B) {
				v, err := OpenCKD(path, media.ReadOnly, Options{CacheBytes: 1})
				require.NoError(b, err)
				b.ReportAllocs()
				b.SetBytes(int64(g.TrackSize))
				b.ResetTimer()
				for i := range b.N {
					n := i % g.Tracks()
					if cached {
						n = i & 3
					}
					if _, err := v.Track(n); err != nil {
						b.Fatal(err)
					}
				}
				require.NoError(b, v.Close())
			})
		}
	}
}

// BenchmarkSynchronise copies a volume track by track through the media, as a
// mirror that is synchronised does, and flushes.
func BenchmarkSynchronise(b *testing.B) {
	dir := b.TempDir()
	g, err := media.Lookup("3390-1")
	require.NoError(b, err)
	g, err = g.Resize(100)
	require.NoError(b, err)
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	w, err := NewBuilder(source, g, CreateOptions{NoSync: true})
	require.NoError(b, err)
	r := rand.New(rand.NewPCG(1, 1))
	for n := range w.Units() {
		require.NoError(b, w.Put(n, randomTrack(r, g, n)))
	}
	require.NoError(b, w.Commit())
	require.NoError(b, Create(target, g, Content{Formatting: Raw}, CreateOptions{NoSync: true}))
	from, err := OpenCKD(source, media.ReadOnly, Options{})
	require.NoError(b, err)
	to, err := OpenCKD(target, media.ReadWrite, Options{})
	require.NoError(b, err)
	b.ReportAllocs()
	b.SetBytes(int64(g.Tracks()) * int64(g.TrackSize))
	b.ResetTimer()
	for range b.N {
		for n := range g.Tracks() {
			src, err := from.Track(n)
			if err != nil {
				b.Fatal(err)
			}
			dst, err := to.Update(n)
			if err != nil {
				b.Fatal(err)
			}
			media.CopyTrack(g, dst, src)
		}
	}
	b.StopTimer()
	require.NoError(b, to.Close())
	require.NoError(b, from.Close())
}

// The header of a compressed image of blocks names the device type, and with the
// number of blocks the model; without a type the number of blocks decides.
func TestCompressedFBAType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		create string
		blocks int64
		low    byte // in the header
		want   string
	}{
		{"9336-10", 920115, 0x36, "9336-10"}, {"9336-10", 5000, 0x36, "9336-10"}, {"9336-10", 1_000_000, 0x36, "9336-20"}, {"9336-20", 3_000_000, 0x36, "9336-20"},
		{"3310", 5000, 0x10, "3310-1"}, {"9335", 5000, 0x35, "9335-1"}, {"9332-600", 400_000, 0x32, "9332-600"}, {"0671-1", 5000, 0x71, "0671-08"}, {"9313", 9000, 0x13, "9313-1"},
		{"3370", 600_000, 0x70, "3370-2"},
		{"9336-10", 5000, 0, "3370-1"}, {"3310", 125664, 0, "3310-1"},
	} {
		g, err := media.Lookup(c.create)
		require.NoError(t, err)
		g, err = g.ResizeBlocks(c.blocks)
		require.NoError(t, err)
		for _, wide := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "a.cfba")
			require.NoError(t, Create(path, g, Content{Serial: "FBA001"}, CreateOptions{Format: FormatCFBA, Wide: wide}))
			p, err := os.ReadFile(path)
			require.NoError(t, err)
			if wide {
				require.Equal(t, byte(g.Type), p[headerType])
				require.Equal(t, uint32(c.blocks), binary.LittleEndian.Uint32(p[headerHeads:]))
				require.Equal(t, uint32(512), binary.LittleEndian.Uint32(p[headerTrackSize:]))
			} else {
				require.Zero(t, p[headerType], "as dasdinit of Hercules 3 leaves it")
			}
			p[headerType] = c.low
			require.NoError(t, os.WriteFile(path, p, 0o600))
			v, err := OpenFBA(path, media.ReadOnly, Options{})
			require.NoError(t, err)
			require.Equal(t, c.want, v.Geometry().Name, "%s of %d blocks, %02X", c.create, c.blocks, c.low)
			require.Equal(t, c.blocks, v.Geometry().Blocks)
			require.NoError(t, v.Close())
			v, err = OpenFBA(path, media.ReadOnly, Options{Device: "9336-20"})
			require.NoError(t, err)
			require.Equal(t, "9336-20", v.Geometry().Name, "a type that is named goes before")
			require.NoError(t, v.Close())
		}
		path := filepath.Join(t.TempDir(), "b.cfba")
		require.NoError(t, Create(path, g, Content{Serial: "FBA001"}, CreateOptions{Format: FormatCFBA}))
		p, err := os.ReadFile(path)
		require.NoError(t, err)
		p[headerType] = 0x90
		require.NoError(t, os.WriteFile(path, p, 0o600))
		_, err = OpenFBA(path, media.ReadOnly, Options{})
		require.ErrorContains(t, err, "device type 90, should be 00 or the last two digits of a fixed-block device's: 10, 70, 13, 32, 35, 36, 71")
	}
}
