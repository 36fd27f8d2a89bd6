package media

import (
	"errors"
	"fmt"
)

// ErrReadOnly says that a medium was opened read-only.
var ErrReadOnly = errors.New("medium is read-only")

// BlockSize is the size of a fixed block in bytes.
const BlockSize = 512

// GroupBlocks is the number of fixed blocks that count as one track in the masks
// of changed tracks.
const GroupBlocks = 128

// Formula names the formula for the length that a record takes on a track.
// Positive values are the numbers that Read Device Characteristics gives.
type Formula int8

// The formulas.
const (
	FormulaNone Formula = 0
	Formula1    Formula = 1  // 3375, 3380: cells of 32 bytes
	Formula2    Formula = 2  // 3390, 9345: cells and segments
	FormulaGap  Formula = -1 // 2305 to 3350: a constant for each record, a greater one with a key
	FormulaLast Formula = -2 // 2311, 2314: as before, the last record without its gap
)

// Geometry describes the tracks or blocks of a device type. It is shared and must
// not be changed.
type Geometry struct {
	// Name is the type and model, such as "3390-3".
	Name string
	// Type is the device type as four hexadecimal digits, such as 0x3390.
	Type uint16
	// Model and Code are bytes of Sense ID and of Read Device Characteristics.
	Model, Code byte

	// Cylinders is the number of cylinders of a CKD device, not counting the
	// Alternates, which lie behind them; Heads is the number of tracks of a cylinder.
	Cylinders, Alternates int
	Heads                 int
	// TrackSize is the size of a track image in bytes.
	TrackSize int
	// TrackLength is the length that the records of a track may take together, in the
	// units of the formula; DataLength and ZeroLength are the longest data areas, in
	// bytes, of a record and of a record zero alone on its track. HomeLength is the
	// length of home address and record zero.
	TrackLength, DataLength, ZeroLength, HomeLength int
	// Sectors is the number of rotational positions, 0 for a device that does not
	// sense them.
	Sectors int
	Formula Formula
	Factors [6]int

	// Blocks is the number of 512-byte blocks of an FBA device; 0 for CKD.
	Blocks                            int64
	BlocksPerTrack, BlocksPerCylinder int
	// BlockFactor is the number of 512-byte blocks that the device addresses as one;
	// 0 stands for 1.
	BlockFactor int
}

// FBA reports whether the device has fixed blocks.
func (g *Geometry) FBA() bool { return g.Blocks > 0 }

// Tracks returns the number of tracks of a CKD device, or of groups of GroupBlocks
// blocks of an FBA device.
func (g *Geometry) Tracks() int {
	if g.FBA() {
		return int((g.Blocks + GroupBlocks - 1) / GroupBlocks)
	}
	return g.Cylinders * g.Heads
}

// wideCylinders is the number of cylinders that 16 bits of cylinder number can
// address. A larger device keeps the further bits in the high twelve bits of the
// head number (extended address volumes).
const wideCylinders = 1 << 16

// Address returns the four bytes CCHH (cylinder, head) of a track, as a word.
func (g *Geometry) Address(cylinder, head int) uint32 {
	return uint32(cylinder)<<16 | uint32(cylinder>>16<<4) | uint32(head)
}

// Track returns the number of the track at the address CCHH, and false when the
// device has no such track.
func (g *Geometry) Track(address uint32) (int, bool) {
	cylinder, head := int(address>>16), int(address&0xFFFF)
	if g.Cylinders > wideCylinders {
		cylinder |= head >> 4 << 16
		head &= 0x0F
	}
	return cylinder*g.Heads + head, cylinder < g.Cylinders && head < g.Heads
}

// standardZero returns the length of the standard record zero, which has eight
// bytes of data, in the units of TrackLength.
func (g *Geometry) standardZero() int { return g.space(0, zeroData) }

// space returns the length that a record with key and data of the given lengths
// takes on a track, in the units of TrackLength. (3390 Reference, "track
// capacity"; the formulas of the older types come from their own manuals.)
func (g *Geometry) space(key, data int) int {
	f := &g.Factors
	switch g.Formula {
	case Formula1:
		n := roundUp(data+f[1], f[0])
		if key > 0 {
			n += roundUp(key+f[2], f[0])
		}
		return n
	case Formula2:
		part := func(overhead, length int) int {
			length += f[5]
			return roundUp(overhead+length+f[3]*((length+2*f[4]-1)/(2*f[4])), f[0])
		}
		n := part(f[0]*f[1], data)
		if key > 0 {
			n += part(f[0]*f[2], key)
		}
		return n
	case FormulaLast:
		n := (key+data)*f[2]/f[3] + f[1]
		if key > 0 {
			n += f[0]
		}
		return n
	}
	n := key + data + f[1]
	if key > 0 {
		n += f[0]
	}
	return n
}

// lastSpace returns the length that the last record of a track takes.
func (g *Geometry) lastSpace(key, data int) int {
	if g.Formula != FormulaLast {
		return g.space(key, data)
	}
	if key > 0 {
		key += g.Factors[0]
	}
	return key + data
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// RecordsPerTrack returns the number of records with keys and data of the given
// lengths that fit a track behind a standard record zero: on a 3390, 12 records of
// 4096 bytes without key.
func (g *Geometry) RecordsPerTrack(key, data int) int {
	if key < 0 || key > maximumKey || data < 0 || data > g.DataLength || g.FBA() {
		return 0
	}
	last := g.lastSpace(key, data)
	if last > g.TrackLength {
		return 0
	}
	n := 1 + (g.TrackLength-last)/g.space(key, data)
	// For empty records the formulas allow more records than a record number can
	// count.
	return min(n, maximumRecords)
}

// Limits of a record and of a track.
const (
	maximumKey     = 255
	maximumRecords = 255
)

// Lookup finds a device by name: "3390-3", "9336-20", another name of a model that
// Hercules knows, such as "3380-2" for a 3380-E, or a type alone, which means its
// smallest model (of the 0671, as in Hercules, the 0671-1). The geometry found has
// the model's own name. An unknown name is an error.
func Lookup(name string) (*Geometry, error) {
	for _, o := range otherNames {
		if o.name == name {
			name = o.model
		}
	}
	for i := range models {
		if models[i].Name == name {
			return &models[i], nil
		}
	}
	for i := range models {
		if fmt.Sprintf("%04x", models[i].Type) == name {
			return &models[i], nil
		}
	}
	return nil, fmt.Errorf("device type %q: unknown; want a type or a type and model such as 3390, 3390-3 or 9336-20", name)
}

// Models lists every device type and model, the smaller models of a type
// before the larger ones.
func Models() []*Geometry {
	all := make([]*Geometry, len(models))
	for i := range models {
		all[i] = &models[i]
	}
	return all
}

// Resize returns a CKD device of the same type with another number of cylinders.
// It gets the model and name of the smallest model that holds them.
func (g *Geometry) Resize(cylinders int) (*Geometry, error) {
	if g.FBA() {
		return nil, fmt.Errorf("%s: has blocks, not cylinders", g.Name)
	}
	return ForType(byte(g.Type), cylinders, g.Heads, g.TrackSize)
}

// ForType finds the device whose type ends in the given two digits (0x90 for
// a 3390, as image headers name it) and that has the given number of
// cylinders, heads and bytes in a track image. The alternate cylinders may
// count as cylinders.
func ForType(low byte, cylinders, heads, trackSize int) (*Geometry, error) {
	largest, name := 0, ""
	for i := range models {
		g := &models[i]
		if g.FBA() || byte(g.Type) != low || g.Heads != heads || g.TrackSize != trackSize {
			continue
		}
		largest, name = g.Cylinders+g.Alternates, fmt.Sprintf("%04X", g.Type)
		if cylinders > largest || cylinders < 1 {
			continue
		}
		if cylinders == g.Cylinders {
			return g, nil
		}
		sized := *g
		sized.Cylinders = cylinders
		sized.Alternates = max(0, min(g.Alternates, largest-cylinders))
		return &sized, nil
	}
	if largest == 0 {
		return nil, fmt.Errorf("device type that ends in %02X, with %d heads and track images of %d bytes: unknown", low, heads, trackSize)
	}
	return nil, fmt.Errorf("device type %s: %d cylinders: want 1 to %d", name, cylinders, largest)
}

// ForBlocks finds the FBA device for a number of blocks: the one that has exactly
// that many, else a 3370 (or, if that is too small, a 9336) with its size set to
// them.
func ForBlocks(blocks int64) (*Geometry, error) {
	for i := range models {
		if models[i].Blocks == blocks && blocks > 0 {
			return &models[i], nil
		}
	}
	if blocks < 1 || blocks > MaxBlocks {
		return nil, fmt.Errorf("fixed-block device of %d blocks: want 1 to %d", blocks, int64(MaxBlocks))
	}
	for i := range models {
		if g := &models[i]; g.Type == 0x3370 && g.Blocks > blocks || g.Type == 0x9336 && g.Model == 0x10 {
			sized := *g
			sized.Blocks = blocks
			return &sized, nil
		}
	}
	return nil, fmt.Errorf("fixed-block device of %d blocks: no type is that large", blocks)
}

// ForBlocksOfType finds the FBA device whose type ends in the given two digits
// (0x36 for a 9336, as image headers name it): the model that has exactly that
// many blocks, else the smallest model that holds them, or the largest one, with
// its size set to them.
func ForBlocksOfType(low byte, blocks int64) (*Geometry, error) {
	var best *Geometry
	for i := range models {
		g := &models[i]
		if !g.FBA() || byte(g.Type) != low {
			continue
		}
		if g.Blocks == blocks {
			return g, nil
		}
		if best == nil || best.Blocks < blocks {
			best = g
		}
	}
	if best == nil {
		return nil, fmt.Errorf("fixed-block device type that ends in %02X: unknown", low)
	}
	return best.ResizeBlocks(blocks)
}

// ResizeBlocks returns an FBA device of the same type and model with another
// number of blocks.
func (g *Geometry) ResizeBlocks(blocks int64) (*Geometry, error) {
	if !g.FBA() {
		return nil, fmt.Errorf("%s: has cylinders, not blocks", g.Name)
	}
	if blocks < 1 || blocks > MaxBlocks {
		return nil, fmt.Errorf("%s of %d blocks: want 1 to %d", g.Name, blocks, int64(MaxBlocks))
	}
	sized := *g
	sized.Blocks = blocks
	return &sized, nil
}

// MaxBlockFactor is the largest BlockFactor: blocks of 4096 bytes.
const MaxBlockFactor = 8

// WithBlockSize returns an FBA device that addresses blocks of the given size, a
// multiple of 512 bytes up to 4096. 512-byte blocks at the end that do not fill a
// larger block are cut off.
func (g *Geometry) WithBlockSize(bytes int) (*Geometry, error) {
	factor := bytes / BlockSize
	if !g.FBA() || bytes%BlockSize != 0 || factor < 1 || factor > MaxBlockFactor || g.Blocks < int64(factor) {
		return nil, fmt.Errorf("%s with blocks of %d bytes: want a multiple of %d up to %d, and a device of blocks", g.Name, bytes, BlockSize, MaxBlockFactor*BlockSize)
	}
	sized := *g
	sized.BlockFactor = factor
	sized.Blocks -= sized.Blocks % int64(factor)
	return &sized, nil
}

// MaxBlocks is the largest number of blocks that an FBA device can have: block
// numbers have 32 bits, and the highest is kept free.
const MaxBlocks = 1<<32 - 1
