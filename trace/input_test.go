package trace

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pipe makes a named pipe into which the text is written once.
func pipe(t *testing.T, text []byte) string {
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
		_, _ = f.Write(text) // a reader that goes away early is no error
		_ = f.Close()
	}()
	t.Cleanup(func() { <-done })
	return path
}

// TestPipe: several readers have a pipe from its beginning, at once and one after
// the other, packed or not.
func TestPipe(t *testing.T) {
	for name, pack := range packers {
		text, err := os.ReadFile(casePath("bom.csv"))
		require.NoError(t, err)
		in, err := OpenInput(pipe(t, pack(t, text)))
		require.NoError(t, err)
		head, err := in.Trace(Options{}) // looked at and given up
		require.NoError(t, err)
		require.NoError(t, head.Close())
		var wg sync.WaitGroup
		found := make([]Description, 3)
		errs := make([]error, 3)
		for i := range found {
			wg.Go(func() {
				trace, err := in.Trace(Options{})
				if err != nil {
					errs[i] = err
					return
				}
				if found[i], errs[i] = Describe(trace); errs[i] == nil {
					errs[i] = trace.Close()
				}
			})
		}
		wg.Wait()
		for i := range found {
			require.NoError(t, errs[i], name)
			assert.EqualValues(t, 100, found[i].Requests, name)
		}
		require.NoError(t, in.Close())
		require.NoError(t, in.Close())
		_, err = in.Trace(Options{})
		assert.ErrorIs(t, err, os.ErrClosed)
	}
}

func TestPipeAsOneTrace(t *testing.T) {
	trace, err := Open(pipe(t, []byte(eventRows)), Options{})
	require.NoError(t, err)
	assert.Equal(t, eventRequests, all(t, trace))
	require.NoError(t, trace.Close())
	_, err = Open(pipe(t, nil), Options{})
	assert.ErrorContains(t, err, "is empty: want at least a header or one request")
}

func TestPipeIsBounded(t *testing.T) {
	in, err := OpenInput(pipe(t, gzipped(t, []byte(eventRows))))
	require.NoError(t, err)
	in.spool.limit = 10
	_, err = in.Trace(Options{})
	assert.ErrorContains(t, err, "pipe of more than 10 bytes, the most that are kept: want a file")
	require.NoError(t, in.Close())
}

// TestPipeLeavesNoFile: what is kept of a pipe has no name.
func TestPipeLeavesNoFile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	in, err := OpenInput(pipe(t, []byte(eventRows)))
	require.NoError(t, err)
	entries, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, entries)
	require.NoError(t, in.Close())
}

func TestWhatIsNoInput(t *testing.T) {
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, "socket"))
	require.NoError(t, err)
	defer listener.Close()
	for path, want := range map[string]string{
		dir:                          "is a folder: want a file or a pipe",
		"/dev/zero":                  "is a device: want a file or a pipe",
		"/dev/null":                  "is a device: want a file or a pipe",
		filepath.Join(dir, "socket"): "is a socket: want a file or a pipe",
		filepath.Join(dir, "none"):   "no such file or directory",
	} {
		_, err := OpenInput(path)
		assert.EqualError(t, err, "trace "+path+": "+want)
	}
}

// TestStandardInput: "-" is standard input.
func TestStandardInput(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	own, err := syscall.Dup(0)
	require.NoError(t, err)
	require.NoError(t, syscall.Dup3(int(r.Fd()), 0, 0))
	defer func() {
		require.NoError(t, syscall.Dup3(own, 0, 0))
		require.NoError(t, syscall.Close(own))
	}()
	_, err = io.WriteString(w, eventRows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, r.Close())
	trace, err := Open("-", Options{})
	require.NoError(t, err)
	assert.Equal(t, "standard input", trace.Name())
	require.NoError(t, syscall.Dup3(own, 0, 0)) // the pipe's last other reader
	assert.Equal(t, eventRequests, all(t, trace))
	require.NoError(t, trace.Close())
}
