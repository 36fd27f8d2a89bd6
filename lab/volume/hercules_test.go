package volume

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/lab/volume/volumetest"
)

// TestLoaded copies a volume that dasdload made, with members that this project
// wrote, to every format and back. Hercules' tools print the same of each.
func TestLoaded(t *testing.T) {
	dir := t.TempDir()
	path := volumetest.Loaded(t, dir)
	want := volumetest.Printed(t, dir, path)
	for i, m := range volumetest.Members() {
		lines := strings.Split(strings.TrimRight(want[2+i], "\n"), "\n")
		require.Len(t, lines, len(m.Lines))
		for k := range lines {
			require.Equal(t, m.Lines[k], strings.TrimRight(lines[k], " "))
		}
	}
	report, err := Verify(path, VerifyOptions{})
	require.NoError(t, err)
	require.True(t, report.Sound(), "%+v", report)

	for _, with := range []image.Compression{image.None, image.Zlib, image.Bzip2} {
		t.Run(with.String(), func(t *testing.T) {
			packed, plain := filepath.Join(dir, "packed."+with.String()), filepath.Join(dir, "plain."+with.String())
			_, err := Copy(path, packed, CopyOptions{Target: image.CreateOptions{Format: image.FormatCCKD, Compression: with}})
			require.NoError(t, err)
			require.Equal(t, want, volumetest.Printed(t, dir, packed))
			require.Empty(t, strings.TrimSpace(volumetest.Tool(t, dir, "cckdcdsk", "-ro", "-3", packed)))
			volumetest.Tool(t, dir, "cckd2ckd", "-q", "-lfs", packed, plain+".theirs")
			equalTracks(t, path, plain+".theirs")
			_, err = Copy(packed, plain, CopyOptions{})
			require.NoError(t, err)
			sameFile(t, path, plain)
		})
	}
}

func equalTracks(t *testing.T, a, b string) {
	t.Helper()
	c, err := Compare(a, b, CompareOptions{})
	require.NoError(t, err)
	require.True(t, c.Equal(), "%+v", c)
}

func sameFile(t *testing.T, a, b string) {
	t.Helper()
	p, err := os.ReadFile(a)
	require.NoError(t, err)
	q, err := os.ReadFile(b)
	require.NoError(t, err)
	require.True(t, bytes.Equal(p, q), "%s, %s", a, b)
}

// TestListEqualsDasdls compares the listing with that of dasdls.
func TestListEqualsDasdls(t *testing.T) {
	dir := t.TempDir()
	path := volumetest.Loaded(t, dir)
	l, err := List(path, false, image.Options{})
	require.NoError(t, err)
	require.Equal(t, "LOADED", l.Label.Serial)
	require.Equal(t, "HERCULES", l.Label.Owner)
	require.Equal(t, &Extent{1, 0, 1, 14, 15}, l.Contents)
	rows := strings.Split(strings.TrimSpace(volumetest.Tool(t, dir, "dasdls", "-info", path)), "\n")[1:]
	require.Len(t, l.DataSets, len(rows), "%q", rows)
	for i, row := range rows {
		f := strings.Fields(row)
		d := l.DataSets[i]
		// name, creation, org, recfm, lrecl, blksize, key, tracks, use, extents
		created := d.Created[2:4] + d.Created[5:]
		require.Equal(t, f[:8], []string{d.Name, created, d.Organization, d.RecordFormat, fmt.Sprint(d.RecordLength), fmt.Sprint(d.BlockSize), fmt.Sprint(d.KeyLength), fmt.Sprint(d.Tracks)})
		require.Equal(t, "LOADED", d.Serial)
	}
	var text bytes.Buffer
	require.NoError(t, l.WriteText(&text))
	require.Contains(t, text.String(), "PO.LIB")
}

// loadControl is a control file of dasdload with data sets of several kinds.
const loadControl = `LOADED %s 40
SYSVTOC VTOC CYL 1
A.PS.FB EMPTY TRK 5 0 0 PS FB 80 3120 0
A.PS.VB EMPTY TRK 5 2 0 PS VB 255 3200 0
A.PS.U EMPTY CYL 1 0 0 PS U 0 3200 0
A.DA.F EMPTY CYL 1 0 0 DA F 100 100 8
A.LOAD EMPTY CYL 1 0 44 PO U 0 7000 0
A.POFB EMPTY CYL 1 1 20 PO FB 80 3120 0
A.PS.FBM EMPTY TRK 1 0 0 PS FBM 133 1330 0
A.SEQ SEQ cards.txt CYL 1 0 0 PS FB 80 3120 0
A.ANY DIP CYL 2
`

// TestListOfDevices compares the listings of volumes of several device types with
// those of dasdls, column by column.
func TestListOfDevices(t *testing.T) {
	dir := t.TempDir()
	cards := volumetest.EBCDIC(t, fmt.Sprintf("%-80s", "A CARD"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cards.txt"), bytes.Repeat(cards, 500), 0o600))
	for _, device := range []string{"3390", "3380", "3375", "3350", "3340", "3330", "2314", "9345"} {
		t.Run(device, func(t *testing.T) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "control"), fmt.Appendf(nil, loadControl, device), 0o600))
			volumetest.Tool(t, dir, "dasdload", "-lfs", "control", device, "0")
			path := filepath.Join(dir, device)
			l, err := List(path, true, image.Options{})
			require.NoError(t, err)
			rows := strings.Split(strings.TrimSpace(volumetest.Tool(t, dir, "dasdls", "-info", path)), "\n")[1:]
			require.Len(t, rows, 9)
			require.Len(t, l.DataSets, len(rows))
			for i, row := range rows {
				d := l.DataSets[i]
				length := fmt.Sprint(d.RecordLength)
				if d.RecordFormat == "U" || d.RecordFormat == "" && d.RecordLength == 0 {
					length = ""
				}
				format := d.RecordFormat
				if format == "" {
					format = "U" // what dasdls says without one
				}
				require.Equal(t, fmt.Sprintf("%-44s %s %-3s %-5s %5s %5d %3d %5d", d.Name, d.Created[2:4]+d.Created[5:], d.Organization, format, length, d.BlockSize, d.KeyLength, d.Tracks), row[:82])
				// Then how much is used, in per cent.
				require.Equal(t, fmt.Sprintf("%4d %3s %7d", len(d.Extents), d.Unit, d.Secondary), row[86:])
				require.Empty(t, d.Members)
			}
		})
	}
}

// TestMembers lists the members of a partitioned data set, as dasdcat does.
func TestMembers(t *testing.T) {
	dir := t.TempDir()
	path := volumetest.Loaded(t, dir)
	l, err := List(path, true, image.Options{})
	require.NoError(t, err)
	var names []string
	for _, d := range l.DataSets {
		require.Equal(t, d.Name == "PO.LIB", len(d.Members) > 0)
		for _, m := range d.Members {
			names = append(names, m.Name)
			require.Equal(t, d.Extents[0].FirstCylinder*15+d.Extents[0].FirstHead+m.Track, m.At.Cylinder*15+m.At.Head)
		}
	}
	require.Equal(t, strings.Fields(strings.ToUpper(volumetest.Tool(t, dir, "dasdcat", "-i", path, "PO.LIB/?"))), names)
	var text bytes.Buffer
	require.NoError(t, l.WriteText(&text))
	require.Contains(t, text.String(), "\n  ALPHA    cylinder ")
	l, err = List(path, false, image.Options{})
	require.NoError(t, err)
	for _, d := range l.DataSets {
		require.Empty(t, d.Members)
	}

	// A directory that is damaged in one way at a time.
	data := l.DataSets[len(l.DataSets)-1]
	require.Equal(t, "PO.LIB", data.Name)
	first := data.Extents[0].FirstCylinder*15 + data.Extents[0].FirstHead
	v, err := image.OpenCKD(path, media.ReadOnly, image.Options{})
	require.NoError(t, err)
	track, err := v.Track(first)
	require.NoError(t, err)
	r, _, err := track.Record(1)
	require.NoError(t, err)
	block := bytes.Clone(track.Data(r))
	require.NoError(t, v.Close())
	for at, says := range map[int]string{
		0:      "block has ",
		2 + 11: "the block has",
		2 + 8:  "member ALPHA: track",
	} {
		change(t, path, first, func(_ *media.Geometry, track *media.Track) {
			copy(track.Data(r), block)
			track.Data(r)[at] = 0x1F
			if at == 0 {
				track.Data(r)[1] = 0xFF
			}
		})
		_, err = List(path, true, image.Options{})
		require.ErrorContains(t, err, "directory of data set PO.LIB")
		require.ErrorContains(t, err, says)
	}
}

// TestInspectHercules describes volumes that dasdinit made.
func TestInspectHercules(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args   []string
		format image.Format
		device string
	}{
		{[]string{"-lfs", "v", "3390-2", "VOL001", "3"}, image.FormatCKD, "3390-1"},
		{[]string{"-z", "v", "3380", "VOL001", "20"}, image.FormatCCKD, "3380-A"},
		{[]string{"-bz2", "v", "3350", "VOL001", "20"}, image.FormatCCKD, "3350-1"},
		{[]string{"-lfs", "v", "9336", "VOL001", "920115"}, image.FormatFBA, "9336-10"},
		{[]string{"-z", "v", "3310", "VOL001", "125664"}, image.FormatCFBA, "3310"},
	} {
		path := filepath.Join(dir, "v")
		os.Remove(path)
		volumetest.Tool(t, dir, "dasdinit", c.args...)
		i, err := Inspect(path, image.Options{})
		require.NoError(t, err)
		require.Equal(t, "VOL001", i.Label.Serial)
		require.Equal(t, c.format, i.Image.Format)
		require.True(t, strings.HasPrefix(i.Geometry.Device, c.device), i.Geometry.Device)
		var text bytes.Buffer
		require.NoError(t, i.WriteText(&text))
		require.Contains(t, text.String(), "VOL001")
		r, err := Verify(path, VerifyOptions{})
		require.NoError(t, err)
		require.True(t, r.Sound(), "%+v", r)
		_, err = List(path, false, image.Options{})
		if !c.format.FBA() {
			require.ErrorIs(t, err, ErrNoContents)
		}
	}
}

// TestCopyFBA copies blocks between the formats and has Hercules read them.
func TestCopyFBA(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	volumetest.Tool(t, dir, "dasdinit", "-lfs", "plain", "3370", "FBA001", "3001")
	v, err := image.OpenFBA(at("plain"), media.ReadWrite, image.Options{})
	require.NoError(t, err)
	p := make([]byte, 700*media.BlockSize)
	for i := range p {
		p[i] = byte(i * i >> 7)
	}
	require.NoError(t, v.WriteBlocks(2301, p))
	require.NoError(t, v.Close())
	_, err = Copy(at("plain"), at("packed"), CopyOptions{Target: image.CreateOptions{Format: image.FormatCFBA, Compression: image.Zlib}})
	require.NoError(t, err)
	require.Empty(t, strings.TrimSpace(volumetest.Tool(t, dir, "cckdcdsk", "-ro", "-3", "packed")))
	volumetest.Tool(t, dir, "cfba2fba", "-q", "packed", "theirs")
	sameFile(t, at("plain"), at("theirs"))
	_, err = Copy(at("packed"), at("ours"), CopyOptions{})
	require.NoError(t, err)
	sameFile(t, at("plain"), at("ours"))
	_, err = Copy(at("packed"), at("none"), CopyOptions{Target: image.CreateOptions{Format: image.FormatCKD}})
	require.ErrorContains(t, err, "cannot hold")
	require.NoFileExists(t, at("none"))
}

// TestEveryDevice exchanges a compressed volume of each device type with
// Hercules, both ways. (Its programs refuse a 2305-2 of their own.)
func TestEveryDevice(t *testing.T) {
	for _, g := range media.Models() {
		if g.Name == "2305-2" || g.Name == "3390-A" || g.Name == "0671-1" || g.Name == "9313-1" || g.Name == "9335-1" {
			continue // not known to dasdinit by this name; their types are there without the model
		}
		t.Run(g.Name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			o := CreateOptions{Device: g.Name, Content: image.Content{Serial: "EVERY1"}, Image: image.CreateOptions{Format: image.FormatCCKD, Compression: image.Zlib, NoSync: true}}
			size, expand := "5", []string{"cckd2ckd", "-q", "-lfs"}
			if g.FBA() {
				o.Blocks, o.Image.Format = 1357, image.FormatCFBA
				size, expand = "1357", []string{"cfba2fba", "-q"}
			} else {
				o.Cylinders = 5
			}
			require.NoError(t, Create(at("ours"), o))
			require.Empty(t, strings.TrimSpace(volumetest.Tool(t, dir, "cckdcdsk", "-ro", "-3", "ours")))
			volumetest.Tool(t, dir, "dasdinit", "-lfs", "plain", g.Name, "EVERY1", size)
			volumetest.Tool(t, dir, expand[0], append(expand[1:], "ours", "back")...)
			sameFile(t, at("plain"), at("back"))

			volumetest.Tool(t, dir, "dasdinit", "-bz2", "theirs", g.Name, "EVERY1", size)
			volumetest.Tool(t, dir, expand[0], append(expand[1:], "theirs", "expanded")...)
			_, err := Copy(at("theirs"), at("copy"), CopyOptions{Target: image.CreateOptions{NoSync: true}})
			require.NoError(t, err)
			sameFile(t, at("expanded"), at("copy"))
			for _, name := range []string{"cckdcomp", "cckdswap"} {
				volumetest.Tool(t, dir, name, "theirs")
				r, err := Verify(at("theirs"), VerifyOptions{})
				require.NoError(t, err)
				require.True(t, r.Sound(), "%+v", r)
				c, err := Compare(at("theirs"), at("expanded"), CompareOptions{})
				require.NoError(t, err)
				require.True(t, c.Equal())
			}
		})
	}
}
