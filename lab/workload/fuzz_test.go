package workload

import (
	"bytes"
	"io"
	"testing"

	"github.com/iosrun/iosrun/emulator/machine"
)

// decode reads whatever it is given and holds every request against the promises
// of Source.
func decode(t *testing.T, data []byte, options TraceOptions) {
	trace, err := NewTrace("fuzz", bytes.NewReader(data), options)
	if err != nil {
		return
	}
	var q Request
	var last machine.Time
	for n := int64(0); ; n++ {
		err := trace.Next(&q)
		bad, _ := trace.Bad()
		if bad > options.SkipBad || trace.Requests() != n && err == nil && trace.Requests() != n+1 {
			t.Fatalf("%d requests, %d bad rows", trace.Requests(), bad)
		}
		if err != nil {
			if err == io.ErrUnexpectedEOF || trace.Next(&q) != err {
				t.Fatalf("%v is bare or does not stay", err)
			}
			break
		}
		switch {
		case q.At < last || q.At > MaxSpan,
			q.Offset < 0 || q.Length < 0 || q.Offset+q.Length < 0,
			q.Offset%SectorBytes != 0 || q.Length%SectorBytes != 0,
			(q.Op == Flush) != (q.Length == 0),
			q.Length > MaxRequestBytes && q.Op != Trim,
			options.VolumeBytes > 0 && q.Offset+q.Length > options.VolumeBytes,
			int(q.Op) >= numOps:
			t.Fatalf("%+v after %v", q, last)
		}
		last = q.At
	}
	if err := trace.Close(); err != nil {
		t.Fatal(err)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte(eventRows), int64(0))
	f.Add([]byte(eventsHeader+"\r\n\r\n18446744073709551615,trim,0,18446744073709551615,,"), int64(3))
	f.Fuzz(func(t *testing.T, data []byte, volume int64) {
		decode(t, data, TraceOptions{Format: FormatEvents, SkipBad: 10, VolumeBytes: max(volume, 0)})
		decode(t, append([]byte(eventsHeader+"\n"), data...), TraceOptions{SkipBad: 10})
	})
}

func FuzzMSR(f *testing.F) {
	f.Add([]byte(msrRows), int64(1<<40))
	f.Add([]byte("1,,,Read,0,512,\n2,,1,Write,0,512,\n"), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, volume int64) {
		decode(t, data, TraceOptions{Format: FormatMSR, SkipBad: 10, VolumeBytes: max(volume, 0)})
	})
}

func FuzzVSCSI(f *testing.F) {
	f.Add(encodeVSCSI(1, scsiRecords), int64(0))
	f.Add(encodeVSCSI(2, scsiRecords)[:99], int64(1<<30))
	f.Fuzz(func(t *testing.T, data []byte, volume int64) {
		decode(t, data, TraceOptions{Format: FormatVSCSI, SkipBad: 10, VolumeBytes: max(volume, 0)})
	})
}

func FuzzDetected(f *testing.F) {
	for _, seed := range [][]byte{[]byte(eventRows), []byte(msrRows), encodeVSCSI(1, scsiRecords), encodeVSCSI(2, scsiRecords)} {
		f.Add(seed)
		f.Add(gzipped(f, seed))
		f.Add(zstded(f, seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { decode(t, data, TraceOptions{SkipBad: 10}) })
}
