package image

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
)

// tool runs one of the Hercules emulator's programs and skips the test where
// they are not installed. The programs say on their output what went wrong;
// their exit status does not.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian package hercules)", name)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return string(out)
}

// deviceNames are devices of each type, with what dasdinit calls them.
var deviceNames = []string{"2305-1", "2305-2", "2311-1", "2314-1", "3330-1", "3330-11", "3340-35", "3340-70", "3350-1", "3375-1", "3380-A", "3380-E", "3380-K", "3390-1", "3390-2", "3390-3", "3390-9", "9345-1", "9345-2"}

func device(t *testing.T, name string, cylinders int) *media.Geometry {
	t.Helper()
	g, err := media.Lookup(name)
	require.NoError(t, err)
	g, err = g.Resize(cylinders)
	require.NoError(t, err)
	return g
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	return p
}

// sameFile compares two files and says where they differ first.
func sameFile(t *testing.T, want, got string) {
	t.Helper()
	a, b := content(t, want), content(t, got)
	if bytes.Equal(a, b) {
		return
	}
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	t.Fatalf("%s (%d bytes) and %s (%d bytes) differ from offset %#x on", want, len(a), got, len(b), i)
}

// sameTracks compares every track of a volume with the plain image at path, up
// to the end mark: behind that of a null track, Hercules leaves what its buffer
// held before.
func sameTracks(t *testing.T, path string, v *CKD) {
	t.Helper()
	p := content(t, path)
	g := v.Geometry()
	require.Equal(t, headerSize+g.Cylinders*g.Heads*g.TrackSize, len(p))
	for n := range g.Cylinders * g.Heads {
		track, err := v.Track(n)
		require.NoError(t, err)
		want := p[headerSize+n*g.TrackSize:][:g.TrackSize]
		require.True(t, bytes.Equal(want[:len(track.Image)], track.Image), "track %d", n)
	}
}

func TestCreateEqualsDasdinit(t *testing.T) {
	t.Parallel()
	for _, name := range deviceNames {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			theirs, ours := filepath.Join(dir, "theirs.ckd"), filepath.Join(dir, "ours.ckd")
			tool(t, "dasdinit", "-lfs", theirs, name, "ABC123", "3")
			require.NoError(t, Create(ours, device(t, name, 3), Content{Serial: "ABC123"}, CreateOptions{NoSync: true}))
			sameFile(t, theirs, ours)

			require.NoError(t, os.Remove(theirs))
			tool(t, "dasdinit", "-lfs", "-r", theirs, name, "3")
			require.NoError(t, Create(ours, device(t, name, 3), Content{Formatting: Raw}, CreateOptions{Replace: true, NoSync: true}))
			sameFile(t, theirs, ours)
		})
	}
	t.Run("linux", func(t *testing.T) {
		for _, cylinders := range []int{1, 3, 30} {
			dir := t.TempDir()
			theirs, ours := filepath.Join(dir, "theirs.ckd"), filepath.Join(dir, "ours.ckd")
			tool(t, "dasdinit", "-lfs", "-linux", theirs, "3390", "LX0001", fmt.Sprint(cylinders))
			require.NoError(t, Create(ours, device(t, "3390-1", cylinders), Content{Formatting: Linux, Serial: "LX0001"}, CreateOptions{NoSync: true}))
			sameFile(t, theirs, ours)
		}
	})
	t.Run("fba", func(t *testing.T) {
		dir := t.TempDir()
		theirs, ours := filepath.Join(dir, "theirs.fba"), filepath.Join(dir, "ours.fba")
		tool(t, "dasdinit", "-lfs", theirs, "3370", "FBA001", "2000")
		g, err := fbaGeometry(2000, 0, "3370")
		require.NoError(t, err)
		require.NoError(t, Create(ours, g, Content{Serial: "FBA001"}, CreateOptions{NoSync: true}))
		sameFile(t, theirs, ours)
	})
}

// TestSplit has Hercules join a volume that is split into four files. Its own
// tools split at 2 GiB only, so that TestSplitEqualsDasdinit is the slow one.
func TestSplit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole, back := filepath.Join(dir, "whole.ckd"), filepath.Join(dir, "back.ckd")
	g := device(t, "3390-1", 10)
	writeRandomVolume(t, whole, g, 3)
	w, err := OpenCKD(whole, media.ReadOnly, Options{})
	require.NoError(t, err)
	b, err := NewBuilder(filepath.Join(dir, "split.ckd"), g, CreateOptions{SplitBytes: 3*15*56832 + headerSize})
	require.NoError(t, err)
	for n := range b.Units() {
		track, err := w.Track(n)
		require.NoError(t, err)
		require.NoError(t, b.Put(n, track.Image))
	}
	require.NoError(t, w.Close())
	require.NoError(t, b.Commit())
	tool(t, "dasdcopy", "-q", "-lfs", "-o", "ckd", filepath.Join(dir, "split_1.ckd"), back)
	sameFile(t, whole, back)
	for _, name := range []string{"split.ckd", "split_1.ckd"} {
		v, err := OpenCKD(filepath.Join(dir, name), media.ReadOnly, Options{})
		require.NoError(t, err)
		require.Len(t, v.Info().Files, 4)
		sameTracks(t, whole, v)
		require.NoError(t, v.Close())
	}
}

// largeEnv switches on tests that write gigabytes, and lets others try more.
const largeEnv = "IOSRUN_LARGE"

func TestSplitEqualsDasdinit(t *testing.T) {
	t.Parallel()
	if os.Getenv(largeEnv) == "" {
		t.Skipf("writes 4 GB; set %s to run it", largeEnv)
	}
	dir := t.TempDir()
	tool(t, "dasdinit", filepath.Join(dir, "theirs.ckd"), "3390", "SPLIT1", "2521")
	require.NoError(t, Create(filepath.Join(dir, "ours.ckd"), device(t, "3390-3", 2521), Content{Serial: "SPLIT1"}, CreateOptions{SplitBytes: HerculesSplit, NoSync: true}))
	sameFile(t, filepath.Join(dir, "theirs_2.ckd"), filepath.Join(dir, "ours_2.ckd"))
	out, err := exec.Command("cmp", filepath.Join(dir, "theirs_1.ckd"), filepath.Join(dir, "ours_1.ckd")).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

var compressionFlags = []string{"-0", "-z", "-bz2"}

// TestCompressedOfHercules reads what dasdinit and ckd2cckd compress.
func TestCompressedOfHercules(t *testing.T) {
	t.Parallel()
	for _, flag := range compressionFlags {
		t.Run(flag, func(t *testing.T) {
			dir := t.TempDir()
			plain, packed := filepath.Join(dir, "plain.ckd"), filepath.Join(dir, "packed.cckd")
			for _, args := range [][]string{
				{"-linux", packed, "3390", "LZ0001", "18"},
				{packed, "3380", "LZ0001", "18"},
				{"-r", packed, "3350", "18"},
			} {
				os.Remove(plain)
				os.Remove(packed)
				tool(t, "dasdinit", append([]string{flag}, args...)...)
				tool(t, "cckd2ckd", "-q", "-lfs", packed, plain)
				v, err := OpenCKD(packed, media.ReadOnly, Options{})
				require.NoError(t, err)
				require.Empty(t, v.Info().Notes)
				sameTracks(t, plain, v)
				require.NoError(t, v.Close())
			}
			// A volume of random records, compressed by Hercules.
			os.Remove(plain)
			os.Remove(packed)
			writeRandomVolume(t, plain, device(t, "3390-1", 20), 1)
			tool(t, "ckd2cckd", "-q", flag, plain, packed)
			v, err := OpenCKD(packed, media.ReadOnly, Options{CacheBytes: 1 << 20})
			require.NoError(t, err)
			sameTracks(t, plain, v)
			require.NoError(t, v.Close())
		})
	}
}

// randomTrack is a track of random records, about half of them compressible.
func randomTrack(r *rand.Rand, g *media.Geometry, n int) []byte {
	c, h := n/g.Heads, n%g.Heads
	p := appendHome(make([]byte, 0, g.TrackSize), c, h)
	for record := 1; record < 100; record++ {
		key, data := r.IntN(2)*r.IntN(50), r.IntN(4000)
		if len(p)+countSize+key+data+countSize > g.TrackSize || r.IntN(20) == 0 {
			break
		}
		p = appendCount(p, c, h, record, key, data)
		fill := byte(r.Uint32())
		random := r.IntN(2) == 0
		for range key + data {
			if random {
				fill = byte(r.Uint32())
			}
			p = append(p, fill)
		}
	}
	return appendEnd(p)
}

func writeRandomVolume(t *testing.T, path string, g *media.Geometry, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	b, err := NewBuilder(path, g, CreateOptions{NoSync: true})
	require.NoError(t, err)
	for n := range b.Units() {
		p := randomTrack(r, g, n)
		if r.IntN(4) == 0 {
			p = NullEmpty.appendNull(nil, n/g.Heads, n%g.Heads)
		}
		require.NoError(t, b.Put(n, p))
	}
	require.NoError(t, b.Commit())
}

// checkCompressed lets cckdcdsk check a file; it says nothing about a sound one.
// Level -2 checks all but the inside of tracks, level -3 that too, but takes
// dasdinit's own second track for an error.
func checkCompressed(t *testing.T, level, path string) {
	t.Helper()
	require.Empty(t, strings.TrimSpace(tool(t, "cckdcdsk", "-ro", level, path)))
}

// TestUpdatesPassCckdcdsk changes compressed images over and over, with flushes
// and reopenings in between, and has Hercules check and read every state.
func TestUpdatesPassCckdcdsk(t *testing.T) {
	t.Parallel()
	for k, flag := range compressionFlags {
		t.Run(flag, func(t *testing.T) {
			dir := t.TempDir()
			plain, packed, back := filepath.Join(dir, "plain.ckd"), filepath.Join(dir, "packed.cckd"), filepath.Join(dir, "back.ckd")
			g := device(t, "3390-1", 20)
			tool(t, "dasdinit", flag, packed, "3390", "UPD001", "20")
			tool(t, "cckd2ckd", "-q", "-lfs", packed, plain)
			r := rand.New(rand.NewPCG(uint64(k), 7))
			for range 3 {
				p, err := OpenCKD(plain, media.ReadWrite, Options{})
				require.NoError(t, err)
				c, err := OpenCKD(packed, media.ReadWrite, Options{CacheBytes: 1 << 20})
				require.NoError(t, err)
				for range 60 {
					n := r.IntN(g.Cylinders * g.Heads)
					image := randomTrack(r, g, n)
					switch r.IntN(6) {
					case 0:
						image = NullFormat(r.IntN(nullFormats)).appendNull(nil, n/g.Heads, n%g.Heads)
					case 1:
						require.NoError(t, c.Flush())
					}
					for _, v := range []*CKD{p, c} {
						track, err := v.Update(n)
						require.NoError(t, err)
						track.Image = append(track.Image[:0], image...)
					}
				}
				require.NoError(t, p.Close())
				require.NoError(t, c.Close())
				checkCompressed(t, "-2", packed)
				os.Remove(back)
				tool(t, "cckd2ckd", "-q", "-lfs", packed, back)
				v, err := OpenCKD(plain, media.ReadOnly, Options{})
				require.NoError(t, err)
				sameTracks(t, back, v)
				require.NoError(t, v.Close())
			}
			// Hercules removes the free space, and what it leaves is read again.
			tool(t, "cckdcomp", packed)
			v, err := OpenCKD(packed, media.ReadOnly, Options{})
			require.NoError(t, err)
			require.Zero(t, v.Info().Free)
			sameTracks(t, plain, v)
			require.NoError(t, v.Close())
		})
	}
}

func TestCompressedFBA(t *testing.T) {
	t.Parallel()
	for k, flag := range compressionFlags {
		t.Run(flag, func(t *testing.T) {
			dir := t.TempDir()
			plain, packed, back := filepath.Join(dir, "plain.fba"), filepath.Join(dir, "packed.cfba"), filepath.Join(dir, "back.fba")
			tool(t, "dasdinit", flag, packed, "3370", "FBA001", "5000")
			tool(t, "cfba2fba", "-q", packed, plain)
			r := rand.New(rand.NewPCG(uint64(k), 9))
			for range 2 {
				p, err := OpenFBA(plain, media.ReadWrite, Options{})
				require.NoError(t, err)
				c, err := OpenFBA(packed, media.ReadWrite, Options{})
				require.NoError(t, err)
				for range 20 {
					b := make([]byte, media.BlockSize*(1+r.IntN(300)))
					for i := range b {
						b[i] = byte(r.Uint32() & 3)
					}
					first := r.Int64N(5000 - int64(len(b))/media.BlockSize)
					require.NoError(t, p.WriteBlocks(first, b))
					require.NoError(t, c.WriteBlocks(first, b))
				}
				require.NoError(t, p.Close())
				require.NoError(t, c.Close())
				checkCompressed(t, "-2", packed)
				os.Remove(back)
				tool(t, "cfba2fba", "-q", packed, back)
				sameFile(t, plain, back)
			}
		})
	}
}
