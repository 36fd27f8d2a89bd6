package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/trace/histogram"
)

func sampleRuns() []Run {
	load := Workload{
		Name: "pgbench", Requests: 119219, Reads: 38002, Writes: 60343, Flushes: 20874,
		ReadBytes: 347616256, WriteBytes: 854605824,
	}
	slots := func(a, b, c int64) WasmCalls {
		return NewWasmCalls(119219, []SlotCalls{{Slot: "frontend", Calls: a}, {Slot: "backend", Calls: b}, {Slot: "poststatus", Calls: c}})
	}
	ok := []Check{{Name: "completed once", OK: true, Detail: "119,219 of 119,219"}, {Name: "durability", OK: true}, {Name: "mirrors equal", OK: true}}
	modules := []Module{
		{Slot: "frontend", Name: "standard", SHA256: strings.Repeat("0123456789abcdef", 4)},
		{Slot: "backend", Name: "standard", SHA256: strings.Repeat("fedcba9876543210", 4)},
		{Slot: "poststatus", Name: "standard"},
	}
	return []Run{
		{
			Policy: "sync", Modules: modules, Workload: load, Seed: 1,
			ReadLatency:  histogram.Summary{Count: 38002, MeanUS: 183.4, P50US: 161.2, P95US: 402.9, P99US: 1204, P999US: 4811, MaxUS: 9120.5},
			WriteLatency: histogram.Summary{Count: 60343, MeanUS: 912.7, P50US: 874.1, P95US: 1423, P99US: 2519, P999US: 6004, MaxUS: 12007.25},
			Throughput:   NewThroughput(119219, 1202222080, 97.978), MirrorLinkBytes: 871112233,
			WasmCalls: slots(179562, 60343, 120686), Checks: ok, VirtualS: 97.98, EventLogHash: "0123456789abcdef", WallS: 1.2,
			Mirrors: []Mirror{{"0500", MirrorInSync, 0, 60105}},
		},
		{
			Policy: "constant-copy", Modules: modules[:1], Workload: load, Seed: 1,
			ReadLatency:  histogram.Summary{Count: 38002, MeanUS: 183.9, P50US: 161.2, P95US: 403.1, P99US: 1209, P999US: 4807, MaxUS: 9120.5},
			WriteLatency: histogram.Summary{Count: 60343, MeanUS: 301.2, P50US: 251, P95US: 700, P99US: 1213.5, P999US: 3000, MaxUS: 9000},
			Throughput:   NewThroughput(119219, 1202222080, 97.978), MirrorLinkBytes: 871112233,
			DataAtRisk: DataAtRisk{1523, 6238208, 0.0314},
			WasmCalls:  slots(179562, 60343, 120686), Checks: ok, VirtualS: 97.98, EventLogHash: "aaaaaaaaaaaaaaaa", WallS: 1.31,
			Mirrors: []Mirror{{"0500", MirrorInSync, 0, 60105}},
			Swaps:   []Swap{{10, "sync", 17}},
			Versus: &Versus{
				Baseline: "sync",
				Reads:    Difference{Count: 38002, Blocks: 233, MeanUS: 0.5, Interval: &Interval{-0.2, 1.1, 0.95}, Significant: false},
				Writes:   Difference{Count: 60343, Blocks: 233, MeanUS: -611.5, Interval: &Interval{-633.25, -590, 0.95}, Significant: true},
			},
		},
		{
			Policy: "a-policy-with-a-name-beyond-measure", Workload: load, Seed: 1,
			ReadLatency:  histogram.Summary{Count: 38002, MeanUS: 1834, P50US: 1612, P95US: 4029, P99US: 12040, P999US: 48110, MaxUS: 91200},
			WriteLatency: histogram.Summary{Count: 60343, MeanUS: 912.7, P50US: 874.1, P95US: 1423, P99US: 2519, P999US: 6004, MaxUS: 12007.25},
			Throughput:   NewThroughput(119219, 1202222080, 197.978), MirrorLinkBytes: 12,
			WasmCalls: slots(179562, 0, 0), VirtualS: 197.98, EventLogHash: "bbbbbbbbbbbbbbbb", WallS: 0.8,
			Mirrors: []Mirror{{"0500", MirrorDissociated, 1234, 60105}, {"0501", MirrorInSync, 0, 60105}},
			Traps:   3, InvalidResponses: 2, Violations: 1,
			Checks: []Check{{Name: "completed once", OK: true}, {Name: "durability", Detail: "I/O 77 completed before mirror 0500 had it"}, {Name: "own check", OK: true}},
			Versus: &Versus{
				Baseline: "sync",
				Reads:    Difference{Count: 38002, Blocks: 3, MeanUS: 1650.6, Interval: nil, Significant: false},
				Writes:   Difference{Count: 60343, Blocks: 3, MeanUS: 0, Interval: nil, Significant: false},
			},
		},
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("IOSRUN_UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "IOSRUN_UPDATE_GOLDEN=1 writes it")
	assert.Equal(t, string(want), got)
}

func tableOf(t *testing.T, runs []Run, options TableOptions) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteTable(&b, runs, options))
	return b.String()
}

func TestTableGolden(t *testing.T) {
	runs := sampleRuns()
	golden(t, "one.txt", tableOf(t, runs[:1], TableOptions{Modules: true}))
	golden(t, "compare.txt", tableOf(t, runs, TableOptions{}))
	golden(t, "narrow.txt", tableOf(t, runs, TableOptions{Width: 80}))
	golden(t, "apart.txt", tableOf(t, runs, TableOptions{Width: 40}))
	runs[1].Workload.Name = "redis"
	golden(t, "workloads.txt", tableOf(t, runs[:2], TableOptions{}))
}

func TestRecords(t *testing.T) {
	runs := sampleRuns()
	runs[0].Modules = append(runs[0].Modules,
		Module{Slot: "frontend", Name: "frontend/audit", Records: []Record{
			{Name: "writes-plain", Unit: "bytes", Count: 60343, Sum: 854605824, Max: 131072},
			{Name: "neither", Unit: "bytes"},
			{Name: "waits", Unit: "µs", Count: 2, Sum: 1634, Max: 1200},
			{Name: "driven-again", Unit: "drives", Count: 1, Sum: 1 << 63, Max: 1 << 63},
		}},
		Module{Slot: "poststatus", Name: "poststatus/audit", Records: []Record{{Name: "ended-well", Unit: "bytes", Count: 1, Sum: 4096, Max: 4096}}})
	golden(t, "records.txt", tableOf(t, runs[:1], TableOptions{}))
	all := tableOf(t, runs, TableOptions{})
	assert.Contains(t, all, "\nRecords of frontend/audit (sync)\n")
	assert.Equal(t, 2, strings.Count(all, "Records of "))

	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, runs))
	assert.Contains(t, b.String(), `"sum": 9223372036854775808`)
	got, err := ReadJSON(&b)
	require.NoError(t, err)
	assert.Equal(t, runs, got.Runs)
}

func TestTableFitsItsWidth(t *testing.T) {
	runs := sampleRuns()[:2]
	for len(runs) < 9 {
		runs = append(runs, runs[1])
	}
	for _, width := range []int{70, 100, 200} {
		got := tableOf(t, runs, TableOptions{Width: width})
		_, tables, _ := strings.Cut(got, "\n\n")
		tables, _, _ = strings.Cut(tables, "\n\ndiff:")
		assert.LessOrEqual(t, widest(tables), width)
		assert.Equal(t, 8, strings.Count(tables, " diff"), "each of the others once")
	}
	for _, width := range []int{40, 50} { // a table a run
		got := tableOf(t, sampleRuns()[:2], TableOptions{Width: width})
		_, tables, _ := strings.Cut(got, "\n\n")
		tables, _, _ = strings.Cut(tables, "\n\ndiff:")
		assert.LessOrEqual(t, widest(tables), width)
		assert.Contains(t, tables, "constant-copy")
	}
}

func TestTableErrors(t *testing.T) {
	assert.EqualError(t, WriteTable(&bytes.Buffer{}, nil, TableOptions{}), "report table: no runs: want at least 1")
	err := WriteTable(full{}, sampleRuns(), TableOptions{})
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.NotPanics(t, func() { tableOf(t, make([]Run, 3), TableOptions{Modules: true}) })
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestUnits(t *testing.T) {
	for us, want := range map[float64]string{
		0: "0", 0.0004: "0.40 ns", 0.83: "830 ns", 0.9996: "1.00 µs", 1: "1.00 µs", 9.99: "9.99 µs", 9.996: "10.0 µs", 99.96: "100 µs",
		412.3: "412 µs", 999.4: "999 µs", 999.6: "1.00 ms", 1634: "1.63 ms", 2.31e6: "2.31 s", 1.234e9: "1,234 s", -1634: "-1.63 ms",
	} {
		assert.Equal(t, want, showUS(us))
	}
	for b, want := range map[float64]string{0: "0", 512: "512 B", 12.4: "12 B", 4096: "4.10 kB", 854605824: "855 MB", 999.9e6: "1.00 GB", 5e15: "5,000 TB"} {
		assert.Equal(t, want, showBytes(b))
	}
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -0.2: "0"} {
		assert.Equal(t, want, thousands(n))
	}
	for _, c := range []struct {
		base, v float64
		want    string
	}{{0, 5, ""}, {0, 0, ""}, {100, 100, "0.0%"}, {100, 103.24, "+3.2%"}, {100, 0, "-100.0%"}, {100, 999, "+899.0%"}, {100, 1230, "×12.3"}} {
		assert.Equal(t, c.want, change(c.base, c.v))
	}
}

func TestJSONRoundTrip(t *testing.T) {
	want := Report{SchemaVersion: SchemaVersion, Runs: sampleRuns()}
	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, want.Runs))
	golden(t, "report.json", b.String())
	got, err := ReadJSON(&b)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.True(t, got.Runs[0].OK())
	assert.False(t, got.Runs[2].OK())

	b.Reset()
	require.NoError(t, WriteJSON(&b, nil))
	assert.JSONEq(t, `{"schema_version":2,"runs":[]}`, b.String())
}

func TestJSONErrors(t *testing.T) {
	for data, want := range map[string]string{
		"":                             "report: is not the json of a report",
		`[]`:                           "report: is not the json of a report",
		`{"schema_version":1}`:         "report: schema version 1: want 2",
		`{"runs":[{"policy":"sync"}]}`: "report: schema version 0: want 2",
	} {
		_, err := ReadJSON(strings.NewReader(data))
		assert.ErrorContains(t, err, want)
	}
	runs := sampleRuns()
	runs[0].WallS /= runs[1].DataAtRisk.MaxS * 0
	assert.ErrorContains(t, WriteJSON(&bytes.Buffer{}, runs), "report as json")
}

// TestInterruptedRunsClaimNothing: a run that was ended early shows its figures
// and no check, and none is held against it.
func TestInterruptedRunsClaimNothing(t *testing.T) {
	whole := Run{Policy: "sync", WriteLatency: histogram.Summary{Count: 2, MeanUS: 100, P50US: 100}, Checks: []Check{{Name: "completed once", OK: true}}}
	part := Run{Policy: "constant-copy", Interrupted: true, WriteLatency: histogram.Summary{Count: 1, MeanUS: 50, P50US: 50}, Checks: []Check{}}
	var b strings.Builder
	require.NoError(t, WriteTable(&b, []Run{whole, part}, TableOptions{}))
	text := b.String()
	assert.Contains(t, text, "INTERRUPTED: the figures of constant-copy are of the part that was played; no check was made")
	assert.Regexp(t, `completed once +ok +not made`, text)
	assert.NotContains(t, text, "%")
	assert.True(t, whole.OK())
	assert.False(t, part.OK())
}
