package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func put(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func names(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	return got
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.json")
	require.NoError(t, CheckWritable(path))
	assert.Empty(t, names(t, dir), "a check leaves nothing behind")

	require.NoError(t, Write(path, put("one")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o644), info.Mode())
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, CheckWritable(path))
	require.NoError(t, Write(path, put("two")))
	info, err = os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode(), "an existing file keeps its mode")

	broken := errors.New("no figures")
	err = Write(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, strings.Repeat("half", 100_000))
		return broken
	})
	assert.ErrorIs(t, err, broken)
	assert.EqualError(t, err, "output file "+path+": no figures")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "two", string(data), "as before the failure")
	assert.Equal(t, []string{"out.json"}, names(t, dir))

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("out.json", link))
	require.NoError(t, Write(link, put("three")))
	data, err = os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "three", string(data))
	target, err := os.Readlink(link)
	require.NoError(t, err)
	assert.Equal(t, "out.json", target)

	require.NoError(t, Write(filepath.Join(dir, strings.Repeat("n", 250)), put("")))
}

func TestWriteFileToADevice(t *testing.T) {
	require.NoError(t, CheckWritable(os.DevNull))
	require.NoError(t, Write(os.DevNull, put("x")))
	info, err := os.Stat(os.DevNull)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeDevice, "still the device")
	if _, err := os.Stat("/dev/full"); err == nil {
		assert.ErrorContains(t, Write("/dev/full", put("x")), "no space left on device")
	}
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink("nothing", filepath.Join(dir, "dangling")))
	tests := map[string]string{
		"":                              "output file: the path is empty: want a file name",
		dir:                             "is a folder: want a file",
		filepath.Join(dir, "no", "out"): "the folder " + filepath.Join(dir, "no") + " does not exist",
		filepath.Join(file, "out"):      "output file " + filepath.Join(file, "out") + ": not a directory",
		filepath.Join(dir, "dangling"):  "is a symbolic link to nothing",
		filepath.Join(dir, strings.Repeat("n", 300)): "file name too long",
	}
	if os.Getuid() != 0 {
		locked := filepath.Join(dir, "locked")
		require.NoError(t, os.Mkdir(locked, 0o500))
		tests[filepath.Join(locked, "out")] = "permission denied"
		require.NoError(t, os.WriteFile(filepath.Join(dir, "readonly"), nil, 0o400))
		tests[filepath.Join(dir, "readonly")] = "permission denied"
	}
	before := names(t, dir)
	for path, want := range tests {
		assert.ErrorContains(t, CheckWritable(path), want, path)
		if !strings.HasSuffix(path, "readonly") {
			assert.ErrorContains(t, Write(path, put("x")), want, path)
		}
	}
	assert.Equal(t, before, names(t, dir))
}

// A new file has the permissions that the user's mask leaves it, and what was
// handed to the program open is written to as it is.
func TestWriteHanded(t *testing.T) {
	if _, err := os.Stat("/dev/fd/0"); err != nil {
		t.Skip("the system does not name open files")
	}
	path := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteString("before\n")
	require.NoError(t, err)
	name := fmt.Sprintf("/dev/fd/%d", f.Fd())
	require.NoError(t, CheckWritable(name))
	require.NoError(t, Write(name, put("after\n")))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "before\nafter\n", string(data))
	require.NoError(t, os.Remove(path))
	assert.NoError(t, Write(name, put("it has no name any more")))
	assert.Empty(t, names(t, filepath.Dir(path)))
}
