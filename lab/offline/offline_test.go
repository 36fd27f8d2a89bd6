package offline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/lab/description"
	volumes "github.com/iosrun/iosrun/lab/volume"
	"github.com/iosrun/iosrun/lab/volume/volumetest"
)

// fresh makes a volume with dasdinit.
func fresh(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	volumetest.Tool(t, dir, "dasdinit", args...)
	return filepath.Join(dir, name)
}

func content(t *testing.T, path string) string {
	t.Helper()
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(p)
}

func requireEqual(t *testing.T, a, b string) {
	t.Helper()
	c, err := volumes.Compare(a, b, volumes.CompareOptions{})
	require.NoError(t, err)
	require.True(t, c.Equal(), "%+v", c)
}

// created makes a small volume of a device type.
func created(t *testing.T, path, device string, cylinders int, o image.CreateOptions) string {
	t.Helper()
	o.NoSync = true
	require.NoError(t, volumes.Create(path, volumes.CreateOptions{Device: device, Cylinders: cylinders, Content: image.Content{Serial: "VOL001"}, Image: o}))
	return path
}

// vary gives the tracks of a volume, but for its first cylinder, records of every
// kind: with keys and without, of many lengths, end-of-file records with and
// without keys, one number on several records, other tracks' addresses, a record
// zero that is not the standard one, segments of overflow records, as many of no length as a track takes, and
// no records at all.
func vary(t *testing.T, v *image.CKD, random *rand.Rand) {
	t.Helper()
	g := v.Geometry()
	for n := g.Heads; n < g.Tracks(); n++ {
		track, err := v.Update(n)
		require.NoError(t, err)
		home := g.Address(n/g.Heads, n%g.Heads)
		zero := media.Count{Address: home, DataLength: 8}
		switch n % 7 {
		case 1:
			zero.DataLength = uint16(random.IntN(2) * random.IntN(g.DataLength/2))
		case 2:
			zero.KeyLength, zero.DataLength = 11, 200
		case 3:
			zero.Address ^= 0x00010001
		}
		last, err := track.ReplaceZero(g, zero)
		require.NoError(t, err)
		fill(track, last, random)
		if n%7 == 4 {
			continue // nothing but record zero
		}
		for number := 1; number <= 255; number++ {
			c := media.Count{Address: home, Number: uint8(number)}
			switch kind := random.IntN(8); {
			case n%7 == 5: // records of no length
			case n%7 == 6 && number%5 != 0: // and those that are all key
				c.KeyLength = uint8(1 + random.IntN(40))
			case kind == 0: // end of file
			case kind == 1: // with a key
				c.KeyLength = uint8(random.IntN(256))
			case kind == 2:
				c.Number, c.Address = 1, home^0x00020000
				c.DataLength = 80
			case kind == 3: // as an image has a segment of an overflow record
				c.Address |= 0x80000000
				c.DataLength = uint16(random.IntN(100))
			default:
				c.KeyLength = uint8(random.IntN(2) * random.IntN(256))
				c.DataLength = uint16(random.IntN(g.DataLength / (1 + random.IntN(20))))
			}
			r, err := track.Append(g, last, c)
			if err != nil {
				require.ErrorIs(t, err, media.ErrNoRoom)
				break
			}
			last = r
			fill(track, last, random)
		}
	}
}

func fill(track *media.Track, r media.Record, random *rand.Rand) {
	for _, p := range [][]byte{track.Key(r), track.Data(r)} {
		for i := range p {
			p[i] = byte(random.Uint32())
		}
	}
}

// A volume that dasdload made is mirrored to one that dasdinit made. Their tools
// print the same of both.
func TestMirrorOfALoadedVolume(t *testing.T) {
	dir := t.TempDir()
	primary := volumetest.Loaded(t, dir)
	before := content(t, primary)
	want := volumetest.Printed(t, dir, primary)
	for name, args := range map[string][]string{
		"plain.dsk":  {"-lfs", "plain.dsk", "3390", "MIRROR", "20"},
		"zlib.cckd":  {"-z", "zlib.cckd", "3390", "MIRROR", "20"},
		"bzip2.cckd": {"-bz2", "bzip2.cckd", "3390", "MIRROR", "20"},
	} {
		t.Run(name, func(t *testing.T) {
			mirror := fresh(t, dir, name, args...)
			m, err := Mirror(context.Background(), primary, mirror, Options{})
			require.NoError(t, err)
			assert.GreaterOrEqual(t, m.Tracks, int64(300))
			assert.Greater(t, m.Programs, uint64(600))
			requireEqual(t, primary, mirror)
			require.Equal(t, want, volumetest.Printed(t, dir, mirror))
			require.Equal(t, before, content(t, primary), "the primary stays as it is")
			if name != "plain.dsk" {
				require.Empty(t, volumetest.Tool(t, dir, "cckdcdsk", "-ro", "-3", mirror))
			}
		})
	}
}

// So is one of a device whose control unit knows single records only. The mirror
// is the same file.
func TestMirrorOfALoaded3350(t *testing.T) {
	dir := t.TempDir()
	primary := volumetest.LoadedOn(t, dir, "3350", 6)
	want := volumetest.Printed(t, dir, primary)
	mirror := fresh(t, dir, "mirror", "-lfs", "mirror", "3350", "MIRROR", "6")
	m, err := Mirror(context.Background(), primary, mirror, Options{})
	require.NoError(t, err)
	assert.Greater(t, m.Programs, uint64(2*180), "counts and write, and records of tracks that have some")
	requireEqual(t, primary, mirror)
	require.Equal(t, want, volumetest.Printed(t, dir, mirror))
}

func TestMirrorOfBlocks(t *testing.T) {
	dir := t.TempDir()
	primary := fresh(t, dir, "p", "-lfs", "p", "3370", "FBA001", "3001")
	v, err := image.OpenFBA(primary, media.ReadWrite, image.Options{})
	require.NoError(t, err)
	p := make([]byte, 700*media.BlockSize)
	for i := range p {
		p[i] = byte(i * i >> 7)
	}
	require.NoError(t, v.WriteBlocks(2301, p))
	require.NoError(t, v.Close())
	mirror := fresh(t, dir, "m", "-lfs", "m", "3370", "FBA002", "3001")
	_, err = Mirror(context.Background(), primary, mirror, Options{})
	require.NoError(t, err)
	require.Equal(t, content(t, primary), content(t, mirror))
}

func TestMirrorRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	create := func(name, device string, cylinders int) string {
		require.NoError(t, volumes.Create(at(name), volumes.CreateOptions{Device: device, Cylinders: cylinders, Content: image.Content{Serial: "VOL001"}}))
		return at(name)
	}
	p := create("p", "3390", 3)
	for name, c := range map[string]struct{ mirror, want string }{
		"absent":     {at("absent"), "no such file"},
		"small":      {create("small", "3390", 2), "a mirror is like its primary"},
		"other type": {create("other", "3380", 3), "a mirror is like its primary"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Mirror(context.Background(), p, c.mirror, Options{})
			require.ErrorContains(t, err, c.want)
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Mirror(ctx, p, create("m", "3390", 3), Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// Volumes of every device type are mirrored byte for byte, with the channel
// commands that the type's control unit has.
func TestMirrorOfEveryDevice(t *testing.T) {
	for i, g := range media.Models() {
		if g.FBA() || g.Name == "3390-A" { // the plain format numbers no more than 65536 cylinders
			continue
		}
		t.Run(g.Name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			primary := created(t, at("primary"), g.Name, 3, image.CreateOptions{})
			v, err := image.OpenCKD(primary, media.ReadWrite, image.Options{NoSync: true})
			require.NoError(t, err)
			vary(t, v, rand.New(rand.NewPCG(uint64(i), 5)))
			require.NoError(t, v.Close())
			before := content(t, primary)
			for name, o := range map[string]image.CreateOptions{"plain": {}, "compressed": {Format: image.FormatCCKD, Compression: image.Zlib}} {
				mirror := created(t, at(name), g.Name, 3, o)
				m, err := Mirror(context.Background(), primary, mirror, Options{NoSync: true})
				require.NoError(t, err)
				assert.GreaterOrEqual(t, m.Tracks, int64(3*g.Heads))
				if classic := description.TakesBlocks(g) != nil; classic {
					assert.Greater(t, m.Programs, uint64(3*m.Tracks), "counts, records, write")
				} else {
					assert.Less(t, m.Programs, uint64(3*m.Tracks), "read track, write")
				}
				requireEqual(t, primary, mirror)
				if name == "plain" {
					require.True(t, before == content(t, mirror), "the files differ")
				}
			}
			require.True(t, before == content(t, primary), "the primary stays as it is")
		})
	}
}

// Two mirrors of one primary that is driven with the classic commands, and one
// copy at a time, and many.
func TestMirrorStreams(t *testing.T) {
	dir := t.TempDir()
	primary := created(t, filepath.Join(dir, "p"), "3350", 2, image.CreateOptions{})
	v, err := image.OpenCKD(primary, media.ReadWrite, image.Options{NoSync: true})
	require.NoError(t, err)
	vary(t, v, rand.New(rand.NewPCG(1, 2)))
	require.NoError(t, v.Close())
	for _, streams := range []int{1, 16} {
		mirror := created(t, filepath.Join(dir, fmt.Sprint(streams)), "3350", 2, image.CreateOptions{})
		_, err = Mirror(context.Background(), primary, mirror, Options{NoSync: true, Streams: streams})
		require.NoError(t, err)
		require.True(t, content(t, primary) == content(t, mirror))
	}
}
