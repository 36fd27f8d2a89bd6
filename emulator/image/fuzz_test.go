package image

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
)

// seeds are small volumes of every format.
func seeds(f *testing.F) [][]byte {
	f.Helper()
	dir := f.TempDir()
	path := filepath.Join(dir, "seed")
	g, err := media.Lookup("2311")
	require.NoError(f, err)
	g, err = g.Resize(1)
	require.NoError(f, err)
	b, err := media.ForBlocks(130)
	require.NoError(f, err)
	var all [][]byte
	for _, o := range []CreateOptions{
		{Format: FormatCKD}, {Format: FormatCCKD}, {Format: FormatCCKD, Compression: Zlib}, {Format: FormatCCKD, Compression: Bzip2, Wide: true},
		{Format: FormatFBA}, {Format: FormatCFBA, Compression: Zlib}, {Format: FormatCFBA, Compression: Bzip2},
	} {
		o.Replace, o.NoSync = true, true
		of := g
		if o.Format.FBA() {
			of = b
		}
		require.NoError(f, Create(path, of, Content{Serial: "FUZZ01"}, o))
		p, err := os.ReadFile(path)
		require.NoError(f, err)
		all = append(all, p)
	}
	require.NoError(f, Create(path, g, Content{Serial: "FUZZ01"}, CreateOptions{Replace: true}))
	require.NoError(f, CreateShadow(path+".1", path, nil, CreateOptions{Compression: Zlib}))
	p, err := os.ReadFile(path + ".1")
	require.NoError(f, err)
	return append(all, p)
}

// fuzzUnits bounds how much of a volume the fuzzers read.
const fuzzUnits = 64

// FuzzOpen opens whatever bytes, reads what opens, changes it, and opens it
// again: what was written must be there.
func FuzzOpen(f *testing.F) {
	for _, p := range seeds(f) {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		path := filepath.Join(t.TempDir(), "volume")
		require.NoError(t, os.WriteFile(path, p, 0o600))
		v, err := Open(path, media.ReadWrite, Options{CacheBytes: 1})
		if err != nil {
			require.Equal(t, p, mustRead(t, path))
			return
		}
		v.Info()
		switch v := v.(type) {
		case *CKD:
			fuzzTracks(t, path, v)
		case *FBA:
			fuzzBlocks(t, path, v)
		}
	})
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	return p
}

func fuzzTracks(t *testing.T, path string, v *CKD) {
	g := v.Geometry()
	want := map[int][]byte{}
	for n := range min(g.Tracks(), fuzzUnits) {
		track, err := v.Update(n)
		if err != nil {
			continue
		}
		track.Image = appendEnd(appendCount(appendHome(track.Image[:0], n/g.Heads, n%g.Heads), 0, 0, 7, 0, 0))
		want[n] = append([]byte(nil), track.Image...)
	}
	if err := v.Close(); errors.Is(err, ErrFull) {
		return
	} else {
		require.NoError(t, err)
	}
	v, err := OpenCKD(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	for n, image := range want {
		track, err := v.Track(n)
		require.NoError(t, err)
		require.Equal(t, image, track.Image)
	}
	require.NoError(t, v.Close())
}

func fuzzBlocks(t *testing.T, path string, v *FBA) {
	var want [media.BlockSize]byte
	copy(want[:], "content")
	last := v.Geometry().Blocks - 1
	written := v.WriteBlocks(last, want[:]) == nil
	if err := v.Close(); errors.Is(err, ErrFull) {
		return
	} else {
		require.NoError(t, err)
	}
	v, err := OpenFBA(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	if written {
		var got [media.BlockSize]byte
		require.NoError(t, v.ReadBlocks(last, got[:]))
		require.Equal(t, want, got)
	}
	require.NoError(t, v.Close())
}

// FuzzShadow opens whatever bytes as a shadow file on a sound image.
func FuzzShadow(f *testing.F) {
	for _, p := range seeds(f) {
		f.Add(p)
	}
	base := filepath.Join(f.TempDir(), "base")
	g, err := media.Lookup("2311")
	require.NoError(f, err)
	g, err = g.Resize(1)
	require.NoError(f, err)
	require.NoError(f, Create(base, g, Content{Serial: "FUZZ01"}, CreateOptions{}))
	f.Fuzz(func(t *testing.T, p []byte) {
		path := filepath.Join(t.TempDir(), "shadow")
		require.NoError(t, os.WriteFile(path, p, 0o600))
		v, err := OpenCKD(base, media.ReadWrite, Options{Shadows: []string{path}, CacheBytes: 1})
		if err != nil {
			return
		}
		for n := range v.Geometry().Tracks() {
			if track, err := v.Track(n); err == nil {
				require.NoError(t, track.Validate(g))
			}
		}
		require.NoError(t, v.Close())
	})
}

// FuzzDecode decompresses whatever bytes, and compresses what it gets again.
func FuzzDecode(f *testing.F) {
	g, err := media.Lookup("3340-35")
	require.NoError(f, err)
	unit := NullLinux.appendNull(nil, 0, 0)[:g.TrackSize]
	for with := range Compression(compressions) {
		var c codec
		p, err := c.encode(nil, unit, with, -1)
		require.NoError(f, err)
		f.Add(p)
	}
	var in, out codec
	dst, again := make([]byte, g.TrackSize), make([]byte, g.TrackSize)
	f.Fuzz(func(t *testing.T, p []byte) {
		n, err := in.decode(dst, p)
		if err != nil {
			return
		}
		require.LessOrEqual(t, n, len(dst))
		for with := range Compression(compressions) {
			q, err := out.encode(nil, dst[:n], with, -1)
			require.NoError(t, err)
			m, err := in.decode(again, q)
			require.NoError(t, err)
			require.True(t, bytes.Equal(dst[:n], again[:m]))
		}
	})
}

// FuzzParseTrack parses whatever bytes. What parses is valid by the media's
// own rules too, and the other way round.
func FuzzParseTrack(f *testing.F) {
	f.Add(NullEmpty.appendNull(nil, 0, 0))
	f.Add(NullEndOfFile.appendNull(nil, 0, 0))
	f.Add(appendEnd(appendCount(appendHome(nil, 0, 0), 0, 0, 1, 3, 0)))
	g, err := media.Lookup("2311")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, p []byte) {
		p = p[:min(len(p), g.TrackSize)]
		used, fault := parseTrack(p, 0, 0)
		if fault != nil {
			track := media.Track{Image: p}
			require.Error(t, track.Validate(g))
			return
		}
		track := media.Track{Image: p[:used]}
		require.NoError(t, track.Validate(g))
		nullFormatOf(p[:used])
	})
}
