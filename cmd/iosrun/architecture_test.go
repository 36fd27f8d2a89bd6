package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/iosrun/iosrun/"

// below says for each floor of the house which floors the packages there may
// import, besides their own.
var below = map[string][]string{
	"abi":      nil,
	"files":    nil,
	"names":    {"files"},
	"hooks":    {"abi"},
	"plugins":  {"abi"},
	"emulator": {"files", "hooks", "abi"},
	"host":     {"files", "hooks", "abi"},
	"trace":    {"names", "files", "emulator", "hooks", "abi"},
	"policy":   {"names", "files", "host", "plugins", "hooks", "abi"},
	"lab":      {"names", "files", "policy", "trace", "emulator", "host", "hooks", "abi"},
	"cmd":      {"names", "files", "lab", "policy", "trace", "emulator", "host", "hooks", "abi"},
}

// imports has the project's packages, by folder, with the project's packages that
// each imports, tests left out.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	c := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	c.Dir = "../.."
	out, err := c.Output()
	require.NoError(t, err)
	all := make(map[string][]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		folder, ok := strings.CutPrefix(p.ImportPath, modulePath)
		require.True(t, ok)
		all[folder] = nil
		for _, i := range p.Imports {
			if to, ours := strings.CutPrefix(i, modulePath); ours {
				all[folder] = append(all[folder], to)
			}
		}
	}
}

func floor(folder string) string {
	first, _, _ := strings.Cut(folder, "/")
	return first
}

func TestNoImportPointsUp(t *testing.T) {
	all := imports(t)
	require.NotEmpty(t, all)
	for from, to := range all {
		allowed, known := below[floor(from)]
		require.True(t, known, "%s is on no floor", from)
		for _, i := range to {
			assert.True(t, floor(i) == floor(from) || slices.Contains(allowed, floor(i)), "%s imports %s, which is not below it", from, i)
		}
	}
	for from, to := range all { // the SDK and the detours run in guests
		if floor(from) == "plugins" && !strings.HasPrefix(from, "plugins/internal") {
			for _, i := range to {
				assert.True(t, floor(i) == "abi" || floor(i) == "plugins", "%s imports %s", from, i)
			}
		}
	}
}

var roomRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| (.*) \\| (.*) \\|$")

// ARCHITECTURE.md names each room and what it imports. A room is a folder with the
// folders below it that have no row of their own.
func TestArchitectureSaysWhatIsImported(t *testing.T) {
	file := filepath.Join("..", "..", "ARCHITECTURE.md")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	rows := roomRow.FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, rows)
	rooms := make(map[string]bool)
	for _, r := range rows {
		rooms[strings.TrimSuffix(r[1], "/")] = true
	}
	room := func(folder string) string {
		for f := folder; ; f = path.Dir(f) {
			if f == "." {
				t.Errorf("%s is in no room of ARCHITECTURE.md", folder)
				return folder
			}
			if rooms[f] {
				return f
			}
		}
	}
	found := make(map[string]map[string]bool)
	for from, to := range imports(t) {
		r := room(from)
		if found[r] == nil {
			found[r] = make(map[string]bool)
		}
		for _, i := range to {
			if n := room(i); n != r {
				found[r][n] = true
			}
		}
	}
	after := string(text)
	for _, r := range rows {
		name := strings.TrimSuffix(r[1], "/")
		if !assert.Contains(t, found, name, "ARCHITECTURE.md has a room that is not there") {
			continue
		}
		want := "nothing"
		if len(found[name]) != 0 {
			want = "`" + strings.Join(slices.Sorted(maps.Keys(found[name])), "`, `") + "`"
		}
		if !*update {
			assert.Equal(t, want, r[3], "imports of %s; -update writes them", name)
		}
		after = strings.Replace(after, r[0], "| `"+r[1]+"` | "+r[2]+" | "+want+" |", 1)
	}
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(after), 0o644))
	}
}
