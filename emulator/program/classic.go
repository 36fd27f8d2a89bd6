package program

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// CKD addresses the tracks of a device with the commands that every CKD (count key
// data) device has: seek, set file mask, search, and the commands for single
// records. The control units of 2305, 2311, 2314, 3330, 3340 and 3350 know neither
// define extent and locate record nor read track.
type CKD struct {
	Heads int
}

// MaxRecords is the largest number of records that a track may have for Counts and
// Records; record numbers go no further.
const MaxRecords = 255

// CountsAt is the offset, in the data area of Counts, of the count fields, which
// lie behind the largest track. CountsSize is the size of the area. Both are in
// bytes.
const (
	CountsAt   = MaxTrackBytes
	CountsSize = CountsAt + (MaxRecords+1)*countSize
)

// The offsets of the parameters in the control storage.
const (
	seekAt   = 0  // 00 00 CC CC HH HH
	homeAt   = 2  // CC CC HH HH, in the seek address
	maskAt   = 8  // of set file mask
	recordAt = 16 // CC CC HH HH R
)

// oneTrack is the part of the file mask that keeps a program on its track: it
// permits neither a seek nor the step to the next track. The programs therefore
// use the multitrack forms of the reads: at the end of the track those end in file
// protected, while the others would begin again with the first record.
const oneTrack = arch.MaskSeekNone

// position stores the CCWs that seek a track and set the file mask, and returns
// the number of the next CCW.
func (k *CKD) position(c Control, mask byte, track int) int {
	p := c.View[seekAt:]
	p[0], p[1] = 0, 0
	putTrack(p[homeAt:], k.Heads, track)
	c.View[maskAt] = mask
	c.ccw(0, channel.CCW{Command: arch.CommandSeek, Flags: arch.FlagCC, Count: arch.SeekSize, Address: uint32(c.At + seekAt)})
	c.ccw(1, channel.CCW{Command: arch.CommandSetFileMask, Flags: arch.FlagCC, Count: 1, Address: uint32(c.At + maskAt)})
	return 2
}

// search stores a search and the TIC (transfer in channel, a jump) that repeats it
// until it is satisfied. It returns the number of the next CCW.
func (c Control) search(i int, command byte, argument machine.Address, count uint16) int {
	c.ccw(i, channel.CCW{Command: command, Flags: arch.FlagCC, Count: count, Address: uint32(c.At + argument)})
	c.ccw(i+1, channel.CCW{Command: arch.CommandTransfer, Address: uint32(c.At) + uint32(Start+i*arch.CCWSize)})
	return i + 2
}

// Counts stores a channel program that reads the count fields of the records of a
// track, eight bytes each, to CountsAt behind data. If zero is set, it first reads
// record zero to data.
//
// The program ends in a unit check, file protected, at the end of the track; if it
// ends well, the track has more than MaxRecords records. A record zero without
// data ends it with unit exception; the counts must then be read by a second
// program, without zero. area is the data area of CountsSize bytes; Counts fills
// its count fields with the end mark.
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

// beforeRecords is the number of CCWs before the first CCW with which Records
// reads.
const beforeRecords = 4

// RecordCount returns the number of records behind record zero that Counts has
// found.
func RecordCount(area []byte) int {
	n := 0
	for n <= MaxRecords && binary.BigEndian.Uint64(countOf(area, n+1)) != endOfTrack {
		n++
	}
	return n
}

// Records stores a channel program that reads the records of a track, from record
// first on, which is 1 to RecordCount. Counts must have left the count fields of
// the track in area. Once all records are read, and Complete reports true, the
// area begins with the bytes that ReadTrack would have left there.
//
// Three endings are not errors of the device. A record without data ends the
// program with unit exception. A segment of an overflow record (a record that
// continues on the next track) ends it with file protected and overflow
// incomplete. In both cases the record has been read; Reached returns its number,
// and the next program begins behind it. A record whose length has changed since
// Counts ends it with an incorrect length, or with file protected alone.
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
		if i < first { // it has been read already: only its count field passes
			w.Command, w.Count = arch.CommandReadCount|arch.Multitrack, countSize
		}
		c.ccw(n+i, w)
		at += length
	}
	c.end(n + records)
	return nil
}

// Reached returns the number of the record at which a program of Records has
// ended, from the CCW address in the subchannel status.
func (c Control) Reached(address uint32) int {
	return int(machine.Address(address)-c.At-Start)/arch.CCWSize - beforeRecords
}

// segmentMark is the bit that marks a segment of an overflow record in a track's
// image: the first bit of its count field. A device keeps the mark in the flag
// byte, which only the command write special count, key and data carries. A first
// byte of FF is no mark.
const segmentMark = 0x80

// MarkSegment notes that a record behind record zero is a segment.
func MarkSegment(area []byte, record int) { countOf(area, record)[0] |= segmentMark }

// countOf returns the count field, as Counts has left it, of a record behind
// record zero.
func countOf(area []byte, i int) []byte {
	return area[CountsAt+(i-1)*countSize:][:countSize]
}

// Complete ends the image of a track and sets the marks of its segments. It
// reports whether the count fields that Records has read equal those that Counts
// has read; if not, the track has been formatted anew in between.
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

// WriteTrack stores a channel program that formats a track with the records of an
// image at data, as ReadTrack or Records leaves it. Behind a search for the home
// address it writes record zero, then each record with write count, key and data,
// or a segment with write special count, key and data; it takes the mark of the
// segment away. It returns an error for an image that is damaged or has too many
// records.
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
