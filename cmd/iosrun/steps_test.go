package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/trace/steps"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds text against the file of that name in testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), text)
}

func TestScenariosTakeEveryStep(t *testing.T) {
	o := iosrun(t, nil, "steps", "--scenarios", "--missing")
	require.Equal(t, 0, o.code, o.err)
	assert.Empty(t, o.out)
}

func TestStepsOfAWorkload(t *testing.T) {
	count := func(args ...string) map[string]stepCount {
		o := iosrun(t, nil, append([]string{"steps", "--json"}, args...)...)
		require.Equal(t, 0, o.code, o.err)
		var list []stepCount
		require.NoError(t, json.Unmarshal([]byte(o.out), &list))
		m := map[string]stepCount{}
		for _, r := range list {
			m[r.Name] = r
		}
		return m
	}
	made := []string{"--generate", "--gen-count", "300", "--gen-reads", "0"}
	all := count(append(made, "sync")...)
	assert.EqualValues(t, 300, all["236"].Taken)
	assert.EqualValues(t, 600, all["88"].Taken, "primary and mirror")
	assert.Zero(t, all["162"].Taken)
	assert.Equal(t, "front-end detour", all["236"].Actor)
	missing := count(append(made, "sync", "--missing")...)
	assert.NotContains(t, missing, "236")
	assert.Contains(t, missing, "162")
	assert.Zero(t, count(append(made, "none")...)["236"].Taken)

	o := iosrun(t, nil, append([]string{"steps"}, made...)...)
	require.Equal(t, 0, o.code, o.err)
	assert.Regexp(t, `(?m)^ 236 +7 +300 +front-end detour +no: build the mirror IOSB`, o.out)
}

// TestStates: the tables of states say how often each change was made, and the way of
// an I/O shows those of that I/O: what it does it also undoes.
func TestStates(t *testing.T) {
	o := iosrun(t, nil, "steps", "sync", "--states", "--json", "--generate", "--gen-count", "300", "--gen-reads", "0")
	require.Equal(t, 0, o.code, o.err)
	var list []intercept.Transition
	require.NoError(t, json.Unmarshal([]byte(o.out), &list))
	taken := make(map[string]uint64)
	for _, tr := range list {
		taken[tr.Of+": "+tr.From+" to "+tr.To] = tr.Taken
	}
	for _, change := range []string{"request: free to queued", "request: answered to told", "mirror I/O: begun to arrived", "request: told to free"} {
		assert.EqualValues(t, 300, taken[change], change)
	}
	assert.EqualValues(t, 600, taken["leg: under way to good"], "primary and mirror")
	assert.Zero(t, taken["leg: under way to bad"])

	o = iosrun(t, nil, "trace", "write", "--states", "--json")
	require.Equal(t, 0, o.code, o.err)
	var way traced
	require.NoError(t, json.Unmarshal([]byte(o.out), &way))
	var request []string
	for _, e := range way.Events {
		if e.Who == "request" {
			request = append(request, e.What)
		}
	}
	assert.Equal(t, []string{
		"free → queued", "queued → started", "started → answered", "answered → held", "held → again", "again → answered", "answered → told", "told → free",
	}, request)
}

func TestTraceOfAWrite(t *testing.T) {
	svg := filepath.Join(t.TempDir(), "write.svg")
	o := iosrun(t, nil, "trace", "write", "--svg", svg)
	require.Equal(t, 0, o.code, o.err)
	golden(t, "trace-write.txt", o.out)
	f, err := os.Open(svg)
	require.NoError(t, err)
	defer f.Close()
	d := xml.NewDecoder(f)
	n := 0
	for {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		n++
	}
	assert.Greater(t, n, 500)

	o = iosrun(t, nil, "trace", "write", "--json")
	require.Equal(t, 0, o.code, o.err)
	var way traced
	require.NoError(t, json.Unmarshal([]byte(o.out), &way))
	assert.Equal(t, "88", way.Events[0].Step)
	assert.Equal(t, "288", way.Events[len(way.Events)-1].Step)
	for _, e := range way.Events {
		assert.Equal(t, way.Events[0].IO, e.IO)
		assert.NotEmpty(t, e.What)
	}
}

// TestTraceOfEveryScenario shows the way of the first I/O of every scenario, which
// the command does with modules that it loads for each; here they are loaded once.
func TestTraceOfEveryScenario(t *testing.T) {
	root := newRoot()
	root.SetArgs([]string{"trace"})
	c, _, err := root.Find([]string{"trace"})
	require.NoError(t, err)
	c.SetContext(t.Context())
	l, end, err := openLoader(c, hclog.NewNullLogger())
	require.NoError(t, err)
	defer end()
	for n, name := range scenario.Names() {
		s, err := scenario.Load(name)
		require.NoError(t, err)
		var out bytes.Buffer
		c.SetOut(&out)
		way := new(steps.Way)
		failed, err := followScenario(t.Context(), s, l, hclog.NewNullLogger(), 1, way)
		require.NoError(t, errors.Join(failed, err), name)
		require.NoError(t, printWay(c, s.Name, 1, "", way))
		assert.Contains(t, out.String(), "access method", name)
		if n%12 == 0 { // the program prints the same
			o := iosrun(t, []string{"IOSRUN_LOG_LEVEL=off"}, "trace", name)
			assert.Equal(t, 0, o.code, "%s: %s", name, o.err)
			_, lines, _ := strings.Cut(out.String(), "\n")
			assert.Equal(t, s.Name+": "+s.Summary+"\n"+lines, o.out)
		}
	}
}

func TestTraceOfAWorkload(t *testing.T) {
	o := iosrun(t, nil, "trace", "--trace", "redis", "--policy", "constant-copy", "--io", "7")
	require.Equal(t, 0, o.code, o.err)
	assert.True(t, strings.HasPrefix(o.out, "I/O 7 against constant-copy\n"))
	assert.Contains(t, o.out, "front-end detour")
	o = iosrun(t, nil, "trace", "--io", "21", "--generate", "--gen-count", "20")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.err, "ends before I/O 21")
}

func TestTraceListsScenarios(t *testing.T) {
	o := iosrun(t, nil, "trace", "--list")
	require.Equal(t, 0, o.code, o.err)
	for _, name := range scenario.Names() {
		assert.Contains(t, o.out, name)
	}
}

func TestBadTraces(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name+".yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown scenario", []string{"trace", "fly"}, 2, "want one of"},
		{"absent file", []string{"trace", "./absent.yaml"}, 2, "absent.yaml"},
		{"no such I/O", []string{"trace", "write", "--io", "9"}, 2, "it asks for 1"},
		{"I/O 0", []string{"trace", "--io", "0"}, 2, "want 1 or more"},
		{"every I/O of a workload", []string{"trace", "--all"}, 2, "for scenarios"},
		{"unwritable drawing", []string{"trace", "write", "--svg", filepath.Join(dir, "no", "x.svg")}, 2, "x.svg"},
		{"unknown key", []string{"trace", file("key", "name: x\nspeed: 1\n")}, 2, "speed"},
		{"what is expected does not come", []string{"trace", file("wrong", "name: x\npolicy: sync\nplay: [{at: 0, read: {offset: 0, length: 4096}}]\nexpect: {steps: ['236']}\n")}, 1, "step 236 was not taken"},
		{"policy beside the scenarios", []string{"steps", "sync", "--scenarios"}, 2, "--scenarios"},
		{"steps of an unknown policy", []string{"steps", "best"}, 2, "unknown policy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := iosrun(t, nil, c.args...)
			assert.Equal(t, c.code, o.code, o.err)
			assert.Contains(t, o.err, c.want)
		})
	}
}
