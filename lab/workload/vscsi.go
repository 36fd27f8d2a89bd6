package workload

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// vscsiVersion is where the fields of a vscsi record are. Records are
// little-endian; the version is the upper byte of the field ver.
type vscsiVersion struct {
	size                      int // bytes in a record
	length, cmd, ver, lbn, at int // offsets in it
}

// vscsiVersions has the version number as its index.
var vscsiVersions = [...]vscsiVersion{
	1: {size: 32, length: 4, cmd: 12, ver: 14, lbn: 16, at: 24},
	2: {size: 40, cmd: 0, ver: 2, length: 8, lbn: 16, at: 24},
}

// vscsiCommand tells the SCSI operation codes (SBC-4) that have one range in
// lbn and len: the 6, 10, 12 and 16 byte reads and writes, and both forms of
// synchronise cache.
func vscsiCommand(cmd uint16) (Op, bool) {
	switch cmd {
	case 0x08, 0x28, 0xA8, 0x88:
		return Read, true
	case 0x0A, 0x2A, 0xAA, 0x8A:
		return Write, true
	case 0x35, 0x91:
		return Flush, true
	}
	return 0, false
}

// vscsiProbe is how many records are looked at to find the version.
const vscsiProbe = 8

// vscsiFind is the version that most of the first records are in, or 0.
func vscsiFind(head []byte) int {
	best, most := 0, 0
	for version := 1; version < len(vscsiVersions); version++ {
		v, found := &vscsiVersions[version], 0
		for i := 0; i < vscsiProbe && (i+1)*v.size <= len(head); i++ {
			record := head[i*v.size:]
			_, known := vscsiCommand(binary.LittleEndian.Uint16(record[v.cmd:]))
			if known && int(record[v.ver+1]) == version {
				found++
			}
		}
		if found > most {
			best, most = version, found
		}
	}
	return best
}

func matchVSCSI(head []byte) bool { return vscsiFind(head) != 0 }

type vscsi struct {
	r       *bufio.Reader
	v       vscsiVersion
	version int
	row     int64
}

func openVSCSI(r *bufio.Reader, head []byte) decoder {
	// Where no record tells, version 1 is assumed and the rows say what is wrong.
	version := max(vscsiFind(head), 1)
	return &vscsi{r: r, v: vscsiVersions[version], version: version}
}

func (d *vscsi) rowNumber() int64 { return d.row }

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
	var known bool
	if q.op, known = vscsiCommand(cmd); !known {
		return problem(fmt.Sprintf("command %#02x: want a SCSI read (08, 28, a8, 88), write (0a, 2a, aa, 8a) or synchronize cache (35, 91)", cmd))
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
