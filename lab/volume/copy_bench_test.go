package volume

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// largeEnv makes benchmarks work on a full 3390-3 (2.8 GB) instead of one of
// 100 cylinders.
const largeEnv = "IOSRUN_LARGE"

// fullVolume makes a 3390-3 whose tracks are full: twelve records of 4096 bytes,
// the first half of each incompressible.
func fullVolume(b *testing.B, path string) *media.Geometry {
	b.Helper()
	g, err := media.Lookup("3390-3")
	require.NoError(b, err)
	if os.Getenv(largeEnv) == "" {
		g, err = g.Resize(100)
		require.NoError(b, err)
	}
	w, err := image.NewBuilder(path, g, image.CreateOptions{NoSync: true})
	require.NoError(b, err)
	m, err := media.NewMemoryCKD(g, 12, 4096)
	require.NoError(b, err)
	t, err := m.Track(0)
	require.NoError(b, err)
	p := t.AppendImage(nil)
	seed := uint64(1)
	for n := range g.Tracks() {
		c, h := n/g.Heads, n%g.Heads
		copy(p[1:], []byte{byte(c >> 8), byte(c), 0, byte(h)})
		for r := range 12 {
			at := 21 + r*(8+4096)
			copy(p[at:], []byte{byte(c >> 8), byte(c), 0, byte(h)})
			for i := 8; i < 8+2048; i += 8 {
				seed ^= seed << 13
				seed ^= seed >> 7
				seed ^= seed << 17
				for k := range 8 {
					p[at+i+k] = byte(seed >> (8 * k))
				}
			}
		}
		require.NoError(b, w.Put(n, p))
	}
	require.NoError(b, w.Commit())
	return g
}

// BenchmarkCopy copies a volume plain to plain beside cp of the same file, in
// turn, and reports how many times as long as cp it takes.
func BenchmarkCopy(b *testing.B) {
	dir := b.TempDir()
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	g := fullVolume(b, source)
	size := int64(g.Tracks()) * int64(g.TrackSize)
	for _, sync := range []bool{false, true} {
		b.Run(fmt.Sprintf("sync=%v", sync), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(size)
			var ours, theirs time.Duration
			for range b.N {
				os.Remove(target)
				b.StopTimer()
				start := time.Now()
				require.NoError(b, exec.Command("cp", source, target).Run())
				if sync {
					require.NoError(b, exec.Command("sync", target).Run())
				}
				theirs += time.Since(start)
				os.Remove(target)
				b.StartTimer()
				start = time.Now()
				_, err := Copy(source, target, CopyOptions{Target: image.CreateOptions{NoSync: !sync}})
				require.NoError(b, err)
				ours += time.Since(start)
			}
			b.ReportMetric(float64(ours)/float64(theirs), "x-cp")
		})
	}
	for _, with := range []image.Compression{image.None, image.Zlib, image.Bzip2} {
		b.Run("to-"+with.String(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(size)
			for range b.N {
				_, err := Copy(source, target, CopyOptions{Target: image.CreateOptions{Format: image.FormatCCKD, Compression: with, Replace: true, NoSync: true}})
				require.NoError(b, err)
			}
		})
		if with != image.None {
			b.Run("from-"+with.String(), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(size)
				for range b.N {
					_, err := Copy(target, target+".back", CopyOptions{Target: image.CreateOptions{Replace: true, NoSync: true}})
					require.NoError(b, err)
				}
			})
		}
	}
}
