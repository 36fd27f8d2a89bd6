package access

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
)

// BlockSize is the size of a block in bytes. A write that does not begin and end
// at the edges of blocks reads them first.
const BlockSize = program.BlockSize

// Layout maps blocks to places on a device and builds the channel programs.
type Layout interface {
	// Blocks returns the number of blocks that the device holds.
	Blocks() int64
	// Locate returns the place of a block on the device.
	Locate(block int64) Location
	// Find is the inverse of Locate; it returns false if no block lies at the place.
	// A place within a block counts as a place of that block.
	Find(at Location) (block int64, ok bool)
	// build stores the channel program for n blocks from block first on, whose
	// data area begins at data.
	build(c program.Control, data machine.Address, write bool, first int64, n int)
}

// Location is a place on a device: a record of a track, or a block of 512 bytes.
type Location struct {
	Track  int
	Record int   // numbered from 1
	Block  int64 // on fixed-block devices: number of the 512-byte block
}

// ECKDLayout lays 4 KiB records on formatted tracks. It leaves out the first
// cylinder, which holds the label and the VTOC (the volume's table of contents).
type ECKDLayout struct {
	eckd       program.ECKD
	blocks     int64
	firstTrack int
}

// NewECKDLayout makes the layout of a device with the given numbers of cylinders,
// of tracks per cylinder (heads) and of 4 KiB records per track (12 on a 3390). It
// returns an error for a device too small to hold a block.
func NewECKDLayout(cylinders, heads, recordsATrack int) (*ECKDLayout, error) {
	return NewECKDExtent(1, cylinders-1, heads, recordsATrack)
}

// NewECKDExtent makes the layout of part of a device: cylinders cylinders from
// firstCylinder on, which is at least 1.
func NewECKDExtent(firstCylinder, cylinders, heads, recordsATrack int) (*ECKDLayout, error) {
	if firstCylinder < 1 || cylinders < 1 || heads < 1 || recordsATrack < 1 {
		return nil, fmt.Errorf("block layout: %d cylinders from %d on, of %d tracks of %d records, leave no block: the first cylinder is the label's", cylinders, firstCylinder, heads, recordsATrack)
	}
	return &ECKDLayout{
		eckd:       program.ECKD{Heads: heads, RecordsATrack: recordsATrack},
		blocks:     int64(cylinders) * int64(heads) * int64(recordsATrack),
		firstTrack: firstCylinder * heads,
	}, nil
}

// Blocks returns the number of 4 KiB blocks that the device holds.
func (l *ECKDLayout) Blocks() int64 { return l.blocks }

// Locate returns the track of a block and the number of its record there.
func (l *ECKDLayout) Locate(block int64) Location {
	per := int64(l.eckd.RecordsATrack)
	return Location{Track: l.firstTrack + int(block/per), Record: 1 + int(block%per)}
}

// Find returns the block that a record of a track holds.
func (l *ECKDLayout) Find(at Location) (int64, bool) {
	per := int64(l.eckd.RecordsATrack)
	b := int64(at.Track-l.firstTrack)*per + int64(at.Record) - 1
	return b, at.Record >= 1 && int64(at.Record) <= per && b >= 0 && b < l.blocks
}

func (l *ECKDLayout) build(c program.Control, data machine.Address, write bool, first int64, n int) {
	per := int64(l.eckd.RecordsATrack)
	l.eckd.Blocks(c, data, write, l.firstTrack+int(first/per), int(first%per), n)
}

// FBALayout lays blocks on a fixed-block device, behind the blocks of the label.
type FBALayout struct{ blocks int64 }

// fbaReserved is the number of 512-byte blocks that are kept for the label.
const fbaReserved = 128

// NewFBALayout makes the layout of a device of deviceBlocks 512-byte blocks. It
// returns an error for a device too small to hold a block.
func NewFBALayout(deviceBlocks int64) (*FBALayout, error) {
	l := &FBALayout{(deviceBlocks - fbaReserved) / (BlockSize / 512)}
	if l.blocks <= 0 {
		return nil, fmt.Errorf("block layout: %d blocks of 512 bytes leave no block of %d: the first %d are the label's", deviceBlocks, BlockSize, fbaReserved)
	}
	return l, nil
}

// Blocks returns the number of 4 KiB blocks that the device holds.
func (l *FBALayout) Blocks() int64 { return l.blocks }

// Locate returns the first 512-byte block of a block.
func (l *FBALayout) Locate(block int64) Location {
	return Location{Block: fbaReserved + block*(BlockSize/512)}
}

// Find returns the block that a 512-byte block belongs to.
func (l *FBALayout) Find(at Location) (int64, bool) {
	b := (at.Block - fbaReserved) / (BlockSize / 512)
	return b, at.Block >= fbaReserved && b < l.blocks
}

func (l *FBALayout) build(c program.Control, data machine.Address, write bool, first int64, n int) {
	program.FBABlocks(c, data, write, uint32(fbaReserved+first*(BlockSize/512)), n*(BlockSize/512))
}
