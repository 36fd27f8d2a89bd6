package planted

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the root of the source tree.
const root = "../.."

// A finder is a command that succeeds on the program as it is and must fail on
// the patched one.
type finder struct {
	// run is a command line of iosrun: its exit code must be 1. Empty for a test.
	run string
	// test is a package and a pattern of its tests, which must fail.
	test string
}

// bug is a planted bug.
type bug struct {
	patch string // file in testdata, without its suffix
	finder
	says string // regular expression that the output matches
}

// apply gives what the toolchain must read in place of the files that the patch
// changes.
func apply(t *testing.T, patch string) (overlay string) {
	t.Helper()
	text, err := os.Open(filepath.Join("testdata", patch+".patch"))
	require.NoError(t, err)
	defer text.Close()
	files, _, err := gitdiff.Parse(text)
	require.NoError(t, err, "%s is not a patch", patch)
	require.NotEmpty(t, files, "%s changes nothing", patch)
	dir := t.TempDir()
	replace := make(map[string]string)
	for i, f := range files {
		path, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(f.OldName)))
		require.NoError(t, err)
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		var patched bytes.Buffer
		require.NoError(t, gitdiff.Apply(&patched, bytes.NewReader(source), f), "%s no longer fits %s: make it anew", patch, f.OldName)
		require.False(t, bytes.Equal(source, patched.Bytes()), "%s changes nothing", patch)
		to := filepath.Join(dir, fmt.Sprintf("%d-%s", i, filepath.Base(path)))
		require.NoError(t, os.WriteFile(to, patched.Bytes(), 0o600))
		replace[path] = to
	}
	overlay = filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(overlay, list, 0o600))
	return overlay
}

// find runs the finder on the program with the overlay, or as it is when there is
// none. It gives what was printed, and whether the finder found something.
func (f *finder) find(t *testing.T, overlay string) (output string, found bool) {
	t.Helper()
	var args []string
	if f.test != "" {
		pkg, pattern, _ := strings.Cut(f.test, " ")
		args = []string{"test", "-count=1", "-run", pattern, "./" + pkg}
	} else {
		args = []string{"build", "-o", filepath.Join(t.TempDir(), "iosrun"), "./cmd/iosrun"}
	}
	if overlay != "" {
		args = slices.Insert(args, 1, "-overlay", overlay)
	}
	out, code := execute(t, "go", args...)
	if f.test != "" {
		require.NotContains(t, out, "[build failed]")
		require.NotContains(t, out, "no tests to run")
		return out, code == 1
	}
	require.Zero(t, code, "the patched program does not build: %s", out)
	out, code = execute(t, args[len(args)-2], strings.Fields(f.run)...)
	require.Contains(t, []int{0, 1}, code, "neither held nor failed: %s", out)
	return out, code == 1
}

func execute(t *testing.T, command string, args ...string) (string, int) {
	t.Helper()
	c := exec.CommandContext(context.Background(), command, args...)
	c.Dir = root
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "IOSRUN_") })
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// every says that all bugs are to be tried, not the sample that fits into an
// ordinary run of the tests.
func every() bool { return os.Getenv("IOSRUN_PLANTED") == "all" }

// sample is every so many bugs.
const sample = 12

func TestPlantedBugsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program with each bug")
	}
	for i := range bugs {
		b := &bugs[i]
		t.Run(b.patch, func(t *testing.T) {
			overlay := apply(t, b.patch) // every patch must fit, tried or not
			if !every() && i%sample != 0 {
				t.Skip("only in the whole run: make planted")
			}
			out, found := b.find(t, overlay)
			require.True(t, found, "nothing finds this bug: %s", out)
			assert.Regexp(t, b.says, out, "it is found, but not named")
		})
	}
}

// What finds the bugs finds nothing in the program as it is.
func TestFindersAreQuietWithoutABug(t *testing.T) {
	if !every() {
		t.Skip("only in the whole run: make planted")
	}
	tried := make(map[finder]bool)
	for i := range bugs {
		f := bugs[i].finder
		if tried[f] {
			continue
		}
		tried[f] = true
		t.Run(bugs[i].patch, func(t *testing.T) {
			out, found := f.find(t, "")
			assert.False(t, found, out)
		})
	}
}

func TestEveryPatchIsInTheTable(t *testing.T) {
	files, err := filepath.Glob("testdata/*.patch")
	require.NoError(t, err)
	var have, listed []string
	for _, f := range files {
		have = append(have, strings.TrimSuffix(filepath.Base(f), ".patch"))
	}
	for _, b := range bugs {
		listed = append(listed, b.patch)
		assert.True(t, (b.run == "") != (b.test == ""), "%s: a command or a test", b.patch)
		_, err := regexp.Compile(b.says)
		assert.NoError(t, err)
	}
	slices.Sort(listed)
	assert.Equal(t, have, listed)
}
