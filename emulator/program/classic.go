package program

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// CKD addresses the tracks of a device with the commands that every CKD device
// has: seek, set file mask, search, and those of single records. The control
// units of 2305, 2311, 2314, 3330, 3340 and 3350 know neither define extent and
// locate record nor read track.
type CKD struct {
	Heads int
}

// MaxRecords is the most records that a track may have for Counts and Records:
// as many as record numbers count.
const MaxRecords = 255

// CountsAt is where in its data area Counts has the count fields, behind the
// largest track, and CountsSize how long the area is altogether.
const (
	CountsAt   = MaxTrackBytes
	CountsSize = CountsAt + (MaxRecords+1)*countSize
)

// Where the parameters lie in the control storage.
const (
	seekAt   = 0  // 00 00 CC CC HH HH
	homeAt   = 2  // CC CC HH HH, in the seek address
	maskAt   = 8  // of set file mask
	recordAt = 16 // CC CC HH HH R
)

// oneTrack is the part of the file mask that keeps a program on its track: no seek
// and no multitrack. So reads are the multitrack ones: at the end of the track they
// end in file protected, where the others would begin again with its first record.
const oneTrack = arch.MaskSeekNone

// position stores the CCWs that seek a track and set the file mask, and gives
// the number of the next one.
func (k *CKD) position(c Control, mask byte, track int) int {
	p := c.View[seekAt:]
	p[0], p[1] = 0, 0
	putTrack(p[homeAt:], k.Heads, track)
	c.View[maskAt] = mask
	c.ccw(0, channel.CCW{Command: arch.CommandSeek, Flags: arch.FlagCC, Count: arch.SeekSize, Address: uint32(c.At + seekAt)})
	c.ccw(1, channel.CCW{Command: arch.CommandSetFileMask, Flags: arch.FlagCC, Count: 1, Address: uint32(c.At + maskAt)})
	return 2
}

// search stores a search and the TIC that repeats it until it is satisfied.
func (c Control) search(i int, command byte, argument machine.Address, count uint16) int {
	c.ccw(i, channel.CCW{Command: command, Flags: arch.FlagCC, Count: count, Address: uint32(c.At + argument)})
	c.ccw(i+1, channel.CCW{Command: arch.CommandTransfer, Address: uint32(c.At) + uint32(Start+i*arch.CCWSize)})
	return i + 2
}

// Counts stores a channel program that reads the count fields of the records of a
// track, eight bytes each, to CountsAt behind data; with zero it reads record
// zero to data before. The program ends in a unit check, file protected, when it
// comes to the end of the track; a track on which it ends well has more than
// MaxRecords. A record zero without data ends it with unit exception: then the
// counts are still to be read, without zero. area is the data area's CountsSize
// bytes; those for counts are made ready.
func (k *CKD) Counts(c Control, area []byte, data machine.Address, track int, zero bool) {
	for i := range MaxRecords + 1 {
		binary.BigEndian.PutUint64(area[CountsAt+i*countSize:], endOfTrack)
	}
	n := k.position(c, arch.MaskWriteNone|oneTrack, track)
	if zero {
		c.ccw(n, channel.CCW{Command: arch.CommandReadRecordZero, Flags: arch.FlagCC | arch.FlagSLI, Count: MaxTrackBytes, Address: uint32(data)})
		n++
	} else {
		n = c.search(n, arch.CommandSearchHomeEqual, homeAt, arch.SearchHomeSize)
	}
	for i := range MaxRecords + 1 {
		c.ccw(n+i, channel.CCW{Command: arch.CommandReadCount | arch.Multitrack, Flags: arch.FlagCC, Count: countSize, Address: uint32(data) + uint32(CountsAt+i*countSize)})
	}
	c.end(n + MaxRecords)
}

// beforeRecords is how many CCWs come before those with which Records reads.
const beforeRecords = 4

// RecordCount is how many records behind record zero Counts has found.
func RecordCount(area []byte) int {
	n := 0
	for n <= MaxRecords && binary.BigEndian.Uint64(countOf(area, n+1)) != endOfTrack {
		n++
	}
	return n
}

// Records stores a channel program that reads the records of a track whose counts
// Counts has left in area, from record first on, which is 1 to RecordCount. Once
// all are read, and Complete says so, the area begins with what ReadTrack would
// have left there. A record without data ends the program with unit exception,
// and a segment of an overflow record with file protected and overflow incomplete:
// that record has been read, see Reached, and the next program goes on behind it.
// A record that has got another length in the meantime is an incorrect length or
// file protected alone.
func (k *CKD) Records(c Control, area []byte, data machine.Address, track, first int) error {
	k.position(c, arch.MaskWriteNone|oneTrack, track)
	n := c.search(2, arch.CommandSearchHomeEqual, homeAt, arch.SearchHomeSize) - 1
	at := recordLength(area)
	records := RecordCount(area)
	for i := 1; i <= records; i++ {
		length := recordLength(countOf(area, i))
		if i > MaxRecords || at+length+countSize > MaxTrackBytes {
			return fmt.Errorf("track %d: record %d of %d bytes at byte %d: a track has at most %d bytes and %d records", track, i, length, at, MaxTrackBytes, MaxRecords)
		}
		w := channel.CCW{Command: arch.CommandReadCountKeyData | arch.Multitrack, Flags: arch.FlagCC, Count: uint16(length), Address: uint32(data) + uint32(at)}
		if i < first { // it has been read: its count passes
			w.Command, w.Count = arch.CommandReadCount|arch.Multitrack, countSize
		}
		c.ccw(n+i, w)
		at += length
	}
	c.end(n + records)
	return nil
}

// Reached is the record with which a program of Records has ended, from the CCW
// address in the subchannel status.
func (c Control) Reached(address uint32) int {
	return int(machine.Address(address)-c.At-Start)/arch.CCWSize - beforeRecords
}

// segmentMark is the bit of a count field's first byte that marks a segment of an
// overflow record in a track's image; a device has it in the flag byte, which
// commands other than write special count, key and data do not carry. A byte of
// FF is no mark.
const segmentMark = 0x80

// MarkSegment notes that a record, which is not record zero, is a segment.
func MarkSegment(area []byte, record int) { countOf(area, record)[0] |= segmentMark }

// countOf is the count field of a record behind record zero as Counts has left it.
func countOf(area []byte, i int) []byte {
	return area[CountsAt+(i-1)*countSize:][:countSize]
}

// Complete ends the image of a track. It reports whether the count fields that
// Records has read are those that Counts has; otherwise the track has been
// formatted anew in between. Segments have their mark from then on.
func Complete(area []byte) bool {
	at := recordLength(area)
	for i := range RecordCount(area) {
		count, read := countOf(area, i+1), area[at:at+countSize]
		mark := count[0] & segmentMark
		if count[0]&^segmentMark != read[0]&^segmentMark || string(count[1:]) != string(read[1:]) {
			return false
		}
		read[0] |= mark
		at += recordLength(count)
	}
	if at+countSize > MaxTrackBytes {
		return false
	}
	binary.BigEndian.PutUint64(area[at:], endOfTrack)
	return true
}

// WriteTrack stores a channel program that formats a track with the records of
// an image as ReadTrack or Records leaves it at data: behind a search for the
// home address, write record zero, then write count, key and data for each, or
// write special count, key and data for a segment, whose mark it takes away.
func (k *CKD) WriteTrack(c Control, image []byte, data machine.Address, track int) error {
	n := k.position(c, arch.MaskWriteAll|oneTrack, track)
	n = c.search(n, arch.CommandSearchHomeEqual, homeAt, arch.SearchHomeSize)
	records, err := c.formats(n, image, data, track)
	at := 0
	for i := range records {
		if mark := &image[at]; i > 0 && *mark&segmentMark != 0 && *mark != 0xFF {
			*mark &^= segmentMark
			c.View[Start+(n+i)*arch.CCWSize] = arch.CommandWriteSpecial
		}
		at += recordLength(image[at:])
	}
	return err
}

// Label stores a channel program that reads or writes the volume label.
func (k *CKD) Label(c Control, data machine.Address, write bool) {
	mask, command := byte(arch.MaskWriteNone), byte(arch.CommandReadData)
	if write {
		mask, command = arch.MaskWriteUpdate, arch.CommandWriteData
	}
	n := k.position(c, mask|oneTrack, 0)
	clear(c.View[recordAt:][:4])
	c.View[recordAt+4] = labelRecord
	n = c.search(n, arch.CommandSearchIDEqual, recordAt, arch.SearchIDSize)
	c.ccw(n, channel.CCW{Command: command, Count: LabelSize, Address: uint32(data)})
}
