package trace

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// vscsiVersion has the size of a vscsi record and the offsets of its fields. Records
// are little-endian; the version is the upper byte of the field ver.
type vscsiVersion struct {
	size                      int // bytes in a record
	length, cmd, ver, lbn, at int // offsets in a record
}

// vscsiVersions has the version number as its index.
var vscsiVersions = [...]vscsiVersion{
	1: {size: 32, length: 4, cmd: 12, ver: 14, lbn: 16, at: 24},
	2: {size: 40, cmd: 0, ver: 2, length: 8, lbn: 16, at: 24},
}

// vscsiCommand returns the operation of the SCSI operation codes (SBC-4) whose
// records have the range of the command's data in lbn and len: the reads and writes
// of 6, 10, 12 and 16 bytes, write and verify, and both forms of synchronise cache.
func vscsiCommand(cmd uint16) (Op, bool) {
	switch cmd {
	case 0x08, 0x28, 0xA8, 0x88:
		return Read, true
	case 0x0A, 0x2A, 0xAA, 0x8A, 0x2E, 0xAE, 0x8E:
		return Write, true
	case 0x35, 0x91:
		return Flush, true
	}
	return 0, false
}

// scsiNames are the names of further operation codes (SPC-5, SBC-4).
var scsiNames = map[byte]string{
	0x00: "test unit ready", 0x03: "request sense", 0x04: "format unit", 0x07: "reassign blocks", 0x12: "inquiry",
	0x15: "mode select", 0x16: "reserve", 0x17: "release", 0x1A: "mode sense", 0x1B: "start stop unit",
	0x1D: "send diagnostic", 0x1E: "prevent allow medium removal", 0x25: "read capacity", 0x2F: "verify",
	0x34: "pre-fetch", 0x41: "write same", 0x42: "unmap", 0x4D: "log sense", 0x55: "mode select", 0x56: "reserve",
	0x57: "release", 0x5A: "mode sense", 0x5E: "persistent reserve in", 0x5F: "persistent reserve out",
	0x83: "extended copy", 0x84: "receive copy results", 0x89: "compare and write", 0x8F: "verify", 0x93: "write same",
	0x9E: "service action in", 0x9F: "service action out", 0xA0: "report LUNs", 0xA3: "maintenance in",
	0xA4: "maintenance out", 0xAF: "verify",
}

// vscsiOthers has an error for each operation code that is not played.
func vscsiOthers() *[256]error {
	var all [256]error
	for cmd := range all {
		name := fmt.Sprintf("SCSI command %02x", cmd)
		if known, ok := scsiNames[byte(cmd)]; ok {
			name += " (" + known + ")"
		}
		all[cmd] = notPlayed(name)
	}
	return &all
}

// vscsiFind returns the version of most of the first records, and their number, or
// 0.
func vscsiFind(head []byte) (version, records int) {
	for n := 1; n < len(vscsiVersions); n++ {
		v, found := &vscsiVersions[n], 0
		for at := 0; at+v.size <= len(head); at += v.size {
			record := head[at:]
			if int(record[v.ver+1]) == n && record[v.cmd+1] == 0 {
				found++
			}
		}
		if found > records {
			version, records = n, found
		}
	}
	return version, records
}

func matchVSCSI(head []byte) int {
	version, n := vscsiFind(head)
	// A single matching byte by chance is not enough.
	if version != 0 && 2*n < len(head)/vscsiVersions[version].size {
		return 0
	}
	return n
}

type vscsi struct {
	oneDevice
	r       *bufio.Reader
	v       vscsiVersion
	version int
	row     int64
	others  *[256]error
}

func openVSCSI(o opening) decoder {
	// When no record shows the version, version 1 is assumed, and reading the rows
	// reports the errors.
	version, _ := vscsiFind(o.head)
	version = max(version, 1)
	return &vscsi{r: o.r, v: vscsiVersions[version], version: version, others: vscsiOthers()}
}

func (d *vscsi) rowNumber() int64 { return d.row }

// cutOff always returns false: read itself reports a cut-off record.
func (d *vscsi) cutOff() bool { return false }

func (d *vscsi) read(q *raw) error {
	record, err := d.r.Peek(d.v.size)
	if err != nil {
		if err != io.EOF || len(record) == 0 {
			return err
		}
		d.row++
		have := len(record)
		if _, err := d.r.Discard(have); err != nil {
			return err
		}
		return problem(fmt.Sprintf("record of %d bytes is cut off: want %d bytes in version %d", have, d.v.size, d.version))
	}
	d.row++
	le := binary.LittleEndian
	cmd, ver := le.Uint16(record[d.v.cmd:]), le.Uint16(record[d.v.ver:])
	length, lbn := le.Uint32(record[d.v.length:]), le.Uint64(record[d.v.lbn:])
	q.at = le.Uint64(record[d.v.at:])
	if _, err := d.r.Discard(d.v.size); err != nil {
		return err
	}
	if int(ver>>8) != d.version {
		return problem(fmt.Sprintf("version %d: want %d in the upper byte of field ver", ver>>8, d.version))
	}
	if cmd >= uint16(len(d.others)) {
		return problem(fmt.Sprintf("command %#x: want a SCSI operation code, of one byte", cmd))
	}
	var moves bool
	if q.op, moves = vscsiCommand(cmd); !moves {
		return d.others[cmd]
	}
	if q.op == Flush {
		q.offset, q.length = 0, 0
		return nil
	}
	if lbn > maxOffset/SectorBytes {
		return problem(fmt.Sprintf("sector %d: want at most %d", lbn, uint64(maxOffset/SectorBytes)))
	}
	q.offset, q.length = lbn*SectorBytes, uint64(length)
	return nil
}
