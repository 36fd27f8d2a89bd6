package image

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
)

// fragmented makes a compressed volume with free space between its tracks, and
// gives a copy of its tracks.
func fragmented(t testing.TB, path string, g *media.Geometry, wide bool) [][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(2, 3))
	require.NoError(t, Create(path, g, Content{Serial: "FRAG01"}, CreateOptions{Format: FormatCCKD, Compression: Zlib, Wide: wide, NoSync: true}))
	tracks := make([][]byte, g.Tracks())
	for range 4 {
		v, err := OpenCKD(path, media.ReadWrite, Options{})
		require.NoError(t, err)
		for range 30 {
			n := r.IntN(g.Tracks())
			track, err := v.Update(n)
			require.NoError(t, err)
			track.Image = append(track.Image[:0], randomTrack(r, g, n)...)
		}
		require.NoError(t, v.Close())
	}
	v, err := OpenCKD(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	for n := range tracks {
		track, err := v.Track(n)
		require.NoError(t, err)
		tracks[n] = append([]byte(nil), track.Image...)
	}
	require.Positive(t, v.Info().FreeSpaces)
	require.Empty(t, v.Info().Notes)
	require.NoError(t, v.Close())
	return tracks
}

func small(t testing.TB) *media.Geometry {
	t.Helper()
	g, err := media.Lookup("3340-35")
	require.NoError(t, err)
	g, err = g.Resize(25)
	require.NoError(t, err)
	return g
}

// damaged is one way to damage an image, where in the error it must show, and
// when: at Open, or when the track is read.
type damaged struct {
	name string
	do   func(p []byte) []byte
	says string
	open bool
}

func le32(p []byte, at int) uint32     { return binary.LittleEndian.Uint32(p[at:]) }
func put32(p []byte, at int, v uint32) { binary.LittleEndian.PutUint32(p[at:], v) }
func patch(at int, b ...byte) func([]byte) []byte {
	return func(p []byte) []byte { copy(p[at:], b); return p }
}

// level2 is where the first level 2 table is, and stored the place and the
// length of the first stored track.
func level2(p []byte) int { return int(le32(p, level1Offset)) }

func storedAt(p []byte) (entry, offset, length int) {
	for k := range level2Entries {
		entry = level2(p) + 8*k
		if offset = int(le32(p, entry)); offset != 0 {
			return entry, offset, int(binary.LittleEndian.Uint16(p[entry+4:]))
		}
	}
	return 0, 0, 0
}

const freeField = compressedHeaderOffset + headerFields + 8 // offset of the free space

var compressedDamage = []damaged{
	{"identifier", patch(0, []byte("CKD_X370")...), "identifier", true},
	{"short header", func(p []byte) []byte { return p[:300] }, "header", true},
	{"short compressed header", func(p []byte) []byte { return p[:700] }, "headers alone", true},
	{"short level 1 table", func(p []byte) []byte { return p[:level1Offset+2] }, "its header says", true},
	{"device type", patch(16, 0x99), "device type", true},
	{"heads", patch(8, 99), "heads", true},
	{"track size", patch(12, 1), "bytes", true},
	{"no cylinders", patch(compressedHeaderOffset+headerUnits, 0, 0, 0, 0), "cylinders", true},
	{"too many cylinders", patch(compressedHeaderOffset+headerUnits, 0, 0, 0, 1), "cylinders", true},
	{"level 1 size", patch(compressedHeaderOffset+4, 77), "level 1 table has 77", true},
	{"level 2 size", patch(compressedHeaderOffset+8, 1), "level 2 tables have", true},
	{"null format", patch(compressedHeaderOffset+headerTail, 9), "null track format is 9", true},
	{"compression", patch(compressedHeaderOffset+headerTail+1, 9), "compression is 9", true},
	{"level 1 offset in header", patch(level1Offset, 4, 0, 0, 0), "level 1 entry 0 is offset 0x4", true},
	{"level 1 offset behind file", patch(level1Offset, 0, 0, 0, 0x70), "level 1 entry 0 is offset 0x70000000", true},
	{"level 1 below", patch(level1Offset, 0xff, 0xff, 0xff, 0xff), "underneath", true},
	{"level 2 offset", func(p []byte) []byte { e, _, _ := storedAt(p); put32(p, e, 0x70000000); return p }, "level 2 entry has offset 0x70000000", true},
	{"level 2 below", func(p []byte) []byte { e, _, _ := storedAt(p); put32(p, e, ^uint32(0)); return p }, "underneath", true},
	{"level 2 length", func(p []byte) []byte { e, _, _ := storedAt(p); put32(p, e+4, 0x00010003); return p }, "has length 3", true},
	{"level 2 null format", func(p []byte) []byte { e, _, _ := storedAt(p); put32(p, e, 0); put32(p, e+4, 0x00050005); return p }, "null track format 5", true},
	{"overlap", func(p []byte) []byte { e, o, _ := storedAt(p); put32(p, e, uint32(o+1)); return p }, "inside", true},
	{"beyond the volume", func(p []byte) []byte {
		_, o, _ := storedAt(p)
		put32(p, int(le32(p, level1Offset+4))+8*255, uint32(o))
		return p
	}, "the volume ends before", true},
	{"short file", func(p []byte) []byte { return p[:len(p)-60000] }, "its header says", true},
	{"free space behind file", patch(freeField, 0, 0, 0, 0x70), "free space is", true},
	{"no free spaces", patch(freeField+12, 0, 0, 0, 0), "free space is 0 blocks", true},
	{"free space in use", func(p []byte) []byte {
		_, o, _ := storedAt(p)
		put32(p, int(le32(p, freeField))+8, uint32(o))
		return p
	}, "in use", true},
	{"free space descends", func(p []byte) []byte {
		at := int(le32(p, freeField)) + 16
		put32(p, at, le32(p, at-8))
		return p
	}, "free space", true},
	{"free space chain", func(p []byte) []byte {
		// An old-style chain whose first block leads to itself.
		at := le32(p, int(le32(p, freeField))+8)
		put32(p, freeField, at)
		put32(p, int(at), at)
		return p
	}, "free-space chain", true},
	{"track compression", func(p []byte) []byte { _, o, _ := storedAt(p); p[o] = 7; return p }, "compression byte is 0x07", false},
	{"track address", func(p []byte) []byte { _, o, _ := storedAt(p); p[o+2]++; return p }, "home address", false},
	{"track data", func(p []byte) []byte {
		e, o, n := storedAt(p)
		for p[o] != byte(Zlib) {
			e += 8
			o, n = int(le32(p, e)), int(binary.LittleEndian.Uint16(p[e+4:]))
		}
		p[o+n/2] ^= 0xff
		return p
	}, "cannot be decompressed", false},
}

// TestDamage damages a compressed image in one way at a time. The error names
// the file and what would be right, and nothing is written.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "volume")
	fragmented(t, path, small(t), false)
	sound := content(t, path)
	for _, d := range compressedDamage {
		t.Run(d.name, func(t *testing.T) {
			bad := d.do(append([]byte(nil), sound...))
			require.NoError(t, os.WriteFile(path, bad, 0o600))
			v, err := OpenCKD(path, media.ReadWrite, Options{})
			if !d.open {
				require.NoError(t, err)
				for n := 0; n < v.Geometry().Tracks() && err == nil; n++ {
					_, err = v.Track(n)
				}
				require.NoError(t, v.Close())
			}
			require.ErrorIs(t, err, ErrDamaged)
			if !d.open {
				require.ErrorIs(t, err, media.ErrTrack)
			}
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, d.says)
			require.Equal(t, bad, content(t, path))
		})
	}
}

func TestPlainDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "volume")
	g := small(t)
	require.NoError(t, Create(path, g, Content{Serial: "PLAIN1"}, CreateOptions{NoSync: true}))
	sound := content(t, path)
	for _, d := range []damaged{
		{"short file", func(p []byte) []byte { return p[:len(p)-1] }, "file is", true},
		{"header only", func(p []byte) []byte { return p[:headerSize] }, "file is", true},
		{"no heads", patch(8, 0), "0 heads", true},
		{"heads", patch(8, 13), "", true},
		{"many heads", patch(8, 0xff, 0xff, 0xff, 0xff), "heads", true},
		{"track size", patch(12, 0, 0, 0, 0xff), "track size", true},
		{"device type", patch(16, 0x99), "device type", true},
		{"sequence", patch(17, 2), "split image", true},
		{"highest cylinder", patch(17, 1, 9), "highest cylinder is 9", true},
		{"highest cylinder of one file", patch(18, 9), "should be 0", true},
		{"home address", patch(headerSize+4, 9), "home address is cylinder 0 head 9", false},
		{"record zero", patch(headerSize+9, 9), "should be record zero", false},
		{"record length", patch(headerSize+11, 0xff), "without an end mark", false},
		{"end mark", patch(headerSize+8704+21, 0), "without an end mark", false},
	} {
		t.Run(d.name, func(t *testing.T) {
			bad := d.do(append([]byte(nil), sound...))
			require.NoError(t, os.WriteFile(path, bad, 0o600))
			v, err := OpenCKD(path, media.ReadWrite, Options{})
			if !d.open {
				require.NoError(t, err)
				for n := 0; n < v.Geometry().Tracks() && err == nil; n++ {
					_, err = v.Update(n)
				}
				require.NoError(t, v.Close())
			}
			require.ErrorIs(t, err, ErrDamaged)
			if !d.open {
				require.ErrorIs(t, err, media.ErrTrack)
			}
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, d.says)
			require.Equal(t, bad, content(t, path))
		})
	}
	t.Run("missing part", func(t *testing.T) {
		split := filepath.Join(dir, "split")
		require.NoError(t, Create(split, g, Content{Serial: "PLAIN1"}, CreateOptions{SplitBytes: 1 << 20, NoSync: true}))
		require.NoError(t, os.Rename(split+"_2", split+"_9"))
		_, err := OpenCKD(split, media.ReadOnly, Options{})
		require.ErrorContains(t, err, split+"_2")
		require.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("raw FBA", func(t *testing.T) {
		require.NoError(t, os.WriteFile(path, make([]byte, 1000), 0o600))
		_, err := Open(path, media.ReadOnly, Options{})
		require.ErrorIs(t, err, ErrDamaged)
		require.ErrorContains(t, err, "multiple of 512")
	})
}

// TestCrash stops a volume after each of its writes, as a crash would: tables
// that are not switched yet leave the old tracks, and the image opens again.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "volume")
	g := small(t)
	for _, wide := range []bool{false, true} {
		require.NoError(t, os.RemoveAll(path))
		tracks := fragmented(t, path, g, wide)
		r := rand.New(rand.NewPCG(8, 8))
		for round := range 6 {
			v, err := OpenCKD(path, media.ReadWrite, Options{CacheBytes: 1, IgnoreOpened: true})
			require.NoError(t, err)
			want := append([][]byte(nil), tracks...)
			change := func() {
				n := r.IntN(g.Tracks())
				track, err := v.Update(n)
				require.NoError(t, err)
				track.Image = append(track.Image[:0], randomTrack(r, g, n)...)
				want[n] = append([]byte(nil), track.Image...)
			}
			for range 20 {
				change()
			}
			if round%2 == 0 {
				require.NoError(t, v.Flush())
				tracks = append([][]byte(nil), want...)
				for range 20 {
					change() // reaches the file, but no table
				}
			}
			v.cache.store.abandon()

			v, err = OpenCKD(path, media.ReadOnly, Options{})
			require.NoError(t, err)
			require.True(t, v.Info().Opened)
			require.NotEmpty(t, v.Info().Notes)
			for n := range tracks {
				track, err := v.Track(n)
				require.NoError(t, err)
				require.Equal(t, tracks[n], track.Image, "track %d", n)
			}
			require.NoError(t, v.Close())
		}
		// Who is to write is told of it, and to ignore it and a proper close clear the
		// bit.
		_, err := OpenCKD(path, media.ReadWrite, Options{})
		require.ErrorIs(t, err, ErrInUse)
		v, err := OpenCKD(path, media.ReadWrite, Options{IgnoreOpened: true})
		require.NoError(t, err)
		_, err = v.Update(0)
		require.NoError(t, err)
		require.NoError(t, v.Close())
		v, err = OpenCKD(path, media.ReadOnly, Options{})
		require.NoError(t, err)
		require.False(t, v.Info().Opened)
		require.Empty(t, v.Info().Notes)
		require.NoError(t, v.Close())
		if !wide {
			checkCompressed(t, "-3", path)
		}
	}
}

// chained gives the image p with its free-space table turned into a chain, as
// older versions of Hercules keep it, and where the chain's blocks are.
func chained(p []byte) ([]byte, []int) {
	table, n := int(le32(p, freeField)), int(le32(p, freeField+12))
	var blocks []int
	lengths := map[int]uint32{}
	for k := range n {
		at := int(le32(p, table+8*(k+1)))
		blocks = append(blocks, at)
		lengths[at] = le32(p, table+8*(k+1)+4)
	}
	for k, at := range blocks {
		next := 0
		if k+1 < n {
			next = blocks[k+1]
		}
		put32(p, at, uint32(next))
		put32(p, at+4, lengths[at])
	}
	put32(p, freeField, uint32(blocks[0]))
	return p[:table], blocks
}

// TestFreeSpaceChain opens an image whose free space is a chain, and damages the
// chain in one way at a time.
func TestFreeSpaceChain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "volume")
	g := small(t)
	tracks := fragmented(t, path, g, false)
	sound, blocks := chained(content(t, path))
	require.Greater(t, len(blocks), 2)
	_, stored, _ := storedAt(sound)
	for _, d := range []damaged{
		{"sound", func(p []byte) []byte { return p }, "", false},
		{"loop", func(p []byte) []byte { put32(p, blocks[2], uint32(blocks[1])); return p }, "free-space chain: block 4", true},
		{"to itself", func(p []byte) []byte { put32(p, blocks[0], uint32(blocks[0])); return p }, "free-space chain: block 2", true},
		{"backwards", func(p []byte) []byte { put32(p, blocks[2], uint32(blocks[0])); return p }, "free-space chain: block 4", true},
		{"behind the file", func(p []byte) []byte { put32(p, blocks[1], 0x70000000); return p }, "offset 0x70000000", true},
		{"into a track", func(p []byte) []byte {
			put32(p, freeField, uint32(stored))
			return p
		}, "free", true},
		{"overlap", func(p []byte) []byte { put32(p, blocks[0]+4, uint32(blocks[1]-blocks[0]+8)); return p }, "in use", true},
		{"too long", func(p []byte) []byte { put32(p, blocks[0]+4, ^uint32(0)); return p }, "free space 1", true},
		{"no length", func(p []byte) []byte { put32(p, blocks[1]+4, 0); return p }, "0 bytes from offset", true},
		{"too short", func(p []byte) []byte { put32(p, blocks[1], 0); return p }, "free-space chain: block 3", true},
		{"too many", func(p []byte) []byte { put32(p, freeField+12, uint32(len(blocks)-1)); return p }, "the last, goes on", true},
	} {
		t.Run(d.name, func(t *testing.T) {
			p := d.do(append([]byte(nil), sound...))
			require.NoError(t, os.WriteFile(path, p, 0o600))
			if !d.open {
				checkCompressed(t, "-3", path)
			}
			v, err := OpenCKD(path, media.ReadWrite, Options{})
			if d.open {
				require.ErrorIs(t, err, ErrDamaged)
				require.ErrorContains(t, err, path)
				require.ErrorContains(t, err, d.says)
				require.Equal(t, p, content(t, path))
				return
			}
			require.NoError(t, err)
			require.Empty(t, v.Info().Notes)
			require.Equal(t, len(blocks), v.Info().FreeSpaces)
			for n := range tracks {
				track, err := v.Track(n)
				require.NoError(t, err)
				require.Equal(t, tracks[n], track.Image)
			}
			_, err = v.Update(7)
			require.NoError(t, err)
			require.NoError(t, v.Close())
			checkCompressed(t, "-3", path)
		})
	}
}
