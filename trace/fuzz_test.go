package trace

import (
	"bytes"
	"io"
	"testing"

	"github.com/iosrun/iosrun/emulator/machine"
)

// decode reads whatever it is given and holds every request against the promises
// of Source.
func decode(t *testing.T, data []byte, options Options) {
	trace, err := New("fuzz", bytes.NewReader(data), options)
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
		decode(t, data, Options{Format: FormatEvents, SkipBad: 10, VolumeBytes: max(volume, 0)})
		decode(t, append([]byte(eventsHeader+"\n"), data...), Options{SkipBad: 10})
	})
}

func FuzzMSR(f *testing.F) {
	f.Add([]byte(msrRows), int64(1<<40))
	f.Add([]byte("1,,,Read,0,512,\n2,,1,Write,0,512,\n"), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, volume int64) {
		decode(t, data, Options{Format: FormatMSR, SkipBad: 10, VolumeBytes: max(volume, 0)})
	})
}

func FuzzVSCSI(f *testing.F) {
	f.Add(encodeVSCSI(1, scsiRecords), int64(0))
	f.Add(encodeVSCSI(2, scsiRecords)[:99], int64(1<<30))
	f.Fuzz(func(t *testing.T, data []byte, volume int64) {
		decode(t, data, Options{Format: FormatVSCSI, SkipBad: 10, VolumeBytes: max(volume, 0)})
	})
}

// FuzzOthers reads whatever it is given as each of the text layouts of others.
func FuzzOthers(f *testing.F) {
	for _, l := range layouts() {
		text := map[Format]string{
			FormatSPC: "0,0,512,R,0.0\n0,8,4096,w,1.5,x\n", FormatAlibaba: "3,R,0,512,1\n", FormatTencent: "1,0,8,0,7\n2,0,8,1,7\n",
			FormatSystor: systorHeader + "\n1.5,0.1,R,4,0,512\n0.5,0.1,,4,0,512\n", FormatDiskSim: "0.5 0 0 8 1\n", FormatMQSim: "5 0 0 8 1\n",
			FormatIOLog2: ioLog2Header + "\n/a read 0 512\n/a wait 9\n/a sync\n", FormatIOLog3: ioLog3Header + "\n0 /a open\n5 /a trim 0 512\n",
			FormatBlkparse: blkEvents,
		}[l.format]
		if text != "" {
			f.Add(string(l.format), []byte(text), "")
			f.Add(string(l.format), []byte(text), "4")
		}
	}
	f.Fuzz(func(t *testing.T, format string, data []byte, device string) {
		if _, err := ParseFormat(format); err == nil {
			decode(t, data, Options{Format: Format(format), Device: device, SkipBad: 10})
		}
	})
}

func FuzzDetected(f *testing.F) {
	for _, seed := range [][]byte{[]byte(eventRows), []byte(msrRows), encodeVSCSI(1, scsiRecords), encodeVSCSI(2, scsiRecords), []byte(blkEvents)} {
		f.Add(seed)
		for _, pack := range packers {
			f.Add(pack(f, seed))
			f.Add(append(pack(f, seed), "behind"...))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) { decode(t, data, Options{SkipBad: 10}) })
}

// FuzzOrder makes up the times of a trace: what comes out is in order, nothing is
// lost, and nothing is bad where nothing is further out of order than allowed.
func FuzzOrder(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint16(1))
	f.Add([]byte{9, 0, 9, 200, 0, 0, 0, 255}, uint16(999))
	f.Fuzz(func(t *testing.T, steps []byte, scale uint16) {
		var times []uint64
		at := uint64(1 << 40)
		var high uint64
		near := true
		for _, s := range steps {
			at += uint64(int64(int8(s)) * int64(scale))
			near = near && (high < at || high-at < uint64(lateByProcessors/machine.Microsecond))
			high = max(high, at)
			times = append(times, at)
		}
		trace := mustTrace(t, eventsAt(times...), Options{SkipBad: int64(len(times))})
		got := int64(0)
		var q Request
		var last machine.Time
		for {
			if err := trace.Next(&q); err != nil {
				break
			}
			if q.At < last {
				t.Fatalf("%v after %v", q.At, last)
			}
			last = q.At
			got++
		}
		bad, first := trace.Bad()
		if got+bad != int64(len(times)) {
			t.Fatalf("%d rows: %d handed out, %d bad", len(times), got, bad)
		}
		if near && bad != 0 {
			t.Fatalf("nothing is far out of order: %v", first)
		}
	})
}
