package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tabletext "github.com/jedib0t/go-pretty/v6/text"

	"github.com/iosrun/iosrun/abi"
)

func TestListsFitTheTerminal(t *testing.T) {
	for _, columns := range []string{"40", "72", "100"} {
		for _, args := range [][]string{{"policy", "list"}, {"plugin", "list"}, {"steps", "none", "--limit", "10"}, {"trace", "--policy", "none"}, {"trace", "write"}} {
			t.Run(columns+" "+strings.Join(args, " "), func(t *testing.T) {
				o := iosrun(t, []string{"COLUMNS=" + columns}, args...)
				require.Zero(t, o.code, o.err)
				width := map[string]int{"40": 40, "72": 72, "100": 100}[columns]
				for line := range strings.Lines(o.out) {
					if strings.HasPrefix(line, "write: ") || strings.HasPrefix(line, "Modules are looked for") {
						continue // titles are prose: the terminal breaks them
					}
					assert.LessOrEqual(t, tabletext.StringWidth(strings.TrimSuffix(line, "\n")), width, "%q", line)
				}
			})
		}
	}
}

func TestReportFitsTheTerminal(t *testing.T) {
	o := iosrun(t, []string{"COLUMNS=44"}, "compare", "sync", "constant-copy", "--limit", "100", "--quiet")
	require.Zero(t, o.code, o.err)
	_, tables, _ := strings.Cut(o.out, "\n\n")
	tables, _, _ = strings.Cut(tables, "\ndiff:")
	assert.Contains(t, tables, "constant-copy")
	for line := range strings.Lines(tables) {
		assert.LessOrEqual(t, tabletext.StringWidth(strings.TrimSuffix(line, "\n")), 44, "%q", line)
	}
}

// What a stranger's files are called, or a compiler says of them, reaches the
// terminal without control characters.
func TestErrorsCarryNoControlCharacters(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the compiler")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key.yaml"), []byte("name: x\ndurability: primary\n\"\\e]0;p\\a\\u202e\": 3\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "module.yaml"), []byte("name: x\ndurability: primary\nslots: {front-end: [{module: \"./a\\e]0;p\\a.wasm\"}]}\n"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "line"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "line", "main.go"), []byte("package main\n\n//line \x1b]0;p\x07.go:1\nvar x int = \"a\"\n\nfunc main() {}\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "line", "manifest.json"), []byte(`{"name":"a","version":"1","abi":"1.0","hooks":["front_end"]}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "line", "go.mod"), []byte("module a\n"), 0o600))
	for _, args := range [][]string{
		{"policy", "show", filepath.Join(dir, "key.yaml")}, {"policy", "show", filepath.Join(dir, "module.yaml")}, {"plugin", "inspect", filepath.Join(dir, "line")},
	} {
		o := iosrun(t, nil, args...)
		assert.NotZero(t, o.code)
		for line := range strings.Lines(o.err + o.out) {
			assert.True(t, abi.Printable(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", " ")), "%q", line)
		}
	}
}
