package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/report"
)

func traceCase(name string) string {
	return filepath.Join("..", "..", "trace", "testdata", "cases", name)
}

// TestTracesOfOthers: what was found out about a trace is in the table and in JSON.
func TestTracesOfOthers(t *testing.T) {
	dir := t.TempDir()
	file, second := filepath.Join(dir, "r.json"), filepath.Join(dir, "second.yaml")
	require.NoError(t, os.WriteFile(second, []byte("name: second\ndurability: primary\n"), 0o600))
	for _, c := range []struct {
		name     string
		requests int64
		says     string
		found    report.Trace
	}{
		{"bom.csv", 100, "", report.Trace{Layout: "msr", Device: "web,0", Rows: 100}},
		{"jitter.csv", 2000, "trace: 481 rows were out of order by up to 196 µs and put in order", report.Trace{Layout: "msr", Device: "web,0", Rows: 2000, Reordered: 481, ReorderedByUS: 196.4}},
		{"gzzero.csv.gz", 100, "trace: 512 zeros stand behind the end of the gzip data", report.Trace{Layout: "msr", Packing: "gzip", Device: "web,0", Rows: 100, Padding: 512}},
		{"gztrail.csv.gz", 100, "trace: 7 bytes that are something else stand behind the end of the gzip data", report.Trace{Layout: "msr", Packing: "gzip", Device: "web,0", Rows: 100, Behind: 7}},
		{"v1-firstinq.vscsi", 80, "trace: 20 rows were not played: SCSI command 12 (inquiry)", report.Trace{Layout: "vscsi", Rows: 100, NotPlayed: []report.NotPlayed{{Name: "SCSI command 12 (inquiry)", Count: 20}}}},
		{"b.csv.bz2", 100, "", report.Trace{Layout: "msr", Packing: "bzip2", Device: "web,0", Rows: 100}},
		{"b.csv.xz", 100, "", report.Trace{Layout: "msr", Packing: "xz", Device: "web,0", Rows: 100}},
		{"alibaba.csv", 100, "", report.Trace{Layout: "alibaba", Device: "3", Rows: 100}},
		{"tencent.csv", 100, "trace: times are whole seconds", report.Trace{Layout: "tencent", Device: "1283", Rows: 100, Notes: []string{"times are whole seconds: the requests of a second arrive at once"}}},
		{"systor.csv", 100, "", report.Trace{Layout: "systor", Device: "4", Rows: 100}},
		{"spc.csv", 100, "", report.Trace{Layout: "spc", Device: "0", Rows: 100}},
		{"disksim.txt", 100, "", report.Trace{Layout: "disksim", Device: "0", Rows: 100}},
		{"iolog2.txt", 100, "trace: every row has the same time", report.Trace{Layout: "iolog2", Device: "/dev/x", Rows: 100, Notes: []string{"every row has the same time: all requests arrive at once"}}},
		{"iolog3.txt", 100, "", report.Trace{Layout: "iolog3", Device: "/dev/x", Rows: 100}},
		{"blkparse.txt", 100, "", report.Trace{Layout: "blkparse", Device: "8,0", Rows: 100}},
	} {
		o := iosrun(t, nil, "compare", "none", second, "--trace", traceCase(c.name), "--json", file)
		require.Equal(t, 0, o.code, "%s: %s", c.name, o.err)
		assert.Contains(t, o.out, c.says)
		runs := readReport(t, file)
		assert.Len(t, runs, 2)
		for _, r := range runs {
			assert.Equal(t, c.requests, r.Workload.Requests, c.name)
			assert.Equal(t, &c.found, r.Trace, c.name)
		}
	}
}

func TestOddRowsAreSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	o := iosrun(t, nil, "run", "none", "--trace", traceCase("ooo-first.csv"))
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.err, "ooo-first.csv row 1: time 128166372004051629 is later than 63 of the next 63 rows")
	o = iosrun(t, nil, "run", "none", "--trace", traceCase("ooo-first.csv"), "--skip-bad", "1", "--json", file)
	require.Equal(t, 0, o.code, o.err)
	assert.Contains(t, o.out, "trace: 1 bad row was skipped\ntrace:   row 1: time 128166372004051629 is later than")
	r := readReport(t, file)[0]
	assert.EqualValues(t, 99, r.Workload.Requests)
	assert.EqualValues(t, 1, r.Workload.SkippedRows)
	require.Len(t, r.Trace.Skipped, 1)
	assert.EqualValues(t, 1, r.Trace.Skipped[0].Row)

	for name, want := range map[string]string{
		"headonly.csv":     "nothing was played: it has no read and no write; the trace has no rows",
		"ev-flushonly.csv": "the trace has 1 row: 1 flush",
	} {
		o := iosrun(t, nil, "run", "none", "--trace", traceCase(name))
		assert.Equal(t, 2, o.code, o.err)
		assert.Contains(t, o.err, want)
	}
	o = iosrun(t, nil, "run", "none", "--trace", traceCase("spc.csv"), "--format", "msr", "--skip-bad", "200")
	assert.Equal(t, 2, o.code, o.err)
	assert.Contains(t, o.err, "the trace has 100 rows: 100 bad (the first: row 1: 5 fields: want 7, Timestamp")
}

// TestTraceFromAPipe: a pipe is read once, whatever number of policies and checks
// there is, and gives what the file gives.
func TestTraceFromAPipe(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile(traceCase("gzzero.csv.gz"))
	require.NoError(t, err)
	hashes := func(file string) (all []string) {
		for _, r := range readReport(t, file) {
			all = append(all, r.EventLogHash)
		}
		return all
	}
	plain := filepath.Join(dir, "plain.json")
	o := iosrun(t, nil, "compare", "none", "sync", "--trace", traceCase("gzzero.csv.gz"), "--json", plain)
	require.Equal(t, 0, o.code, o.err)

	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	written := make(chan error, 1)
	go func() { written <- os.WriteFile(fifo, text, 0o600) }()
	named := filepath.Join(dir, "named.json")
	o = iosrun(t, nil, "compare", "none", "sync", "--trace", fifo, "--json", named)
	require.Equal(t, 0, o.code, o.err)
	require.NoError(t, <-written)
	assert.Equal(t, hashes(plain), hashes(named))

	for _, args := range [][]string{{"-"}, {"/dev/stdin"}} {
		out := filepath.Join(dir, "stdin.json")
		c := exec.Command(filepath.Join(built.dir, "iosrun"), "compare", "none", "sync", "--trace", args[0], "--json", out)
		c.Stdin = bytes.NewReader(text) // through a pipe
		said, err := c.CombinedOutput()
		require.NoError(t, err, "%s", said)
		assert.Equal(t, hashes(plain), hashes(out))
	}
	// The shell's own way of a pipe, for a command that looks at the workload first.
	c := exec.Command("bash", "-c", `"$0" trace --policy none --io 5 --trace <(cat "$1")`, filepath.Join(built.dir, "iosrun"), traceCase("bom.csv"))
	said, err := c.CombinedOutput()
	require.NoError(t, err, "%s", said)
	assert.Contains(t, string(said), "I/O 5 against none")
}

// TestDevicesOfATrace: one of several is played, and units of time can be named.
func TestDevicesOfATrace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "two.csv")
	file := filepath.Join(t.TempDir(), "r.json")
	require.NoError(t, os.WriteFile(path, []byte("3,R,0,4096,1577808000000000000\n4,W,4096,4096,1577808000000001000\n4,W,8192,4096,1577808000001001000\n"), 0o600))
	o := iosrun(t, nil, "run", "none", "--trace", path)
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "looks like nanoseconds since 1970: want the time unit ns, or us if it is right")
	o = iosrun(t, nil, "run", "none", "--trace", path, "--time-unit", "ns")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.err, `row 2: device "4": want "3" as before`)
	o = iosrun(t, nil, "run", "none", "--trace", path, "--time-unit", "ns", "--trace-device", "4", "--json", file)
	require.Equal(t, 0, o.code, o.err)
	assert.Contains(t, o.out, `trace: 1 row was left out: of other devices than "4"`)
	r := readReport(t, file)[0]
	assert.EqualValues(t, 2, r.Workload.Writes)
	assert.EqualValues(t, 1, r.Trace.OtherDevices)
}

func TestCylindersAlone(t *testing.T) {
	o := iosrun(t, nil, "run", "none", "--cylinders", "100", "--generate", "--gen-count", "50")
	assert.Equal(t, 0, o.code, o.err)
}
