package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/report"
)

// TestFailedRequestsAreNoWin: a policy that fails its requests gets no latency
// for them, and an exit code that says so unless that is expected.
func TestFailedRequestsAreNoWin(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "r.json")
	args := []string{"compare", "sync", "none", "--trace", "redis", "--fault", "0s=primary:gone", "--json", file}
	o := iosrun(t, nil, args...)
	require.Equal(t, 1, o.code, o.err)
	assert.Contains(t, o.err, "none: no request failed: 2063 of 2063 requests failed")
	for _, want := range []string{"failed requests", "writes: no path, or no answer", "all failed", "no pair left", "!: not of the same requests", "1,060 of 1,060 writes are in no paired difference: 0 failed with sync, 1,060 with none"} {
		assert.Contains(t, o.out, want)
	}
	r := readReport(t, file)[1]
	assert.EqualValues(t, 1003, r.Failed.Reads)
	assert.EqualValues(t, 1060, r.Failed.Writes)
	assert.Zero(t, r.WriteLatency)
	assert.Zero(t, r.Throughput)
	assert.Equal(t, report.Difference{LeftOut: &report.LeftOut{Pairs: 1060, Run: 1060}}, r.Versus.Writes)

	o = iosrun(t, nil, append(args, "--expect-failures")...)
	assert.Equal(t, 0, o.code, o.err)
	exp := filepath.Join(dir, "e.yaml")
	require.NoError(t, os.WriteFile(exp, []byte("policies: [none]\nworkload: {trace: redis}\nfaults: [\"0s=primary:gone\"]\nexpect: {failed-requests: true}\n"), 0o600))
	o = iosrun(t, nil, "run", "-e", exp, "--json", file)
	assert.Equal(t, 0, o.code, o.err)
	assert.EqualValues(t, 2063, readReport(t, file)[0].Failed.Total())
	assert.Equal(t, 1, iosrun(t, nil, "run", "-e", exp, "--expect-failures=false").code)
}

// TestWrongDetours: intents that are refused and responses that do not pass the
// check are counted, do not flood the log, and fail a run: a detour that is passed
// over always, the others where the run is strict.
func TestWrongDetours(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "r.json")
	here, err := filepath.Abs("testdata/wrong")
	require.NoError(t, err)
	policy := func(slot string) string {
		path := filepath.Join(dir, slot+".yaml")
		require.NoError(t, os.WriteFile(path, []byte("name: p\ndurability: primary\nslots: {"+slot+": [{module: "+here+", grants: [promote]}]}\n"), 0o600))
		return path
	}
	invalid, refused := policy("front-end"), policy("post-status")

	o := iosrun(t, nil, "run", invalid, "--trace", "redis", "--json", file)
	assert.Equal(t, 1, o.code, o.err)
	assert.Contains(t, o.err, "detours in charge: front-end test/wrong of p was passed over from")
	assert.Less(t, strings.Count(o.err, "\n"), 12, o.err)
	r := readReport(t, file)[0]
	require.Len(t, r.DetourFaults, 1)
	f := r.DetourFaults[0]
	assert.Zero(t, f.Traps)
	assert.EqualValues(t, 16, f.Invalid)
	assert.Contains(t, f.FirstError, "kinds are 0 to")
	assert.EqualValues(t, 16, f.PassedOver.Failures)
	assert.Contains(t, o.out, "PASSED OVER from ")

	o = iosrun(t, nil, "run", refused, "--trace", "redis", "--json", file)
	assert.Equal(t, 0, o.code, o.err)
	r = readReport(t, file)[0]
	assert.Greater(t, r.RefusedIntents(), int64(2000))
	assert.Equal(t, "promote", r.DetourFaults[0].Refused[0].Intent)
	assert.Contains(t, o.out, "promote intents refused: the pair has no such mirror")
	assert.Less(t, strings.Count(o.err, "\n"), 16, o.err)

	for path, want := range map[string]string{refused: "promote intents refused", invalid: "16 responses did not pass the check"} {
		o = iosrun(t, nil, "run", path, "--trace", "redis", "--strict", "--log-level", "off")
		assert.Equal(t, 1, o.code)
		assert.Contains(t, o.err, "no detour at fault: ")
		assert.Contains(t, o.err, want)
	}
	o = iosrun(t, nil, "compare", "--trace", "redis", "--strict")
	assert.Equal(t, 0, o.code, "the shipped policies obey: %s", o.err)

	// A scenario has such a detour too, and steps.
	story := filepath.Join(dir, "story.yaml")
	require.NoError(t, os.WriteFile(story, []byte("name: s\npolicy: "+invalid+"\nplay: [{at: 1ms, read: {offset: 0, length: 4096, times: 200, every: 1ms, step: 4096}}]\n"), 0o600))
	o = iosrun(t, nil, "trace", story, "--log-level", "off")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.err, "detours in charge: ")
	o = iosrun(t, nil, "steps", invalid, "--log-level", "off")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.err, "detours in charge: ")
}

// TestWhatDidNotHappen: events after the end, and synchronisations that failed.
func TestWhatDidNotHappen(t *testing.T) {
	o := iosrun(t, nil, "run", "sync", "--trace", "redis", "--fault", "500s=mirror1:gone", "--swap", "30s=none", "--swap", "400s=sync")
	assert.Equal(t, 1, o.code, o.err)
	assert.Contains(t, o.err, "all events happened: the last request ended at 1m11.1")
	assert.Contains(t, o.err, "before swap 400s=sync, fault 500s=mirror1:gone")
	assert.NotContains(t, o.err, "30s=none")

	args := []string{"run", "sync", "--trace", "redis", "--fault", "10s=mirror1:link-down", "--fault", "20s=mirror1:synchronise", "--fault", "40s=mirror1:link-up"}
	o = iosrun(t, nil, args...)
	assert.Equal(t, 1, o.code, o.err)
	assert.Contains(t, o.err, "synchronised: mirror 1 from 20s: ")
	exp := filepath.Join(t.TempDir(), "e.yaml")
	require.NoError(t, os.WriteFile(exp, []byte("expect: {failed-synchronisations: true}\n"), 0o600))
	o = iosrun(t, nil, append(args, "-e", exp)...)
	assert.Equal(t, 0, o.code, o.err)
}

// TestIgnoredInput: what a command would not heed is refused before anything
// runs.
func TestIgnoredInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	header := "us,op,offset,length,flags,response_us\n"
	three := write("three.yaml", "policies: [sync, none, audit]\nworkload: {trace: redis, limit: 10}\n")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"policies of run", []string{"run", "-e", three}, "the settings list 3 (sync, none, audit), and iosrun run runs one: want \"iosrun compare --experiment " + three + "\""},
		{"policies of steps", []string{"steps", "-e", three}, "iosrun steps runs one"},
		{"policies of trace", []string{"trace", "-e", three}, "iosrun trace runs one"},
		{"no policies", []string{"run", "-e", write("none.yaml", "policies: []\n")}, "names no policies"},
		{"nothing in the trace", []string{"run", "none", "--trace", write("head.csv", header)}, "nothing was played"},
		{"only flushes", []string{"compare", "none", "--trace", write("flush.csv", header+"0,flush,0,0,-,1\n")}, "nothing was played: it has no read and no write; 1 flushes"},
		{"only bad rows", []string{"run", "none", "--skip-bad", "5", "--trace", write("bad.csv", header+"rubbish\n")}, "nothing was played"},
		{"nothing for steps", []string{"steps", "none", "--trace", write("head2.csv", header)}, "nothing was played"},
		{"nothing for trace", []string{"trace", "--policy", "none", "--trace", write("head3.csv", header)}, "nothing was played"},
		{"generator without generate", []string{"run", "--gen-rate", "100"}, "--gen-rate: only with --generate"},
		{"trace of a generator", []string{"run", "--generate", "--trace", "redis"}, "--trace: is about a trace"},
		{"layout of a generator", []string{"run", "--generate", "--format", "msr"}, "--format: is about a trace"},
		{"no mirrors", []string{"run", "--mirrors", "0"}, "--mirrors 0: want 1 to 8"},
		{"fewer than no mirrors", []string{"run", "--mirrors", "-1"}, "--mirrors -1: want 1 to 8"},
		{"image mode of no image", []string{"run", "--image-mode", "read-write"}, "no volume is in an image file"},
		{"experiment of a scenario", []string{"trace", "write", "--km", "5"}, "--km: describes a workload"},
		{"policy of a scenario", []string{"trace", "write", "--policy", "none"}, "--policy: describes a workload"},
		{"experiment of the scenarios", []string{"steps", "--scenarios", "--limit", "5"}, "--limit: describes a workload"},
		{"I/O beyond the limit", []string{"trace", "--io", "11", "-e", write("ten.yaml", "workload: {trace: redis, limit: 10}\n")}, "the workload is limited to 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := iosrun(t, nil, c.args...)
			assert.Equal(t, 2, o.code, o.err)
			assert.Contains(t, o.err, c.want)
			assert.Empty(t, o.out)
		})
	}
	file := filepath.Join(dir, "r.json")
	for want, args := range map[string][]string{
		"none":  {"run", "-e", write("one.yaml", "policies: [none]\nworkload: {trace: redis, limit: 10}\n")},
		"audit": {"run", "audit", "-e", three},
		"sync":  {"run", "--trace", "redis", "--limit", "10"},
	} {
		o := iosrun(t, nil, append(args, "--json", file)...)
		require.Equal(t, 0, o.code, o.err)
		assert.Equal(t, want, readReport(t, file)[0].Policy)
	}
	o := iosrun(t, []string{"IOSRUN_POLICIES=sync,none"}, "run", "--trace", "redis", "--limit", "10")
	assert.Equal(t, 2, o.code, o.err)
	o = iosrun(t, nil, "compare", "-e", three, "--json", file)
	require.Equal(t, 0, o.code, o.err)
	assert.Len(t, readReport(t, file), 3)
}

// TestFewRequests: a percentile that so few requests cannot have is not shown.
func TestFewRequests(t *testing.T) {
	o := iosrun(t, nil, "compare", "sync", "none", "--trace", "redis", "--limit", "40")
	require.Equal(t, 0, o.code, o.err)
	for line := range strings.Lines(o.out) {
		if strings.Contains(line, "p99") {
			assert.Equal(t, 2, strings.Count(line, "too few I/Os"), line)
			assert.NotContains(t, line, "%")
		}
	}
	o = iosrun(t, nil, "run", "none", "--trace", "redis")
	require.Equal(t, 0, o.code, o.err)
	assert.Contains(t, o.out, "in sync but for 4,277 tracks", "the state of the mirror")
}

// TestChecksThatCompareNothing: cases that expect nothing, and volumes of which
// nothing can be compared.
func TestChecksThatCompareNothing(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	one := `{"id": "A", "suite": "s", "order": 1, "mem": {"1000": "0300000000000000"}, "cpa": "1000", "expect": {}}`
	two := `{"id": "B", "suite": "s", "order": 2, "mem": {"1000": "0300000000000000"}, "cpa": "1000", "expect": {"cc": ["0"]}, "ops": ["ssch", "wait"]}`
	file := func(cases string) string {
		return `{"volumes": {"s": "dasdinit s.ckd 3390-1 VOL001"}, "cases": [` + cases + `]}`
	}
	o := iosrun(t, nil, "channel", "run", "--check", write("one.json", file(one)))
	assert.Equal(t, 1, o.code, o.err)
	assert.Contains(t, o.err, "nothing was checked: none of 1 cases expects anything")
	o = iosrun(t, nil, "channel", "run", "--check", write("two.json", file(one+","+two)))
	assert.Contains(t, o.out, "2 cases")
	assert.Contains(t, o.out, "1 expect nothing")
	assert.NotContains(t, o.err, "nothing was checked")
	assert.Equal(t, 0, iosrun(t, nil, "channel", "run", filepath.Join(dir, "one.json")).code)

	for _, v := range [][]string{{"a.dsk", "3390-1"}, {"b.dsk", "3380"}} {
		o = iosrun(t, nil, "volume", "create", filepath.Join(dir, v[0]), v[1], "VOL001", "--cylinders", "2")
		require.Equal(t, 0, o.code, o.err)
	}
	o = iosrun(t, nil, "volume", "compare", filepath.Join(dir, "a.dsk"), filepath.Join(dir, "b.dsk"))
	assert.Equal(t, 1, o.code, o.err)
	assert.Contains(t, o.out, "nothing was compared")
	assert.NotContains(t, o.out, "0 of 0")
}
