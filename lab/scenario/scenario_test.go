package scenario_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/policy/catalog"
	"github.com/iosrun/iosrun/trace/steps"
)

// shipped loads the shipped modules, or err says why there are none.
var shipped struct {
	loader *catalog.Loader
	err    error
}

func TestMain(m *testing.M) {
	shipped.loader, shipped.err = loader(0)
	os.Exit(m.Run())
}

// loader loads modules as the program does, with the compiled code that it keeps.
func loader(fuel int64) (*catalog.Loader, error) {
	cache, err := host.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	rt, err := host.NewRuntime(context.Background(), host.RuntimeConfig{CacheDir: cache, Fuel: fuel})
	return &catalog.Loader{Runtime: rt}, err
}

func modules(t *testing.T) *catalog.Loader {
	t.Helper()
	require.NoError(t, shipped.err)
	return shipped.loader
}

// TestSuiteTakesEveryStep: the project's scenarios come out as they say, and
// together they take every row of the table of steps, each by the component that
// the row names; the detours are the modules. Metering the modules changes nothing
// in the event log.
func TestSuiteTakesEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every scenario, one after the other: see TestSideBySide")
	}
	l := modules(t)
	unmetered, err := loader(host.Unmetered)
	require.NoError(t, err)
	defer func() { require.NoError(t, unmetered.Runtime.Close(context.Background())) }()
	var total steps.Counter
	logs := readEventLogs(t)
	for _, name := range scenario.Names() {
		t.Run(name, func(t *testing.T) {
			s, err := scenario.Load(name)
			require.NoError(t, err)
			r, err := s.Run(t.Context(), l, scenario.Options{})
			require.NoError(t, err)
			require.Empty(t, r.Wrong)
			total.Add(r.Steps)
			free, err := s.Run(t.Context(), unmetered, scenario.Options{})
			require.NoError(t, err)
			assert.Equal(t, free.Hash, r.Hash, "with the modules unmetered")
			assert.Equal(t, free.Took, r.Took)
			logs.hold(t, name, fmt.Sprintf("%016x %v", r.Hash, time.Duration(r.Took)))
		})
	}
	logs.write(t)
	rows, err := steps.Table()
	require.NoError(t, err)
	for _, r := range rows {
		if total.Count(r) == 0 {
			t.Errorf("step %s was never taken by %s: %s", r.Name, r.Actor, r.What)
		}
	}
}

var update = flag.Bool("update", false, "write the event logs' hashes into testdata/eventlogs.txt")

// eventLogs holds the hash of each scenario's event log and how long it took in
// virtual time, as they were when somebody last looked at a difference. A change of
// the code that is not meant to change what the machine does leaves them as they are.
type eventLogs map[string]string

const eventLogsFile = "testdata/eventlogs.txt"

func readEventLogs(t *testing.T) eventLogs {
	t.Helper()
	text, err := os.ReadFile(eventLogsFile)
	require.NoError(t, err)
	logs := make(eventLogs)
	for line := range strings.Lines(string(text)) {
		name, rest, found := strings.Cut(strings.TrimSpace(line), " ")
		require.True(t, found, line)
		logs[name] = rest
	}
	return logs
}

func (l eventLogs) hold(t *testing.T, name, log string) {
	t.Helper()
	if *update {
		l[name] = log
		return
	}
	assert.Equal(t, l[name], log, "event log of %s: if the change is meant, go test ./lab/scenario -run TestSuite -update", name)
}

func (l eventLogs) write(t *testing.T) {
	t.Helper()
	if !*update {
		return
	}
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l)) {
		fmt.Fprintf(&text, "%s %s\n", name, l[name])
	}
	require.NoError(t, os.WriteFile(eventLogsFile, []byte(text.String()), 0o644))
}

// TestSideBySide plays scenarios that differ much at once, each on two machines.
// The machines share modules and nothing else, so each goes as it does alone.
func TestSideBySide(t *testing.T) {
	l := modules(t)
	names := []string{"write", "several-pairs", "standing-chain", "swap"}
	alone := make(map[string]uint64)
	for _, name := range names[2:] {
		s, err := scenario.Load(name)
		require.NoError(t, err)
		r, err := s.Run(t.Context(), l, scenario.Options{})
		require.NoError(t, err)
		alone[name] = r.Hash
	}
	hashes := make([]uint64, 2*len(names))
	var wg sync.WaitGroup
	for i := range hashes {
		wg.Go(func() {
			s, err := scenario.Load(names[i/2])
			if !assert.NoError(t, err) {
				return
			}
			r, err := s.Run(t.Context(), l, scenario.Options{Steps: &steps.Counter{}})
			if assert.NoError(t, err) {
				assert.Empty(t, r.Wrong)
				hashes[i] = r.Hash
			}
		})
	}
	wg.Wait()
	for i, name := range names {
		assert.Equal(t, hashes[2*i], hashes[2*i+1], name)
		if h, was := alone[name]; was {
			assert.Equal(t, h, hashes[2*i], name)
		}
	}
}

const valid = "name: x\npolicy: sync\nplay: [{at: 1ms, write: {offset: 0, length: 4096}}]\n"

func TestParseRefuses(t *testing.T) {
	_, err := scenario.Parse([]byte(valid), "test")
	require.NoError(t, err)
	program := func(ccws string) string {
		return "name: x\npolicy: sync\nplay: [{at: 1ms, program: {on: primary, ccws: [" + ccws + "]}}]\n"
	}
	play := func(actions string) string { return "name: x\npolicy: sync\nplay: [" + actions + "]\n" }
	for name, c := range map[string]struct{ text, want string }{
		"empty":                  {"", "is empty"},
		"unknown key":            {valid + "speed: 3\n", "speed"},
		"unknown machine key":    {valid + "machine: {colour: red}\n", "colour"},
		"bad machine":            {valid + "machine: {model: 3391-9}\n", "3391"},
		"no name":                {"policy: sync\n", "no name"},
		"no policy":              {"name: x\n", "no policy"},
		"no actions":             {"name: x\npolicy: sync\n", "0 actions"},
		"bad time":               {play("{at: soon, fault: 'primary:fail'}"), "want a duration"},
		"nothing to do":          {play("{at: 1ms}"), "0 things"},
		"two things":             {play("{at: 1ms, resume: 1, fault: 'primary:fail'}"), "2 things"},
		"no length":              {play("{at: 1ms, read: {offset: 0}}"), "0 bytes"},
		"resume of nothing":      {play("{at: 1ms, resume: 1}"), "resume of I/O 1"},
		"unknown fault":          {play("{at: 1ms, fault: 'primary:sleep'}"), "actions"},
		"no such mirror":         {play("{at: 1ms, fault: 'mirror2:fail'}"), "there are 1 mirrors"},
		"synchronise no mirror":  {play("{at: 1ms, synchronise: {mirror: 2}}"), "synchronise mirror 2"},
		"unknown place":          {play("{at: 1ms, program: {on: tape}}"), "want primary"},
		"command in decimal":     {program("{command: 163}"), "two hexadecimal digits"},
		"odd data":               {program("{command: 63, data: 123}"), "pairs of hexadecimal digits"},
		"too much data":          {program("{command: 63, data: 00*99999999}"), "pairs of hexadecimal digits"},
		"unknown flag":           {program("{command: 63, flags: [fast]}"), "flag"},
		"bad place":              {program("{command: 63, at: there}"), "want \"ccw N\""},
		"place that is not":      {program("{command: 63, at: ccw 2}"), "there are 1 CCWs"},
		"gives more than it has": {program("{command: 63, count: 1, gives: 0000}"), "gives 2 bytes"},
		"unknown step":           {valid + "expect: {steps: ['7']}\n", "no such row"},
		"unknown state":          {valid + "expect: {mirrors: [{state: happy}]}\n", "happy"},
		"too many mirrors":       {valid + "expect: {mirrors: [{state: in sync}, {state: in sync}]}\n", "there are 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := scenario.Parse([]byte(c.text), "test")
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestWhatIsNotAsExpectedIsSaid(t *testing.T) {
	l := modules(t)
	s, err := scenario.Parse([]byte(`
name: x
policy: sync
play:
  - {at: 1ms, write: {offset: 0, length: 4096, code: 41}}
  - at: 5ms
    program: {on: primary, ccws: [{command: E4, count: 7, flags: [sli], gives: 00}]}
expect:
  steps: ["122"]
  never: ["236"]
  mirrors: [{state: dissociated, marked: 3}]
  promoted: 1
`), "test")
	require.NoError(t, err)
	r, err := s.Run(t.Context(), l, scenario.Options{})
	require.NoError(t, err)
	all := strings.Join(r.Wrong, "\n")
	for _, want := range []string{
		"I/O 1 ended with code 7F: want 41", "data area of CCW 1 holds FF: want 00", "step 122 was not taken", "step 236 was taken",
		"mirror 1 is in sync: want dissociated", "0 tracks marked: want 3", "0 mirrors were promoted: want 1",
	} {
		assert.Contains(t, all, want)
	}
	assert.Len(t, r.Wrong, 7)
}

func TestSameScenarioSameHash(t *testing.T) {
	l := modules(t)
	s, err := scenario.Load("synchronise")
	require.NoError(t, err)
	first, err := s.Run(t.Context(), l, scenario.Options{})
	require.NoError(t, err)
	again, err := s.Run(t.Context(), l, scenario.Options{Steps: &steps.Counter{}})
	require.NoError(t, err)
	assert.Equal(t, first.Hash, again.Hash)
	assert.Equal(t, first.Took, again.Took)
}

// TestSuspendingChainsLeaveTheModeAlone: native detours and modules come back to
// synchronous mode alike.
func TestSuspendingChainsLeaveTheModeAlone(t *testing.T) {
	l := modules(t)
	text, err := os.ReadFile(filepath.Join("scenarios", "suspending-and-after.yaml"))
	require.NoError(t, err)
	var hashes []uint64
	for _, native := range []string{"true", "false"} {
		s, err := scenario.Parse(append(text, "machine: {native: "+native+"}\n"...), "test")
		require.NoError(t, err)
		r, err := s.Run(t.Context(), l, scenario.Options{})
		require.NoError(t, err)
		assert.Empty(t, r.Wrong)
		hashes = append(hashes, r.Hash)
	}
	assert.Equal(t, hashes[0], hashes[1])
}
