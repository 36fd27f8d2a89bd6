package trace

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

func casePath(name string) string { return filepath.Join("testdata", "cases", name) }

func TestCases(t *testing.T) {
	hundred := func(layout Format, device string) Findings {
		return Findings{Layout: layout, Device: device, Rows: 100, Requests: 100, Ops: [numOps]int64{Read: 34, Write: 66}}
	}
	with := func(f Findings, change func(*Findings)) Findings {
		change(&f)
		return f
	}
	const span = 99 * machine.Millisecond
	tests := []struct {
		file string
		want Findings
		span machine.Time
	}{
		{"headonly.csv", Findings{Layout: FormatEvents}, 0},
		{"ev-flushonly.csv", Findings{Layout: FormatEvents, Rows: 1, Requests: 1, Ops: [numOps]int64{Flush: 1}}, 0},
		{"bom.csv", hundred(FormatMSR, "web,0"), span},
		{"jitter.csv", Findings{Layout: FormatMSR, Device: "web,0", Rows: 2000, Requests: 2000, Ops: [numOps]int64{Read: 1333, Write: 667}, Reordered: 481, ReorderedBy: 196400 * time.Nanosecond}, 200_081_800},
		{"gzzero.csv.gz", with(hundred(FormatMSR, "web,0"), func(f *Findings) { f.Packing, f.Padding = "gzip", 512 }), span},
		{"gztrail.csv.gz", with(hundred(FormatMSR, "web,0"), func(f *Findings) { f.Packing, f.Behind = "gzip", 7 }), span},
		{"b.csv.bz2", with(hundred(FormatMSR, "web,0"), func(f *Findings) { f.Packing = "bzip2" }), span},
		{"b.csv.xz", with(hundred(FormatMSR, "web,0"), func(f *Findings) { f.Packing = "xz" }), span},
		{"v1-firstinq.vscsi", Findings{Layout: FormatVSCSI, Rows: 100, Requests: 80, Ops: [numOps]int64{Write: 80}, NotPlayed: []Count{{"SCSI command 12 (inquiry)", 20}}}, 79 * machine.Millisecond},
		{"v1-cmds.vscsi", Findings{Layout: FormatVSCSI, Rows: 100, Requests: 30, Ops: [numOps]int64{Read: 15, Write: 15}, NotPlayed: []Count{
			{"SCSI command 42 (unmap)", 14}, {"SCSI command 41 (write same)", 14}, {"SCSI command 12 (inquiry)", 14},
			{"SCSI command 00 (test unit ready)", 14}, {"SCSI command 93 (write same)", 14},
		}}, span},
		{"alibaba.csv", hundred(FormatAlibaba, "3"), span},
		{"tencent.csv", with(hundred(FormatTencent, "1283"), func(f *Findings) {
			f.Notes = []string{"times are whole seconds: the requests of a second arrive at once"}
		}), 9 * machine.Second},
		{"systor.csv", hundred(FormatSystor, "4"), 98_999_977},
		{"spc.csv", hundred(FormatSPC, "0"), span},
		{"disksim.txt", hundred(FormatDiskSim, "0"), span},
		{"iolog2.txt", with(hundred(FormatIOLog2, "/dev/x"), func(f *Findings) {
			f.Notes = []string{"every row has the same time: all requests arrive at once"}
		}), 0},
		{"iolog3.txt", hundred(FormatIOLog3, "/dev/x"), span},
		{"blkparse.txt", hundred(FormatBlkparse, "8,0"), span},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			trace, err := Open(casePath(test.file), Options{})
			require.NoError(t, err)
			got := all(t, trace)
			assert.Equal(t, test.want, trace.Findings())
			require.NoError(t, trace.Close())
			if len(got) < 2 {
				return
			}
			assert.Zero(t, got[0].At)
			assert.Equal(t, test.span, got[len(got)-1].At)
			if len(got) != 100 {
				return
			}
			// All of them are one workload: every third request is a read.
			reads := 0
			for i, q := range got {
				assert.Equal(t, Request{At: q.At, Op: q.Op, Offset: int64(i) * 28672, Length: 4096}, q)
				if q.Op == Read {
					reads++
				}
			}
			assert.Equal(t, 34, reads)
		})
	}
}

// TestOddFirstRow: a first row with a wrong time is the odd one, and not the rows
// behind it.
func TestOddFirstRow(t *testing.T) {
	_, err := Describe(openCase(t, "ooo-first.csv", Options{}))
	var row *RowError
	require.ErrorAs(t, err, &row)
	assert.EqualValues(t, 1, row.Row)
	assert.Contains(t, err.Error(), "row 1: time 128166372004051629 is later than")

	trace := openCase(t, "ooo-first.csv", Options{SkipBad: 1})
	assert.Len(t, all(t, trace), 99)
	f := trace.Findings()
	assert.EqualValues(t, 1, f.Bad)
	require.Len(t, f.Reasons, 1)
	assert.EqualValues(t, 1, f.Reasons[0].Row)
	assert.Zero(t, f.Reordered)
	assert.Contains(t, f.Text(), "100 rows: 33 reads, 66 writes, 1 bad (the first: row 1: time")
}

func openCase(t *testing.T, name string, options Options) *Trace {
	t.Helper()
	trace, err := Open(casePath(name), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, trace.Close()) })
	return trace
}

// TestMarksAndEndsOfEveryTextLayout: what is the container's affair is the same
// for every layout.
func TestMarksAndEndsOfEveryTextLayout(t *testing.T) {
	for _, file := range []string{"bom.csv", "alibaba.csv", "tencent.csv", "systor.csv", "spc.csv", "disksim.txt", "iolog2.txt", "iolog3.txt", "blkparse.txt"} {
		text, err := os.ReadFile(casePath(file))
		require.NoError(t, err)
		text = bytes.TrimPrefix(text, []byte(byteOrderMark))
		plain, err := New("plain", bytes.NewReader(text), Options{})
		require.NoError(t, err)
		want := all(t, plain)
		for name, data := range map[string][]byte{
			"mark":                  append([]byte(byteOrderMark), text...),
			"mark and Windows ends": append([]byte(byteOrderMark), bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))...),
			"carriage returns":      bytes.ReplaceAll(text, []byte("\n"), []byte("\r")),
			"no last end":           bytes.TrimSuffix(text, []byte("\n")),
			"blank rows":            bytes.ReplaceAll(text, []byte("\n"), []byte("\n \t\n")),
			"packed":                gzipped(t, append([]byte(byteOrderMark), text...)),
		} {
			trace, err := New("x", bytes.NewReader(data), Options{})
			require.NoError(t, err, "%s with %s", file, name)
			assert.Equal(t, want, all(t, trace), "%s with %s", file, name)
		}
		// A row that the end of the file cuts off.
		cut := text[:bytes.LastIndexAny(bytes.TrimRight(text, "\n"), ", \t")]
		if file == "iolog2.txt" {
			continue // its last row, a close, is as good without its end
		}
		_, err = Describe(mustTrace(t, cut, Options{}))
		if file == "blkparse.txt" {
			assert.NoError(t, err, "the process's name may be missing")
			continue
		}
		assert.ErrorContains(t, err, "is cut off, the file ends within it", file)
	}
}

func mustTrace(t *testing.T, data []byte, options Options) *Trace {
	t.Helper()
	trace, err := New("x", bytes.NewReader(data), options)
	require.NoError(t, err)
	return trace
}
