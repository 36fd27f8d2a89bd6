package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/report"
)

// built is the folder with the program, or why there is none.
var built struct {
	dir string
	err error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "iosrun-e2e-")
	if err == nil {
		built.dir = dir
		built.err = buildProgram(dir)
	} else {
		built.err = err
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func buildProgram(dir string) error {
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "iosrun"), ".").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	return nil
}

// A copy of the program runs in an empty folder, without Go and without anything
// beside it.
func TestProgramStandsAlone(t *testing.T) {
	require.NoError(t, built.err)
	code, err := os.ReadFile(filepath.Join(built.dir, "iosrun"))
	require.NoError(t, err)
	dir, cache := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "iosrun"), code, 0o755))
	c := exec.Command("./iosrun", "compare", "none", "sync", "--limit", "100", "--quiet")
	c.Dir, c.Env = dir, []string{"HOME=" + cache, "PATH=" + cache}
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "sync")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 1, "it leaves nothing in the folder")
}

// A folder of built modules takes the place of those that the program carries.
func TestFolderOfModules(t *testing.T) {
	if testing.Short() {
		t.Skip("builds every shipped module")
	}
	dir := t.TempDir()
	o := iosrun(t, nil, "plugin", "build", "--shipped", "../..", "--plugin-dir", dir)
	require.Zero(t, o.code, o.err)
	o = iosrun(t, nil, "plugin", "list", "--json", "--plugin-dir", dir)
	require.Zero(t, o.code, o.err)
	assert.Contains(t, o.out, filepath.Join(dir, "frontend", "standard.wasm"))
	o = iosrun(t, nil, "run", "sync", "--limit", "10", "--plugin-dir", dir)
	assert.Zero(t, o.code, o.err)
	require.NoError(t, os.Remove(filepath.Join(dir, "frontend", "standard.wasm")))
	o = iosrun(t, nil, "run", "sync", "--limit", "10", "--plugin-dir", dir)
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "module frontend/standard: is not built")
	o = iosrun(t, nil, "plugin", "build", "--shipped", "../..")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "name one")
}

type outcome struct {
	code     int
	out, err string
}

// iosrun runs the built program.
func iosrun(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	require.NoError(t, built.err)
	c := exec.Command(filepath.Join(built.dir, "iosrun"), args...)
	c.Env = append(os.Environ(), env...)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !assert.ErrorAs(t, err, &exit) {
		t.FailNow()
	}
	return outcome{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

func readReport(t *testing.T, path string) []report.Run {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	r, err := report.ReadJSON(f)
	require.NoError(t, err)
	return r.Runs
}

// named is the run's check of that name.
func named(t *testing.T, r report.Run, name string) report.Check {
	t.Helper()
	for _, k := range r.Checks {
		if k.Name == name {
			return k
		}
	}
	require.Fail(t, "no such check", "%s among %v", name, r.Checks)
	return report.Check{}
}

func TestComparePrintsATableAndJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.json")
	o := iosrun(t, nil, "compare", "--trace", "redis", "--json", file)
	require.Equal(t, 0, o.code, o.err)
	for _, want := range []string{"sync", "constant-copy", "read-select", "p99.9", "took"} {
		assert.Contains(t, o.out, want)
	}
	runs := readReport(t, file)
	require.Len(t, runs, 3)
	for _, r := range runs {
		assert.True(t, r.OK(), r.Policy)
		assert.EqualValues(t, 2063, r.Workload.Requests)
		for _, k := range r.Checks {
			assert.True(t, k.OK, "%s: %s", k.Name, k.Detail)
		}
		assert.Zero(t, r.Traps)
		assert.Zero(t, r.RefusedIntents())
		for _, m := range r.Mirrors {
			assert.Zero(t, m.OutOfSyncTracks, r.Policy)
		}
	}
	assert.Greater(t, runs[0].WriteLatency.P50US, runs[1].WriteLatency.P50US, "sync waits for the mirror")
	assert.Zero(t, runs[0].DataAtRisk.MaxIOs)
	assert.Positive(t, runs[1].DataAtRisk.MaxIOs)
}

func TestSameInputsSameHash(t *testing.T) {
	dir := t.TempDir()
	hash := func(name string, args ...string) string {
		file := filepath.Join(dir, name)
		o := iosrun(t, nil, append([]string{"run", "sync", "--trace", "redis", "--json", file}, args...)...)
		require.Equal(t, 0, o.code, o.err)
		return readReport(t, file)[0].EventLogHash
	}
	first := hash("a")
	assert.Equal(t, first, hash("b"))
	assert.Equal(t, first, hash("c", "--native"), "native and WebAssembly take the same decisions")
	assert.NotEqual(t, first, hash("d", "--km", "51"))
}

// TestObserve: an observer adds its checks to those of every policy, and changes
// nothing else.
func TestObserve(t *testing.T) {
	dir := t.TempDir()
	var hash [2][]string
	for i, flag := range []string{"--observe=false", "--observe"} {
		file := filepath.Join(dir, fmt.Sprint(i))
		o := iosrun(t, nil, "compare", "sync", "constant-copy", "--limit", "3000", "--fault", "2s=mirror1:link-down", "--json", file, flag)
		require.Equal(t, 0, o.code, o.err)
		for _, r := range readReport(t, file) {
			hash[i] = append(hash[i], r.EventLogHash)
			observed := 0
			for _, k := range r.Checks {
				if strings.HasPrefix(k.Name, "observed ") {
					observed++
					assert.True(t, k.OK, "%s: %s", k.Name, k.Detail)
				}
			}
			assert.Equal(t, 3*i, observed)
		}
		assert.Equal(t, i == 1, strings.Contains(o.out, "observed durability"), o.out)
	}
	assert.Equal(t, hash[0], hash[1])
}

func TestSwapsLoseNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.json")
	o := iosrun(t, nil, "run", "sync", "--trace", "redis", "--json", file,
		"--swap", "10s=constant-copy", "--swap", "20s=none", "--swap", "30s=read-select")
	require.Equal(t, 0, o.code, o.err)
	r := readReport(t, file)[0]
	assert.True(t, r.OK())
	assert.Len(t, r.Swaps, 3)
	assert.Positive(t, r.Mirrors[0].OutOfSyncTracks, "what none did not mirror is marked")
}

func TestEveryMirrorGetsEveryWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.json")
	for _, model := range []string{"3390-54", "9336-20"} {
		args := []string{"run", "sync", "--mirrors", "3", "--model", model, "--json", file, "--generate", "--gen-count", "3000", "--gen-rate", "2000", "--gen-reads", "0.3"}
		o := iosrun(t, nil, args...)
		require.Equal(t, 0, o.code, o.err)
		r := readReport(t, file)[0]
		require.Len(t, r.Mirrors, 3)
		assert.True(t, r.OK())
	}
}

// TestGroupOfPairs: an application on three volumes, of which one loses its mirror
// and all get theirs back.
func TestGroupOfPairs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "group.json")
	args := []string{"run", "consistency-group", "--trace", "redis", "--speed", "0.1", "--pairs", "3", "--stripe", "64", "--aliases", "7", "--json", file,
		"--fault", "1s=pair2.mirror1:gone", "--fault", "2s=pair2.mirror1:restore"}
	for i := range 3 {
		args = append(args, "--fault", fmt.Sprintf("3s=pair%d.mirror1:synchronise", i+1))
	}
	o := iosrun(t, nil, args...)
	require.Equal(t, 0, o.code, o.err)
	assert.Contains(t, o.out, "on 3 3390-54s")
	assert.Contains(t, o.out, "pair 2, mirror 1 synchronised from")
	r := readReport(t, file)[0]
	assert.True(t, named(t, r, "point in time").OK)
	require.Len(t, r.Synchronisations, 3)
	require.Len(t, r.Mirrors, 3)
	for i, m := range r.Mirrors {
		assert.Equal(t, "in sync", m.State)
		assert.Zero(t, m.OutOfSyncTracks)
		assert.Empty(t, r.Synchronisations[i].Error)
	}
}

// TestTraceOfAnIOBehindFlushes: the recording's flushes are no I/Os.
func TestTraceOfAnIOBehindFlushes(t *testing.T) {
	o := iosrun(t, nil, "trace", "--policy", "constant-copy", "--io", "100")
	require.Equal(t, 0, o.code, o.err)
	assert.Contains(t, o.out, "I/O 100 against constant-copy")
	assert.Contains(t, o.out, "IECVPST")
}

// TestAuditRecords: what the audit detours have seen is in the table and in JSON.
func TestAuditRecords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.json")
	o := iosrun(t, nil, "run", "audit", "--trace", "redis", "--json", file)
	require.Equal(t, 0, o.code, o.err)
	assert.Contains(t, o.out, "Records of frontend/audit")
	r := readReport(t, file)[0]
	counts := map[string]uint64{}
	for _, m := range r.Modules {
		for _, k := range m.Records {
			counts[k.Name] = k.Count
		}
	}
	assert.GreaterOrEqual(t, counts["writes-plain"], uint64(r.Workload.Writes), "a large request is several")
	assert.GreaterOrEqual(t, counts["ended-well"], uint64(r.Workload.Requests))
	assert.Positive(t, r.Mirrors[0].OutOfSyncTracks)
}

func TestSettingsGoDefaultsFileEnvironmentFlags(t *testing.T) {
	dir := t.TempDir()
	exp := filepath.Join(dir, "e.yaml")
	require.NoError(t, os.WriteFile(exp, []byte("policies: [none]\nworkload: {trace: redis, limit: 10}\nmirror: {kilometres: 7}\n"), 0o600))
	file := filepath.Join(dir, "r.json")
	get := func(env []string, args ...string) (report.Run, string) {
		o := iosrun(t, env, append([]string{"compare", "-e", exp, "--json", file}, args...)...)
		require.Equal(t, 0, o.code, o.err)
		return readReport(t, file)[0], o.out
	}
	r, out := get(nil)
	assert.EqualValues(t, 10, r.Workload.Requests)
	assert.Equal(t, "none", r.Policy)
	assert.Contains(t, out, "7 km")
	r, _ = get([]string{"IOSRUN_WORKLOAD_LIMIT=20"})
	assert.EqualValues(t, 20, r.Workload.Requests)
	r, out = get([]string{"IOSRUN_WORKLOAD_LIMIT=20"}, "--limit", "30", "--km", "9")
	assert.EqualValues(t, 30, r.Workload.Requests)
	assert.Contains(t, out, "9 km")
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	header := "us,op,offset,length,flags,response_us\n"
	notWasm := write("text.wasm", "this is text")
	policy := func(name, module, more string) string {
		return write(name, "name: p\ndurability: primary\nslots: {front-end: [{module: "+module+more+"}]}\n")
	}
	here, err := filepath.Abs("testdata")
	require.NoError(t, err)
	cases := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown command", []string{"fly"}, 2, "unknown command"},
		{"unknown flag", []string{"run", "--fast"}, 2, "unknown flag: --fast"},
		{"flag without a number", []string{"run", "--limit", "many"}, 2, "many"},
		{"unknown policy", []string{"run", "best"}, 2, `policy "best": unknown policy: want one of`},
		{"absent policy file", []string{"run", "./absent.yaml"}, 2, "absent.yaml"},
		{"policy with an unknown key", []string{"run", write("key.yaml", "name: p\ndurability: primary\nmodule: x\n")}, 2, `line 3: unknown key "module": want one of`},
		{"absent trace", []string{"run", "--trace", filepath.Join(dir, "absent.csv")}, 2, "absent.csv"},
		{"row with a bad number", []string{"run", "none", "--trace", write("bad.csv", header+"0,read,zero,4096,-,1\n")}, 1, "row 2"},
		{"row with too few columns", []string{"run", "none", "--trace", write("few.csv", header+"0,read,0,4096,-,1\n5,read\n")}, 1, "row 3"},
		{"offset beyond the volume", []string{"run", "none", "--model", "3390-1", "--trace", write("far.csv", header+"0,read,99999999488,4096,-,1\n")}, 1, "row 2"},
		{"empty trace", []string{"run", "--trace", write("empty.csv", "")}, 2, "empty"},
		{"unknown model", []string{"run", "--model", "3391"}, 2, "3391"},
		{"unknown link", []string{"run", "--link", "string"}, 2, "string"},
		{"bad swap", []string{"run", "--swap", "soon=sync"}, 2, "want TIME=POLICY"},
		{"too many pairs", []string{"run", "--pairs", "99"}, 2, "99 pairs: want 1 to 16"},
		{"too many units", []string{"run", "--pairs", "16", "--mirrors", "3"}, 2, "want fewer aliases"},
		{"bad stripe", []string{"run", "--pairs", "2", "--stripe", "3"}, 2, "workload.stripe is 3 KiB"},
		{"fault on no pair", []string{"run", "--fault", "1s=pair2.mirror1:gone"}, 2, "there are 1 pairs"},
		{"impatient", []string{"run", "--patience", "-1s"}, 2, "patience is -1s"},
		{"copies without durability", []string{"run", write("copies.yaml", "name: p\ndurability: primary\ncopies: 2\nslots: {}\n")}, 2, "copies 2: only with durability"},
		{"unknown consistency", []string{"run", write("cons.yaml", "name: p\ndurability: primary\nconsistency: world\nslots: {}\n")}, 2, "consistency"},
		{"unwritable output", []string{"run", "--json", filepath.Join(dir, "no", "such", "r.json")}, 2, "r.json"},
		{"experiment with an unknown key", []string{"run", "-e", write("e.yaml", "colour: red\n")}, 2, "colour"},
		{"plugin that is not Wasm", []string{"run", policy("p1.yaml", notWasm, "")}, 2, "text.wasm"},
		{"plugin that wants more than it was granted", []string{"run", policy("p2.yaml", "frontend/standard", ", grants: [mirror]")}, 2, "not granted"},
		{"plugin on the wrong slot", []string{"run", policy("p3.yaml", "backend/standard", ", grants: [mirror]")}, 2, "has no hook front_end"},
		{"unknown module", []string{"run", policy("p4.yaml", "frontend/fancy", "")}, 2, "unknown module"},
		{"unknown setting", []string{"run", policy("p5.yaml", "frontend/passthrough", ", settings: {speed: 3}")}, 2, "speed"},
		{"plugin that traps at start", []string{"run", policy("p6.yaml", here+"/trapstart", "")}, 2, "not today"},
		{"plugin of another ABI", []string{"run", policy("p7.yaml", here+"/wrongabi", "")}, 2, "this host speaks 1"},
		{"plugin that lacks an export", []string{"run", policy("p8.yaml", here+"/lacksexport", "")}, 2, "front_end"},
		{"modules not built", []string{"run", "--plugin-dir", dir}, 2, "plugin build --shipped"},
		{"bad log level", []string{"run", "--log-level", "loud"}, 2, "loud"},
		{"inspect of text", []string{"plugin", "inspect", notWasm}, 2, "text.wasm"},
	}
	trace := regexp.MustCompile(`goroutine \d|\.go:\d`)
	before, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := iosrun(t, nil, c.args...)
			assert.Equal(t, c.code, o.code, o.err)
			assert.Contains(t, o.err, c.want)
			assert.True(t, strings.HasPrefix(o.err, "iosrun: "), o.err)
			assert.NotRegexp(t, trace, o.err+o.out)
		})
	}
	after, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, after, len(before), "a failed command leaves no file")
}

func TestSkipBad(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(dir, "t.csv")
	require.NoError(t, os.WriteFile(trace, []byte("us,op,offset,length,flags,response_us\n0,read,0,4096,-,1\nrubbish\n9,write,4096,4096,-,1\n"), 0o600))
	assert.Equal(t, 1, iosrun(t, nil, "run", "--trace", trace).code)
	file := filepath.Join(dir, "r.json")
	o := iosrun(t, nil, "run", "--trace", trace, "--skip-bad", "1", "--json", file)
	require.Equal(t, 0, o.code, o.err)
	r := readReport(t, file)[0]
	assert.EqualValues(t, 2, r.Workload.Requests)
	assert.EqualValues(t, 1, r.Workload.SkippedRows)
}

func TestAuthorsFolderIsBuiltOnTheSpot(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	o := iosrun(t, nil, "plugin", "inspect", "../../plugins/frontend/passthrough/wasm", "--json")
	require.Equal(t, 0, o.code, o.err)
	var i inspection
	require.NoError(t, json.Unmarshal([]byte(o.out), &i))
	assert.True(t, i.Accepted)
	assert.Equal(t, "frontend/passthrough", i.Manifest.Name)
}

func TestRecordings(t *testing.T) {
	dir := os.Getenv("IOSRUN_TRACES")
	if dir == "" {
		dir = "../../../shared/traces"
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.gz"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skipf("no recordings in %s; IOSRUN_TRACES names another folder", dir)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			o := iosrun(t, nil, "compare", "--trace", f, "--limit", "5000")
			assert.Equal(t, 0, o.code, o.err)
		})
	}
}

func TestListsAndHelp(t *testing.T) {
	for _, args := range [][]string{
		{"--help"}, {"run", "--help"}, {"compare", "--help"}, {"policy", "list"}, {"policy", "list", "--json"}, {"policy", "show", "sync"},
		{"plugin", "list"}, {"plugin", "list", "--json"}, {"plugin", "inspect", "frontend/standard"}, {"completion", "bash"}, {"--version"},
	} {
		o := iosrun(t, nil, args...)
		assert.Equal(t, 0, o.code, "%v: %s", args, o.err)
		assert.NotEmpty(t, o.out, args)
	}
}

func TestDetourThatTrapsEndsNeitherProcessNorIO(t *testing.T) {
	dir := t.TempDir()
	here, err := filepath.Abs("testdata")
	require.NoError(t, err)
	for _, c := range []struct {
		containment string
		marked      bool
	}{{"bypass", false}, {"suspend-mirroring", true}, {"fail-io", false}} {
		t.Run(c.containment, func(t *testing.T) {
			file, out := filepath.Join(dir, "p.yaml"), filepath.Join(dir, "r.json")
			text := fmt.Sprintf(`name: p
durability: primary
slots:
  front-end:
    - {module: %s/trapcall, containment: %s}
    - {module: frontend/standard, grants: [mirror, reject, retry, mode, flag, chain]}
  back-end: [{module: backend/standard, grants: [mirror]}]
  post-status: [{module: poststatus/standard, grants: [mirror, flag, hold, dissociate, promote]}]
`, here, c.containment)
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			o := iosrun(t, nil, "run", file, "--limit", "3000", "--json", out)
			require.Equal(t, 1, o.code, "a detour is not in charge any more: %s", o.err)
			r := readReport(t, out)[0]
			for _, k := range r.Checks {
				fails := k.Name == "detours in charge" || c.containment == "fail-io" && k.Name == "no request failed"
				assert.Equal(t, fails, k.Failed(), "%s: %s", k.Name, k.Detail)
			}
			assert.EqualValues(t, 16, r.Traps, "then it is passed over")
			require.Len(t, r.DetourFaults, 1)
			require.NotNil(t, r.DetourFaults[0].PassedOver)
			assert.Positive(t, r.DetourFaults[0].PassedOver.AtS)
			assert.Equal(t, c.marked, r.Mirrors[0].OutOfSyncTracks > 0)
			assert.Contains(t, o.err, "enough")
			failed := int64(0)
			if c.containment == "fail-io" {
				failed = 16 // the call that was the last one among them
			}
			assert.Equal(t, failed, r.Failed.Total())
			assert.Contains(t, o.out, "front-end test/trapcall: PASSED OVER from ")
		})
	}
}

// TestStaleMirrorIsNotPromoted: a detour that asks for a mirror that lacks
// acknowledged writes is refused, visibly, unless the policy allows it; then what is
// lost is a figure. A primary that is gone with the only copy fails the run.
func TestStaleMirrorIsNotPromoted(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		policy   string
		allow    bool
		lost     bool
		refused  bool
		promoted bool
	}{
		{policy: "nothing-primary", refused: true},
		{policy: "nothing-primary", allow: true, lost: true, promoted: true},
		// Its writes are on their way to the mirror, and are there by the next time.
		{policy: "primary", refused: true, promoted: true},
		{policy: "primary", allow: true, promoted: true},
	} {
		t.Run(fmt.Sprintf("%s/allowed=%v", c.policy, c.allow), func(t *testing.T) {
			file, out := filepath.Join("testdata", "policies", c.policy+".yaml"), filepath.Join(dir, "r.json")
			if c.allow {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				module, err := filepath.Abs(filepath.Join("testdata", "policies", "ps.wasm"))
				require.NoError(t, err)
				file = filepath.Join(dir, "allowed.yaml")
				allowed := strings.Replace(string(text), "./ps.wasm", module, 1) + "stale-promotion: allow\n"
				require.NoError(t, os.WriteFile(file, []byte(allowed), 0o600))
			}
			o := iosrun(t, nil, "run", file, "--generate", "--gen-reads", "0.5", "--gen-count", "2000", "--json", out)
			require.Equal(t, 0, o.code, o.err)
			r := readReport(t, out)[0]
			assert.True(t, r.OK())
			assert.Equal(t, c.lost, r.LostWrites > 0)
			if c.lost {
				// Of the 300 requests before the first promotion is asked for, 154 wrote; 7 of
				// these writes were overwritten by others of them.
				assert.EqualValues(t, 154, r.Promotions[0].LackedWrites)
				assert.EqualValues(t, 147, r.LostWrites)
				assert.EqualValues(t, 147*4096, r.LostBytes)
				assert.Contains(t, o.out, "602 kB")
			}
			var refused, promoted bool
			for _, p := range r.Promotions {
				refused, promoted = refused || p.Refused > 0, promoted || p.Refused == 0
			}
			assert.Equal(t, c.refused, refused)
			assert.Equal(t, c.promoted, promoted)
			assert.Contains(t, o.out, "lost writes")
			assert.Equal(t, c.refused, strings.Contains(o.err, "promotion refused: the mirror lacks acknowledged writes"), o.err)
		})
	}
	o := iosrun(t, nil, "run", "none", "--limit", "3000", "--fault", "1s=primary:gone")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.err, "none: nothing lost: ")
	assert.Contains(t, o.err, "the primary cannot be read any more, and no mirror that follows it has the write")
	o = iosrun(t, nil, "run", "none", "--limit", "3000", "--fault", "1s=primary:gone", "--expect-lost", "--expect-failures")
	assert.Equal(t, 0, o.code, o.err)
}
