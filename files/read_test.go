//go:build unix

package files

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written makes a named pipe into which write writes, and which is closed behind
// it.
func written(t *testing.T, write func(io.Writer)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	done := make(chan struct{})
	go func() {
		defer close(done)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return
		}
		defer f.Close()
		write(f)
	}()
	t.Cleanup(func() { <-done })
	return path
}

func endlessly(w io.Writer) {
	for p := bytes.Repeat([]byte("y"), 1<<16); ; {
		if _, err := w.Write(p); err != nil {
			return
		}
	}
}

// wrong makes everything that is no file to read, by what an error says of it.
func wrong(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	link, loop := filepath.Join(dir, "link"), filepath.Join(dir, "loop")
	require.NoError(t, os.Symlink("/dev/zero", link))
	require.NoError(t, os.Symlink(loop, loop))
	return map[string]string{
		dir: "is a folder", "/dev/zero": "is a device", "/dev/random": "is a device", "/dev/null": "is a device", "/dev/tty": "is a device",
		link: "is a device", socket: "is a socket", loop: "too many levels of symbolic links", filepath.Join(dir, "none"): "no such file or directory",
		filepath.Join(dir, "none", "none"): "no such file or directory", socket + "/none": "not a directory",
	}
}

func TestReadAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	for _, size := range []int{0, 1, 99, 100} {
		text := strings.Repeat("x", size)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		for _, p := range []string{path, written(t, func(w io.Writer) { fmt.Fprint(w, text) })} {
			got, err := ReadAll(p, "song", 100)
			require.NoError(t, err)
			assert.Equal(t, text, string(got))
		}
	}
	require.NoError(t, os.WriteFile(path, make([]byte, 101), 0o600))
	_, err := ReadAll(path, "song", 100)
	assert.EqualError(t, err, "song "+path+": has 101 bytes: want a file or a pipe of at most 100 bytes")
	require.NoError(t, os.Truncate(path, 1<<40))
	_, err = ReadAll(path, "song", 1<<30)
	assert.EqualError(t, err, "song "+path+": has 1099511627776 bytes: want a file or a pipe of at most 1073741824 bytes")
	pipe := written(t, endlessly)
	_, err = ReadAll(pipe, "song", 100)
	assert.EqualError(t, err, "song "+pipe+": has more than 100 bytes: want a file or a pipe of at most 100 bytes")
}

func TestWhatIsNotRead(t *testing.T) {
	want := map[string]bool{"is a folder": true, "is a device": true, "is a socket": true}
	for path, is := range wrong(t) {
		behind := func(s string) string {
			if want[is] {
				return s
			}
			return ""
		}
		_, err := ReadAll(path, "song", 100)
		assert.EqualError(t, err, "song "+path+": "+is+behind(": want a file or a pipe of at most 100 bytes"))
		_, err = OpenStream(path, "song "+path)
		assert.EqualError(t, err, "song "+path+": "+is+behind(": want a file or a pipe"))
		for _, flag := range []int{os.O_RDONLY, os.O_RDWR} {
			_, err = OpenFile(path, "song", flag)
			assert.EqualError(t, err, "song "+path+": "+is+behind(": want a file"))
		}
	}
	_, err := ReadAll(filepath.Join(t.TempDir(), "none"), "song", 100)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	// Nobody writes to it: opening it would wait.
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	_, err = OpenFile(pipe, "song", os.O_RDONLY)
	assert.EqualError(t, err, "song "+pipe+": is a pipe: want a file")
}

func TestOpenedInputs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(path, []byte("text"), 0o600))
	f, err := OpenFile(path, "song", os.O_RDWR)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("n"), 2)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	for _, p := range []string{path, written(t, func(w io.Writer) { fmt.Fprint(w, "tent") })} {
		f, err := OpenStream(p, "song "+p)
		require.NoError(t, err)
		text, err := io.ReadAll(f)
		require.NoError(t, err)
		assert.Equal(t, "tent", string(text))
		require.NoError(t, f.Close())
	}
}

func TestReadAllFrom(t *testing.T) {
	text, err := ReadAllFrom(strings.NewReader("text"), "standard input", "song", 4)
	require.NoError(t, err)
	assert.Equal(t, "text", string(text))
	_, err = ReadAllFrom(strings.NewReader("text!"), "standard input", "song", 4)
	assert.EqualError(t, err, "song standard input: has more than 4 bytes: want a file or a pipe of at most 4 bytes")
	f, err := os.Open("/dev/zero")
	require.NoError(t, err)
	defer f.Close()
	_, err = ReadAllFrom(f, "standard input", "song", 4)
	assert.EqualError(t, err, "song standard input: is a device: want a file or a pipe of at most 4 bytes")
}

// growing is a file to which somebody writes after each time that it was read.
type growing struct {
	*os.File
	t *testing.T
}

func (g growing) Read(p []byte) (int, error) {
	n, err := g.File.Read(p[:min(len(p), 8)])
	w, werr := os.OpenFile(g.Name(), os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(g.t, werr)
	_, werr = w.WriteString("more to come")
	require.NoError(g.t, werr)
	require.NoError(g.t, w.Close())
	return n, err
}

// TestFileGrows: a file that grows faster than it is read is read up to the limit,
// and one that grew while it was read is no text that anybody has written.
func TestFileGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	require.NoError(t, os.WriteFile(path, []byte("to begin with"), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	_, err = ReadAllFrom(growing{f, t}, path, "song", 1000)
	assert.EqualError(t, err, "song "+path+": has more than 1000 bytes: want a file or a pipe of at most 1000 bytes")

	require.NoError(t, os.WriteFile(path, []byte("to begin with"), 0o600))
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(t, err)
	_, err = ReadAllFrom(struct {
		io.Reader
		statter
	}{io.LimitReader(growing{f, t}, 8), f}, path, "song", 1000)
	assert.ErrorIs(t, err, ErrChanged)
	assert.EqualError(t, err, "song "+path+": changed while it was in use: it had 13 bytes and has 25: want one that nobody writes to")
}

type statter interface{ Stat() (fs.FileInfo, error) }
