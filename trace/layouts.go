package trace

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/names/suggest"
)

// Format names the layout of a trace.
type Format string

// The layouts. FormatAuto means that the layout is found from the first rows.
const (
	FormatAuto     Format = ""
	FormatEvents   Format = "events"   // us,op,offset,length,flags,response_us, with a header
	FormatMSR      Format = "msr"      // MSR Cambridge CSV, no header
	FormatVSCSI    Format = "vscsi"    // VMware vscsiStats binary, version 1 or 2
	FormatSPC      Format = "spc"      // Storage Performance Council ASCII
	FormatAlibaba  Format = "alibaba"  // Alibaba cloud block storage CSV
	FormatTencent  Format = "tencent"  // Tencent cloud block storage CSV
	FormatSystor   Format = "systor"   // SYSTOR '17 virtual desktop CSV, with a header
	FormatDiskSim  Format = "disksim"  // DiskSim ASCII, times in milliseconds
	FormatMQSim    Format = "mqsim"    // MQSim ASCII: DiskSim's columns, times in nanoseconds
	FormatIOLog2   Format = "iolog2"   // fio I/O log, version 2
	FormatIOLog3   Format = "iolog3"   // fio I/O log, version 3
	FormatBlkparse Format = "blkparse" // blkparse's default output
)

// raw is a row as the file has it: its time in ticks of the layout, counted from the
// layout's own origin, its offset and length in bytes. Only the syntax has been
// checked.
type raw struct {
	at     uint64
	offset uint64
	length uint64
	row    int64
	op     Op
}

// A decoder reads the rows of one layout.
type decoder interface {
	// read reads the next row. An error of type problem is about this row alone, and
	// reading may go on, as it may after notPlayed; io.EOF is the end; any other error
	// ends the trace.
	read(*raw) error
	// rowNumber returns the number of the row read last, from 1: the line of a text
	// file, header and blank lines counted, or the record of a binary one.
	rowNumber() int64
	// cutOff reports whether the file ends within the row read last.
	cutOff() bool
	// device returns the name of the device of the row read last, or nil when the
	// layout has none. It is valid until the next row is read.
	device() []byte
}

// problem is an error about one row.
type problem string

func (p problem) Error() string { return string(p) }

// notPlayed is the name of a valid command that is not played.
type notPlayed string

func (n notPlayed) Error() string { return string(n) + " is not played" }

// oneDevice is a decoder of a layout without devices.
type oneDevice struct{}

func (oneDevice) device() []byte { return nil }

// opening holds the arguments for making a decoder.
type opening struct {
	r *bufio.Reader
	// head holds the first bytes, without a byte order mark.
	head []byte
	// unit is the number of nanoseconds in the unit of time.
	unit uint64
}

// The times by which rows can be late although the trace is valid: because several
// processors write them, because they are written when a request ends, or because
// times are in seconds.
const (
	lateByProcessors = 10 * machine.Millisecond
	lateByCompletion = 60 * machine.Second
)

// layout is one row of the table of layouts.
type layout struct {
	format Format
	unit   time.Duration // unit of time
	// fraction says that times have a decimal fraction: the decoder's ticks are
	// nanoseconds. Otherwise they are units.
	fraction bool
	// late is the longest time by which a row may be late.
	late machine.Time
	// devices is the layout's word for the devices of its rows, empty when it has
	// none.
	devices string
	// matches returns the number of first rows that are in the layout.
	matches func(head []byte) int
	open    func(opening) decoder
}

func layouts() []layout {
	return []layout{
		{FormatEvents, time.Microsecond, false, lateByProcessors, "", events.matches, events.open},
		{FormatMSR, 100, false, lateByProcessors, "host and disk", msr.matches, msr.open},
		{FormatVSCSI, time.Microsecond, false, lateByProcessors, "", matchVSCSI, openVSCSI},
		{FormatSPC, time.Second, true, lateByProcessors, "ASU", spc.matches, spc.open},
		{FormatAlibaba, time.Microsecond, false, lateByProcessors, "device", alibaba.matches, alibaba.open},
		{FormatTencent, time.Second, false, lateByCompletion, "volume", tencent.matches, tencent.open},
		{FormatSystor, time.Second, true, lateByCompletion, "LUN", systor.matches, systor.open},
		{FormatDiskSim, time.Millisecond, true, lateByProcessors, "device", diskSim.matches, diskSim.open},
		{FormatMQSim, time.Nanosecond, false, lateByProcessors, "device", mqSim.matches, mqSim.open},
		{FormatIOLog2, time.Microsecond, false, lateByProcessors, "file", header(ioLog2Header), openIOLog},
		{FormatIOLog3, time.Microsecond, false, lateByProcessors, "file", header(ioLog3Header), openIOLog},
		{FormatBlkparse, time.Second, true, lateByProcessors, "device", rows(blanks, matchBlkparse), openBlkparse},
	}
}

// Formats returns the names of the layouts.
func Formats() []string {
	var names []string
	for _, l := range layouts() {
		names = append(names, string(l.format))
	}
	return names
}

// ParseFormat returns the format of that name; "" and "auto" are FormatAuto. The
// error lists the names.
func ParseFormat(name string) (Format, error) {
	if name == "" || name == "auto" {
		return FormatAuto, nil
	}
	known := append([]string{"auto"}, Formats()...)
	for _, k := range known {
		if k == name {
			return Format(k), nil
		}
	}
	return "", fmt.Errorf("trace format %q: want %s%s", name, oneOf(known), suggest.DidYouMean(name, known))
}

// findLayout returns the layout that was named, or else the one that most of the
// first rows are in.
func findLayout(format Format, head []byte) (layout, error) {
	all := layouts()
	var best layout
	most := 0
	for _, l := range all {
		if format == l.format {
			return l, nil
		}
		if format == FormatAuto {
			if n := l.matches(head); n > most {
				best, most = l, n
			}
		}
	}
	switch {
	case format != FormatAuto:
		_, err := ParseFormat(string(format))
		return layout{}, err
	case most > 0:
		return best, nil
	}
	for _, f := range foreign {
		if len(head) >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			return layout{}, fmt.Errorf("is %s: %s", f.name, f.want)
		}
	}
	like := ""
	if rows(commas, events.match)(head) > 0 {
		like = "; it looks like events without its first row " + eventsHeader
	}
	return layout{}, fmt.Errorf("begins with %q, which is no known layout: want %s%s", shown(head), strings.Join(Formats(), ", "), like)
}

// foreign lists known formats that are not read, so that they are not reported as
// damage.
var foreign = [...]struct {
	at                int
	magic, name, want string
}{
	{0, "PK\x03\x04", "a zip archive", "unpack it first; gzip, zstd, bzip2 and xz are read"},
	{0, "\x04\x22\x4D\x18", "lz4 data", "unpack it first; gzip, zstd, bzip2 and xz are read"},
	{0, "7z\xBC\xAF\x27\x1C", "a 7-Zip archive", "unpack it first; gzip, zstd, bzip2 and xz are read"},
	{0, "\x1F\x9D", "compress (.Z) data", "unpack it first; gzip, zstd, bzip2 and xz are read"},
	{257, "ustar", "a tar archive", "take the trace out of it first (tar -xOf)"},
	{0, "PAR1", "a Parquet file", "export it as CSV in one of the layouts"},
	{0, "SQLite format 3\x00", "an SQLite database", "export it as CSV in one of the layouts"},
	{1, "\x74\x61\x65", "blktrace's binary output", "print it as text with blkparse"},
	{0, "\x65\x61\x74", "blktrace's binary output of a big-endian machine", "print it as text with blkparse"},
	{0, "\xFF\xFE", "UTF-16 text", "convert it to UTF-8 first"},
	{0, "\xFE\xFF", "UTF-16 text", "convert it to UTF-8 first"},
}

func oneOf(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// headerRows is the number of rows that a matching header counts for, against
// layouts without one.
const headerRows = 1 << 20

// header matches a layout that begins with a row of its own.
func header(text string) func([]byte) int {
	return func(head []byte) int {
		line, _, _ := bytes.Cut(head, []byte{lineEnd(head)})
		if string(bytes.TrimRight(line, " \t\r")) == text {
			return headerRows
		}
		return 0
	}
}

// rows matches a layout without a header: it counts the first rows of a text that
// are in it. The last one may be cut off by the end of head.
func rows(cut func([]byte, *[maxFields][]byte) int, match func(f *[maxFields][]byte, n int) bool) func([]byte) int {
	return func(head []byte) int {
		var fields [maxFields][]byte
		found, end := 0, []byte{lineEnd(head)}
		for len(head) > 0 {
			line, rest, _ := bytes.Cut(head, end)
			if n := cut(trimEnd(line), &fields); match(&fields, n) {
				found++
			}
			head = rest
		}
		return found
	}
}

// isNumber reports whether a field is a whole number.
func isNumber(field []byte) bool {
	_, ok := number(field)
	return ok
}

// isDecimal reports whether a field is a number with or without a fraction.
func isDecimal(field []byte) bool {
	_, ok := decimal(field, 1)
	return ok
}
