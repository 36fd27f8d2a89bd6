package access

import (
	"encoding/binary"
	"fmt"

	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// BlockSize is what the block access method reads and writes in bytes; smaller
// or misaligned writes read the block first.
const BlockSize = 4096

// MaxBlocks is the most blocks in one channel program: five tracks of twelve.
// A longer request becomes several.
const MaxBlocks = 60

// Layout says how blocks lie on a device, and builds the channel programs.
type Layout interface {
	// Blocks is how many blocks the device holds.
	Blocks() int64
	// build stores the channel program for n blocks from block first on. control
	// is storage for it at address at; the data area begins at data.
	build(control []byte, at, data machine.Address, write bool, first int64, n int)
}

// controlSize is the storage for a channel program with its parameters.
const controlSize = 1024

// where the parts of a channel program lie in its control storage.
const (
	defineAt = 0
	locateAt = 16
	ccwAt    = 32
)

// ECKDLayout lays twelve 4 KiB records on a 3390 track, behind the reserved
// tracks of the label and the VTOC.
type ECKDLayout struct {
	Cylinders     int
	Heads         int
	RecordsATrack int // 12 on a 3390
	FirstTrack    int // tracks before it are the label's and the VTOC's
}

// NewECKDLayout checks the figures; a device too small to hold a block is an
// error.
func NewECKDLayout(cylinders, heads, recordsATrack int) (*ECKDLayout, error) {
	l := &ECKDLayout{Cylinders: cylinders, Heads: heads, RecordsATrack: recordsATrack, FirstTrack: heads}
	if heads <= 0 || recordsATrack <= 0 || l.Blocks() <= 0 {
		return nil, fmt.Errorf("block layout: %d cylinders of %d tracks of %d records leave no block: the first cylinder is the label's", cylinders, heads, recordsATrack)
	}
	return l, nil
}

// Blocks is how many 4 KiB blocks the device holds.
func (l *ECKDLayout) Blocks() int64 {
	return int64(l.Cylinders*l.Heads-l.FirstTrack) * int64(l.RecordsATrack)
}

// The commands of the channel programs, as a Linux DASD driver sends them: read
// with define-extent mask 40, write with mask 80 and update writes.
const (
	cmdDefineExtent = 0x63
	cmdLocateRecord = 0x47
	cmdWriteUpdate  = 0x85
	cmdReadData     = 0x86
	cmdLocateFBA    = 0x43
	cmdWriteFBA     = 0x41
	cmdReadFBA      = 0x42
)

func (l *ECKDLayout) putTrack(p []byte, track int) {
	cc, hh := track/l.Heads, track%l.Heads
	binary.BigEndian.PutUint16(p, uint16(cc))
	binary.BigEndian.PutUint16(p[2:], uint16(cc>>16<<4|hh))
}

func (l *ECKDLayout) build(control []byte, at, data machine.Address, write bool, first int64, n int) {
	track := l.FirstTrack + int(first)/l.RecordsATrack
	record := int(first)%l.RecordsATrack + 1
	last := l.FirstTrack + int(first+int64(n)-1)/l.RecordsATrack
	d := control[defineAt : defineAt+16]
	clear(d)
	d[0], d[1] = 0x40, 0xC0
	operation, command := byte(0x06), byte(cmdReadData)
	if write {
		d[0], operation, command = 0x80, 0x01, cmdWriteUpdate
	}
	binary.BigEndian.PutUint16(d[2:], BlockSize)
	l.putTrack(d[8:], track)
	l.putTrack(d[12:], last)
	r := control[locateAt : locateAt+16]
	r[0], r[1], r[2], r[3] = operation, 0x80, 0, byte(n)
	l.putTrack(r[4:], track)
	l.putTrack(r[8:], track)
	r[12], r[13] = byte(record), 0xFF
	binary.BigEndian.PutUint16(r[14:], BlockSize)
	c := control[ccwAt:]
	channel.PutCCW1(c, channel.CCW{Command: cmdDefineExtent, Flags: channel.FlagCC, Count: 16, Address: uint32(at + defineAt)})
	channel.PutCCW1(c[8:], channel.CCW{Command: cmdLocateRecord, Flags: channel.FlagCC, Count: 16, Address: uint32(at + locateAt)})
	flags := channel.FlagCC
	for i := range n {
		if i == n-1 {
			flags = 0
		}
		channel.PutCCW1(c[16+8*i:], channel.CCW{Command: command, Flags: flags, Count: BlockSize, Address: uint32(data) + uint32(i)*BlockSize})
	}
}

// FBALayout lays blocks on a fixed-block device, behind the reserved blocks of
// the label.
type FBALayout struct {
	DeviceBlocks int64 // of 512 bytes
	FirstBlock   int64 // 512-byte blocks before it are the label's
}

// fbaReserved is how many 512-byte blocks the label has for itself.
const fbaReserved = 128

// NewFBALayout checks the figures; a device too small to hold a block is an
// error.
func NewFBALayout(deviceBlocks int64) (*FBALayout, error) {
	l := &FBALayout{DeviceBlocks: deviceBlocks, FirstBlock: fbaReserved}
	if l.Blocks() <= 0 {
		return nil, fmt.Errorf("block layout: %d blocks of 512 bytes leave no block of %d: the first %d are the label's", deviceBlocks, BlockSize, fbaReserved)
	}
	return l, nil
}

// Blocks is how many 4 KiB blocks the device holds.
func (l *FBALayout) Blocks() int64 { return (l.DeviceBlocks - l.FirstBlock) / (BlockSize / 512) }

// fbaChunk is how many bytes one CCW of a data chain has: a count has 16 bits.
const fbaChunk = 32 << 10

func (l *FBALayout) build(control []byte, at, data machine.Address, write bool, first int64, n int) {
	start := uint32(l.FirstBlock + first*(BlockSize/512))
	blocks := n * (BlockSize / 512)
	d := control[defineAt : defineAt+16]
	clear(d)
	operation, command := byte(0x06), byte(cmdReadFBA)
	d[0] = 0x40
	if write {
		d[0], operation, command = 0xC0, 0x01, cmdWriteFBA
	}
	binary.BigEndian.PutUint32(d[4:], start)
	binary.BigEndian.PutUint32(d[12:], uint32(blocks-1))
	r := control[locateAt : locateAt+8]
	r[0], r[1] = operation, 0
	binary.BigEndian.PutUint16(r[2:], uint16(blocks))
	binary.BigEndian.PutUint32(r[4:], 0)
	c := control[ccwAt:]
	channel.PutCCW1(c, channel.CCW{Command: cmdDefineExtent, Flags: channel.FlagCC, Count: 16, Address: uint32(at + defineAt)})
	channel.PutCCW1(c[8:], channel.CCW{Command: cmdLocateFBA, Flags: channel.FlagCC, Count: 8, Address: uint32(at + locateAt)})
	for i, left := 0, n*BlockSize; left > 0; i++ {
		chunk := min(left, fbaChunk)
		left -= chunk
		flags := channel.Flags(0)
		if left > 0 {
			flags = channel.FlagCD
		}
		channel.PutCCW1(c[16+8*i:], channel.CCW{Command: command, Flags: flags, Count: uint16(chunk), Address: uint32(data) + uint32(i*fbaChunk)})
	}
}
