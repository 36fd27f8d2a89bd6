package trace

import (
	"bytes"
	stdbzip2 "compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/iosrun/iosrun/emulator/machine"
)

func all(t *testing.T, s Source) []Request {
	t.Helper()
	var got []Request
	for {
		var q Request
		err := s.Next(&q)
		if err == io.EOF {
			return got
		}
		require.NoError(t, err)
		got = append(got, q)
	}
}

func gzipped(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zstded(t testing.TB, data []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	return w.EncodeAll(data, nil)
}

func bzipped(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w, err := bzip2.NewWriter(&b, nil)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func xzed(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

var packers = map[string]func(testing.TB, []byte) []byte{"gzip": gzipped, "zstd": zstded, "bzip2": bzipped, "xz": xzed}

type vscsiRecord struct {
	cmd      uint16
	length   uint32
	lbn, at  uint64
	response uint64
}

// encodeVSCSI lays the records out field by field as the two versions have them.
func encodeVSCSI(version int, records []vscsiRecord) []byte {
	var b []byte
	le := binary.LittleEndian
	for i, r := range records {
		ver := uint16(version<<8 | 7) // the lower byte means nothing
		if version == 1 {
			b = le.AppendUint32(b, uint32(i))
			b = le.AppendUint32(b, r.length)
			b = le.AppendUint32(b, 1)
			b = le.AppendUint16(b, r.cmd)
			b = le.AppendUint16(b, ver)
			b = le.AppendUint64(b, r.lbn)
			b = le.AppendUint64(b, r.at)
			continue
		}
		b = le.AppendUint16(b, r.cmd)
		b = le.AppendUint16(b, ver)
		b = le.AppendUint32(b, uint32(i))
		b = le.AppendUint32(b, r.length)
		b = le.AppendUint32(b, 1)
		b = le.AppendUint64(b, r.lbn)
		b = le.AppendUint64(b, r.at)
		b = le.AppendUint64(b, r.response)
	}
	return b
}

var scsiRecords = []vscsiRecord{
	{cmd: 0x28, length: 4096, lbn: 16, at: 5_629_871_279_906},
	{cmd: 0x2A, length: 512, lbn: 67_108_863, at: 5_629_871_279_906},
	{cmd: 0x35, lbn: 77, length: 512, at: 5_629_871_279_907},
	{cmd: 0x8A, length: 65536, lbn: 0, at: 5_629_872_279_906},
}

var scsiRequests = []Request{
	{0, Read, 8192, 4096},
	{0, Write, 34_359_737_856, 512},
	{1000, Flush, 0, 0},
	{machine.Second, Write, 0, 65536},
}

const eventRows = eventsHeader + `
100,read,8589869056,4096,-,219
100,write,0,512,fua,33
1000100,flush,0,0,-,76
1000101,trim,4096,121810944,-,1
1000101,zero,512,1024,-,
`

var eventRequests = []Request{
	{0, Read, 8589869056, 4096},
	{0, Write, 0, 512},
	{machine.Second, Flush, 0, 0},
	{machine.Second + machine.Microsecond, Trim, 4096, 121810944},
	{machine.Second + machine.Microsecond, Trim, 512, 1024},
}

// Windows file times, as in the published set: in nanoseconds they need 64 bits.
const msrRows = `128166372003061629,usr,0,Read,7014609920,24576,41286
128166372016382155,usr,0,Write,1317441536,8192,1963
128166372016382155,usr,0,Write,512,512,0
128166372026382155,usr,0,read,0,512,
`

var msrRequests = []Request{
	{0, Read, 7014609920, 24576},
	{1_332_052_600, Write, 1317441536, 8192},
	{1_332_052_600, Write, 512, 512},
	{2_332_052_600, Read, 0, 512},
}

func TestLayouts(t *testing.T) {
	tests := []struct {
		name   string
		data   []byte
		format Format
		want   []Request
	}{
		{"events", []byte(eventRows), FormatEvents, eventRequests},
		{"events with carriage returns", []byte(strings.ReplaceAll(eventRows, "\n", "\r\n")), FormatEvents, eventRequests},
		{"events with a byte order mark", []byte(byteOrderMark + eventRows), FormatEvents, eventRequests},
		{"events without the last line end", []byte(strings.TrimSuffix(eventRows, "\n")), FormatEvents, eventRequests},
		{"events with blank rows", []byte(strings.ReplaceAll(eventRows, "\n", "\n\n")), FormatEvents, eventRequests},
		{"events, header only", []byte(eventsHeader), FormatEvents, nil},
		{"msr", []byte(msrRows), FormatMSR, msrRequests},
		{"vscsi 1", encodeVSCSI(1, scsiRecords), FormatVSCSI, scsiRequests},
		{"vscsi 2", encodeVSCSI(2, scsiRecords), FormatVSCSI, scsiRequests},
	}
	for _, test := range tests {
		packings := map[string][]byte{
			"plain": test.data, "gzip": gzipped(t, test.data), "zstd": zstded(t, test.data),
			"bzip2": bzipped(t, test.data), "xz": xzed(t, test.data),
		}
		for name, pack := range packers {
			packings["two "+name+" members"] = append(pack(t, test.data[:len(test.data)/2]), pack(t, test.data[len(test.data)/2:])...)
		}
		for packing, data := range packings {
			for _, format := range []Format{FormatAuto, test.format} {
				t.Run(fmt.Sprintf("%s/%s/%q", test.name, packing, format), func(t *testing.T) {
					trace, err := New("x", bytes.NewReader(data), Options{Format: format})
					require.NoError(t, err)
					assert.Equal(t, test.format, trace.Format())
					assert.Equal(t, test.want, all(t, trace))
					assert.EqualValues(t, len(test.want), trace.Requests())
					assert.Equal(t, io.EOF, trace.Next(new(Request)), "the end stays the end")
					done, _ := trace.Progress()
					assert.EqualValues(t, len(data), done)
				})
			}
		}
	}
}

func TestBadRows(t *testing.T) {
	const ok = "7,read,0,512,-,1"
	event := func(row string) string { return eventsHeader + "\n" + ok + "\n" + row + "\n" + "9,write,512,512,-,1\n" }
	msrRow := func(row string) string { return "7,a,0,Read,0,512,1\n\n" + row + "\n9,a,0,Write,512,512,1\n" }
	record := func(change func(*vscsiRecord)) string {
		r := []vscsiRecord{{0x28, 512, 0, 7, 0}, {0x28, 512, 0, 8, 0}, {0x2A, 512, 1, 9, 0}}
		change(&r[1])
		return string(encodeVSCSI(2, r))
	}
	tests := []struct{ name, data, want string }{
		{"few fields", event("8,read,0,512,-"), "row 3: 5 fields: want 6"},
		{"many fields", event("8,read,0,512,-,1,,,,"), "row 3: 10 fields: want 6"},
		{"op", event("8,erase,0,512,-,1"), `row 3: op "erase": want read, write, flush, trim or zero`},
		{"time", event("8.5,read,0,512,-,1"), `row 3: time "8.5": want a whole number`},
		{"no time", event(",read,0,512,-,1"), `row 3: time "": want a whole number`},
		{"long value", event(strings.Repeat("z", 3000) + ",read,0,512,-,1"), `time "` + strings.Repeat("z", shownBytes) + `": want`},
		{"negative offset", event("8,read,-512,512,-,1"), `row 3: offset "-512": want a whole number from 0`},
		{"negative length", event("8,read,512,-512,-,1"), `row 3: length "-512": want a whole number from 0`},
		{"20 digits too many", event("8,read,18446744073709551616,512,-,1"), `offset "18446744073709551616": want`},
		{"offset off the sector", event("8,read,513,512,-,1"), "row 3: offset 513 is not a multiple of 512"},
		{"length off the sector", event("8,read,512,513,-,1"), "row 3: length 513 is not a multiple of 512"},
		{"length 0", event("8,read,512,0,-,1"), "row 3: length 0 of a read: want at least 512"},
		{"trim of 0", event("8,trim,512,0,-,1"), "row 3: length 0 of a trim"},
		{"long write", event("8,write,512,67109376,-,1"), "row 3: length 67109376 of a write: want at most 67108864"},
		{"flush of a range", event("8,flush,0,512,-,1"), "row 3: flush with offset 0 and length 512: want 0 and 0"},
		{"beyond the volume", event("8,read,1048064,1024,-,1"), "row 3: offset 1048064 with length 1024 ends at 1049088, beyond the volume of 1048576 bytes"},
		{"wraps", event("8,read,18446744073709551104,512,-,1"), "want an end of at most 9223372036854775807"},
		{"trim that wraps", event("8,trim,512,18446744073709551104,-,1"), "want an end of at most 9223372036854775807"},
		{"back in time", "us,op,offset,length,flags,response_us\n20007,read,0,512,-,1\n6,read,0,512,-,1\n20009,write,512,512,-,1\n", "row 3: time 6 is 20.001ms before 20007, the latest of the rows above"},
		{"far future", event("31622400000008,read,0,512,-,1"), "units of 1000 ns after the first: want at most 366 days"},
		{"time that overflows", event("18446744073709551615,read,0,512,-,1"), "want at most 366 days"},
		{"long row", event(strings.Repeat("x", 3*readBuffer)), "row 3: is longer than the limit of 4096 bytes a row"},
		{"row just too long", event(strings.Repeat("x", MaxLine)), "row 3: is longer than the limit"},
		{"nul bytes", event("8,re\x00d,0,512,-,1"), `row 3: op "re\x00d"`},

		{"msr few fields", msrRow("8,a,0,Read,0,512"), "row 3: 6 fields: want 7, Timestamp,Hostname"},
		{"msr timestamp", msrRow("x,a,0,Read,0,512,1"), `row 3: timestamp "x"`},
		{"msr type", msrRow("8,a,0,Trim,0,512,1"), `row 3: type "Trim": want Read or Write`},
		{"msr offset", msrRow("8,a,0,Read,-1,512,1"), `row 3: offset "-1"`},
		{"msr size", msrRow("8,a,0,Read,0,5k,1"), `row 3: size "5k"`},
		{"msr other disk", msrRow("8,a,1,Read,0,512,1"), `row 3: host and disk "a,1": want "a,0"`},
		{"msr back in time", "200007,a,0,Read,0,512,1\n\n6,a,0,Read,0,512,1\n200009,a,0,Write,512,512,1\n", "row 3: time 6 is 20.0001ms before 200007"},

		{"vscsi command", record(func(r *vscsiRecord) { r.cmd = 0x142 }), "row 2: command 0x142: want a SCSI operation code"},
		{"vscsi sector", record(func(r *vscsiRecord) { r.lbn = 1 << 60 }), "row 2: sector 1152921504606846976: want at most 18014398509481983"},
		{"vscsi length", record(func(r *vscsiRecord) { r.length = 100 }), "row 2: length 100 is not a multiple of 512"},
		{"vscsi back in time", string(encodeVSCSI(2, []vscsiRecord{{0x28, 512, 0, 20007, 0}, {0x28, 512, 0, 1, 0}, {0x2A, 512, 1, 20009, 0}})), "row 2: time 1 is 20.006ms before 20007"},
		{"vscsi version", strings.Replace(record(func(*vscsiRecord) {}), "\x28\x00\x07\x02\x01", "\x28\x00\x07\x03\x01", 1), "row 2: version 3: want 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			options := Options{VolumeBytes: 1 << 20}
			trace, err := New("some.trace", strings.NewReader(test.data), options)
			require.NoError(t, err)
			var q Request
			require.NoError(t, trace.Next(&q))
			err = trace.Next(&q)
			var row *RowError
			require.ErrorAs(t, err, &row)
			assert.Contains(t, err.Error(), test.want)
			assert.True(t, strings.HasPrefix(err.Error(), "trace some.trace row "), err.Error())
			assert.Less(t, len(err.Error()), 400)
			assert.Equal(t, err, trace.Next(&q), "the error stays")

			options.SkipBad = 1
			trace, err = New("some.trace", strings.NewReader(test.data), options)
			require.NoError(t, err)
			got := all(t, trace)
			require.Len(t, got, 2)
			assert.Equal(t, Write, got[1].Op)
			n, first := trace.Bad()
			assert.EqualValues(t, 1, n)
			assert.ErrorContains(t, first, test.want)
		})
	}
}

func TestSkipBadIsBounded(t *testing.T) {
	data := eventsHeader + "\n1,read,0,512,-,1\nx\n2,read,0,512,-,1\ny\nz\n"
	trace, err := New("f", strings.NewReader(data), Options{SkipBad: 2})
	require.NoError(t, err)
	var q Request
	require.NoError(t, trace.Next(&q))
	require.NoError(t, trace.Next(&q))
	err = trace.Next(&q)
	var row *RowError
	require.ErrorAs(t, err, &row)
	assert.EqualValues(t, 6, row.Row)
	assert.EqualError(t, err, `trace f row 6: 1 fields: want 6, us,op,offset,length,flags,response_us (after 2 bad rows that were skipped, the most allowed)`)
}

func TestCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("reads or makes much, on one goroutine")
	}
	var rows strings.Builder
	rows.WriteString(eventsHeader + "\n")
	for i := range 20000 {
		fmt.Fprintf(&rows, "%d,read,%d,512,-,%d\n", i*3, i*7919%100003*512, i)
	}
	for name, pack := range packers {
		t.Run(name, func(t *testing.T) {
			whole := pack(t, []byte(rows.String()))
			for _, cut := range []int{5, len(whole) / 2, len(whole) - 1} {
				// Tolerance is for rows: damaged packing always ends the trace.
				err := readAll(whole[:cut], Options{SkipBad: 1 << 40})
				if name == "bzip2" && errors.As(err, new(stdbzip2.StructuralError)) {
					continue // its unpacker takes the missing end for a wrong checksum
				}
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "cut at %d", cut)
				assert.Contains(t, err.Error(), name+" data is cut off: want a whole "+name+" file")
			}
			damaged := bytes.Clone(whole)
			damaged[len(damaged)/2] ^= 0x10
			err := readAll(damaged, Options{SkipBad: 1 << 40})
			require.Error(t, err)
			assert.Contains(t, err.Error(), name+" data is damaged")
		})
	}
	t.Run("vscsi", func(t *testing.T) {
		whole := encodeVSCSI(1, scsiRecords)
		err := readAll(whole[:3*32+31], Options{})
		assert.EqualError(t, err, "trace x row 4: record of 31 bytes is cut off: want 32 bytes in version 1")
		assert.NoError(t, readAll(whole[:3*32+31], Options{SkipBad: 1}))
	})
	t.Run("failing disk", func(t *testing.T) {
		broken := errors.New("input/output error")
		trace, err := New("x", io.MultiReader(strings.NewReader(eventRows), failing{broken}), Options{})
		require.NoError(t, err)
		_, err = Describe(trace)
		require.ErrorIs(t, err, broken)
		assert.EqualError(t, err, "trace x after row 6: reading: input/output error")
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func readAll(data []byte, options Options) error {
	trace, err := New("x", bytes.NewReader(data), options)
	if err != nil {
		return err
	}
	if _, err := Describe(trace); err != nil {
		return err
	}
	return trace.Close()
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	put := func(name, data string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(data), 0o600))
		return path
	}
	tests := []struct {
		path    string
		options Options
		want    string
	}{
		{filepath.Join(dir, "none"), Options{}, "none: no such file or directory"},
		{dir, Options{}, "is a folder: want a file or a pipe"},
		{put("empty", ""), Options{}, "empty: is empty: want at least a header or one request"},
		{put("packed-empty", string(gzipped(t, nil))), Options{}, "is empty"},
		{put("text", "hello world\n"), Options{}, `begins with "hello world\n", which is no known layout: want events, msr, vscsi, spc`},
		{put("headless", "1,read,0,512,-,1\n"), Options{}, "looks like events without its first row us,op,offset"},
		{put("xz", "\xFD7zXZ\x00\x00"), Options{}, "xz data is cut off"},
		{put("zip", "PK\x03\x04rest"), Options{}, "is a zip archive: unpack it first; gzip, zstd, bzip2 and xz are read"},
		{put("lz4", "\x04\x22\x4D\x18rest"), Options{}, "is lz4 data: unpack it first"},
		{put("blktrace", "\x07taerest"), Options{}, "is blktrace's binary output: print it as text with blkparse"},
		{put("utf16", "\xFF\xFEu\x00s\x00"), Options{}, "is UTF-16 text: convert it to UTF-8 first"},
		{put("zeros", strings.Repeat("\x00", 9000)), Options{}, "which is no known layout"},
		{"/dev/zero", Options{}, "trace /dev/zero: is a device: want a file or a pipe"},
		{put("gz", "\x1F\x8B\x08"), Options{}, "gzip data is cut off"},
		{put("named", msrRows), Options{Format: "blktrace"}, `trace format "blktrace": want auto, events, msr, vscsi, spc, alibaba, tencent, systor, disksim, mqsim, iolog2, iolog3 or blkparse`},
		{put("skip", msrRows), Options{SkipBad: -1}, "skip bad -1 rows: want 0 or more"},
		{put("volume", msrRows), Options{VolumeBytes: -1}, "volume of -1 bytes: want 0 or more"},
	}
	for _, test := range tests {
		trace, err := Open(test.path, test.options)
		require.Error(t, err, test.want)
		assert.Nil(t, trace)
		assert.ErrorContains(t, err, test.want)
		assert.Equal(t, 1, strings.Count(err.Error(), test.path), err)
	}
}

func TestNamedFormatThatIsNot(t *testing.T) {
	for _, test := range []struct {
		format Format
		data   string
		want   string
	}{
		{FormatEvents, msrRows, "row 1: header \"128166372003061629,usr,0,Read,7014609920\": want us,op,"},
		{FormatMSR, eventRows, "row 1: 6 fields: want 7"},
		{FormatVSCSI, eventRows, "row 1: version "},
	} {
		err := readAll([]byte(test.data), Options{Format: test.format})
		assert.ErrorContains(t, err, test.want)
	}
}

func TestCloseReleasesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.gz")
	require.NoError(t, os.WriteFile(path, gzipped(t, []byte(eventRows)), 0o600))
	trace, err := Open(path, Options{})
	require.NoError(t, err)
	done, total := trace.Progress()
	assert.Equal(t, total, done, "a small file is in the buffer at once")
	require.NoError(t, trace.Close())
	require.NoError(t, trace.Close())
	assert.ErrorIs(t, trace.Next(new(Request)), os.ErrClosed)
	assert.ErrorIs(t, trace.file.r.(*os.File).Close(), os.ErrClosed, "closed already")
}

// recordings is where the traces are that are not part of the project.
func recordings(t testing.TB, name string) string {
	dir := os.Getenv("IOSRUN_TRACES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "traces")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the recording %s is absent: set IOSRUN_TRACES to the folder that has it", name)
	}
	return path
}

func TestRecordings(t *testing.T) {
	tests := []struct {
		file                          string
		format                        Format
		reads, writes, flushes, trims int64
		readBytes, writeBytes, end    int64
		seconds                       float64
	}{
		{"build.events.csv.gz", FormatEvents, 16207, 40104, 19124, 9782, 1013789696, 1330364416, 8589934592, 133.725},
		{"pgbench.events.csv.gz", FormatEvents, 38002, 60343, 20874, 0, 347616256, 854605824, 8589934592, 97.978},
		{"pgbench.msr.csv.gz", FormatMSR, 38002, 60343, 0, 0, 347616256, 854605824, 8589934592, 97.977},
		{"redis.events.csv.gz", FormatEvents, 1003, 1060, 264, 0, 122713088, 317034496, 8589934592, 71.104},
		{"redis.msr.csv.gz", FormatMSR, 1003, 1060, 0, 0, 122713088, 317034496, 8589934592, 71.103},
		{"cloudphysics.vscsi.gz", FormatVSCSI, 46974, 66898, 0, 0, 1797412352, 2408565760, 33584938496, 7200.09},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			trace, err := Open(recordings(t, test.file), Options{VolumeBytes: test.end})
			require.NoError(t, err)
			defer func() { assert.NoError(t, trace.Close()) }()
			assert.Equal(t, test.format, trace.Format())
			d, err := Describe(trace)
			require.NoError(t, err)
			assert.Equal(t, test.reads, d.Reads.Count)
			assert.Equal(t, test.writes, d.Writes.Count)
			assert.Equal(t, test.flushes, d.Flushes.Count)
			assert.Equal(t, test.trims, d.Trims.Count)
			assert.Equal(t, test.readBytes, d.Reads.Bytes)
			assert.Equal(t, test.writeBytes, d.Writes.Bytes)
			assert.Equal(t, test.end, d.MaxAddress)
			assert.InDelta(t, test.seconds, d.Span.Duration().Seconds(), 0.001)
			done, total := trace.Progress()
			assert.Equal(t, total, done)

			small, err := Open(recordings(t, test.file), Options{VolumeBytes: test.end - 512})
			require.NoError(t, err)
			_, err = Describe(small)
			assert.ErrorContains(t, err, "beyond the volume")
			require.NoError(t, small.Close())
		})
	}
}

func TestBundled(t *testing.T) {
	assert.Equal(t, []string{"pgbench", "redis"}, BundledNames())
	for name, want := range map[string]int64{"pgbench": 119219, "redis": 2327} {
		trace, err := Bundled(name, Options{})
		require.NoError(t, err)
		d, err := Describe(trace)
		require.NoError(t, err)
		assert.Equal(t, want, d.Requests)
		assert.Equal(t, int64(8589934592), d.MaxAddress)
		done, total := trace.Progress()
		assert.Equal(t, total, done)
		require.NoError(t, trace.Close())
	}
	for _, name := range []string{"", "none", "../traces/redis", "x/redis"} {
		_, err := Bundled(name, Options{})
		assert.ErrorContains(t, err, "want pgbench or redis", name)
	}
}

func TestParseFormat(t *testing.T) {
	for name, want := range map[string]Format{"": FormatAuto, "auto": FormatAuto, "msr": FormatMSR, "events": FormatEvents, "vscsi": FormatVSCSI} {
		got, err := ParseFormat(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := ParseFormat("vcsi")
	assert.EqualError(t, err, `trace format "vcsi": want auto, events, msr, vscsi, spc, alibaba, tencent, systor, disksim, mqsim, iolog2, iolog3 or blkparse; did you mean "vscsi"?`)
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "18446744073709551615": 1<<64 - 1, "00000000000000000012": 12, "18446744073709551609": 1<<64 - 7} {
		got, ok := number([]byte(text))
		assert.True(t, ok, text)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"", " 1", "1 ", "+1", "-1", "0x1", "18446744073709551616", "99999999999999999999", "100000000000000000000", "1e3"} {
		_, ok := number([]byte(text))
		assert.False(t, ok, text)
	}
}
