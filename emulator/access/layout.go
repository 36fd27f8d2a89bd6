package access

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
)

// BlockSize is what the block access method reads and writes in bytes; smaller
// or misaligned writes read the block first.
const BlockSize = program.BlockSize

// Layout says how blocks lie on a device, and builds the channel programs.
type Layout interface {
	// Blocks is how many blocks the device holds.
	Blocks() int64
	// Locate tells where a block lies on the device.
	Locate(block int64) Location
	// Find is Locate the other way round, or false where no block lies. For a location
	// within a block it gives that block.
	Find(at Location) (block int64, ok bool)
	// build stores the channel program for n blocks from block first on, whose
	// data area begins at data.
	build(c program.Control, data machine.Address, write bool, first int64, n int)
}

// Location is a place on a device: a record of a track, or a block of 512 bytes.
type Location struct {
	Track  int
	Record int   // from 1
	Block  int64 // on fixed-block devices
}

// ECKDLayout lays 4 KiB records on formatted tracks, behind the first cylinder,
// which is the label's and the VTOC's.
type ECKDLayout struct {
	eckd       program.ECKD
	blocks     int64
	firstTrack int
}

// NewECKDLayout makes the layout of a device of so many cylinders and tracks a
// cylinder, with so many 4 KiB records a track (12 on a 3390). A device too
// small to hold a block is an error.
func NewECKDLayout(cylinders, heads, recordsATrack int) (*ECKDLayout, error) {
	return NewECKDExtent(1, cylinders-1, heads, recordsATrack)
}

// NewECKDExtent makes the layout of so many cylinders of a device from
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

// Blocks is how many 4 KiB blocks the device holds.
func (l *ECKDLayout) Blocks() int64 { return l.blocks }

// Locate tells on which track a block lies, and which record it is there.
func (l *ECKDLayout) Locate(block int64) Location {
	per := int64(l.eckd.RecordsATrack)
	return Location{Track: l.firstTrack + int(block/per), Record: 1 + int(block%per)}
}

// Find gives the block that is a record of a track.
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

// fbaReserved is how many 512-byte blocks the label has for itself.
const fbaReserved = 128

// NewFBALayout makes the layout of a device of so many 512-byte blocks. A device
// too small to hold a block is an error.
func NewFBALayout(deviceBlocks int64) (*FBALayout, error) {
	l := &FBALayout{(deviceBlocks - fbaReserved) / (BlockSize / 512)}
	if l.blocks <= 0 {
		return nil, fmt.Errorf("block layout: %d blocks of 512 bytes leave no block of %d: the first %d are the label's", deviceBlocks, BlockSize, fbaReserved)
	}
	return l, nil
}

// Blocks is how many 4 KiB blocks the device holds.
func (l *FBALayout) Blocks() int64 { return l.blocks }

// Locate tells at which block of 512 bytes a block begins.
func (l *FBALayout) Locate(block int64) Location {
	return Location{Block: fbaReserved + block*(BlockSize/512)}
}

// Find gives the block that a block of 512 bytes is a part of.
func (l *FBALayout) Find(at Location) (int64, bool) {
	b := (at.Block - fbaReserved) / (BlockSize / 512)
	return b, at.Block >= fbaReserved && b < l.blocks
}

func (l *FBALayout) build(c program.Control, data machine.Address, write bool, first int64, n int) {
	program.FBABlocks(c, data, write, uint32(fbaReserved+first*(BlockSize/512)), n*(BlockSize/512))
}
