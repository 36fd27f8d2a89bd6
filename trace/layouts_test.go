package trace

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

// TestDevices: a trace is of one device, which may be named.
func TestDevices(t *testing.T) {
	const two = "3,R,0,512,1000\n4,W,512,512,1001\n3,W,1024,512,1002\n"
	_, err := Describe(mustTrace(t, []byte(two), Options{}))
	assert.ErrorContains(t, err, `row 2: device "4": want "3" as before, one device a trace, or the name of the one to play`)
	for device, want := range map[string]int64{"3": 2, "4": 1, "5": 0} {
		trace := mustTrace(t, []byte(two), Options{Device: device})
		assert.Len(t, all(t, trace), int(want))
		f := trace.Findings()
		assert.Equal(t, want, f.Requests)
		assert.Equal(t, 3-want, f.OtherDevices)
		assert.Equal(t, device, f.Device)
	}
	trace := mustTrace(t, []byte(two), Options{Device: "5"})
	assert.Empty(t, all(t, trace))
	f := trace.Findings()
	assert.Equal(t, `3 rows: 3 of other devices than "5"`, f.Text())
}

// TestTimeUnits: times that cannot be in the layout's unit are found; a unit that is
// named is taken.
func TestTimeUnits(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{"3,R,0,512,1577808000000000000\n", "row 1: time 1577808000000000000 is taken for microseconds, as alibaba has them, and looks like nanoseconds since 1970: want the time unit ns, or us if it is right"},
		{"3,R,0,512,1577808000000000\n", ""},
		{"3,R,0,512,1577808000000\n", ""}, // 18 days since some start
		{"1538323200000,0,8,0,1\n", "looks like milliseconds since 1970: want the time unit ms, or s"},
		{"1538323200,0,8,0,1\n", ""},
		{"1577808000000000000,a,0,Read,0,512,1\n", "is taken for units of 100 ns, as msr has them, and looks like nanoseconds since 1970"},
		{"128166372003061629,a,0,Read,0,512,1\n", ""},
		{systorHeader + "\n1455592511099.9,0.1,R,4,0,512\n", "row 2: time 1455592511099.9 looks like milliseconds since 1970: want seconds, or the time unit ms"},
		{"0,0,512,R,1455592511099999\n", "looks like microseconds since 1970"},
		{eventsHeader + "\n1577808000000000000,read,0,512,-,1\n", "looks like nanoseconds since 1970"},
		{string(encodeVSCSI(2, []vscsiRecord{{0x28, 512, 0, 1577808000000000000, 0}})), "looks like nanoseconds since 1970"},
		{"bad,row\n3,R,0,512,1577808000000000000\n", "row 2: time 1577808000000000000 is taken"},
	} {
		trace, err := New("x", strings.NewReader(test.data), Options{SkipBad: int64(strings.Count(test.data, "bad"))})
		if err == nil {
			_, err = Describe(trace)
		}
		if test.want == "" {
			require.NoError(t, err)
			assert.EqualValues(t, 1, trace.Requests())
			continue
		}
		require.ErrorContains(t, err, test.want)
	}
	for unit, want := range map[time.Duration]machine.Time{
		time.Nanosecond: 1000, 100: 100_000, time.Microsecond: machine.Millisecond, time.Second: 1000 * machine.Second,
	} {
		for _, data := range []string{
			"3,R,0,512,1577808000000000000\n3,R,0,512,1577808000000001000\n",
			"0,0,512,R,5\n0,0,512,R,1005.0\n",
			"5.0 0 0 8 1\n1005.0 0 8 8 0\n",
			"5 0 0 8 1\n1005 0 8 8 0\n",
		} {
			got := all(t, mustTrace(t, []byte(data), Options{TimeUnit: unit}))
			assert.Equal(t, want, got[1].At, "%q in %v", data, unit)
		}
	}
	for _, name := range append(TimeUnits(), "") {
		u, err := ParseTimeUnit(name)
		require.NoError(t, err)
		assert.Equal(t, name == "", u == 0)
	}
	_, err := ParseTimeUnit("fortnight")
	assert.EqualError(t, err, `time unit "fortnight": want ns, 100ns, us, ms or s, or none for the layout's own`)
}

func TestDiskSimAndMQSim(t *testing.T) {
	for data, want := range map[string]machine.Time{
		"0.000000 0 0 8 1\n1.5\t0  8 8 0\n": 1500 * machine.Microsecond,
		"0 0 0 8 1\n1500000 0 8 8 0\n":      1500 * machine.Microsecond,
	} {
		got := all(t, mustTrace(t, []byte(data), Options{}))
		assert.Equal(t, []Request{{0, Read, 0, 4096}, {want, Write, 4096, 4096}}, got)
	}
}

func TestIOLogs(t *testing.T) {
	v2 := "fio version 2 iolog\n/a add\n/a open\n/a read 0 512\n/a wait 1500 0\n/a write 512 512\n/a wait 500\n/a sync 0 0\n/a datasync\n/a trim 0 4096\n/a close\n"
	want := []Request{
		{0, Read, 0, 512}, {1500 * machine.Microsecond, Write, 512, 512},
		{2 * machine.Millisecond, Flush, 0, 0}, {2 * machine.Millisecond, Flush, 0, 0}, {2 * machine.Millisecond, Trim, 0, 4096},
	}
	assert.Equal(t, want, all(t, mustTrace(t, []byte(v2), Options{})))
	v3 := "fio version 3 iolog\n0 /a add\n0 /a open\n7 /a read 0 512\n1507 /a write 512 512\n2007 /a sync 0 0\n2007 /a datasync 0 0\n2007 /a trim 0 4096\n9999 /a close\n"
	assert.Equal(t, want, all(t, mustTrace(t, []byte(v3), Options{})))
	for row, want := range map[string]string{
		"7 /a wait 9":           "wait: version 3 has none",
		"7 /a erase 0 512":      `action "erase": want add, open`,
		"x /a read 0 512":       `time "x": want a whole number`,
		"7 /a read 0":           "read with 1 values behind it: want offset and length",
		"7":                     "has no file and action",
		"7 /a read 0 x":         `length "x"`,
		"7 /b read 0 512":       `file "/b": want "/a" as before`,
		"7 /a read 99999999999": "read with 1 values",
	} {
		_, err := Describe(mustTrace(t, []byte("fio version 3 iolog\n0 /a read 0 512\n"+row+"\n8 /a read 0 512\n"), Options{}))
		assert.ErrorContains(t, err, "row 3: "+want)
	}
	for _, row := range []string{"/a wait", "/a wait x", "/a wait 18446744073709551615\n/a wait 1"} {
		_, err := Describe(mustTrace(t, []byte("fio version 2 iolog\n"+row+"\n"), Options{}))
		assert.ErrorContains(t, err, "wait")
	}
	_, err := New("x", strings.NewReader("fio version 4 iolog\n"), Options{})
	assert.ErrorContains(t, err, "no known layout")
	_, err = Describe(mustTrace(t, []byte("fio version 4 iolog\n"), Options{Format: FormatIOLog3}))
	assert.ErrorContains(t, err, `header "fio version 4 iolog": want fio version 2 iolog or fio version 3 iolog`)
}

// blkEvents is an I/O as blkparse prints its events, and the summary.
const blkEvents = `  8,0    1        1     0.000000000   697  A  WS 2048 + 8 <- (8,1) 0
  8,0    1        2     0.000001000   697  Q  WS 2048 + 8 [postgres]
  8,0    1        3     0.000002000   697  G  WS 2048 + 8 [postgres]
  8,0    1        4     0.000003000   697  P   N [postgres]
  8,0    1        5     0.000004000   697  UT   N [postgres] 1
  8,0    1        6     0.000005000   697  I  WS 2048 + 8 [postgres]
  8,0    1        7     0.000006000   697  D  WS 2048 + 8 [postgres]
  8,0    0        1     0.001006000     0  C  WS 2048 + 8 [0]
  8,0    1        8     0.002001000   697  Q  RA 4096 + 16 [postgres]
  8,0    1        9     0.003001000   697  Q  FWS [postgres]
  8,0    1       10     0.003002000   697  Q  FWFS 64 + 8 [postgres]
  8,0    1       11     0.003003000   697  Q  DS 128 + 256 [fstrim]
  8,0    1       12     0.003004000   697  Q   N [postgres]
  8,0    1       13     0.003005000   697  m   N cfq697S
CPU0 (8,0):
 Reads Queued:           1,        8KiB	 Writes Queued:           3,       12KiB
Total (8,0):
 Reads Queued:           1,        8KiB	 Writes Queued:           3,       12KiB

Throughput (R/W): 4,000KiB/s / 6,000KiB/s
Events (8,0): 14 entries
Skips: 0 forward (0 -   0.0%)
`

func TestBlkparse(t *testing.T) {
	trace := mustTrace(t, []byte(blkEvents), Options{})
	assert.Equal(t, []Request{
		{0, Write, 2048 * 512, 4096}, {2 * machine.Millisecond, Read, 4096 * 512, 8192}, {3 * machine.Millisecond, Flush, 0, 0},
		{3_001_000, Write, 64 * 512, 4096}, {3_002_000, Trim, 128 * 512, 131072},
	}, all(t, trace))
	assert.Equal(t, []Count{
		{"action A (remapped)", 1}, {"action G (request made)", 1}, {"action P (plugged)", 1}, {"action UT (unplugged by a timer)", 1},
		{"action I (inserted)", 1}, {"action D (issued)", 1}, {"action C (completed)", 1}, {"I/O without data", 1}, {"message", 1},
	}, trace.Findings().NotPlayed)
	// Without requests as they were queued, they are played as they were issued.
	issued := strings.ReplaceAll(blkEvents, "  Q  ", "  G  ")
	assert.Len(t, all(t, mustTrace(t, []byte(issued), Options{})), 1)
	for row, want := range map[string]string{
		"8,0 1 1 0.1 697 Q ZZ 0 + 8 [x]":  `rwbs "ZZ"`,
		"8,0 1 1 0.1 697 QQ R 0 + 8 [x]":  `action "QQ" does not exist in blkparse`,
		"8,0 1 1 0.1.2 697 Q R 0 + 8 [x]": `time "0.1.2"`,
		"8,0 1 1 0.1 697 Q R [x]":         "has no sector + sectors",
		"8,0 1 1 0.1 697":                 "5 fields: want 7, device cpu",
		"8,0 1 1 0.1 697 Q R x + 8 [x]":   `sector "x"`,
		"8,0 1 1 0.1 697 Q R 0 + x [x]":   `sectors "x"`,
		"8,16 1 1 0.1 697 Q R 0 + 8 [x]":  `device "8,16": want "8,0"`,
	} {
		_, err := Describe(mustTrace(t, []byte("8,0 1 1 0.0 697 Q R 0 + 8 [x]\n"+row+"\n8,0 1 1 0.2 697 Q R 0 + 8 [x]\n"), Options{}))
		assert.ErrorContains(t, err, "row 2: "+want)
	}
}

func TestBadRowsOfOthers(t *testing.T) {
	for _, test := range []struct{ good, bad, want string }{
		{"0,0,512,R,0.0", "0,x,512,R,0.0", `LBA "x": want a whole number of sectors from 0 to 36028797018963967`},
		{"0,0,512,R,0.0", "x,0,512,R,0.0", `ASU "x"`},
		{"0,0,512,R,0.0", "0,0,x,R,0.0", `size "x"`},
		{"0,0,512,R,0.0", "0,0,512,Z,0.0", `opcode "Z": want R or W`},
		{"0,0,512,R,0.0", "0,0,512,R,1e3", `time "1e3": want a number of seconds`},
		{"0,0,512,R,0.0", "0,0,512,R,-1", `time "-1"`},
		{"0,0,512,R,0.0", "0,0,512,R,1.", `time "1."`},
		{"0,0,512,R,0.0", "0,0,512,R", `4 fields: want 5, ASU,LBA,Size,Opcode,Timestamp`},
		{"0,0,512,R,0.0", "1,0,512,R,0.0", `ASU "1": want "0" as before`},
		{"0,0,512,R,0.0", "0,36028797018963968,512,R,0.0", "LBA"},
		{"3,R,0,512,1", "3,Z,0,512,1", `opcode "Z"`},
		{"3,R,0,512,1", "3,R,x,512,1", `offset "x"`},
		{"3,R,0,512,1", "3,R,0,x,1", `length "x"`},
		{"3,R,0,512,1", "3,R,0,512,x", `timestamp "x"`},
		{"3,R,0,512,1", "3,R,0,512", "4 fields: want 5, device_id"},
		{"1,0,8,0,7", "x,0,8,0,7", `timestamp "x"`},
		{"1,0,8,0,7", "1,x,8,0,7", `offset "x"`},
		{"1,0,8,0,7", "1,0,x,0,7", `size "x"`},
		{"1,0,8,0,7", "1,0,8,2,7", `type "2": want 0 (read) or 1 (write)`},
		{"1,0,8,0,7", "1,0,8,0", "4 fields: want 5, Timestamp"},
		{"1.0,0,R,4,0,512", "x,0,R,4,0,512", `time "x"`},
		{"1.0,0,R,4,0,512", "1.0,0,Z,4,0,512", `type "Z": want R, W or nothing`},
		{"1.0,0,R,4,0,512", "1.0,0,R,4,x,512", `offset "x"`},
		{"1.0,0,R,4,0,512", "1.0,0,R,4,0,x", `size "x"`},
		{"1.0,0,R,4,0,512", "1.0,0,R,4,0", "5 fields: want 6"},
		{"0.0 0 0 8 1", "x 0 0 8 1", `time "x": want a number`},
		{"0.0 0 0 8 1", "0.0 0 x 8 1", `address "x"`},
		{"0.0 0 0 8 1", "0.0 0 0 x 1", `size "x"`},
		{"0.0 0 0 8 1", "0.0 0 0 8 3", `flags "3": want 0 (write) or 1 (read)`},
		{"0.0 0 0 8 1", "0.0 0 0 8", "4 fields: want 5"},
	} {
		_, err := Describe(mustTrace(t, []byte(test.good+"\n"+test.good+"\n"+test.bad+"\n"+test.good+"\n"), Options{}))
		assert.ErrorContains(t, err, "row 3: "+test.want)
	}
}

// TestVSCSICommandsInFront: what moves no data hides no layout.
func TestVSCSICommandsInFront(t *testing.T) {
	for version := 1; version <= 2; version++ {
		var records []vscsiRecord
		for i := range 300 {
			records = append(records, vscsiRecord{cmd: 0x12, at: uint64(i)})
		}
		records = append(records, vscsiRecord{cmd: 0x2E, length: 512, at: 301})
		trace := mustTrace(t, encodeVSCSI(version, records), Options{})
		assert.Equal(t, FormatVSCSI, trace.Format())
		assert.Equal(t, []Request{{0, Write, 0, 512}}, all(t, trace))
		assert.Equal(t, []Count{{"SCSI command 12 (inquiry)", 300}}, trace.Findings().NotPlayed)
	}
	_, err := New("x", bytes.NewReader(bytes.Repeat([]byte{0x12, 0, 7, 9}, 100)), Options{})
	assert.ErrorContains(t, err, "no known layout")
}

// TestDecimal: times with a fraction.
func TestDecimal(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "1": 1e9, "1.5": 15e8, "0.000000001": 1, "0.0000000019": 1, "1455592511.099999905": 1455592511099999905, "18446744073.709551615": 1<<64 - 1,
	} {
		got, ok := decimal([]byte(text), 1e9)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "1.2.3", "nan", "inf", "18446744073.709551616", "18446744074", "1.5x"} {
		_, ok := decimal([]byte(text), 1e9)
		assert.False(t, ok, text)
	}
}
