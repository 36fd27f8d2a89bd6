package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/lab/volume"
	"github.com/iosrun/iosrun/lab/volume/volumetest"
)

// hercules runs one of the Hercules emulator's programs in a folder.
func hercules(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	return volumetest.Tool(t, dir, name, args...)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(p)
}

// ok runs a command that must work, and gives its output.
func ok(t *testing.T, args ...string) string {
	t.Helper()
	o := iosrun(t, nil, args...)
	require.Equal(t, 0, o.code, "%v: %s%s", args, o.out, o.err)
	return o.out
}

// What create makes is what dasdinit makes.
func TestVolumeCreateEqualsDasdinit(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	for name, c := range map[string]struct{ ours, theirs []string }{
		"ckd":   {[]string{"3390", "VOL001", "--cylinders", "5"}, []string{"-lfs", "theirs", "3390", "VOL001", "5"}},
		"3380":  {[]string{"3380", "VOL001", "--cylinders", "3"}, []string{"-lfs", "theirs", "3380", "VOL001", "3"}},
		"raw":   {[]string{"3390", "--cylinders", "2", "--raw"}, []string{"-lfs", "-r", "theirs", "3390", "2"}},
		"linux": {[]string{"3390", "LX0001", "--cylinders", "2", "--linux"}, []string{"-lfs", "-linux", "theirs", "3390", "LX0001", "2"}},
		"fba":   {[]string{"3370", "FBA001", "--blocks", "2000"}, []string{"-lfs", "theirs", "3370", "FBA001", "2000"}},
	} {
		t.Run(name, func(t *testing.T) {
			os.Remove(at("ours"))
			os.Remove(at("theirs"))
			ok(t, append([]string{"volume", "create", at("ours")}, c.ours...)...)
			hercules(t, dir, "dasdinit", c.theirs...)
			assert.True(t, readFile(t, at("ours")) == readFile(t, at("theirs")), "the images differ")
		})
	}
	out := ok(t, "volume", "create", at("packed"), "3390-1", "PACKED", "--format", "cckd")
	assert.Contains(t, out, "compression zlib")
	assert.Empty(t, hercules(t, dir, "cckdcdsk", "-ro", "-3", "packed"))
}

func TestVolumeCreateOverwritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.dsk")
	create := []string{"volume", "create", path, "3390", "VOL001", "--cylinders", "1"}
	ok(t, create...)
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	o := iosrun(t, nil, create...)
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "--force")
	assert.Equal(t, "precious", readFile(t, path))
	ok(t, append(create, "--force")...)
	assert.Contains(t, ok(t, "volume", "info", path), "VOL001")
}

func TestVolumeCommandsOnALoadedVolume(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	loaded := volumetest.Loaded(t, dir)
	want := volumetest.Printed(t, dir, loaded)
	before := readFile(t, loaded)

	var i volume.Info
	require.NoError(t, json.Unmarshal([]byte(ok(t, "volume", "info", loaded, "--json")), &i))
	assert.Equal(t, "LOADED", i.Label.Serial)
	assert.Equal(t, 300, i.Geometry.Tracks)
	var l volume.Listing
	require.NoError(t, json.Unmarshal([]byte(ok(t, "volume", "list", loaded, "--json")), &l))
	require.Len(t, l.DataSets, 3)
	assert.Contains(t, ok(t, "volume", "list", loaded), "PO.LIB")
	assert.Contains(t, ok(t, "volume", "verify", loaded), "sound")

	for name, flags := range map[string][]string{
		"zlib":  {"--format", "cckd"},
		"bzip2": {"--format", "cckd", "--compression", "bzip2", "--no-sync"},
		"none":  {"--format", "cckd", "--compression", "none"},
		"plain": nil,
	} {
		ok(t, append([]string{"volume", "copy", loaded, at(name)}, flags...)...)
		assert.Equal(t, want, volumetest.Printed(t, dir, at(name)), name)
		assert.Contains(t, ok(t, "volume", "compare", loaded, at(name)), "0 of 300 tracks differ")
	}
	assert.True(t, before == readFile(t, at("plain")), "a plain copy is the same file")

	// A mirror that is made, and one that dasdinit made, compressed.
	ok(t, "volume", "mirror", loaded, at("mirror"))
	assert.True(t, before == readFile(t, at("mirror")), "a mirror is the same file")
	hercules(t, dir, "dasdinit", "-z", "theirs.cckd", "3390", "MIRROR", "20")
	o := iosrun(t, nil, "volume", "mirror", loaded, at("theirs.cckd"))
	assert.Equal(t, 2, o.code, "it is there")
	ok(t, "volume", "mirror", at("zlib"), at("theirs.cckd"), "--force", "--no-sync")
	assert.Equal(t, want, volumetest.Printed(t, dir, at("theirs.cckd")))
	assert.Empty(t, hercules(t, dir, "cckdcdsk", "-ro", "-3", "theirs.cckd"))
	assert.True(t, before == readFile(t, loaded), "nothing writes to the primary")
}

func TestVolumeCompareFindsDifferences(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	ok(t, "volume", "create", a, "3390", "VOL001", "--cylinders", "2")
	ok(t, "volume", "create", b, "3390", "VOL002", "--cylinders", "2", "--format", "cckd")
	o := iosrun(t, nil, "volume", "compare", a, b)
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.out, "cylinder 0 head 0 record 3, data, byte 9: f1")
	assert.Contains(t, o.err, "the volumes differ")
	o = iosrun(t, nil, "volume", "compare", a, b, "--json")
	assert.Equal(t, 1, o.code)
	var c volume.Comparison
	require.NoError(t, json.Unmarshal([]byte(o.out), &c))
	assert.EqualValues(t, 1, c.Differing)
}

func TestVolumeVerifyFindsDamage(t *testing.T) {
	dir := t.TempDir()
	sound, bad := filepath.Join(dir, "sound"), filepath.Join(dir, "bad")
	ok(t, "volume", "create", sound, "3390", "VOL001", "--cylinders", "2")
	p := []byte(readFile(t, sound))
	p[512+17*56832+21] = 0 // the end mark of track 17
	require.NoError(t, os.WriteFile(bad, p, 0o600))
	o := iosrun(t, nil, "volume", "verify", sound, bad)
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.out, "cylinder 1 head 2")
	assert.Contains(t, o.err, "not sound: "+bad)
	o = iosrun(t, nil, "volume", "copy", bad, filepath.Join(dir, "copy"))
	assert.Equal(t, 1, o.code, o.err)
	assert.Contains(t, o.err, "track 17")
	assert.NoFileExists(t, filepath.Join(dir, "copy"))
	o = iosrun(t, nil, "volume", "mirror", bad, filepath.Join(dir, "mirror"))
	assert.Equal(t, 1, o.code, o.err)
	assert.NoFileExists(t, filepath.Join(dir, "mirror"))
	assert.Contains(t, o.err, "track 17")

	// A mirror with a damaged track, which a write cannot make good.
	o = iosrun(t, nil, "volume", "mirror", sound, bad, "--force")
	assert.Equal(t, 1, o.code, o.err)
	assert.Contains(t, o.err, "track 17")
	assert.Contains(t, o.err, "removed")

	// A label that cannot be read: info tells the rest.
	p[512+2] = 9 // the home address of track 0
	require.NoError(t, os.WriteFile(bad, p, 0o600))
	o = iosrun(t, nil, "volume", "info", bad)
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.out, "label       cannot be read: ")
	assert.Contains(t, o.out, "2 cylinders of 15 heads")
	assert.Contains(t, o.err, "home address")
}

func TestVolumeRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	ok(t, "volume", "create", at("v"), "3390", "VOL001", "--cylinders", "1")
	require.NoError(t, os.WriteFile(at("text"), []byte("this is text"), 0o600))
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"create", at("n"), "3391", "VOL001"}, 2, "3391"},
		{[]string{"create", at("n"), "3390", "toolong1"}, 2, "toolong1"},
		{[]string{"create", at("n"), "3390"}, 2, "--raw"},
		{[]string{"create", at("n"), "3390", "VOL001", "--raw"}, 2, "no label"},
		{[]string{"create", at("n"), "3390", "VOL001", "--format", "zip"}, 2, "zip"},
		{[]string{"create", at("n"), "3390", "VOL001", "--format", "fba"}, 2, "cannot hold"},
		{[]string{"create", at("n"), "3370", "VOL001", "--cylinders", "3"}, 2, "blocks, not cylinders"},
		{[]string{"create", at("n"), "3390", "VOL001", "--split-bytes", "-5"}, 2, "-5 bytes"},
		{[]string{"create", at("n"), "3390", "VOL001", "--split-bytes", "300000"}, 2, "852992"},
		{[]string{"create", at("n"), "3390", "VOL001", "--format", "cckd", "--compression", "lzma"}, 2, "lzma"},
		{[]string{"create", at("n"), "3390", "VOL001", "--format", "cckd", "--level", "11"}, 2, "level is 11"},
		{[]string{"create", at("no/such/n"), "3390", "VOL001"}, 2, "no such file"},
		{[]string{"info", at("absent")}, 2, "absent"},
		{[]string{"info", at("text")}, 1, "text"},
		{[]string{"list", at("v")}, 1, "no table of contents"},
		{[]string{"verify"}, 2, "requires at least 1"},
		{[]string{"verify", at("v"), at("v"), "--shadow", at("s")}, 2, "one image"},
		{[]string{"verify", at("v"), "--shadow", at("absent")}, 2, "absent"},
		{[]string{"verify", at("v"), "--shadow", at("v")}, 2, "are the same file"},
		{[]string{"verify", at("v"), "--shadow", at("text")}, 1, "not sound"},
		{[]string{"copy", at("v"), at("v")}, 2, "the same file"},
		{[]string{"copy", at("v"), at("text")}, 2, "--force"},
		{[]string{"copy", at("v"), at("n"), "--compression", "zlib"}, 2, "does not compress"},
		{[]string{"compare", at("v"), at("absent")}, 2, "absent"},
		{[]string{"mirror", at("absent"), at("n")}, 2, "absent"},
		{[]string{"mirror", at("v"), at("v")}, 2, "the same file"},
		{[]string{"mirror", at("v"), at("n"), "--shadow", at("absent")}, 2, "absent"},
		{[]string{"mirror", at("v"), at("n"), "--shadow", at("v")}, 2, "the same file"},
		{[]string{"mirror", at("v"), at("n"), "--shadow", at("text")}, 1, "is no shadow file"},
		{[]string{"mirror", at("v"), at("n"), "--mirror-shadow", at("text")}, 2, "cannot lie on it"},
	} {
		o := iosrun(t, nil, append([]string{"volume"}, c.args...)...)
		assert.Equal(t, c.code, o.code, "%v: %s", c.args, o.err)
		assert.Contains(t, o.err, c.want, c.args)
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, 2, "a failed command leaves no file")

	ok(t, "volume", "create", at("old"), "3350", "OLD001", "--cylinders", "2")
	o := iosrun(t, nil, "run", "sync", "--primary-image", at("old"))
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "workload on a 3350-1")
	o = iosrun(t, nil, "run", "sync", "--model", "2311")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "workload on a 2311-1")
}

// A volume with shadow files is mirrored as they have it, and a shadow file of the
// mirror takes what is written.
func TestVolumeMirrorShadows(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	ok(t, "volume", "create", at("v"), "3350", "VOL001", "--cylinders", "2", "--format", "cckd")
	ok(t, "volume", "create", at("other"), "3350", "VOL002", "--cylinders", "2")
	ok(t, "volume", "shadow", "create", at("v"), at("v_1"))
	ok(t, "volume", "mirror", at("other"), at("v"), "--force", "--mirror-shadow", at("v_1"))
	ok(t, "volume", "compare", at("other"), at("v"), "--second-shadow", at("v_1"))
	assert.Contains(t, ok(t, "volume", "info", at("v")), "VOL001", "the image stays as it is")
	ok(t, "volume", "mirror", at("v"), at("made"), "--shadow", at("v_1"))
	assert.True(t, readFile(t, at("other")) == readFile(t, at("made")))
	o := iosrun(t, nil, "volume", "mirror", at("v"), at("made"), "--force", "--shadow", at("v_1"), "--mirror-shadow", at("v_1"))
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "the same file")
}

// A device type has the size that dasdinit gives it under each of its names.
func TestNamesOfDevices(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"2305", "2305-1", "2305-2", "2311", "2311-1", "2314", "3330", "3330-1", "3330-2", "3330-11", "3340", "3340-1", "3340-2", "3340-35", "3340-70",
		"3350", "3350-1", "3375", "3380", "3380-1", "3380-2", "3380-3", "3380-A", "3380-B", "3380-D", "3380-J", "3380-E", "3380-K",
		"3390", "3390-1", "3390-2", "3390-3", "3390-9", "3390-27", "3390-J", "3390-54", "3390-JJ", "9345", "9345-1", "9345-2",
		"3310", "3310-1", "3370", "3370-1", "3370-A1", "3370-B1", "3370-2", "3370-A2", "3370-B2", "9313", "9332", "9332-400", "9332-600", "9335",
		"9336", "9336-10", "9336-20", "9336-25", "0671", "0671-04", "0671-08",
	} {
		want, err := media.Lookup(name)
		require.NoError(t, err)
		hercules(t, dir, "dasdinit", "-z", name, name, "VOL001")
		v, err := image.Open(filepath.Join(dir, name), media.ReadOnly, image.Options{})
		require.NoError(t, err)
		g := v.Geometry()
		require.NoError(t, v.Close())
		assert.Equal(t, []int{want.Cylinders, want.Heads, want.TrackSize, int(want.Blocks)}, []int{g.Cylinders, g.Heads, g.TrackSize, int(g.Blocks)}, name)
		assert.Equal(t, want.Type, g.Type, name)
	}
	// And in bytes, of one whose plain image is small.
	hercules(t, dir, "dasdinit", "-lfs", "theirs", "3340-1", "VOL001")
	ok(t, "volume", "create", filepath.Join(dir, "ours"), "3340-1", "VOL001")
	assert.True(t, readFile(t, filepath.Join(dir, "theirs")) == readFile(t, filepath.Join(dir, "ours")))
}

// A mirror is made in the format that is asked for, and no image is its own.
func TestVolumeMirrorTargets(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	ok(t, "volume", "create", at("v.dsk"), "3390", "VOL001", "--cylinders", "4", "--split-bytes", "1800000")
	assert.NoFileExists(t, at("v.dsk"))
	for _, to := range []string{"v_1.dsk", "v.dsk"} {
		for _, command := range []string{"mirror", "copy"} {
			o := iosrun(t, nil, "volume", command, at("v.dsk"), at(to), "--force")
			assert.Equal(t, 2, o.code)
			assert.Contains(t, o.err, "the same file")
		}
	}
	ok(t, "volume", "mirror", at("v.dsk"), at("m.cckd"), "--format", "cckd", "--compression", "bzip2")
	assert.Contains(t, ok(t, "volume", "info", at("m.cckd")), "compression bzip2")
	assert.Contains(t, ok(t, "volume", "compare", at("v.dsk"), at("m.cckd")), "0 of 60 tracks differ")
	o := iosrun(t, nil, "volume", "mirror", at("v.dsk"), at("m.cckd"), "--force", "--format", "ckd")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "stays in its format")

	// A split image that is there is overwritten, not hidden by another file.
	ok(t, "volume", "create", at("s.dsk"), "3390", "OLD001", "--cylinders", "4", "--split-bytes", "1800000")
	o = iosrun(t, nil, "volume", "mirror", at("v.dsk"), at("s.dsk"))
	assert.Equal(t, 2, o.code)
	ok(t, "volume", "mirror", at("v.dsk"), at("s.dsk"), "--force")
	assert.NoFileExists(t, at("s.dsk"))
	assert.Contains(t, ok(t, "volume", "info", at("s.dsk")), "VOL001")
}

// Shadow files are made on an image of Hercules' tools, changed, read by those
// tools, and merged.
func TestVolumeShadow(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	loaded := volumetest.Loaded(t, dir)
	ok(t, "volume", "copy", loaded, at("base.cckd"), "--format", "cckd")
	want := volumetest.Printed(t, dir, at("base.cckd"))
	before := readFile(t, at("base.cckd"))
	one, two := at("sh_1.cckd"), at("sh_2.cckd")
	for _, create := range [][]string{{one}, {one, two, "--compression", "bzip2"}} {
		var i volume.Info
		args := append([]string{"volume", "shadow", "create", at("base.cckd"), "--json"}, create...)
		require.NoError(t, json.Unmarshal([]byte(ok(t, args...)), &i))
		assert.Equal(t, "LOADED", i.Label.Serial)
		o := iosrun(t, nil, args...)
		assert.Equal(t, 2, o.code, "it is there")
		assert.Contains(t, o.err, "--force")
	}
	for _, s := range []string{one, two} {
		assert.Empty(t, hercules(t, dir, "cckdcdsk", "-ro", "-3", s))
	}
	assert.Contains(t, hercules(t, dir, "dasdls", at("base.cckd"), "sf="+at("sh_*.cckd")), "PO.LIB")

	// Changes go to the topmost one.
	v, err := image.OpenCKD(at("base.cckd"), media.ReadWrite, image.Options{Shadows: []string{one, two}})
	require.NoError(t, err)
	track, err := v.Update(0)
	require.NoError(t, err)
	r, found, err := track.Record(3)
	require.NoError(t, err)
	require.True(t, found)
	copy(track.Data(r)[4:], "\xC3\xC8\xC1\xD5\xC7\xC5") // CHANGE
	require.NoError(t, v.Close())
	assert.Contains(t, ok(t, "volume", "info", at("base.cckd"), "--shadow", one, "--shadow", two), "CHANGE")
	assert.Contains(t, ok(t, "volume", "verify", at("base.cckd"), "--shadow", one, "--shadow", two), "sound")
	assert.Contains(t, ok(t, "volume", "info", at("base.cckd"), "--shadow", one), "LOADED")
	assert.Contains(t, hercules(t, dir, "dasdls", at("base.cckd"), "sf="+at("sh_*.cckd")), "VOLSER=CHANGE")
	assert.True(t, before == readFile(t, at("base.cckd")), "the image stays as it is")
	ok(t, "volume", "compare", at("base.cckd"), loaded, "--shadow", one)
	ok(t, "volume", "copy", at("base.cckd"), at("flat.dsk"), "--shadow", one, "--shadow", two)

	o := iosrun(t, nil, "volume", "shadow", "merge", at("base.cckd"), one, two, "--all", "--keep")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, ok(t, "volume", "shadow", "merge", at("base.cckd"), one, two), "1 of 300")
	assert.NoFileExists(t, two)
	assert.Contains(t, ok(t, "volume", "info", at("base.cckd"), "--shadow", one), "CHANGE")
	assert.Contains(t, ok(t, "volume", "info", at("base.cckd")), "LOADED")
	var m volume.Merged
	require.NoError(t, json.Unmarshal([]byte(ok(t, "volume", "shadow", "merge", at("base.cckd"), one, "--all", "--json")), &m))
	require.Len(t, m.Steps, 1)
	assert.Equal(t, 1, m.Steps[0].Changed)
	assert.NoFileExists(t, one)
	assert.Contains(t, ok(t, "volume", "compare", at("base.cckd"), at("flat.dsk")), "0 of 300 tracks differ")
	assert.Empty(t, hercules(t, dir, "cckdcdsk", "-ro", "-3", "base.cckd"))
	assert.Equal(t, want[1:], volumetest.Printed(t, dir, at("base.cckd"))[1:], "the members are as before")

	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"create", at("base.cckd"), at("base.cckd"), "--force"}, 2, "are the same file"},
		{[]string{"create", at("base.cckd")}, 2, "arg(s)"},
		{[]string{"create", at("base.cckd"), at("n"), "--compression", "lzma"}, 2, "lzma"},
		{[]string{"merge", at("base.cckd"), at("absent")}, 2, "absent"},
		{[]string{"merge", at("base.cckd"), loaded}, 1, "is no shadow file"},
	} {
		o := iosrun(t, nil, append([]string{"volume", "shadow"}, c.args...)...)
		assert.Equal(t, c.code, o.code, "%v: %s", c.args, o.err)
		assert.Contains(t, o.err, c.want, c.args)
	}
	assert.NoFileExists(t, at("n"))
}

func TestVolumeListMembers(t *testing.T) {
	dir := t.TempDir()
	loaded := volumetest.Loaded(t, dir)
	assert.NotContains(t, ok(t, "volume", "list", loaded), "GAMMA")
	assert.Contains(t, ok(t, "volume", "list", loaded, "--members"), "\n  GAMMA    cylinder ")
}

// Progress is shown on a terminal, unless it is not wanted.
func TestVolumeProgress(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil {
		t.Skip("script is not installed (Debian package bsdutils)")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "v.dsk")
	o := iosrun(t, nil, "volume", "create", path, "3390", "VOL001", "--linux", "--cylinders", "60", "--no-sync")
	require.Equal(t, 0, o.code)
	assert.Empty(t, o.err, "no terminal, no progress")
	for flag, want := range map[string]bool{"": true, " --quiet": false} {
		command := fmt.Sprintf("%s volume copy %s %s --format cckd --compression bzip2 --no-sync --force%s", filepath.Join(built.dir, "iosrun"), path, filepath.Join(dir, "c"), flag)
		out, err := exec.Command(script, "-qec", command, "/dev/null").CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, want, strings.Contains(string(out), "%"), "%q", out)
	}
}

// What the shell completes.
func TestVolumeCompletion(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
		not  string
	}{
		{[]string{"volume", ""}, []string{"create", "info", "list", "verify", "copy", "compare", "mirror", "shadow"}, ""},
		{[]string{"volume", "shadow", ""}, []string{"create", "merge"}, ""},
		{[]string{"volume", "create", "file", ""}, []string{"3390-3", "2311-1", "9336-20"}, ""},
		{[]string{"volume", "create", "file", "3390", "--format", ""}, []string{"cckd", "cfba"}, ""},
		{[]string{"volume", "create", "file", "3390", "--compression", ""}, []string{"zlib", "bzip2", "none"}, ""},
		{[]string{"volume", "info", "--device", ""}, []string{"3370-1", "9336-20"}, "3390"},
		{[]string{"volume", "info", "file", ""}, []string{"NoFileComp"}, ""},
		{[]string{"volume", "copy", "file", ""}, []string{"DirectiveDefault"}, ""},
	} {
		o := iosrun(t, nil, append([]string{"__complete"}, c.args...)...)
		assert.Equal(t, 0, o.code)
		for _, w := range c.want {
			assert.Contains(t, o.out+o.err, w, c.args)
		}
		if c.not != "" {
			assert.NotContains(t, o.out, c.not, c.args)
		}
	}
}

// Every command of volumes has examples, and those that read an image JSON.
func TestVolumeHelp(t *testing.T) {
	for _, name := range []string{"create", "info", "list", "verify", "copy", "compare", "mirror", "shadow create", "shadow merge"} {
		out := ok(t, append(append([]string{"volume"}, strings.Fields(name)...), "--help")...)
		assert.Contains(t, out, "Examples:\n  iosrun volume "+name)
		assert.Contains(t, out, "--json", name)
	}
}

// An experiment on images, with the settings of the command line.
func TestRunOnImages(t *testing.T) {
	dir := t.TempDir()
	loaded := volumetest.Loaded(t, dir)
	want := volumetest.Printed(t, dir, loaded)
	hercules(t, dir, "dasdinit", "-lfs", "mirror.dsk", "3390", "MIRROR", "20")
	mirror, result := filepath.Join(dir, "mirror.dsk"), filepath.Join(dir, "r.json")
	out := ok(t, "run", "sync", "--primary-image", loaded, "--mirror-image", mirror, "--image-mode", "read-write", "--aliases", "3",
		"--first-cylinder", "12", "--cylinders", "5", "--generate", "--gen-count", "500", "--gen-reads", "0.3", "--json", result)
	assert.Contains(t, out, loaded)
	assert.True(t, readReport(t, result)[0].OK())
	ok(t, "volume", "compare", loaded, mirror)
	assert.Equal(t, want, volumetest.Printed(t, dir, loaded))
	assert.Equal(t, want, volumetest.Printed(t, dir, mirror))

	o := iosrun(t, nil, "compare", "--primary-image", loaded, "--image-mode", "read-write")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "policies at once")
	o = iosrun(t, nil, "run", "--primary-image", filepath.Join(dir, "absent"))
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "absent")
}
