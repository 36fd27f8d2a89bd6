package offline

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// fullVolume makes a 3390 of so many cylinders, every track of which holds
// twelve records of 4096 bytes.
func fullVolume(b *testing.B, path string, cylinders int) {
	g, err := media.ForType(0x90, cylinders, 15, 56832)
	require.NoError(b, err)
	v, err := image.NewBuilder(path, g, image.CreateOptions{NoSync: true})
	require.NoError(b, err)
	t := &media.Track{}
	for n := range v.Units() {
		t.Cylinder, t.Head, t.Image = n/g.Heads, n%g.Heads, nil
		require.NoError(b, t.Format(g, 12, 4096))
		t.Materialize(g)
		for r := 1; r <= 12; r++ {
			record, _, err := t.Record(r)
			require.NoError(b, err)
			for i := range t.Data(record) {
				t.Data(record)[i] = byte(n + r + i*i>>3)
			}
		}
		require.NoError(b, v.Put(n, t.Image))
	}
	require.NoError(b, v.Commit())
}

// BenchmarkMirror synchronises a full volume from file to file, against the plain
// copy of the file's bytes that cp would make; neither waits for the disk.
func BenchmarkMirror(b *testing.B) {
	const cylinders = 150
	dir := b.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	fullVolume(b, from, cylinders)
	g, err := media.ForType(0x90, cylinders, 15, 56832)
	require.NoError(b, err)
	b.Run("mirror", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(g.Tracks() * g.TrackSize))
		for b.Loop() {
			os.Remove(to)
			require.NoError(b, image.Create(to, g, image.Content{Formatting: image.Raw}, image.CreateOptions{NoSync: true}))
			_, err := Mirror(context.Background(), from, to, Options{NoSync: true})
			require.NoError(b, err)
		}
	})
	b.Run("copy", func(b *testing.B) {
		b.SetBytes(int64(g.Tracks() * g.TrackSize))
		for b.Loop() {
			require.NoError(b, os.Remove(to))
			in, err := os.Open(from)
			require.NoError(b, err)
			out, err := os.Create(to)
			require.NoError(b, err)
			// A plain reader and writer: the system must not share the blocks.
			_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, make([]byte, 128<<10))
			require.NoError(b, err)
			require.NoError(b, in.Close())
			require.NoError(b, out.Close())
		}
	})
}
