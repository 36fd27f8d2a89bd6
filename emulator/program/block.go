package program

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// BlockSize is the size of a block in bytes.
const BlockSize = 4096

// MaxBlocks is the largest number of blocks in one channel program: five 3390
// tracks of twelve blocks.
const MaxBlocks = 60

// ControlSize is the size in bytes of the storage that a channel program of this
// package needs for its CCWs and parameters.
const ControlSize = 1024

// The offsets of the parts of a channel program in its control storage. Start is
// the offset of the first CCW.
const (
	defineAt = 0
	locateAt = 16
	Start    = 32
)

// Control is the storage for one channel program.
type Control struct {
	View []byte          // ControlSize bytes
	At   machine.Address // address of View in main storage
}

func (c Control) ccw(i int, w channel.CCW) {
	channel.PutCCW1(c.View[Start+i*arch.CCWSize:], w)
}

// ECKD holds the sizes of a device that are needed to address its tracks with the
// commands define extent and locate record. Control units before the 3880 do not
// know these commands: see CKD.
type ECKD struct {
	Heads         int
	RecordsATrack int // 4 KiB records on a formatted track; 12 on a 3390
}

func (e *ECKD) putTrack(p []byte, track int) { putTrack(p, e.Heads, track) }

// putTrack stores the address of a track: two bytes of cylinder, two bytes of head
// (CCHH).
func putTrack(p []byte, heads, track int) {
	cc, hh := track/heads, track%heads
	binary.BigEndian.PutUint16(p, uint16(cc))
	binary.BigEndian.PutUint16(p[2:], uint16(cc>>16<<4|hh))
}

// The operations of locate record; each is an orientation (the place on the track
// at which the operation begins) and an action. Formatting and reading whole
// tracks begin at the home address, because record zero may name another track.
const (
	formatTrack = arch.OrientHome | arch.OperationFormat
	readTracks  = arch.OrientHome | arch.OperationReadTracks
)

// define stores the parameters of a define extent for tracks first to last.
func (e *ECKD) define(c Control, mask byte, blockSize, first, last int) {
	d := c.View[defineAt : defineAt+arch.DefineExtentSize]
	clear(d)
	d[arch.DefineExtentMask], d[arch.DefineExtentAttribute] = mask, arch.AttributeECKD
	binary.BigEndian.PutUint16(d[arch.DefineExtentBlockSize:], uint16(blockSize))
	e.putTrack(d[arch.DefineExtentFirst:], first)
	e.putTrack(d[arch.DefineExtentLast:], last)
	c.ccw(0, channel.CCW{Command: arch.CommandDefineExtent, Flags: arch.FlagCC, Count: arch.DefineExtentSize, Address: uint32(c.At + defineAt)})
}

// locate stores the parameters of a locate record for count records or tracks from
// record on.
func (e *ECKD) locate(c Control, operation, aux byte, count, track, record, length int) {
	r := c.View[locateAt : locateAt+arch.LocateRecordSize]
	clear(r)
	r[arch.LocateRecordOperation], r[arch.LocateRecordAuxiliary], r[arch.LocateRecordCount] = operation, aux, byte(count)
	e.putTrack(r[arch.LocateRecordTrack:], track)
	e.putTrack(r[arch.LocateRecordSearch:], track)
	r[arch.LocateRecordRecord], r[arch.LocateRecordSector] = byte(record), arch.AnySector
	binary.BigEndian.PutUint16(r[arch.LocateRecordLength:], uint16(length))
	c.ccw(1, channel.CCW{Command: arch.CommandLocateRecord, Flags: arch.FlagCC, Count: arch.LocateRecordSize, Address: uint32(c.At + locateAt)})
}

// Blocks stores a channel program that reads or writes n 4 KiB records, from
// record index first (from 0) of track on; each track has RecordsATrack of them.
// The data of the records lie at data, one after the other. n is 1 to MaxBlocks.
// As in a Linux DASD driver, reads inhibit all writes, and writes are update
// writes with a mask that permits no others.
func (e *ECKD) Blocks(c Control, data machine.Address, write bool, track, first, n int) {
	mask, operation, command := byte(arch.MaskWriteNone), byte(arch.OperationReadData), byte(arch.CommandReadData|arch.Multitrack)
	if write {
		mask, operation, command = arch.MaskWriteUpdate, arch.OperationWriteData, arch.CommandWriteUpdateData
	}
	e.define(c, mask, BlockSize, track, track+(first+n-1)/e.RecordsATrack)
	e.locate(c, operation, arch.AuxiliaryLength, n, track, first+1, BlockSize)
	flags := channel.Flags(arch.FlagCC)
	for i := range n {
		if i == n-1 {
			flags = 0
		}
		c.ccw(2+i, channel.CCW{Command: command, Flags: flags, Count: BlockSize, Address: uint32(data) + uint32(i)*BlockSize})
	}
}

// fbaChunk is the number of bytes that one CCW of a data chain transfers; the
// count of a CCW has only 16 bits.
const fbaChunk = 32 << 10

// FBABlocks stores a channel program that reads or writes blocks 512-byte blocks
// of a fixed-block device from block first on: at most MaxBlocks times 4 KiB.
func FBABlocks(c Control, data machine.Address, write bool, first uint32, blocks int) {
	d := c.View[defineAt : defineAt+arch.FBAExtentSize]
	clear(d)
	operation, command := byte(arch.FBAOperationRead), byte(arch.CommandFBARead)
	d[arch.FBAExtentMask] = arch.MaskWriteNone
	if write {
		d[arch.FBAExtentMask], operation, command = arch.MaskWriteAll, arch.FBAOperationWrite, arch.CommandFBAWrite
	}
	binary.BigEndian.PutUint32(d[arch.FBAExtentPhysical:], first)
	binary.BigEndian.PutUint32(d[arch.FBAExtentLast:], uint32(blocks-1))
	r := c.View[locateAt : locateAt+arch.FBALocateSize]
	clear(r)
	r[arch.FBALocateOperation] = operation
	binary.BigEndian.PutUint16(r[arch.FBALocateCount:], uint16(blocks))
	c.ccw(0, channel.CCW{Command: arch.CommandDefineExtent, Flags: arch.FlagCC, Count: arch.FBAExtentSize, Address: uint32(c.At + defineAt)})
	c.ccw(1, channel.CCW{Command: arch.CommandFBALocate, Flags: arch.FlagCC, Count: arch.FBALocateSize, Address: uint32(c.At + locateAt)})
	for i, left := 0, blocks*512; left > 0; i++ {
		chunk := min(left, fbaChunk)
		left -= chunk
		flags := channel.Flags(0)
		if left > 0 {
			flags = arch.FlagCD
		}
		c.ccw(2+i, channel.CCW{Command: command, Flags: flags, Count: uint16(chunk), Address: uint32(data) + uint32(i*fbaChunk)})
	}
}
