package program

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// BlockSize is the size of a block in bytes.
const BlockSize = 4096

// MaxBlocks is the most blocks in one channel program: five 3390 tracks of
// twelve.
const MaxBlocks = 60

// ControlSize is the storage that a channel program of this package needs for
// its CCWs and parameters.
const ControlSize = 1024

// Where the parts of a channel program lie in its control storage. Start is the
// offset of the first CCW.
const (
	defineAt = 0
	locateAt = 16
	Start    = 32
)

// The commands, as a Linux DASD driver sends them: reads with the define-extent
// mask 40, writes with mask 80 and update writes, formatting with mask C0.
const (
	cmdDefineExtent = 0x63
	cmdLocateRecord = 0x47
	cmdWriteUpdate  = 0x85
	cmdReadData     = 0x86
	cmdLocateFBA    = 0x43
	cmdWriteFBA     = 0x41
	cmdReadFBA      = 0x42
)

// Control is the storage for one channel program.
type Control struct {
	View []byte          // ControlSize bytes
	At   machine.Address // of View in main storage
}

func (c Control) ccw(i int, w channel.CCW) {
	channel.PutCCW1(c.View[Start+i*channel.CCWSize:], w)
}

// ECKD is what must be known of a device to address its tracks with define extent
// and locate record, which control units before the 3880 do not know: see CKD.
type ECKD struct {
	Heads         int
	RecordsATrack int // 4 KiB records on a formatted track; 12 on a 3390
}

func (e *ECKD) putTrack(p []byte, track int) { putTrack(p, e.Heads, track) }

// putTrack stores the address CCHH of a track.
func putTrack(p []byte, heads, track int) {
	cc, hh := track/heads, track%heads
	binary.BigEndian.PutUint16(p, uint16(cc))
	binary.BigEndian.PutUint16(p[2:], uint16(cc>>16<<4|hh))
}

// The masks and operations of define extent and locate record.
const (
	maskRead, maskUpdate, maskFormat    = 0x40, 0x80, 0xC0
	opWriteData, opFormat, opReadData   = 0x01, 0x43, 0x06
	opReadTracks                        = 0x4C // from the home address on: record zero may name another track
	attributeECKD                       = 0xC0
	auxTLF                              = 0x80
	anySector                           = 0xFF
	cmdReadTrack, cmdWriteR0, cmdWriteC = 0xDE, 0x15, 0x1D
)

// define stores a define extent for tracks first to last.
func (e *ECKD) define(c Control, mask byte, blockSize, first, last int) {
	d := c.View[defineAt : defineAt+16]
	clear(d)
	d[0], d[1] = mask, attributeECKD
	binary.BigEndian.PutUint16(d[2:], uint16(blockSize))
	e.putTrack(d[8:], first)
	e.putTrack(d[12:], last)
	c.ccw(0, channel.CCW{Command: cmdDefineExtent, Flags: channel.FlagCC, Count: 16, Address: uint32(c.At + defineAt)})
}

// locate stores a locate record for count records or tracks from record on.
func (e *ECKD) locate(c Control, operation, aux byte, count, track, record, length int) {
	r := c.View[locateAt : locateAt+16]
	r[0], r[1], r[2], r[3] = operation, aux, 0, byte(count)
	e.putTrack(r[4:], track)
	e.putTrack(r[8:], track)
	r[12], r[13] = byte(record), anySector
	binary.BigEndian.PutUint16(r[14:], uint16(length))
	c.ccw(1, channel.CCW{Command: cmdLocateRecord, Flags: channel.FlagCC, Count: 16, Address: uint32(c.At + locateAt)})
}

// Blocks stores a channel program that reads or writes n 4 KiB records, of which
// there are RecordsATrack on each track, from record index first (from 0) of
// track on. Their data is at data, one after the other. n is 1 to MaxBlocks.
func (e *ECKD) Blocks(c Control, data machine.Address, write bool, track, first, n int) {
	mask, operation, command := byte(maskRead), byte(opReadData), byte(cmdReadData)
	if write {
		mask, operation, command = maskUpdate, opWriteData, cmdWriteUpdate
	}
	e.define(c, mask, BlockSize, track, track+(first+n-1)/e.RecordsATrack)
	e.locate(c, operation, auxTLF, n, track, first+1, BlockSize)
	flags := channel.FlagCC
	for i := range n {
		if i == n-1 {
			flags = 0
		}
		c.ccw(2+i, channel.CCW{Command: command, Flags: flags, Count: BlockSize, Address: uint32(data) + uint32(i)*BlockSize})
	}
}

// fbaChunk is how many bytes one CCW of a data chain has: a count has 16 bits.
const fbaChunk = 32 << 10

// FBABlocks stores a channel program that reads or writes so many 512-byte blocks
// of a fixed-block device from block first on: at most MaxBlocks times 4 KiB.
func FBABlocks(c Control, data machine.Address, write bool, first uint32, blocks int) {
	d := c.View[defineAt : defineAt+16]
	clear(d)
	operation, command := byte(0x06), byte(cmdReadFBA)
	d[0] = maskRead
	if write {
		d[0], operation, command = maskFormat, 0x01, cmdWriteFBA
	}
	binary.BigEndian.PutUint32(d[4:], first)
	binary.BigEndian.PutUint32(d[12:], uint32(blocks-1))
	r := c.View[locateAt : locateAt+8]
	clear(r)
	r[0] = operation
	binary.BigEndian.PutUint16(r[2:], uint16(blocks))
	c.ccw(0, channel.CCW{Command: cmdDefineExtent, Flags: channel.FlagCC, Count: 16, Address: uint32(c.At + defineAt)})
	c.ccw(1, channel.CCW{Command: cmdLocateFBA, Flags: channel.FlagCC, Count: 8, Address: uint32(c.At + locateAt)})
	for i, left := 0, blocks*512; left > 0; i++ {
		chunk := min(left, fbaChunk)
		left -= chunk
		flags := channel.Flags(0)
		if left > 0 {
			flags = channel.FlagCD
		}
		c.ccw(2+i, channel.CCW{Command: command, Flags: flags, Count: uint16(chunk), Address: uint32(data) + uint32(i*fbaChunk)})
	}
}
