package experiment

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	volumes "github.com/iosrun/iosrun/lab/volume"
)

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
				m, err := Mirror(context.Background(), primary, mirror, MirrorOptions{NoSync: true})
				require.NoError(t, err)
				assert.GreaterOrEqual(t, m.Tracks, int64(3*g.Heads))
				if classic := takesBlocks(g) != nil; classic {
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
		_, err = Mirror(context.Background(), primary, mirror, MirrorOptions{NoSync: true, Streams: streams})
		require.NoError(t, err)
		require.True(t, content(t, primary) == content(t, mirror))
	}
}
