package volume

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"github.com/iosrun/iosrun/emulator/dasd/image"
	"github.com/iosrun/iosrun/emulator/dasd/media"
)

// toolIn runs one of the Hercules emulator's programs in a directory and gives
// its standard output; it skips the test where they are not installed.
func toolIn(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian package hercules)", name)
	}
	c := exec.Command(path, args...)
	c.Dir = dir
	var out, message bytes.Buffer
	c.Stdout, c.Stderr = &out, &message
	err = c.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); !exited || name != "dasdcat" {
		// dasdcat ends with status 1 when all went well.
		require.NoError(t, err, "%s %v: %s%s", name, args, &out, &message)
	}
	return out.String()
}

func toEBCDIC(t *testing.T, s string) []byte {
	t.Helper()
	p, err := charmap.CodePage037.NewEncoder().Bytes([]byte(s))
	require.NoError(t, err)
	return p
}

// member is what TestLoaded puts into a partitioned data set.
type member struct {
	name  string
	lines []string
}

var members = []member{
	{"ALPHA", []string{"FIRST LINE OF ALPHA", "SECOND LINE", "", "LAST LINE"}},
	{"BETA", manyLines(400)},
	{"GAMMA", []string{"ONE LINE"}},
}

func manyLines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("LINE %04d OF A LONG MEMBER %X", i, uint32(i)*2654435761)
	}
	return lines
}

// Of the data set of members: blocks of 39 records of 80 bytes, a directory of
// 5 blocks.
const (
	lineLength      = 80
	blockLines      = 39
	directoryKey    = 8
	directoryLength = 256
)

// putMembers writes members to a partitioned data set that is empty, from its
// first track on. A directory block holds all entries.
func putMembers(t *testing.T, v *image.CKD, first int) {
	t.Helper()
	g := v.Geometry()
	track, err := v.Update(first)
	require.NoError(t, err)
	// The directory blocks are there; the first gets the entries.
	directory, found, err := track.Record(1)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, directoryKey, int(directory.KeyLength))
	require.Equal(t, directoryLength, int(directory.DataLength))
	last := directory
	for {
		next, more, err := track.Next(last)
		require.NoError(t, err)
		if !more || next.KeyLength == 0 {
			break
		}
		last = next
	}
	relative, entries := 0, []byte{}
	put := func(data []byte) (ttr [3]byte) {
		c := media.Count{Address: g.Address(track.Cylinder, track.Head), Number: last.Number + 1, DataLength: uint16(len(data))}
		r, err := track.Append(g, last, c)
		if err != nil {
			require.ErrorIs(t, err, media.ErrNoRoom)
			relative++
			track, err = v.Update(first + relative)
			require.NoError(t, err)
			last, err = track.Zero()
			require.NoError(t, err)
			c.Address, c.Number = g.Address(track.Cylinder, track.Head), 1
			r, err = track.Append(g, last, c)
			require.NoError(t, err)
		}
		copy(track.Data(r), data)
		last = r
		return [3]byte{byte(relative >> 8), byte(relative), r.Number}
	}
	for _, m := range members {
		var begin [3]byte
		for i := 0; i < len(m.lines); i += blockLines {
			var block []byte
			for _, line := range m.lines[i:min(i+blockLines, len(m.lines))] {
				block = append(block, toEBCDIC(t, fmt.Sprintf("%-*s", lineLength, line))...)
			}
			at := put(block)
			if i == 0 {
				begin = at
			}
		}
		put(nil) // end of file
		entries = append(entries, toEBCDIC(t, fmt.Sprintf("%-8s", m.name))...)
		entries = append(entries, begin[:]...)
		entries = append(entries, 0)
	}
	entries = append(entries, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
	track, err = v.Update(first)
	require.NoError(t, err)
	for i := range directoryKey {
		track.Key(directory)[i] = 0xff
	}
	data := track.Data(directory)
	clear(data)
	binary.BigEndian.PutUint16(data, uint16(2+len(entries)))
	copy(data[2:], entries)
}

// loaded makes a volume with dasdload and puts members into it.
func loaded(t *testing.T, dir string) string {
	t.Helper()
	control := "LOADED 3390 20\nSYSVTOC VTOC CYL 1\nA.DATA.SET EMPTY TRK 5 0 0 PS FB 80 3120 0\n" +
		"SEQ.CARDS SEQ cards.txt TRK 3 0 0 PS FB 80 3120 0\nPO.LIB EMPTY CYL 1 0 5 PO FB 80 3120 0\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "control"), []byte(control), 0o600))
	cards := toEBCDIC(t, fmt.Sprintf("%-80s", strings.Join(members[0].lines, "")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cards.txt"), bytes.Repeat(cards, 100), 0o600))
	toolIn(t, dir, "dasdload", "-lfs", "control", "loaded.ckd", "0")
	path := filepath.Join(dir, "loaded.ckd")
	l, err := List(path, image.Options{})
	require.NoError(t, err)
	var at *Extent
	for _, d := range l.DataSets {
		if d.Name == "PO.LIB" {
			at = &d.Extents[0]
		}
	}
	require.NotNil(t, at)
	v, err := image.OpenCKD(path, media.ReadWrite, image.Options{})
	require.NoError(t, err)
	putMembers(t, v, at.FirstCylinder*15+at.FirstHead)
	require.NoError(t, v.Close())
	return path
}

// printed is what Hercules' tools print of a volume: its data sets, the members
// of PO.LIB, and one member; and the files that dasdpdsu makes.
func printed(t *testing.T, dir, path string) []string {
	t.Helper()
	out := []string{
		strings.ReplaceAll(toolIn(t, dir, "dasdls", "-info", path), path, "VOLUME"),
		toolIn(t, dir, "dasdcat", "-i", path, "PO.LIB/?"),
	}
	for _, m := range members {
		out = append(out, toolIn(t, dir, "dasdcat", "-i", path, "PO.LIB/"+m.name+":ac"))
	}
	unload := t.TempDir()
	toolIn(t, unload, "dasdpdsu", path, "PO.LIB", "ascii")
	files, err := os.ReadDir(unload)
	require.NoError(t, err)
	require.Len(t, files, len(members))
	for _, f := range files {
		p, err := os.ReadFile(filepath.Join(unload, f.Name()))
		require.NoError(t, err)
		out = append(out, f.Name(), string(p))
	}
	return out
}

// TestLoaded copies a volume that dasdload made, with members that this project
// wrote, to every format and back. Hercules' tools print the same of each.
func TestLoaded(t *testing.T) {
	dir := t.TempDir()
	path := loaded(t, dir)
	want := printed(t, dir, path)
	for i, m := range members {
		lines := strings.Split(strings.TrimRight(want[2+i], "\n"), "\n")
		require.Len(t, lines, len(m.lines))
		for k := range lines {
			require.Equal(t, m.lines[k], strings.TrimRight(lines[k], " "))
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
			require.Equal(t, want, printed(t, dir, packed))
			require.Empty(t, strings.TrimSpace(toolIn(t, dir, "cckdcdsk", "-ro", "-3", packed)))
			toolIn(t, dir, "cckd2ckd", "-q", "-lfs", packed, plain+".theirs")
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
	path := loaded(t, dir)
	l, err := List(path, image.Options{})
	require.NoError(t, err)
	require.Equal(t, "LOADED", l.Label.Serial)
	require.Equal(t, "HERCULES", l.Label.Owner)
	require.Equal(t, &Extent{1, 0, 1, 14, 15}, l.Contents)
	rows := strings.Split(strings.TrimSpace(toolIn(t, dir, "dasdls", "-info", path)), "\n")[1:]
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
		toolIn(t, dir, "dasdinit", c.args...)
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
		_, err = List(path, image.Options{})
		if !c.format.FBA() {
			require.ErrorIs(t, err, ErrNoContents)
		}
	}
}

// TestCopyFBA copies blocks between the formats and has Hercules read them.
func TestCopyFBA(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	toolIn(t, dir, "dasdinit", "-lfs", "plain", "3370", "FBA001", "3001")
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
	require.Empty(t, strings.TrimSpace(toolIn(t, dir, "cckdcdsk", "-ro", "-3", "packed")))
	toolIn(t, dir, "cfba2fba", "-q", "packed", "theirs")
	sameFile(t, at("plain"), at("theirs"))
	_, err = Copy(at("packed"), at("ours"), CopyOptions{})
	require.NoError(t, err)
	sameFile(t, at("plain"), at("ours"))
	_, err = Copy(at("packed"), at("none"), CopyOptions{Target: image.CreateOptions{Format: image.FormatCKD}})
	require.ErrorContains(t, err, "cannot hold")
	require.NoFileExists(t, at("none"))
}
