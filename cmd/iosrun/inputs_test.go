//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host/wasm"
	"github.com/iosrun/iosrun/lab/channelcase"
	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/lab/settings"
	"github.com/iosrun/iosrun/policy"
)

// inputKind is a kind of file that commands read.
type inputKind struct {
	name  string
	limit int64 // most bytes; 0 where the file is not read whole
	pipe  bool  // may be a pipe
}

// want is the end of an error about a file of the kind.
func (k inputKind) want() string {
	switch {
	case k.limit != 0:
		return fmt.Sprintf(": want a file or a pipe of at most %d bytes", k.limit)
	case k.pipe:
		return ": want a file or a pipe"
	}
	return ": want a file"
}

// The input of a command that is to be wrong.
const wrongInput = "WRONG"

// pour makes a named pipe into which one text is written again and again, for as
// many readers as come one after the other.
func pour(t *testing.T, first, again []byte) string {
	t.Helper()
	path := fifo(t)
	go func() { // until the test program ends
		for {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return
			}
			for _, err = f.Write(first); err == nil; {
				_, err = f.Write(again)
			}
			_ = f.Close()
		}
	}()
	return path
}

// bounded runs the program, which must end soon, refuse what was asked for in few
// words, and keep no more in memory than twice what it may read and what it has
// without.
func bounded(t *testing.T, stdin io.Reader, limit int64, args ...string) outcome {
	t.Helper()
	require.NoError(t, built.err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, filepath.Join(built.dir, "iosrun"), args...)
	var out, errOut bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = stdin, &out, &errOut
	_ = c.Run()
	require.NoError(t, ctx.Err(), "%v has not ended", args)
	// What this process has when it starts another one counts as that one's.
	var own syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &own))
	const without = 200 << 10
	kept := c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS == "linux" { // other systems have other units
		assert.Less(t, kept, own.Maxrss+without+2*limit>>10, "%v: KiB of memory", args)
	}
	assert.Empty(t, out.String(), args)
	assert.Less(t, errOut.Len(), 1000, args)
	return outcome{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// TestWrongInputs gives every command that reads a file everything that is none,
// or has no end.
func TestWrongInputs(t *testing.T) {
	i := newInputs(t)
	at := func(n string) string { return filepath.Join(i.dir, n) }
	module := inputKind{"module", wasm.MaxSize, true}
	policies := inputKind{"policy", policy.MaxFile, true}
	experiment := inputKind{"experiment", settings.MaxFile, true}
	scenarios := inputKind{"scenario", scenario.MaxFile, true}
	cases := inputKind{"cases", channelcase.MaxFileBytes, true}
	manifest := inputKind{"manifest", abi.MaxManifest, true}
	trace := inputKind{"trace", 0, true}
	image := inputKind{"image", 0, false}
	onImage := []string{"--first-cylinder", "1", "--cylinders", "10", "--trace", i.trace}
	commands := []struct {
		kind inputKind
		args []string
	}{
		{module, []string{"plugin", "inspect", wrongInput}},
		{policies, []string{"policy", "show", wrongInput}},
		{policies, []string{"run", wrongInput}},
		{policies, []string{"compare", "none", wrongInput}},
		{policies, []string{"steps", wrongInput}},
		{policies, []string{"trace", "--policy", wrongInput}},
		{policies, []string{"run", "none", "--swap", "1s=" + wrongInput}},
		{experiment, []string{"run", "--experiment", wrongInput}},
		{experiment, []string{"compare", "--experiment", wrongInput}},
		{experiment, []string{"steps", "--experiment", wrongInput}},
		{experiment, []string{"trace", "--experiment", wrongInput}},
		{scenarios, []string{"trace", wrongInput}},
		{cases, []string{"channel", "run", wrongInput}},
		{cases, []string{"channel", "run", "-"}},
		{trace, []string{"run", "none", "--trace", wrongInput}},
		{trace, []string{"compare", "none", "--trace", wrongInput}},
		{trace, []string{"steps", "none", "--trace", wrongInput}},
		{trace, []string{"trace", "--policy", "none", "--trace", wrongInput}},
		{trace, []string{"run", "none", "--trace", "-"}},
		{image, []string{"volume", "info", wrongInput}},
		{image, []string{"volume", "info", i.image, "--shadow", wrongInput}},
		{image, []string{"volume", "list", wrongInput}},
		{image, []string{"volume", "verify", wrongInput}},
		{image, []string{"volume", "copy", wrongInput, at("new")}},
		{image, []string{"volume", "compare", i.image, wrongInput}},
		{image, []string{"volume", "compare", wrongInput, i.image}},
		{image, []string{"volume", "mirror", wrongInput, at("new")}},
		{image, []string{"volume", "shadow", "create", wrongInput, at("new")}},
		{image, []string{"volume", "shadow", "merge", wrongInput, i.shadow}},
		{image, []string{"volume", "shadow", "merge", i.image, wrongInput}},
		{image, []string{"channel", "run", channelCases, "--volume", "a=" + wrongInput}},
		{image, append([]string{"run", "none", "--primary-image", wrongInput}, onImage...)},
		{image, append([]string{"run", "sync", "--primary-image", i.image, "--mirror-image", wrongInput}, onImage...)},
		{manifest, []string{"plugin", "build", at("detour")}},
		{manifest, []string{"plugin", "inspect", at("detour")}},
	}

	dir := t.TempDir()
	folder, socket, long, none := filepath.Join(dir, "folder"), filepath.Join(dir, "socket"), filepath.Join(dir, "long"), filepath.Join(dir, "none")
	require.NoError(t, os.Mkdir(folder, 0o755))
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer listener.Close()
	require.NoError(t, os.WriteFile(long, nil, 0o600))
	require.NoError(t, os.Truncate(long, 1<<40))
	silent, endless := fifo(t), pour(t, nil, bytes.Repeat([]byte("y"), 4096))
	left := tree(t, i.dir)
	require.NoError(t, os.Remove(i.manifest))

	for _, c := range commands {
		for _, w := range []struct{ path, what string }{
			{folder, "is a folder"}, {"/dev/zero", "is a device"}, {"/dev/random", "is a device"}, {"/dev/tty", "is a device"},
			{socket, "is a socket"}, {none, "no such file or directory"}, {long, "has 1099511627776 bytes"}, {endless, ""},
		} {
			name, want := w.path, w.what+c.kind.want()
			switch {
			case w.path == none:
				want = w.what
			case w.path == folder && c.kind == module:
				continue // is one of source
			case w.path == long && c.kind.limit == 0:
				continue // is no trace and no image, for other reasons
			case w.path == endless && c.kind == image: // it is not even waited for
				w.path, name, want = silent, silent, "is a pipe: want a file"
			case w.path == endless && c.kind.limit != 0:
				want = fmt.Sprintf("has more than %d bytes", c.kind.limit) + c.kind.want()
			case w.path == endless:
				want = "no known layout"
			}
			var stdin io.Reader
			args := append([]string{}, c.args...)
			for k, a := range args {
				args[k] = strings.Replace(a, wrongInput, w.path, 1)
				if a == "-" {
					f, err := os.OpenFile(w.path, os.O_RDONLY, 0)
					if err != nil {
						f = nil
						continue // a shell would not start the program
					}
					stdin, name = f, "standard input"
				}
			}
			if f, ok := stdin.(*os.File); ok {
				defer f.Close()
			} else if c.args[len(c.args)-1] == "-" {
				continue
			}
			if c.kind == manifest {
				if w.path == none {
					continue // a link to nothing is no manifest at all
				}
				require.NoError(t, os.Symlink(w.path, i.manifest))
				name = i.manifest
			}
			o := bounded(t, stdin, c.kind.limit, args...)
			_ = os.Remove(i.manifest)
			if c.kind == trace && w.path == endless {
				assert.Contains(t, o.err, c.kind.name+" "+name+": ", args)
			} else {
				assert.Contains(t, o.err, c.kind.name+" "+name+": "+want, args)
			}
			assert.Contains(t, o.err, want, args)
			assert.Equal(t, 2, o.code, "%v: %s", args, o.err)
			assert.Equal(t, 1, strings.Count(o.err, "iosrun: "), o.err)
		}
	}
	require.NoError(t, os.WriteFile(i.manifest, []byte(`{"name":"test/mine","version":"1","abi":"1.0","hooks":["front_end"]}`), 0o600))
	assert.Equal(t, left, tree(t, i.dir), "files are as they were")
}

// TestBombs gives a trace that unpacks to very much: it is read as far as a limit,
// and nothing of it is kept.
func TestBombs(t *testing.T) {
	packed := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := io.WriteString(z, text)
		require.NoError(t, errors.Join(err, z.Close()))
		return b.Bytes()
	}
	for again, want := range map[string]string{
		strings.Repeat("\x00", 16<<20): "row 3 has no end within 1048576 bytes",
		strings.Repeat("\n", 16<<20):   "has more than 1048576 bytes of blank rows",
	} {
		bomb := pour(t, packed("us,op,offset,length,flags,response_us\n0,read,0,4096,-,40\n"), packed(again))
		o := bounded(t, nil, 0, "run", "none", "--trace", bomb)
		assert.Contains(t, o.err, "trace "+bomb)
		assert.Contains(t, o.err, want)
		assert.NotZero(t, o.code)
	}
}

// TestPipesAreRead: what a shell makes of <(command) is as good as a file.
func TestPipesAreRead(t *testing.T) {
	i := newInputs(t)
	dir := t.TempDir()
	experiment := filepath.Join(dir, "own.yaml")
	require.NoError(t, os.WriteFile(experiment, []byte("workload:\n  trace: "+i.trace+"\n"), 0o600))
	own := readFile(t, i.policy)
	own = strings.Replace(own, "./module.wasm", filepath.Join(i.dir, "module.wasm"), 1)
	for name, c := range map[string]struct {
		text string
		args []string
	}{
		"policy":     {own, []string{"run", wrongInput, "--trace", i.trace}},
		"module":     {readFile(t, filepath.Join(i.dir, "module.wasm")), []string{"plugin", "inspect", wrongInput}},
		"experiment": {readFile(t, experiment), []string{"run", "none", "--experiment", wrongInput}},
		"scenario":   {"name: x\npolicy: sync\nplay:\n  - {at: 1ms, write: {offset: 0, length: 4096}}\n", []string{"trace", wrongInput}},
		"cases":      {readFile(t, channelCases), []string{"channel", "run", wrongInput, "--check"}},
		"trace":      {readFile(t, i.trace), []string{"compare", "none", i.policy, "--trace", wrongInput}},
	} {
		t.Run(name, func(t *testing.T) {
			pipe := fifo(t)
			go func() { _ = os.WriteFile(pipe, []byte(c.text), 0) }()
			args := append([]string{}, c.args...)
			for k := range args {
				args[k] = strings.Replace(args[k], wrongInput, pipe, 1)
			}
			ok(t, args...)
		})
	}
}

// TestLongVariable: nobody means a value of a variable that fills a page.
func TestLongVariable(t *testing.T) {
	for _, name := range []string{"IOSRUN_LOG_LEVEL", "IOSRUN_PLUGIN_DIR", "IOSRUN_WORKLOAD_TRACE", "IOSRUN_OTHER"} {
		o := iosrun(t, []string{name + "=" + strings.Repeat("x", settings.MaxVariable+1)}, "run", "none", "--limit", "1")
		assert.Equal(t, 2, o.code)
		assert.Equal(t, "iosrun: environment: "+name+": has 4097 bytes: want at most 4096\n", o.err)
	}
}
