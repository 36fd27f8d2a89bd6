package volume

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/lab/volume/volumetest"
)

func create(t *testing.T, path string, o CreateOptions) {
	t.Helper()
	o.Image.NoSync = true
	require.NoError(t, Create(path, o))
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name      string
		o         CreateOptions
		cylinders int
		blocks    int64
		says      string
	}{
		{"model", CreateOptions{Device: "3340-35", Content: image.Content{Serial: "A"}}, 348, 0, ""},
		{"alternates", CreateOptions{Device: "3340-35", Alternates: true, Content: image.Content{Serial: "A"}}, 349, 0, ""},
		{"cylinders", CreateOptions{Device: "3390", Cylinders: 7, Content: image.Content{Serial: "A"}}, 7, 0, ""},
		{"blocks", CreateOptions{Device: "3370", Blocks: 777, Content: image.Content{Serial: "A"}}, 0, 777, ""},
		{"FBA model", CreateOptions{Device: "3310", Content: image.Content{Serial: "A"}}, 0, 125664, ""},
		{"unknown", CreateOptions{Device: "9999"}, 0, 0, "9999"},
		{"cylinders of blocks", CreateOptions{Device: "3370", Cylinders: 1}, 0, 0, "blocks, not cylinders"},
		{"blocks of cylinders", CreateOptions{Device: "3390", Blocks: 1}, 0, 0, "cylinders, not blocks"},
		{"no serial", CreateOptions{Device: "3390", Cylinders: 1}, 0, 0, "volume serial"},
		{"Linux 3380", CreateOptions{Device: "3380", Cylinders: 1, Content: image.Content{Serial: "A", Formatting: image.Linux}}, 0, 0, "only a 3390"},
		{"raw with serial", CreateOptions{Device: "3380", Cylinders: 1, Content: image.Content{Serial: "A", Formatting: image.Raw}}, 0, 0, "no label"},
		{"compressed plain", CreateOptions{Device: "3380", Cylinders: 1, Content: image.Content{Serial: "A"}, Image: image.CreateOptions{Compression: image.Zlib}}, 0, 0, "does not compress"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			c.o.Image.NoSync = true
			err := Create(path, c.o)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.NoFileExists(t, path)
				return
			}
			require.NoError(t, err)
			i, err := Inspect(path, image.Options{})
			require.NoError(t, err)
			require.Equal(t, c.cylinders, i.Geometry.Cylinders)
			require.Equal(t, c.blocks, i.Geometry.Blocks)
			require.Equal(t, "A", i.Label.Serial)
			_, err = json.Marshal(i)
			require.NoError(t, err)
		})
	}
}

// change calls do with track n of the volume at path.
func change(t *testing.T, path string, n int, do func(*media.Geometry, *media.Track)) {
	t.Helper()
	v, err := image.OpenCKD(path, media.ReadWrite, image.Options{})
	require.NoError(t, err)
	track, err := v.Update(n)
	require.NoError(t, err)
	do(v.Geometry(), track)
	require.NoError(t, v.Close())
}

func appendRecord(t *testing.T, g *media.Geometry, track *media.Track, number, key, data int, fill byte) {
	t.Helper()
	last, err := track.Zero()
	for more := true; more && err == nil; {
		var next media.Record
		if next, more, err = track.Next(last); more {
			last = next
		}
	}
	require.NoError(t, err)
	r, err := track.Append(g, last, media.Count{Address: g.Address(track.Cylinder, track.Head), Number: uint8(number), KeyLength: uint8(key), DataLength: uint16(data)})
	require.NoError(t, err)
	for _, p := range [][]byte{track.Key(r), track.Data(r)} {
		for i := range p {
			p[i] = fill
		}
	}
}

// TestCompare makes one difference of each sort and looks for the line that
// tells it.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	o := CreateOptions{Device: "3390", Cylinders: 20, Content: image.Content{Serial: "CMP001"}}
	create(t, a, o)
	o.Image = image.CreateOptions{Format: image.FormatCCKD, Compression: image.Zlib}
	create(t, b, o)
	equal := func() *Comparison {
		c, err := Compare(a, b, CompareOptions{})
		require.NoError(t, err)
		return c
	}
	require.True(t, equal().Equal())
	for _, path := range []string{a, b} {
		for n := range 5 {
			change(t, path, 20+n, func(g *media.Geometry, track *media.Track) { appendRecord(t, g, track, 1, 4, 100, 0x11) })
		}
	}
	require.True(t, equal().Equal())
	record := func(track *media.Track) media.Record {
		r, found, err := track.Record(1)
		require.NoError(t, err)
		require.True(t, found)
		return r
	}
	change(t, b, 20, func(_ *media.Geometry, track *media.Track) { track.Data(record(track))[33] = 0x22 })
	change(t, b, 21, func(_ *media.Geometry, track *media.Track) { track.Key(record(track))[3] = 0x22 })
	change(t, b, 22, func(_ *media.Geometry, track *media.Track) { track.EraseFrom(record(track)) })
	change(t, b, 23, func(g *media.Geometry, track *media.Track) { appendRecord(t, g, track, 2, 0, 10, 0) })
	change(t, b, 24, func(g *media.Geometry, track *media.Track) {
		track.EraseFrom(record(track))
		appendRecord(t, g, track, 1, 4, 101, 0x11)
	})
	c := equal()
	require.False(t, c.Equal())
	require.Equal(t, int64(5), c.Differing)
	require.Equal(t, int64(300), c.Compared)
	var text bytes.Buffer
	require.NoError(t, c.WriteText(&text))
	data := strings.Repeat("11", 16)
	require.Equal(t, strings.Join([]string{
		"cylinder 1 head 5 record 1, data, byte 33: " + data + ", 22" + data[2:],
		"cylinder 1 head 6 record 1, key, byte 3: 11, 22",
		"cylinder 1 head 7 record 1: only in the first, count 0001000701040064",
		"cylinder 1 head 8 record 2: only in the second, count 000100080200000a",
		"cylinder 1 head 9 record 1, count, byte 7: 64, 65",
		a + ", " + b + ": 5 of 300 tracks differ", "",
	}, "\n"), text.String())

	c, err := Compare(a, b, CompareOptions{Limit: 2})
	require.NoError(t, err)
	require.Len(t, c.Differences, 2)
	text.Reset()
	require.NoError(t, c.WriteText(&text))
	require.Contains(t, text.String(), "and 3 more tracks")
}

func TestCompareShapes(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	content := image.Content{Serial: "SHAPE1"}
	create(t, at("3390"), CreateOptions{Device: "3390", Cylinders: 2, Content: content})
	create(t, at("3390+"), CreateOptions{Device: "3390", Cylinders: 3, Content: content})
	create(t, at("3380"), CreateOptions{Device: "3380", Cylinders: 2, Content: content})
	create(t, at("fba"), CreateOptions{Device: "3370", Blocks: 500, Content: content})
	create(t, at("fba+"), CreateOptions{Device: "3370", Blocks: 501, Content: content, Image: image.CreateOptions{Format: image.FormatCFBA}})
	for _, c := range []struct {
		a, b     string
		shape    string
		compared int64
	}{
		{"3390", "3390+", "2 cylinders, 3 cylinders", 30},
		{"3390", "3380", "a 3390-1, a 3380-A", 0},
		{"3390", "fba", "3390-1 has tracks, 3370-1 has blocks", 0},
		{"fba", "fba+", "500 blocks, 501 blocks", 500},
	} {
		r, err := Compare(at(c.a), at(c.b), CompareOptions{})
		require.NoError(t, err)
		require.Equal(t, c.shape, r.Shape)
		require.Equal(t, c.compared, r.Compared)
		require.False(t, r.Equal())
		require.Zero(t, r.Differing)
	}
	v, err := image.OpenFBA(at("fba+"), media.ReadWrite, image.Options{})
	require.NoError(t, err)
	p := make([]byte, media.BlockSize)
	p[7] = 9
	require.NoError(t, v.WriteBlocks(301, p))
	require.NoError(t, v.Close())
	r, err := Compare(at("fba"), at("fba+"), CompareOptions{})
	require.NoError(t, err)
	require.Equal(t, []Difference{{Block: 301, Area: "block", Offset: 7, First: strings.Repeat("00", 16), Second: "09" + strings.Repeat("00", 15)}}, r.Differences)
}

// TestVerify damages tracks of a volume, and has one hold more than the device
// could, as volumes of other programs do.
func TestVerify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "volume")
	create(t, path, CreateOptions{Device: "3390", Cylinders: 2, Content: image.Content{Serial: "VER001"}})
	change(t, path, 3, func(g *media.Geometry, track *media.Track) {
		for n := range 12 {
			appendRecord(t, g, track, n+1, 0, 4096, 1)
		}
	})
	r, err := Verify(path, VerifyOptions{})
	require.NoError(t, err)
	require.True(t, r.Sound(), "%+v", r)
	require.Equal(t, int64(12+3), r.Records)

	change(t, path, 4, func(g *media.Geometry, track *media.Track) {
		larger := *g
		larger.TrackLength *= 2
		for n := range 13 {
			appendRecord(t, &larger, track, n+1, 0, 4096, 1)
		}
	})
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, n := range []int{17, 18} {
		p[512+n*56832+21] = 0 // the end mark
	}
	require.NoError(t, os.WriteFile(path, p, 0o600))
	var steps []int
	r, err = Verify(path, VerifyOptions{Limit: 2, Progress: func(done, total int) error {
		require.Equal(t, 30, total)
		steps = append(steps, done)
		return nil
	}})
	require.NoError(t, err)
	require.Equal(t, []int{0, 30}, steps)
	require.False(t, r.Sound())
	require.Equal(t, 2, r.Damaged)
	require.Equal(t, 1, r.Full)
	require.Len(t, r.Findings, 2)
	var text bytes.Buffer
	require.NoError(t, r.WriteText(&text))
	require.Contains(t, text.String(), "cylinder 0 head 4: records take more than a track has")
	require.Contains(t, text.String(), "cylinder 1 head 2: ")
	require.Contains(t, text.String(), "and 1 more")
	require.Contains(t, text.String(), "2 damaged, 1 over capacity")

	// A copy of a damaged volume fails and leaves nothing.
	_, err = Copy(path, path+".copy", CopyOptions{Target: image.CreateOptions{Format: image.FormatCCKD, Compression: image.Zlib}})
	require.ErrorIs(t, err, image.ErrDamaged)
	require.NoFileExists(t, path+".copy")

	require.NoError(t, os.WriteFile(path, p[:len(p)-100], 0o600))
	r, err = Verify(path, VerifyOptions{})
	require.NoError(t, err)
	require.Contains(t, r.Fatal, "should be 512 and a multiple of 852480")
	require.False(t, r.Sound())
	_, err = Verify(path+".none", VerifyOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestCopyIsDeterministic copies with one and with several workers.
func TestCopyIsDeterministic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "volume")
	create(t, path, CreateOptions{Device: "3390", Cylinders: 4, Content: image.Content{Serial: "DET001", Formatting: image.Linux}})
	for n := range 40 {
		change(t, path, n, func(_ *media.Geometry, track *media.Track) {
			for i := 5000; i < 5100; i++ {
				track.Image[i%len(track.Image)] = byte(i * n)
			}
		})
	}
	for _, workers := range []int{1, 3} {
		for _, f := range []image.Format{image.FormatCCKD, image.FormatCKD} {
			o := CopyOptions{Workers: workers, Target: image.CreateOptions{Format: f, Replace: true}}
			if f == image.FormatCCKD {
				o.Target.Compression = image.Bzip2
			}
			target := filepath.Join(dir, string(f)) + string(rune('0'+workers))
			c, err := Copy(path, target, o)
			require.NoError(t, err)
			require.Equal(t, 60, c.Units)
			equalTracks(t, path, target)
		}
	}
	sameFile(t, filepath.Join(dir, "cckd1"), filepath.Join(dir, "cckd3"))
	sameFile(t, path, filepath.Join(dir, "ckd3"))
}

// TestExtents lists a data set with more extents than its first label holds.
func TestExtents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "volume")
	create(t, path, CreateOptions{Device: "3390", Cylinders: 20, Content: image.Content{Serial: "EXT001"}})
	extent := func(p []byte, k int) {
		copy(p, []byte{1, byte(k), 0, byte(1 + k), 0, 0, 0, byte(1 + k), 0, byte(k)})
	}
	var first, third, table [labelKeyLength + labelDataLength]byte
	copy(first[:], volumetest.EBCDIC(t, "MANY.EXTENTS"+strings.Repeat(" ", 32)))
	first[labelKeyLength] = format1
	first[labelKeyLength+dsExtents] = 14
	for k := range 3 {
		extent(first[labelKeyLength+dsExtent+10*k:], k)
	}
	copy(first[labelKeyLength+dsNext:], []byte{0, 0, 0, 1, 3})
	for k := range 11 {
		at := keyMarkLength + 10*k
		if k >= extentsInKey {
			at = labelKeyLength + 1 + 10*(k-extentsInKey)
		}
		extent(third[at:], 3+k)
	}
	third[labelKeyLength] = format3
	for i := range labelKeyLength {
		table[i] = 4
	}
	table[labelKeyLength] = format4
	copy(table[labelKeyLength+contentsExtent:], []byte{1, 0, 0, 0, 0, 1, 0, 0, 0, 1})
	write := func() {
		change(t, path, 1, func(g *media.Geometry, track *media.Track) {
			zero, err := track.Zero()
			require.NoError(t, err)
			track.EraseAfter(zero)
			for n, l := range [][labelKeyLength + labelDataLength]byte{table, first, third} {
				appendRecord(t, g, track, n+1, labelKeyLength, labelDataLength, 0)
				r, _, err := track.Record(n + 1)
				require.NoError(t, err)
				copy(track.Key(r), l[:labelKeyLength])
				copy(track.Data(r), l[labelKeyLength:])
			}
		})
	}
	third[labelKeyLength+dsNext] = 0
	first[labelKeyLength+dsExtents] = 14
	write()
	l, err := List(path, false, image.Options{})
	require.NoError(t, err)
	require.Len(t, l.DataSets, 1)
	require.Len(t, l.DataSets[0].Extents, 14)
	require.Equal(t, 14*15/2, l.DataSets[0].Tracks)
	require.Equal(t, Extent{14, 0, 14, 13, 14}, l.DataSets[0].Extents[13])

	first[labelKeyLength+dsExtents] = 20
	write()
	_, err = List(path, false, image.Options{})
	require.ErrorContains(t, err, "says 20 extents, its chain of labels has 16")
	copy(first[labelKeyLength+dsNext:], []byte{0, 9, 0, 9, 9})
	write()
	_, err = List(path, false, image.Options{})
	require.ErrorContains(t, err, "where no format 3 or 9 label is")
	first[labelKeyLength+dsExtent+7] = 200
	write()
	_, err = List(path, false, image.Options{})
	require.ErrorContains(t, err, "extent 1")
}
