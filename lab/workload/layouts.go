package workload

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

// Format names the layout of a trace.
type Format string

// The layouts. FormatAuto has the layout found from the first rows.
const (
	FormatAuto   Format = ""
	FormatEvents Format = "events" // us,op,offset,length,flags,response_us, with a header
	FormatMSR    Format = "msr"    // MSR Cambridge CSV, no header
	FormatVSCSI  Format = "vscsi"  // VMware vscsiStats binary, version 1 or 2
)

// raw is a row as it stands in the file: its time in the layout's own unit from
// the layout's own origin, its place in bytes, nothing checked but the syntax.
type raw struct {
	at     uint64
	offset uint64
	length uint64
	op     Op
}

// A decoder reads the rows of one layout.
type decoder interface {
	// read takes the next row. A problem spoils this row alone, and reading
	// may go on; io.EOF is the end; any other error ends the trace.
	read(*raw) error
	// rowNumber is the number of the row read last, from 1: the line of a text
	// file, header and blank lines counted, or the record of a binary one.
	rowNumber() int64
}

// problem is what is wrong with one row.
type problem string

func (p problem) Error() string { return string(p) }

// layout is one row of the table of layouts.
type layout struct {
	format Format
	name   string
	tick   uint64 // nanoseconds in the unit of time
	// matches says whether head, the first bytes of a trace, is in the layout.
	matches func(head []byte) bool
	open    func(r *bufio.Reader, head []byte) decoder
}

func layouts() []layout {
	return []layout{
		{FormatEvents, "recorded events (CSV whose first row is " + eventsHeader + ")", 1000, matchEvents, openEvents},
		{FormatMSR, "MSR Cambridge (CSV without header, Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime)", 100, matchMSR, openMSR},
		{FormatVSCSI, "VMware vscsi (binary, version 1 or 2)", 1000, matchVSCSI, openVSCSI},
	}
}

// ParseFormat gives the format of that name; "" and "auto" are FormatAuto.
func ParseFormat(name string) (Format, error) {
	if name == "" || name == "auto" {
		return FormatAuto, nil
	}
	known := []string{"auto"}
	for _, l := range layouts() {
		if string(l.format) == name {
			return l.format, nil
		}
		known = append(known, string(l.format))
	}
	return "", fmt.Errorf("trace format %q: want %s", name, oneOf(known))
}

// findLayout picks the layout that was named or else the one that head is in.
func findLayout(format Format, head []byte) (layout, error) {
	all := layouts()
	names := make([]string, 0, len(all))
	for _, l := range all {
		if format == l.format || format == FormatAuto && l.matches(head) {
			return l, nil
		}
		names = append(names, l.name)
	}
	if format != FormatAuto {
		_, err := ParseFormat(string(format))
		return layout{}, err
	}
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return layout{}, fmt.Errorf("is %s data: unpack it first; plain, gzip and zstd are read", f.name)
		}
	}
	return layout{}, fmt.Errorf("begins with %q, which is no known layout: want %s", shown(head), oneOf(names))
}

// foreign lists containers that are told from damage but not read.
var foreign = [...]struct{ magic, name string }{
	{"\xFD7zXZ\x00", "xz"},
	{"BZh", "bzip2"},
	{"PK\x03\x04", "zip"},
	{"\x04\x22\x4D\x18", "lz4"},
}

func oneOf(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// anyRow says whether match holds for one of the first rows of a text trace.
func anyRow(head []byte, match func(fields *[maxFields][]byte, n int) bool) bool {
	var fields [maxFields][]byte
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		if n := split(trimEnd(line), &fields); match(&fields, n) {
			return true
		}
		head = rest
	}
	return false
}
