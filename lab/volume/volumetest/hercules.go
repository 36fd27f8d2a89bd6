// Package volumetest makes volumes with the Hercules emulator's programs, and reads
// volumes with them, for tests of several packages. Tests are skipped when the
// programs are not installed.
package volumetest

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

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// Tool runs one of the Hercules emulator's programs in a directory and returns its
// standard output; it skips the test when they are not installed.
func Tool(t *testing.T, dir, name string, args ...string) string {
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

// EBCDIC encodes a text in code page 37.
func EBCDIC(t *testing.T, s string) []byte {
	t.Helper()
	p, err := charmap.CodePage037.NewEncoder().Bytes([]byte(s))
	require.NoError(t, err)
	return p
}

// Member is a member of PO.LIB.
type Member struct {
	Name  string
	Lines []string
}

// Members returns the members of PO.LIB on a loaded volume.
func Members() []Member {
	return []Member{
		{"ALPHA", []string{"FIRST LINE OF ALPHA", "SECOND LINE", "", "LAST LINE"}},
		{"BETA", manyLines(400)},
		{"GAMMA", []string{"ONE LINE"}},
	}
}

func manyLines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("LINE %04d OF A LONG MEMBER %X", i, uint32(i)*2654435761)
	}
	return lines
}

// The data set of members has blocks of 39 records of 80 bytes, and a directory of 5
// blocks.
const (
	lineLength      = 80
	blockLines      = 39
	directoryKey    = 8
	directoryLength = 256
)

// library returns the track on which the directory of PO.LIB begins.
func library(t *testing.T, v *image.CKD) int {
	t.Helper()
	for n := range v.Geometry().Tracks() {
		track, err := v.Track(n)
		require.NoError(t, err)
		r, found, err := track.Record(1)
		require.NoError(t, err)
		if found && r.KeyLength == directoryKey && r.DataLength == directoryLength {
			return n
		}
	}
	require.Fail(t, "no directory on the volume")
	return 0
}

// putMembers writes members to an empty partitioned data set, from its track first
// on. A directory block holds all entries.
func putMembers(t *testing.T, v *image.CKD, first int) {
	t.Helper()
	g := v.Geometry()
	track, err := v.Update(first)
	require.NoError(t, err)
	// The directory blocks exist; the first one gets the entries.
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
	for _, m := range Members() {
		var begin [3]byte
		for i := 0; i < len(m.Lines); i += blockLines {
			var block []byte
			for _, line := range m.Lines[i:min(i+blockLines, len(m.Lines))] {
				block = append(block, EBCDIC(t, fmt.Sprintf("%-*s", lineLength, line))...)
			}
			at := put(block)
			if i == 0 {
				begin = at
			}
		}
		put(nil) // end of file
		entries = append(entries, EBCDIC(t, fmt.Sprintf("%-8s", m.Name))...)
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

// Loaded makes a 3390 volume of 20 cylinders with dasdload and puts members into
// it.
func Loaded(t *testing.T, dir string) string {
	t.Helper()
	return LoadedOn(t, dir, "3390", 20)
}

// LoadedOn is Loaded for a device type and a number of cylinders.
func LoadedOn(t *testing.T, dir, device string, cylinders int) string {
	t.Helper()
	control := fmt.Sprintf("LOADED %s %d\n", device, cylinders) + "SYSVTOC VTOC CYL 1\nA.DATA.SET EMPTY TRK 5 0 0 PS FB 80 3120 0\n" +
		"SEQ.CARDS SEQ cards.txt TRK 3 0 0 PS FB 80 3120 0\nPO.LIB EMPTY CYL 1 0 5 PO FB 80 3120 0\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "control"), []byte(control), 0o600))
	cards := EBCDIC(t, fmt.Sprintf("%-80s", strings.Join(Members()[0].Lines, "")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cards.txt"), bytes.Repeat(cards, 100), 0o600))
	Tool(t, dir, "dasdload", "-lfs", "control", "loaded.ckd", "0")
	path := filepath.Join(dir, "loaded.ckd")
	v, err := image.OpenCKD(path, media.ReadWrite, image.Options{})
	require.NoError(t, err)
	putMembers(t, v, library(t, v))
	require.NoError(t, v.Close())
	return path
}

// Printed returns the output of Hercules' tools about a volume: its data sets, the
// members of PO.LIB, and one member; and the files that dasdpdsu makes.
func Printed(t *testing.T, dir, path string) []string {
	t.Helper()
	out := []string{
		strings.ReplaceAll(Tool(t, dir, "dasdls", "-info", path), path, "VOLUME"),
		Tool(t, dir, "dasdcat", "-i", path, "PO.LIB/?"),
	}
	for _, m := range Members() {
		out = append(out, Tool(t, dir, "dasdcat", "-i", path, "PO.LIB/"+m.Name+":ac"))
	}
	unload := t.TempDir()
	Tool(t, unload, "dasdpdsu", path, "PO.LIB", "ascii")
	files, err := os.ReadDir(unload)
	require.NoError(t, err)
	require.Len(t, files, len(Members()))
	for _, f := range files {
		p, err := os.ReadFile(filepath.Join(unload, f.Name()))
		require.NoError(t, err)
		out = append(out, f.Name(), string(p))
	}
	return out
}
