package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/policy/catalog/shipped"
)

// namesOf gives other names of a file: a hard link, a symbolic link, and two other
// ways to spell its path.
func namesOf(t *testing.T, path string) map[string]string {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(path), "names")
	require.NoError(t, err)
	hard, soft := filepath.Join(dir, "hard"+filepath.Ext(path)), filepath.Join(dir, "soft"+filepath.Ext(path))
	require.NoError(t, os.Link(path, hard))
	require.NoError(t, os.Symlink(path, soft))
	return map[string]string{
		"the same": path, "a hard link": hard, "a symbolic link": soft,
		"another spelling": filepath.Dir(path) + "/./" + filepath.Base(path), "a way around": dir + "/../" + filepath.Base(path),
	}
}

// inputs are the files of one experiment, by role.
type inputs struct {
	dir                                                        string
	trace, experiment, policy, source, manifest, image, shadow string
}

// passthrough gives a module that the program carries.
func passthrough(t *testing.T) []byte {
	t.Helper()
	set, err := shipped.Embedded()
	require.NoError(t, err)
	code, found := set.Module("frontend/passthrough")
	require.True(t, found)
	return code
}

func newInputs(t *testing.T) *inputs {
	t.Helper()
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	i := &inputs{
		dir: dir, trace: at("trace.csv"), experiment: at("experiment.yaml"), policy: at("policy.yaml"),
		source: at("detour/main.go"), manifest: at("detour/manifest.json"), image: at("image.cckd"), shadow: at("shadow"),
	}
	put := func(path, text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	var rows strings.Builder
	rows.WriteString("us,op,offset,length,flags,response_us\n")
	for n := range 50 {
		fmt.Fprintf(&rows, "%d,%s,%d,4096,-,40\n", n*1000, []string{"read", "write"}[n%2], n*4096)
	}
	put(i.trace, rows.String())
	require.NoError(t, os.WriteFile(at("module.wasm"), passthrough(t), 0o600))
	put(i.policy, "name: mine\nsummary: nothing\ndurability: primary\nslots:\n  front-end:\n    - module: ./module.wasm\n")
	require.NoError(t, os.Mkdir(at("detour"), 0o755))
	put(i.source, "package main\n\nfunc main() {}\n")
	put(i.manifest, `{"name":"test/mine","version":"1","abi":"1.0","hooks":["front_end"]}`)
	put(at("detour/go.mod"), "module mine\n\ngo 1.24\n")
	ok(t, "volume", "create", i.image, "3390", "INPUT1", "--cylinders", "20", "--format", "cckd")
	ok(t, "volume", "shadow", "create", i.image, i.shadow)
	put(i.experiment, fmt.Sprintf("primary:\n  image: %s\n  shadows: [%s]\nworkload:\n  first-cylinder: 1\n  cylinders: 10\n", i.image, i.shadow))
	return i
}

// unharmed runs a command that must be refused, and looks at the files.
func unharmed(t *testing.T, dir, roles string, args ...string) {
	t.Helper()
	before := tree(t, dir)
	o := iosrun(t, nil, args...)
	assert.Equal(t, 2, o.code, "%v: %s", args, o.err)
	assert.Contains(t, o.err, "are the same file", "%v", args)
	for _, role := range strings.Split(roles, "+") {
		assert.Contains(t, o.err, role, "%v", args)
	}
	assert.Equal(t, before, tree(t, dir), "%v", args)
}

// tree gives the content of every file below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			all[path] = readFile(t, path)
		}
		return err
	}))
	return all
}

// TestOutputsSpareInputs has outputs land on what is read, under all its names.
func TestOutputsSpareInputs(t *testing.T) {
	i := newInputs(t)
	module := filepath.Join(i.dir, "module.wasm")
	play := []string{"run", i.policy, "--experiment", i.experiment, "--trace", i.trace, "--aliases", "3", "--json"}
	ok(t, append(play, filepath.Join(i.dir, "result.json"))...)
	for role, path := range map[string]string{
		"the trace": i.trace, "the experiment": i.experiment, "a policy": i.policy, "a module": module,
		"image of the primary": i.image, "shadow file of the primary": i.shadow,
	} {
		for name, other := range namesOf(t, path) {
			t.Run(role+" as "+name, func(t *testing.T) {
				unharmed(t, i.dir, other+" (output of --json)+"+role, append(play, other)...)
			})
		}
	}
	for name, other := range namesOf(t, i.trace) {
		t.Run("drawing as "+name, func(t *testing.T) {
			unharmed(t, i.dir, other+" (output of --svg)+the trace", "trace", "--trace", i.trace, "--svg", other)
		})
	}
	file := filepath.Join(i.dir, "scenario.yaml")
	require.NoError(t, os.WriteFile(file, []byte(readFile(t, "../../lab/scenario/scenarios/write.yaml")), 0o600))
	unharmed(t, i.dir, "the scenario+output of --svg", "trace", file, "--svg", file)
	for role, path := range map[string]string{"a source file": i.source, "a manifest": i.manifest} {
		for name, other := range namesOf(t, path) {
			t.Run(role+" as "+name, func(t *testing.T) {
				unharmed(t, i.dir, other+" (the built module)+"+role, "plugin", "build", filepath.Dir(i.source), "-o", other)
			})
		}
	}
}

// TestVolumesAreDifferentFiles names a file for two volumes, or for two files of
// one.
func TestVolumesAreDifferentFiles(t *testing.T) {
	i := newInputs(t)
	at := func(n string) string { return filepath.Join(i.dir, n) }
	ok(t, "volume", "create", at("split.dsk"), "3390", "SPLIT1", "--cylinders", "4", "--split-bytes", "1800000")
	ok(t, "volume", "create", at("base.cckd"), "3390", "SPLIT1", "--cylinders", "4", "--format", "cckd")
	ok(t, "volume", "shadow", "create", at("base.cckd"), at("s"))
	ok(t, "volume", "mirror", at("split.dsk"), at("base.cckd"), "--mirror-shadow", at("s"), "--force")
	for _, other := range namesOf(t, at("s")) {
		unharmed(t, i.dir, "a shadow file", "volume", "shadow", "merge", at("base.cckd"), at("s"), other)
		unharmed(t, i.dir, "a shadow file", "volume", "shadow", "merge", at("base.cckd"), at("s"), other, "--all")
		unharmed(t, i.dir, "the files below the new one+the new shadow file", "volume", "shadow", "create", at("base.cckd"), at("s"), other, "--force")
		unharmed(t, i.dir, "the copy+the volume to copy", "volume", "copy", at("base.cckd"), other, "--shadow", at("s"), "--force")
	}
	for _, other := range namesOf(t, at("base.cckd")) {
		unharmed(t, i.dir, "the image+a shadow file", "volume", "shadow", "merge", at("base.cckd"), other)
		unharmed(t, i.dir, "the mirror+the primary", "volume", "mirror", at("base.cckd"), other, "--force")
		unharmed(t, i.dir, "the copy+the volume to copy", "volume", "copy", at("base.cckd"), other, "--force")
		unharmed(t, i.dir, "image of the primary+image of mirror 1", "run", "sync", "--primary-image", at("base.cckd"), "--mirror-image", other,
			"--first-cylinder", "1", "--cylinders", "2", "--trace", i.trace)
	}
	for _, part := range []string{"split_1.dsk", "split_2.dsk"} {
		for _, other := range namesOf(t, at(part)) {
			unharmed(t, i.dir, "the mirror+the primary", "volume", "mirror", at("split.dsk"), other, "--force")
			unharmed(t, i.dir, "the copy+the volume to copy", "volume", "copy", at("split.dsk"), other, "--force")
		}
	}
	// A part of the copy would be a part of the source.
	unharmed(t, i.dir, "the copy+the volume to copy", "volume", "copy", at("split.dsk"), at("split.dsk"), "--split-bytes", "1800000", "--force")
	unharmed(t, i.dir, "volume of suite a+volume of suite b", "channel", "run", channelCases, "--write",
		"--volume", "a="+at("base.cckd"), "--volume", "b="+at("base.cckd"))
	unharmed(t, i.dir, "volume of suite a+the cases", "channel", "run", at("base.cckd"), "--write", "--volume", "a="+at("base.cckd"))
}

// runWith runs the program with files in the places of its standard streams.
func runWith(t *testing.T, env []string, in, out, errOut *os.File, args ...string) int {
	t.Helper()
	require.NoError(t, built.err)
	c := exec.Command(filepath.Join(built.dir, "iosrun"), args...)
	c.Env = append(os.Environ(), env...)
	if in != nil {
		c.Stdin = in
	}
	if out != nil {
		c.Stdout = out
	}
	if errOut != nil {
		c.Stderr = errOut
	}
	_ = c.Run()
	return c.ProcessState.ExitCode()
}

// TestStreamsSpareInputs has a shell append standard output to what is read.
func TestStreamsSpareInputs(t *testing.T) {
	i := newInputs(t)
	cases, err := os.ReadFile(channelCases)
	require.NoError(t, err)
	file := filepath.Join(i.dir, "cases.json")
	require.NoError(t, os.WriteFile(file, cases, 0o600))
	add := func(path string) *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	before := tree(t, i.dir)
	for _, c := range []struct {
		on   string
		args []string
	}{
		{i.image, []string{"volume", "info", i.image, "--json"}},
		{i.image, []string{"volume", "list", i.image}},
		{i.shadow, []string{"volume", "verify", i.image, "--shadow", i.shadow}},
		{i.image, []string{"volume", "compare", i.image, i.image}},
		{i.trace, []string{"run", "none", "--trace", i.trace}},
		{i.trace, []string{"steps", "none", "--trace", i.trace, "--json"}},
		{file, []string{"channel", "run", file, "--json"}},
		{filepath.Join(i.dir, "module.wasm"), []string{"plugin", "inspect", filepath.Join(i.dir, "module.wasm")}},
	} {
		assert.Equal(t, 2, runWith(t, nil, nil, add(c.on), nil, c.args...), "%v", c.args)
	}
	assert.Equal(t, 2, runWith(t, nil, add(file), add(file), nil, "channel", "run", "-", "--json"))
	assert.Equal(t, before, tree(t, i.dir))
	// One file for both streams is no clash, and neither is an input beside them.
	log := add(filepath.Join(i.dir, "cases.json"))
	assert.Equal(t, 0, runWith(t, nil, nil, log, log, "volume", "info", i.image))
}

// TestDash has every output go to standard output, by its names.
func TestDash(t *testing.T) {
	dir := t.TempDir()
	play := func(extra ...string) []string {
		return append([]string{"run", "none", "--trace", "redis", "--limit", "50"}, extra...)
	}
	valid := func(p []byte) {
		t.Helper()
		assert.True(t, json.Valid(p), "%.100s", p)
		assert.Contains(t, string(p), `"policy": "none"`)
	}
	for _, name := range []string{"-", "/dev/stdout", "/dev/fd/1"} {
		if runtime.GOOS != "linux" && name != "-" {
			continue
		}
		o := iosrun(t, nil, play("--json", name)...)
		require.Equal(t, 0, o.code, o.err)
		valid([]byte(o.out))
		assert.Contains(t, o.err, "p99.9", "the table goes to standard error")

		// Into a file of a shell, behind what is there.
		path := filepath.Join(dir, "out")
		require.NoError(t, os.WriteFile(path, []byte("earlier\n"), 0o600))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		require.NoError(t, err)
		require.Equal(t, 0, runWith(t, nil, nil, f, nil, play("--json", name)...))
		require.NoError(t, f.Close())
		text, found := strings.CutPrefix(readFile(t, path), "earlier\n")
		assert.True(t, found)
		valid([]byte(text))

		o = iosrun(t, nil, "trace", "write", "--svg", name)
		require.Equal(t, 0, o.code, o.err)
		assert.True(t, strings.HasPrefix(o.out, "<svg"), "%.100s", o.out)
		assert.True(t, strings.HasSuffix(strings.TrimSpace(o.out), "</svg>"))
		assert.Contains(t, o.err, "VIRTUAL TIME")

		o = iosrun(t, nil, "plugin", "build", "../../plugins/frontend/passthrough/wasm", "-o", name)
		require.Equal(t, 0, o.code, o.err)
		assert.True(t, strings.HasPrefix(o.out, "\x00asm"))
		again := iosrun(t, nil, "plugin", "build", "../../plugins/frontend/passthrough/wasm")
		assert.True(t, readFile(t, strings.TrimSpace(again.out)) == o.out)
	}
	assert.NoFileExists(t, "-")
	o := iosrun(t, nil, "trace", "write", "--svg", "-", "--json")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "both go to standard output")
	o = iosrun(t, nil, play("--json", "")...)
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "the path is empty")
	if runtime.GOOS == "linux" {
		o = iosrun(t, nil, play("--json", "/dev/stderr")...)
		require.Equal(t, 0, o.code)
		valid([]byte(o.err))
		assert.Contains(t, o.out, "p99.9")
		o = iosrun(t, nil, play("--json", "/dev/null")...)
		require.Equal(t, 0, o.code, o.err)
		assert.Contains(t, o.out, "p99.9")
	}
}

// TestOutputFiles writes to what is there already: permissions and links stay, a
// pipe is written to, and a run that fails leaves the old file.
func TestOutputFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has other permissions and pipes")
	}
	dir := t.TempDir()
	at := func(n string) string { return filepath.Join(dir, n) }
	require.NoError(t, os.WriteFile(at("old.json"), []byte("old"), 0o600))
	require.NoError(t, os.Chmod(at("old.json"), 0o640))
	require.NoError(t, os.Symlink("old.json", at("link.json")))
	play := []string{"run", "none", "--trace", "redis", "--limit", "50", "--json"}
	o := iosrun(t, nil, append(play, at("link.json"), "--km", "-3")...)
	assert.Equal(t, 2, o.code)
	assert.Equal(t, "old", readFile(t, at("old.json")))
	ok(t, append(play, at("link.json"))...)
	assert.True(t, json.Valid([]byte(readFile(t, at("old.json")))))
	info, err := os.Stat(at("old.json"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	to, err := os.Readlink(at("link.json"))
	require.NoError(t, err)
	assert.Equal(t, "old.json", to)

	c := exec.Command("sh", "-c", `umask 027; exec "$0" "$@"`, filepath.Join(built.dir, "iosrun"))
	c.Args = append(c.Args, append(play, at("new.json"))...)
	require.NoError(t, c.Run())
	info, err = os.Stat(at("new.json"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())

	require.NoError(t, exec.Command("mkfifo", at("pipe")).Run())
	got := make(chan []byte)
	go func() {
		f, err := os.Open(at("pipe"))
		if err != nil {
			got <- nil
			return
		}
		p, _ := io.ReadAll(f)
		f.Close()
		got <- p
	}()
	ok(t, append(play, at("pipe"))...)
	assert.True(t, json.Valid(<-got))
	info, err = os.Stat(at("pipe"))
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeNamedPipe)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 4)
}

// mounted runs a shell script in a name space of its own, where it may mount. It
// skips where the system does not permit it.
func mounted(t *testing.T, dir, script string) (string, error) {
	t.Helper()
	if err := exec.Command("unshare", "-rm", "true").Run(); err != nil {
		t.Skipf("needs name spaces: %v", err)
	}
	c := exec.Command("unshare", "-rm", "sh", "-ec", script)
	c.Dir = dir
	c.Env = append(os.Environ(), "IOSRUN="+filepath.Join(built.dir, "iosrun"))
	out, err := c.CombinedOutput()
	return string(out), err
}

// TestBindMounts has one file under two names that are no links, and an output
// that cannot be replaced.
func TestBindMounts(t *testing.T) {
	i := newInputs(t)
	text := readFile(t, i.trace)
	other := filepath.Join(i.dir, "other.csv")
	require.NoError(t, os.WriteFile(other, nil, 0o600))
	out, err := mounted(t, i.dir, `
		mount --bind trace.csv other.csv
		"$IOSRUN" run none --trace trace.csv --json other.csv || test $? = 2`)
	require.NoError(t, err, out)
	assert.Contains(t, out, "are the same file")
	assert.Equal(t, text, readFile(t, i.trace))
	out, err = mounted(t, i.dir, `
		echo old > under; touch over; mount --bind under over
		"$IOSRUN" run none --trace trace.csv --json over`)
	require.NoError(t, err, out)
	assert.True(t, json.Valid([]byte(readFile(t, filepath.Join(i.dir, "under")))))
	assert.NoFileExists(t, filepath.Join(i.dir, ".over.tmp"))
}

// TestFullDisk writes a result, and compiled code, to a file system without room.
func TestFullDisk(t *testing.T) {
	i := newInputs(t)
	out, err := mounted(t, i.dir, `
		mkdir full; mount -t tmpfs -o size=64k none full
		echo old > full/result.json
		head -c 60000 /dev/zero > full/fill
		export XDG_CACHE_HOME=$PWD/full/cache
		mkdir -p full/cache/iosrun
		"$IOSRUN" run ./policy.yaml --trace trace.csv -q 2> warnings
		test "$(grep -c 'cannot be written' warnings)" = 1
		if "$IOSRUN" run none --trace trace.csv --json full/result.json 2> errors; then exit 9; fi
		cat errors
		test "$(cat full/result.json)" = old
		test "$(ls -A full)" = "cache
fill
result.json"`)
	require.NoError(t, err, out)
	assert.Contains(t, out, "no space left on device")
}

// TestTwoWriters runs two programs that write to one image, at least six times and
// until they have met: it stays sound, and who comes second is told.
func TestTwoWriters(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.cckd")
	ok(t, "volume", "create", path, "3390", "ORC001", "--cylinders", "10", "--format", "cckd")
	refused := 0
	for round := 0; round < 6 || refused == 0 && round < 100; round++ {
		var wait sync.WaitGroup
		outcomes := make([]outcome, 2)
		for k := range outcomes {
			wait.Go(func() {
				outcomes[k] = iosrun(t, nil, "channel", "run", channelCases, "--write", "--volume", "a="+path)
			})
		}
		wait.Wait()
		for _, o := range outcomes {
			if o.code == 0 {
				continue
			}
			refused++
			assert.Equal(t, 2, o.code, o.err)
			assert.Regexp(t, `a\.cckd: is ((being (changed|read)|locked) by |open for writing in iosrun \(process )`, o.err)
			if runtime.GOOS == "linux" && !strings.Contains(o.err, "is locked by") { // the other has just ended
				assert.Regexp(t, `iosrun \(process \d+\)`, o.err)
			}
		}
		assert.Contains(t, ok(t, "volume", "verify", path), "sound")
	}
	assert.Positive(t, refused, "the programs never met")
}

// TestImageInUse has this program hold an image while commands come for it.
func TestImageInUse(t *testing.T) {
	i := newInputs(t)
	at := func(n string) string { return filepath.Join(i.dir, n) }
	ok(t, "volume", "create", at("other.cckd"), "3390", "OTHER1", "--cylinders", "20", "--format", "cckd")
	ok(t, "volume", "create", at("plain.dsk"), "3390", "OTHER1", "--cylinders", "20")
	experiment := func(extra ...string) []string {
		return append([]string{"run", "none", "--trace", i.trace, "--aliases", "3", "--first-cylinder", "1", "--cylinders", "10"}, extra...)
	}
	changing := [][]string{
		{"volume", "create", i.image, "3390", "NEW001", "--cylinders", "20", "--force"},
		{"volume", "copy", at("other.cckd"), i.image, "--force"},
		{"volume", "mirror", at("other.cckd"), i.image, "--force"},
		{"volume", "shadow", "merge", i.image, i.shadow},
		{"channel", "run", channelCases, "--write", "--volume", "a=" + i.image},
		experiment("--primary-image", i.image, "--image-mode", "read-write"),
		experiment("--primary-image", at("plain.dsk"), "--mirror-image", i.image, "--image-mode", "read-write"),
	}
	reading := [][]string{
		{"volume", "info", i.image}, {"volume", "verify", i.image}, {"volume", "copy", i.image, at("new")},
		{"volume", "compare", i.image, i.image}, {"volume", "info", i.image, "--shadow", i.shadow},
		{"channel", "run", channelCases, "--volume", "a=" + i.image, "--case", "A01"},
		experiment("--primary-image", i.image),
	}
	refused := func(args []string, says string) {
		t.Helper()
		before := tree(t, i.dir)
		o := iosrun(t, nil, args...)
		assert.Equal(t, 2, o.code, "%v: %s", args, o.err)
		assert.Contains(t, o.err, i.image, args)
		assert.Contains(t, o.err, says, args)
		if runtime.GOOS == "linux" && says != "OPENED bit" {
			assert.Contains(t, o.err, fmt.Sprintf("(process %d)", os.Getpid()), args)
		}
		assert.Equal(t, before, tree(t, i.dir), "%v", args)
	}
	v, err := image.Open(i.image, media.ReadOnly, image.Options{})
	require.NoError(t, err)
	for _, args := range changing {
		refused(args, "is being read by")
	}
	for _, args := range reading {
		o := iosrun(t, nil, args...)
		assert.Zero(t, o.code, "%v: %s", args, o.err)
		os.Remove(at("new"))
	}
	require.NoError(t, v.Close())
	v, err = image.Open(i.image, media.ReadWrite, image.Options{})
	require.NoError(t, err)
	for _, args := range append(changing, reading...) {
		refused(args, "is being changed by")
	}
	left := readFile(t, i.image)
	require.NoError(t, v.Close())

	// The same after a crash: the bit is on, and nobody is there.
	require.NoError(t, os.WriteFile(i.image, []byte(left), 0o600))
	for _, args := range changing {
		refused(args, "OPENED bit")
		o := iosrun(t, nil, args...)
		assert.Contains(t, o.err, "--ignore-opened", args)
	}
	for _, args := range reading {
		o := iosrun(t, nil, args...)
		assert.Zero(t, o.code, "%v: %s", args, o.err)
		os.Remove(at("new"))
	}
	for _, args := range changing {
		require.NoError(t, os.WriteFile(i.image, []byte(left), 0o600))
		o := iosrun(t, nil, append(args, "--ignore-opened")...)
		assert.Zero(t, o.code, "%v: %s", args, o.err)
		assert.Contains(t, ok(t, "volume", "verify", i.image), "sound")
		assert.NotContains(t, ok(t, "volume", "info", i.image), "OPENED")
		if _, err := os.Stat(i.shadow); err != nil {
			ok(t, "volume", "shadow", "create", i.image, i.shadow)
		}
	}
}

// TestOpenElsewhere has a program that does not lock hold an image open for
// writing: who is to change the image is told, who reads it is not held up.
func TestOpenElsewhere(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system does not show who has a file open")
	}
	i := newInputs(t)
	plain := filepath.Join(i.dir, "plain.dsk")
	ok(t, "volume", "create", plain, "3390", "PLAIN1", "--cylinders", "20")
	for _, path := range []string{plain, i.image} {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		c := exec.Command("sleep", "3600")
		c.Stdin = f
		require.NoError(t, c.Start())
		require.NoError(t, f.Close())
		play := []string{"run", "none", "--trace", i.trace, "--primary-image", path, "--first-cylinder", "1", "--cylinders", "10", "--aliases", "3"}
		for _, args := range [][]string{
			{"volume", "create", path, "3390", "NEW001", "--cylinders", "20", "--force"},
			{"channel", "run", channelCases, "--write", "--volume", "a=" + path},
			append(play, "--image-mode", "read-write"),
		} {
			before := tree(t, i.dir)
			o := iosrun(t, nil, args...)
			assert.Equal(t, 2, o.code, "%v: %s", args, o.err)
			assert.Contains(t, o.err, fmt.Sprintf("%s: is open for writing in sleep (process %d)", path, c.Process.Pid), args)
			assert.Equal(t, before, tree(t, i.dir), args)
		}
		ok(t, play...)
		ok(t, "volume", "verify", path)
		ok(t, append(play, "--image-mode", "read-write", "--ignore-opened")...)
		require.NoError(t, c.Process.Kill())
		_ = c.Wait()
		ok(t, append(play, "--image-mode", "read-write")...)
	}
}

// TestKilledWriter kills the program while it has an image open for writing.
func TestKilledWriter(t *testing.T) {
	i := newInputs(t)
	require.NoError(t, built.err)
	play := []string{"run", "none", "--primary-image", i.image, "--image-mode", "read-write", "--first-cylinder", "1", "--cylinders", "10", "--aliases", "3"}
	c := exec.Command(filepath.Join(built.dir, "iosrun"), append(play, "--generate", "--gen-count", "50000000")...)
	require.NoError(t, c.Start())
	defer func() { _ = c.Process.Kill() }()
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	var o outcome
	for o.code == 0 {
		select {
		case err := <-ended:
			require.FailNow(t, "it ended before it was seen", err)
		default:
		}
		o = iosrun(t, nil, "volume", "info", i.image)
	}
	assert.Equal(t, 2, o.code)
	if runtime.GOOS == "linux" {
		assert.Contains(t, o.err, fmt.Sprintf("is being changed by iosrun (process %d)", c.Process.Pid))
	}
	require.NoError(t, c.Process.Kill())
	<-ended
	play = append(play, "--trace", i.trace)
	o = iosrun(t, nil, play...)
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "OPENED bit")
	ok(t, append(play, "--ignore-opened")...)
	assert.Contains(t, ok(t, "volume", "verify", i.image), "sound")
	ok(t, play...)
}

// TestCompiledCode damages what is kept of compiled modules between runs, and has
// runs share it.
func TestCompiledCode(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the folder for caches is named in another way")
	}
	cache := t.TempDir()
	code := filepath.Join(cache, "iosrun", "code")
	policy := policyOf(t, "kept", module("front_end", "", nil, bytes.Repeat([]byte{0x20, 0, 0x20, 0, 0x6C, 0x21, 0}, 20), 100)) // local 0 = local 0 * local 0
	env := []string{"XDG_CACHE_HOME=" + cache}
	play := func() outcome {
		return iosrun(t, env, "run", policy, "--limit", "50")
	}
	var wait sync.WaitGroup
	outcomes := make([]outcome, 2)
	for k := range outcomes {
		wait.Go(func() { outcomes[k] = play() })
	}
	wait.Wait()
	for _, o := range outcomes {
		assert.Zero(t, o.code, o.err)
		assert.Empty(t, o.err)
	}
	entries, err := filepath.Glob(filepath.Join(code, "*"))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	whole := []byte(readFile(t, entries[0]))
	for _, damage := range [][]byte{nil, whole[:len(whole)/2], flip(whole, 200), flip(whole, len(whole)/2)} {
		require.NoError(t, os.WriteFile(entries[0], damage, 0o600))
		o := play()
		assert.Zero(t, o.code, o.err)
		assert.Contains(t, o.err, "its module is compiled again")
		assert.Equal(t, string(whole[:1000]), readFile(t, entries[0])[:1000])
		o = play()
		assert.Zero(t, o.code, o.err)
		assert.Empty(t, o.err)
	}
	require.NoError(t, os.Chmod(code, 0o777))
	o := play()
	assert.Zero(t, o.code, o.err)
	assert.Equal(t, 1, strings.Count(o.err, "cannot be used"), o.err)
	require.NoError(t, os.RemoveAll(code))
	require.NoError(t, os.WriteFile(code, nil, 0o600))
	o = play()
	assert.Zero(t, o.code, o.err)
	assert.Equal(t, 1, strings.Count(o.err, "cannot be used"), o.err)
}

// flip turns four bytes around.
func flip(p []byte, at int) []byte {
	p = bytes.Clone(p)
	for i := range 4 {
		p[at+i] ^= 0xFF
	}
	return p
}

// TestTraceGrows has the trace grow while it is played: it comes from a slow pipe
// first, so that the run is under way.
func TestTraceGrows(t *testing.T) {
	i := newInputs(t)
	require.NoError(t, built.err)
	// The policy file is a pipe: the program waits for it with the trace opened.
	pipe := filepath.Join(i.dir, "pipe.yaml")
	require.NoError(t, exec.Command("mkfifo", pipe).Run())
	var said bytes.Buffer
	c := exec.Command(filepath.Join(built.dir, "iosrun"), "run", pipe, "--trace", i.trace)
	c.Stderr = &said
	require.NoError(t, c.Start())
	opened := make(chan *os.File, 1)
	go func() {
		f, _ := os.OpenFile(pipe, os.O_WRONLY, 0)
		opened <- f
	}()
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	var f *os.File
	select {
	case f = <-opened:
	case err := <-ended:
		require.NoError(t, err, said.String())
	}
	g, err := os.OpenFile(i.trace, os.O_WRONLY|os.O_APPEND, 0)
	require.NoError(t, err)
	_, err = g.WriteString("60000,write,0,4096,-,40\n")
	require.NoError(t, errors.Join(err, g.Close()))
	_, err = f.WriteString(readFile(t, i.policy))
	require.NoError(t, errors.Join(err, f.Close()))
	<-ended
	assert.Equal(t, 1, c.ProcessState.ExitCode(), said.String())
	assert.Contains(t, said.String(), "trace "+i.trace+": changed while it was in use")
}

// A refusal does not destroy the file that it protects: standard error is that file.
func TestRefusalsSpareTheFile(t *testing.T) {
	i := newInputs(t)
	path := filepath.Join(i.dir, "trace.csv")
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer f.Close()
	c := exec.Command(filepath.Join(built.dir, "iosrun"), "run", "none", "-q", "--trace", path)
	c.Stderr = f
	require.Error(t, c.Run())
	assert.Equal(t, 2, c.ProcessState.ExitCode())
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
}
