package files

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUses(t *testing.T) {
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	require.NoError(t, os.WriteFile(at("file"), nil, 0o600))
	require.NoError(t, os.WriteFile(at("other"), nil, 0o600))
	require.NoError(t, os.Link(at("file"), at("hard")))
	require.NoError(t, os.Symlink("file", at("soft")))
	require.NoError(t, os.Symlink("nothing", at("dangling")))
	require.NoError(t, os.Mkdir(at("folder"), 0o755))
	require.NoError(t, os.Symlink("folder", at("way")))
	type do func(u *Uses, path string) error
	read := func(u *Uses, path string) error { return u.Reads(path, "the trace") }
	own := func(u *Uses, path string) error { return u.Owns(path, "the volume") }
	write := func(u *Uses, path string) error { return u.Writes(path, "the output") }
	for _, c := range []struct {
		name          string
		first, second do
		a, b          string
		want          string // empty: no clash
	}{
		{"two readers", read, read, "file", "file", ""},
		{"a reader and an owner", read, own, "file", "hard", "DIR/file (the trace) and DIR/hard (the volume) are the same file: want two files"},
		{"two owners", own, own, "file", "soft", "DIR/file (the volume) and DIR/soft (the volume) are the same file: want two files"},
		{"two owners of two files", own, own, "file", "other", ""},
		{"an output on an input", read, write, "file", "file", "DIR/file (the output) and DIR/file (the trace) are the same file: want another file to write to"},
		{"an input that is found later", write, read, "soft", "hard", "DIR/soft (the output) and DIR/hard (the trace) are the same file: want another file to write to"},
		{"two outputs", write, write, "hard", "soft", "are the same file: want two files"},
		{"two outputs", write, write, "file", "other", ""},
		{"outputs that do not exist", write, write, "new", "folder/../new", "are the same file"},
		{"outputs in one folder by two names", write, write, "folder/new", "way/new", "are the same file"},
		{"outputs in two folders", write, write, "folder/new", "new", ""},
		{"through a link to nothing", write, write, "dangling", "nothing", "are the same file"},
		{"in folders that do not exist", write, write, "no/new", "no/./new", "are the same file"},
		{"in folders that do not exist", write, write, "no/new", "nowhere/new", ""},
		{"a folder is not what will be in it", read, write, "folder", "folder/new", ""},
	} {
		var u Uses
		at := func(p string) string { return dir + "/" + p }
		require.NoError(t, c.first(&u, at(c.a)), c.name)
		err := c.second(&u, at(c.b))
		if c.want == "" {
			assert.NoError(t, err, c.name)
			continue
		}
		require.ErrorIs(t, err, ErrSameFile, c.name)
		assert.Contains(t, strings.ReplaceAll(err.Error(), dir, "DIR"), c.want, c.name)
	}
	var none *Uses
	assert.NoError(t, none.Writes(at("file"), "x"))
	assert.NoError(t, none.Stream(os.Stdout, "x", true))
	var u Uses
	assert.NoError(t, u.Reads("", "nothing named"))
	assert.NoError(t, u.Writes("", "nothing named"))
	assert.True(t, Same(at("file"), at("soft")))
	assert.False(t, Same(at("file"), at("other")))
	assert.False(t, Same(at("none"), at("none")))
}

func TestStreams(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	require.NoError(t, err)
	var u Uses
	require.NoError(t, u.Stream(f, "standard output", true))
	assert.EqualError(t, u.Reads(path, "the trace"), "standard output and "+path+" (the trace) are the same file: want another file to write to")
	require.NoError(t, u.Stream(nil, "standard error", true))
	require.NoError(t, f.Close())
	var v Uses
	assert.NoError(t, v.Stream(f, "standard output", true), "closed")
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	defer null.Close()
	require.NoError(t, v.Stream(null, "standard output", true))
	assert.NoError(t, v.Reads(os.DevNull, "the trace"), "any number of times")
	assert.NoError(t, v.Writes(os.DevNull, "the output"))
}

func TestStamp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	put("one")
	s := StampOf(path)
	assert.NoError(t, s.Changed(path, StampOf(path)))
	put("three")
	assert.EqualError(t, s.Changed("trace", StampOf(path)), "trace: changed while it was in use: it had 3 bytes and has 5")
	s = StampOf(path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	later := info.ModTime().Add(1e9)
	require.NoError(t, os.Chtimes(path, later, later))
	assert.ErrorContains(t, s.Changed("trace", StampOf(path)), "it was written to")
	s = StampOf(path)
	require.NoError(t, os.Rename(path, path+".old"))
	put("three")
	assert.ErrorIs(t, s.Changed("trace", StampOf(path)), ErrChanged)
	assert.NoError(t, StampOf(os.DevNull).Changed("x", StampOf(path)), "no regular file")
}

func TestCheckPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has access lists")
	}
	dir := t.TempDir()
	for mode, want := range map[os.FileMode]string{0o700: "", 0o755: "", 0o500: "", 0o775: "others than its owner", 0o702: "others than its owner", 0o777: "others than its owner"} {
		require.NoError(t, os.Chmod(dir, mode))
		info, err := os.Stat(dir)
		require.NoError(t, err)
		err = CheckPrivate(dir, info)
		if want == "" {
			assert.NoError(t, err, mode)
		} else {
			assert.ErrorContains(t, err, want, mode)
		}
	}
}
