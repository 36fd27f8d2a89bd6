package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/policy"
	"github.com/iosrun/iosrun/trace"
)

// document gives a document of the project, from the heading on where one is
// named, to the next of the same rank.
func document(t *testing.T, path, heading string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", path))
	require.NoError(t, err)
	if heading == "" {
		return string(text)
	}
	_, rest, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	require.True(t, ok, "%s has no heading %q", path, heading)
	rest, _, _ = strings.Cut(rest, "\n## ")
	return rest
}

var block = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// blocks gives the code blocks of a language, in their order.
func blocks(text, language string) []string {
	var all []string
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		if m[1] == language {
			all = append(all, m[2])
		}
	}
	return all
}

func shell(t *testing.T, dir string, env []string, script string) string {
	t.Helper()
	c := exec.Command("sh", "-e", "-c", script)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s: %s", script, out)
	return string(out)
}

// Whoever follows the README in an empty folder has a detour that runs.
func TestREADMEWritesADetour(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	require.NoError(t, built.err)
	text := document(t, "README.md", "Write a detour")
	commands := blocks(text, "sh")
	require.Len(t, commands, 2)
	here, err := filepath.Abs("../..")
	require.NoError(t, err)
	root := t.TempDir() // a checkout as "make build" leaves it, but for the sources
	require.NoError(t, os.Symlink(built.dir, filepath.Join(root, "bin")))
	for _, n := range []string{"go.mod", "abi"} {
		require.NoError(t, os.Symlink(filepath.Join(here, n), filepath.Join(root, n)))
	}
	dir := t.TempDir()
	env := []string{"IOSRUN=" + root}
	shell(t, dir, []string{"IOSRUN=" + here}, commands[0])
	for name, text := range map[string]string{
		"throttle/main.go": blocks(text, "go")[0], "throttle/manifest.json": blocks(text, "json")[0], "throttled.yaml": blocks(text, "yaml")[0],
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	out := shell(t, dir, env, commands[1])
	assert.Contains(t, out, "name      mine/throttle 0.1.0")
	assert.Contains(t, out, "accepted")
	assert.Regexp(t, `(?m)^ +sync +throttled +diff$`, out)
}

func TestSPECsModuleInWebAssemblyText(t *testing.T) {
	for _, tool := range []string{"wat2wasm", "llvm-objcopy"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	text := document(t, "abi/SPEC.md", "11. A whole detour in WebAssembly text")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "detour.wat"), []byte(blocks(text, "wat")[0]), 0o600))
	manifest := regexp.MustCompile(`(?s)"iosrun\.manifest"(.*?)\)\n`).FindStringSubmatch(blocks(text, "wat")[0])[1]
	var parts []string
	for _, m := range regexp.MustCompile(`"((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(manifest, -1) {
		parts = append(parts, strings.ReplaceAll(m[1], `\"`, `"`))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(strings.Join(parts, "")), 0o600))
	shell(t, dir, nil, blocks(text, "sh")[0])
	o := iosrun(t, nil, "plugin", "inspect", filepath.Join(dir, "detour.wasm"))
	assert.Zero(t, o.code, o.err)
	assert.Contains(t, o.out, "name      example/wat 1")
	assert.Contains(t, o.out, "hook front_end")
}

// Every key of a policy file stands in docs/policies.md, and its example is a
// policy.
func TestKeysOfAPolicyAreDocumented(t *testing.T) {
	text := document(t, "docs/policies.md", "")
	var keys func(of reflect.Type, within string)
	keys = func(of reflect.Type, within string) {
		for i := range of.NumField() {
			f := of.Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if key == "-" {
				continue
			}
			assert.Contains(t, text, "| `"+within+key+"` |", "key %s%s", within, key)
			if f.Type.Kind() == reflect.Struct {
				keys(f.Type, within+key+".")
			}
		}
	}
	keys(reflect.TypeFor[policy.Policy](), "")
	keys(reflect.TypeFor[policy.Detour](), "")
	example := blocks(text, "yaml")
	require.Len(t, example, 1)
	p, err := policy.Parse([]byte(example[0]), "docs/policies.md")
	require.NoError(t, err)
	assert.Equal(t, "mine", p.Name)
}

// Every layout of a trace stands in docs/traces.md, and its limits are those of the
// code.
func TestLayoutsAreDocumented(t *testing.T) {
	text := document(t, "docs/traces.md", "")
	for _, f := range trace.Formats() {
		assert.Contains(t, text, "| `"+f+"` |")
	}
	for what, is := range map[string]bool{
		"up to 64 GiB": trace.MaxSpool == 64<<30, "(up to 64 MiB)": trace.MaxPadding == 64<<20, "(up to 64 KiB)": trace.MaxBehind == 64<<10,
		"window of up to 128 MiB": trace.MaxWindow == 128<<20, "at most 4096 bytes": trace.MaxLine == 4096, "At most 16384 rows": trace.OrderRows == 16384,
	} {
		assert.Contains(t, text, what)
		assert.True(t, is, what)
	}
}

// The README's lines of a trace are the program's.
func TestREADMETrace(t *testing.T) {
	text := document(t, "README.md", "In a dozen words")
	shown := blocks(text, "")
	require.Len(t, shown, 2, "a picture and a trace")
	o := iosrun(t, []string{"COLUMNS=160"}, "trace", "write")
	require.Zero(t, o.code, o.err)
	var printed []string
	for line := range strings.Lines(o.out) {
		printed = append(printed, strings.TrimSpace(line))
	}
	lines := strings.Split(strings.TrimSpace(shown[1]), "\n")
	assert.Len(t, lines, 10)
	for _, line := range lines {
		assert.Contains(t, printed, line)
	}
}
