package program

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// TrackControlSize is the size in bytes of the control storage that WriteTrack
// needs: a CCW for each record, and the parameters.
const TrackControlSize = 4096

// MaxTrackRecords is the largest number of records that WriteTrack writes; no
// device of the 3390 family has as many on a track, however short they are.
const MaxTrackRecords = (TrackControlSize-Start)/arch.CCWSize - 4

// MaxTrackBytes is a size in bytes that is large enough for the data that
// ReadTrack reads from a track of any device.
const MaxTrackBytes = 60 << 10

const countSize = 8

// endOfTrack is the count field that a read-track command sends behind the last
// record.
const endOfTrack = ^uint64(0)

// ReadTrack stores a channel program that reads a whole track with one read-track
// command: the count, key and data of each record from record zero on, then eight
// bytes FF. The data area has MaxTrackBytes.
func (e *ECKD) ReadTrack(c Control, data machine.Address, track int) {
	e.define(c, arch.MaskWriteNone, 0, track, track)
	e.locate(c, readTracks, 0, 1, track, 0, 0)
	c.ccw(2, channel.CCW{Command: arch.CommandReadTrack, Flags: arch.FlagSLI, Count: MaxTrackBytes, Address: uint32(data)})
}

// WriteTrack stores a channel program that formats a track with the records that
// ReadTrack has left in image, which lies at data: it writes record zero, then
// each record with write count, key and data. It returns an error for an image
// that is damaged or has more than MaxTrackRecords records.
func (e *ECKD) WriteTrack(c Control, image []byte, data machine.Address, track int) error {
	n, err := c.formats(2, image, data, track)
	if err != nil {
		return err
	}
	e.define(c, arch.MaskWriteAll, 0, track, track)
	e.locate(c, formatTrack, 0, n, track, 0, 0)
	return nil
}

// formats stores the CCWs that write the records of a track's image, from CCW
// first on, and returns the number of records.
func (c Control) formats(first int, image []byte, data machine.Address, track int) (n int, err error) {
	at := 0
	for ; ; n++ {
		if at+countSize > len(image) {
			return n, fmt.Errorf("track %d: record %d at byte %d runs over the %d bytes read", track, n, at, len(image))
		}
		if binary.BigEndian.Uint64(image[at:]) == endOfTrack {
			break
		}
		if n == MaxTrackRecords {
			return n, fmt.Errorf("track %d: more than %d records", track, MaxTrackRecords)
		}
		length := recordLength(image[at:])
		command := byte(arch.CommandWriteCountKeyData)
		if n == 0 {
			command = arch.CommandWriteRecordZero
		}
		c.ccw(first+n, channel.CCW{Command: command, Flags: arch.FlagCC, Count: uint16(length), Address: uint32(data) + uint32(at)})
		at += length
	}
	if n == 0 {
		return n, fmt.Errorf("track %d: has no record zero", track)
	}
	c.end(first + n - 1)
	return n, nil
}

// end makes CCW i the last one of its chain.
func (c Control) end(i int) {
	c.View[Start+i*arch.CCWSize+1] &^= byte(arch.FlagCC)
}

// recordLength returns the length in bytes of the record whose count field is at
// the beginning of p, the count field included.
func recordLength(p []byte) int {
	return countSize + int(p[5]) + int(binary.BigEndian.Uint16(p[6:]))
}

// The volume label is record 3 of track 0.
const (
	labelRecord = 3
	// LabelSize is the size of the label in bytes.
	LabelSize = 80
)

// Label stores a channel program that reads or writes the volume label (VOL1,
// record 3 of the first track).
func (e *ECKD) Label(c Control, data machine.Address, write bool) {
	mask, operation, command := byte(arch.MaskWriteNone), byte(arch.OperationReadData), byte(arch.CommandReadData|arch.Multitrack)
	if write {
		mask, operation, command = arch.MaskWriteUpdate, arch.OperationWriteData, arch.CommandWriteUpdateData
	}
	e.define(c, mask, 0, 0, 0)
	e.locate(c, operation, arch.AuxiliaryLength, 1, 0, labelRecord, LabelSize)
	c.ccw(2, channel.CCW{Command: command, Count: LabelSize, Address: uint32(data)})
}
