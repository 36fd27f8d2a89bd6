//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
)

// process is the built program while it runs.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   bytes.Buffer
	mu    sync.Mutex
	said  strings.Builder // on standard error
	lines chan string
	ended chan error
}

// patience bounds the wait for what a test waits for; nothing that is tested
// depends on it.
const patience = 2 * time.Minute

// launch starts the built program.
func launch(t *testing.T, env []string, stdin io.Reader, args ...string) *process {
	t.Helper()
	require.NoError(t, built.err)
	p := &process{t: t, lines: make(chan string, 1024), ended: make(chan error, 1)}
	p.cmd = exec.Command(filepath.Join(built.dir, "iosrun"), args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stdin = &p.out, stdin
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			p.mu.Lock()
			fmt.Fprintln(&p.said, s.Text())
			p.mu.Unlock()
			select {
			case p.lines <- s.Text():
			default:
			}
		}
	}()
	go func() {
		<-read
		p.ended <- p.cmd.Wait()
	}()
	return p
}

// await waits for a line on standard error that has the text.
func (p *process) await(text string) {
	p.t.Helper()
	late := time.After(patience)
	for {
		select {
		case l := <-p.lines:
			if strings.Contains(l, text) {
				return
			}
		case err := <-p.ended:
			p.t.Fatalf("has ended (%v) before it said %q: %s", err, text, p.stderr())
		case <-late:
			p.t.Fatalf("has not said %q: %s", text, p.stderr())
		}
	}
}

func (p *process) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// end waits for the end of the program: its exit code, or the signal that has
// ended it.
func (p *process) end() (code int, by syscall.Signal) {
	p.t.Helper()
	select {
	case err := <-p.ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			p.t.Fatal(err)
		}
		status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Signaled() {
			return -1, status.Signal()
		}
		return status.ExitStatus(), 0
	case <-time.After(patience):
		p.t.Fatalf("has not ended: %s", p.stderr())
		return 0, 0
	}
}

// fifo makes a named pipe.
func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	return path
}

// endless are the settings of a run that ends by itself after hours.
var endless = []string{"--generate", "--gen-count", "1000000000", "--gen-rate", "5000", "--quiet", "--log-level", "info", "--fault", "100ms=mirror1:restore"}

// Tests that were started by nohup ignore SIGHUP, and the programs that they start
// would inherit that. A signal that is caught goes back to its default in them.
func init() {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
}

// TestSignalEndsARunWithWhatThereIs: the table and the JSON say what was played,
// that it is not all, and claim no check.
func TestSignalEndsARunWithWhatThereIs(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "result.json")
			p := launch(t, nil, nil, append([]string{"run", "sync", "--json", file}, endless...)...)
			p.await("fault")
			p.signal(s)
			code, by := p.end()
			assert.Equal(t, 130, code, "signal %v: %s", by, p.stderr())
			out := p.out.String()
			assert.Contains(t, out, "INTERRUPTED: the figures of sync are of the part that was played; no check was made")
			assert.Contains(t, out, "write p50")
			assert.Regexp(t, `checks +not made`, out)
			for _, never := range []string{"completed once", "durability", "mirrors equal", " ok"} {
				assert.NotContains(t, out, never)
			}
			assert.Contains(t, p.stderr(), "iosrun: interrupted: the figures are of the part that was played, and no check was made")
			runs := readReport(t, file)
			require.Len(t, runs, 1)
			assert.True(t, runs[0].Interrupted)
			assert.False(t, runs[0].OK())
			assert.Empty(t, runs[0].Checks)
			assert.Positive(t, runs[0].Workload.Requests)
			assert.Positive(t, runs[0].WriteLatency.Count)
		})
	}
}

// TestSignalEndsAComparison: no differences between runs that have not played the
// same, and the policies whose turn has not come are named.
func TestSignalEndsAComparison(t *testing.T) {
	p := launch(t, []string{"GOMAXPROCS=1"}, nil, append([]string{"compare", "none", "sync", "constant-copy"}, endless...)...)
	p.await("fault")
	p.signal(syscall.SIGINT)
	code, _ := p.end()
	assert.Equal(t, 130, code, p.stderr())
	assert.Contains(t, p.out.String(), "INTERRUPTED: ")
	assert.Contains(t, p.out.String(), "not begun: ")
	assert.NotContains(t, p.out.String(), "%")
}

// TestSignalEndsCommandsAtOnce: whatever a command is doing, a first signal ends
// it with 130 and nothing printed.
func TestSignalEndsCommandsAtOnce(t *testing.T) {
	quiet, w, err := os.Pipe() // gives nothing
	require.NoError(t, err)
	t.Cleanup(func() { quiet.Close(); w.Close() })
	pipe := fifo(t)
	open, err := os.OpenFile(fifo(t), os.O_RDWR, 0) // somebody has it open, and writes nothing
	require.NoError(t, err)
	t.Cleanup(func() { open.Close() })
	big := bigPolicy(t)
	for name, c := range map[string]struct {
		stdin io.Reader
		args  []string
	}{
		"trace from a pipe without a writer": {nil, []string{"run", "--trace", pipe}},
		"trace from a pipe that is silent":   {nil, []string{"compare", "--trace", open.Name()}},
		"module from a pipe":                 {nil, []string{"plugin", "inspect", pipe}},
		"policy from a pipe":                 {nil, []string{"policy", "show", pipe}},
		"scenario from a pipe":               {nil, []string{"trace", open.Name()}},
		"cases from a pipe":                  {nil, []string{"channel", "run", pipe}},
		"cases from standard input":          {quiet, []string{"channel", "run", "-"}},
		"trace of an I/O from a pipe":        {nil, []string{"trace", "--trace", pipe}},
		"steps of a workload from a pipe":    {nil, []string{"steps", "--trace", pipe}},
		"experiment from a pipe":             {nil, []string{"run", "--experiment", pipe}},
		"compiling":                          {nil, []string{"run", big, "--no-cache", "--limit", "1"}},
		"scenarios":                          {nil, []string{"steps", "--scenarios", "--no-cache"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			if name == "scenarios" {
				c.args = c.args[:2]
			}
			p := launch(t, nil, c.stdin, c.args...)
			time.Sleep(300 * time.Millisecond) // most likely it is there by now
			p.signal(syscall.SIGTERM)
			code, by := p.end()
			assert.Equal(t, 130, code, "signal %v, %s", by, p.stderr())
			assert.Empty(t, p.out.String())
			assert.Contains(t, p.stderr(), "iosrun: interrupted")
		})
	}
}

// TestSignalDuringACallOfAModule: the module loops; a first signal ends the
// program within the grace time, or with what there is once the call has been
// ended, and a second one ends it at once.
func TestSignalDuringACallOfAModule(t *testing.T) {
	policy := policyOf(t, "looping", loopingModule())
	// A garbage collection stops everything until a call has ended.
	env := []string{"GOGC=off"}
	args := append([]string{"run", policy}, endless...)
	t.Run("one signal", func(t *testing.T) {
		p := launch(t, env, nil, args...)
		p.await("looping")
		p.signal(syscall.SIGINT)
		code, by := p.end()
		assert.Equal(t, 130, code, "signal %v, %s", by, p.stderr())
		assert.Contains(t, p.stderr(), "iosrun: interrupted")
	})
	t.Run("on one processor", func(t *testing.T) {
		p := launch(t, append(env, "GOMAXPROCS=1"), nil, args...)
		p.await("looping")
		p.signal(syscall.SIGTERM)
		code, by := p.end()
		assert.Equal(t, 130, code, "signal %v, %s", by, p.stderr())
	})
	t.Run("two signals", func(t *testing.T) {
		p := launch(t, env, nil, args...)
		p.await("looping")
		p.signal(syscall.SIGTERM)
		late := time.After(patience)
		for { // the first one may not have been heard yet
			select {
			case err := <-p.ended:
				p.ended <- err
				code, by := p.end()
				assert.True(t, by == syscall.SIGTERM || code == 130, "exit code %d, signal %v", code, by)
				return
			case <-time.After(20 * time.Millisecond):
				p.signal(syscall.SIGTERM)
			case <-late:
				t.Fatal("has not ended")
			}
		}
	})
}

// TestSignalDuringACopy: neither the target nor a temporary file is left, and a
// target that was there is as it was.
func TestSignalDuringACopy(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.cckd"), filepath.Join(dir, "to.cckd")
	o := iosrun(t, nil, "volume", "create", from, "3390-9", "--raw", "--format", "cckd", "--no-sync", "--quiet")
	require.Equal(t, 0, o.code, o.err)
	require.NoError(t, os.WriteFile(to, []byte("as it was"), 0o644))
	for name, args := range map[string][]string{
		"copy":   {"volume", "copy", from, to, "--force", "--format", "cckd", "--compression", "bzip2"},
		"create": {"volume", "create", to, "3390-54", "--raw", "--force"},
	} {
		t.Run(name, func(t *testing.T) {
			p := launch(t, nil, nil, args...)
			for began := time.Now(); ; {
				if _, err := os.Stat(to + ".new0"); err == nil {
					break
				}
				require.Less(t, time.Since(began), patience)
				time.Sleep(time.Millisecond)
			}
			p.signal(syscall.SIGINT)
			code, by := p.end()
			assert.Equal(t, 130, code, "signal %v, %s", by, p.stderr())
			assert.Empty(t, p.out.String())
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Len(t, left, 2)
			text, err := os.ReadFile(to)
			require.NoError(t, err)
			assert.Equal(t, "as it was", string(text))
		})
	}
	t.Run("mirror", func(t *testing.T) {
		mirror := filepath.Join(dir, "mirror.dsk")
		p := launch(t, nil, nil, "volume", "mirror", from, mirror)
		for began := time.Now(); ; {
			if m, _ := filepath.Glob(mirror + "*"); len(m) != 0 {
				break
			}
			require.Less(t, time.Since(began), patience)
			time.Sleep(time.Millisecond)
		}
		p.signal(syscall.SIGINT)
		code, by := p.end()
		assert.Equal(t, 130, code, "signal %v, %s", by, p.stderr())
		left, err := filepath.Glob(mirror + "*")
		require.NoError(t, err)
		assert.Empty(t, left)
	})
}

// TestSignalDuringABuild: the toolchain is ended, and nothing is left in the
// cache.
func TestSignalDuringABuild(t *testing.T) {
	dir := t.TempDir()
	tools, cache, source := filepath.Join(dir, "bin"), filepath.Join(dir, "cache"), filepath.Join(dir, "source")
	for _, d := range []string{tools, cache, source} {
		require.NoError(t, os.Mkdir(d, 0o755))
	}
	began := filepath.Join(dir, "began")
	script := "#!/bin/sh\ncase $1 in\nbuild) : > " + began + "; sleep 20 & wait;;\nlist) echo '{\"Name\":\"main\",\"Standard\":true}';;\n*) echo x;;\nesac\n"
	require.NoError(t, os.WriteFile(filepath.Join(tools, "go"), []byte(script), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(source, "manifest.json"), []byte(`{"name":"test/slow","version":"1","abi":"1.0","hooks":["front_end"]}`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(source, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644))
	p := launch(t, []string{"PATH=" + tools + ":" + os.Getenv("PATH"), "XDG_CACHE_HOME=" + cache}, nil, "plugin", "build", source, "-o", filepath.Join(dir, "out.wasm"))
	for start := time.Now(); ; {
		if _, err := os.Stat(began); err == nil {
			break
		}
		select {
		case <-p.ended:
			t.Fatalf("has ended: %s", p.stderr())
		default:
		}
		require.Less(t, time.Since(start), patience)
		time.Sleep(time.Millisecond)
	}
	p.signal(syscall.SIGTERM)
	code, by := p.end()
	assert.Equal(t, 130, code, "signal %v, %s", by, p.stderr())
	left, err := filepath.Glob(filepath.Join(cache, "*", "*", ".build-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.NoFileExists(t, filepath.Join(dir, "out.wasm"))
}

// TestHangupThatIsIgnored: started by nohup, a run goes on.
func TestHangupThatIsIgnored(t *testing.T) {
	require.NoError(t, built.err)
	file := filepath.Join(t.TempDir(), "result.json")
	c := exec.Command("sh", "-c", `trap "" HUP; kill -HUP $$; exec "$0" "$@"`, filepath.Join(built.dir, "iosrun"), "run", "sync", "--trace", "redis", "--json", file, "--log-level", "info", "--fault", "0s=mirror1:restore")
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	for s := bufio.NewScanner(stderr); s.Scan(); {
		if strings.Contains(s.Text(), "fault") {
			require.NoError(t, c.Process.Signal(syscall.SIGHUP))
		}
	}
	require.NoError(t, c.Wait())
	assert.True(t, readReport(t, file)[0].OK())
}

// TestOutputThatNobodyReads: the JSON is there although the reader of standard
// output has gone.
func TestOutputThatNobodyReads(t *testing.T) {
	require.NoError(t, built.err)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	file := filepath.Join(t.TempDir(), "result.json")
	c := exec.Command(filepath.Join(built.dir, "iosrun"), "run", "sync", "--trace", "redis", "--json", file)
	c.Stdout = w
	err = c.Run()
	w.Close()
	require.Error(t, err)
	assert.Equal(t, syscall.SIGPIPE, c.ProcessState.Sys().(syscall.WaitStatus).Signal())
	assert.True(t, readReport(t, file)[0].OK())
}

// TestEndOfTheGraceTime looks at what the end of the grace time does and does not.
func TestEndOfTheGraceTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "half")
	fresh := func() (*interruption, *[]int) {
		var codes []int
		require.NoError(t, os.WriteFile(file, nil, 0o644))
		i := &interruption{errOut: io.Discard, exit: func(c int) { codes = append(codes, c) }, temporary: map[string]bool{}}
		i.temp(file)
		return i, &codes
	}
	i, codes := fresh()
	i.end()
	assert.Equal(t, []int{130}, *codes)
	assert.NoFileExists(t, file)

	i, codes = fresh()
	i.heed()
	i.end()
	assert.Empty(t, *codes, "the command winds up by itself")
	assert.FileExists(t, file)
	i.conclude()
	i.end()
	assert.Equal(t, []int{130}, *codes, "but it is not to take for ever over its last words")

	i, codes = fresh()
	i.keep(file)
	require.NoError(t, i.protect(func() error {
		i.end()
		assert.Empty(t, *codes, "not in the middle of a file")
		return nil
	}))
	assert.Equal(t, []int{130}, *codes)
	assert.FileExists(t, file)

	ctx, cancel := context.WithCancel(context.Background())
	i, _ = fresh()
	i.first(cancel)
	assert.Error(t, ctx.Err())
	i.heed()
}

// bigPolicy is a policy whose module takes its time to compile.
func bigPolicy(t *testing.T) string {
	var body []byte
	for range 1000 {
		body = append(body, 0x20, 0, 0x20, 0, 0x6C, 0x21, 0) // local 0 = local 0 * local 0
	}
	return policyOf(t, "big", module("front_end", "", nil, body, 2000))
}

// loopingModule is a module whose hook says so and loops for every I/O but the
// first.
func loopingModule() []byte {
	const frame, vector, text = 1024, 16, 32
	constant := func(v int32) []byte { return append([]byte{0x41}, signed(v)...) }
	store := func(at, v int32) []byte { return join(constant(at), constant(v), []byte{0x36, 2, 0}) }
	words := "looping\n"
	body := join(
		constant(frame+int32(unsafe.Offsetof(abi.Head{}.IO))), []byte{0x28, 2, 0}, constant(20), []byte{0x4B, 0x04, 0x40}, // if IO > 20
		store(vector, text), store(vector+4, int32(len(words))),
		store(text, int32(binary.LittleEndian.Uint32([]byte(words)))), store(text+4, int32(binary.LittleEndian.Uint32([]byte(words[4:])))),
		constant(2), constant(vector), constant(1), constant(8), []byte{0x10, 0, 0x1A}, // fd_write
		[]byte{0x03, 0x40, 0x0C, 0, 0x0B}, // loop
		[]byte{0x0B})
	return module("front_end", "", &[2]string{"wasi_snapshot_preview1", "fd_write"}, body, 0)
}
