package trace

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// endless is a trace whose rows repeat without end; times stand still, which
// the decoders see as rows of equal time.
type endless struct {
	head, rows []byte
	at         int
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.head) > 0 {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	n := copy(p, e.rows[e.at:])
	e.at = (e.at + n) % len(e.rows)
	return n, nil
}

func endlessTraces(tb testing.TB) map[string]*Trace {
	var events, msr bytes.Buffer
	var records []vscsiRecord
	for i := range 1000 {
		offset := i * 7919 % 100003 * 4096
		fmt.Fprintf(&events, "12345678,write,%d,4096,-,%d\n", offset, i%300)
		fmt.Fprintf(&msr, "128166372003061629,usr,0,Write,%d,4096,%d\n", offset, i%30000)
		records = append(records, vscsiRecord{0x2A, 4096, uint64(offset / 512), 99, 0})
	}
	traces := map[string]*Trace{}
	for name, e := range map[string]*endless{
		"events":  {head: []byte(eventsHeader + "\n"), rows: events.Bytes()},
		"msr":     {rows: msr.Bytes()},
		"vscsi 1": {rows: encodeVSCSI(1, records)},
		"vscsi 2": {rows: encodeVSCSI(2, records)},
	} {
		trace, err := New(name, e, Options{VolumeBytes: 1 << 40})
		require.NoError(tb, err)
		traces[name] = trace
	}
	return traces
}

func TestNextAllocatesNothing(t *testing.T) {
	for name, trace := range endlessTraces(t) {
		var q Request
		allocs := testing.AllocsPerRun(20000, func() {
			if err := trace.Next(&q); err != nil {
				t.Fatal(err)
			}
		})
		require.Zero(t, allocs, name)
	}
}

func BenchmarkTrace(b *testing.B) {
	for _, name := range []string{"events", "msr", "vscsi 1", "vscsi 2"} {
		trace := endlessTraces(b)[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var q Request
			for b.Loop() {
				if err := trace.Next(&q); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

func BenchmarkBundledGzip(b *testing.B) {
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		trace, err := Bundled("pgbench", Options{})
		if err != nil {
			b.Fatal(err)
		}
		var q Request
		for err = trace.Next(&q); err == nil; err = trace.Next(&q) {
			rows++
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		if err := trace.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
