package media

import (
	"errors"
	"fmt"
)

// ErrReadOnly says that a medium was opened read-only.
var ErrReadOnly = errors.New("medium is read-only")

// BlockSize is the size of a fixed block in bytes.
const BlockSize = 512

// GroupBlocks is how many fixed blocks count as one track where the changes
// of a device are marked.
const GroupBlocks = 128

// Formula says how the length that a record takes on a track is worked out;
// the numbers are those that Read Device Characteristics gives, where they
// are positive.
type Formula int8

// The formulas.
const (
	FormulaNone Formula = 0
	Formula1    Formula = 1  // 3375, 3380: cells of 32 bytes
	Formula2    Formula = 2  // 3390, 9345: cells and segments
	FormulaGap  Formula = -1 // 2305 to 3350: a constant a record, more with a key
	FormulaLast Formula = -2 // 2311, 2314: as before, the last record without its gap
)

// Geometry is what there is to know of a device type's tracks or blocks. It is
// shared and must not be changed.
type Geometry struct {
	// Name is the type and model, such as "3390-3".
	Name string
	// Type is the device type as four hexadecimal digits, such as 0x3390.
	Type uint16
	// Model and Code are bytes of Sense ID and of Read Device Characteristics.
	Model, Code byte

	// Cylinders of a CKD device, without the Alternates behind them.
	Cylinders, Alternates int
	Heads                 int
	// TrackSize is the size of a track image in bytes.
	TrackSize int
	// TrackLength is what the records of a track may take together, in the
	// units of the formula; DataLength and ZeroLength are the longest data
	// areas, in bytes, of a record and of a record zero alone on its track.
	// HomeLength is the length of home address and record zero.
	TrackLength, DataLength, ZeroLength, HomeLength int
	// Sectors is the number of rotational positions, 0 without such sensing.
	Sectors int
	Formula Formula
	Factors [6]int

	// Blocks of 512 bytes of an FBA device; 0 for CKD.
	Blocks                            int64
	BlocksPerTrack, BlocksPerCylinder int
	// BlockFactor is how many blocks of 512 bytes the device addresses as one;
	// 0 is 1.
	BlockFactor int
}

// FBA tells whether the device has fixed blocks.
func (g *Geometry) FBA() bool { return g.Blocks > 0 }

// Tracks is how many tracks a CKD device has, or how many groups of
// GroupBlocks blocks an FBA device has.
func (g *Geometry) Tracks() int {
	if g.FBA() {
		return int((g.Blocks + GroupBlocks - 1) / GroupBlocks)
	}
	return g.Cylinders * g.Heads
}

// wideCylinders is where 16 bits of cylinder number end. A larger device keeps
// the rest in the high twelve bits of the head number (extended address
// volumes).
const wideCylinders = 1 << 16

// Address gives the four bytes CCHH of a track, as a word.
func (g *Geometry) Address(cylinder, head int) uint32 {
	return uint32(cylinder)<<16 | uint32(cylinder>>16<<4) | uint32(head)
}

// Track gives the number of the track at the address CCHH, and false when the
// device has no such track.
func (g *Geometry) Track(address uint32) (int, bool) {
	cylinder, head := int(address>>16), int(address&0xFFFF)
	if g.Cylinders > wideCylinders {
		cylinder |= head >> 4 << 16
		head &= 0x0F
	}
	return cylinder*g.Heads + head, cylinder < g.Cylinders && head < g.Heads
}

// standardZero is what the standard record zero takes: eight bytes of data.
func (g *Geometry) standardZero() int { return g.space(0, zeroData) }

// space is what a record with key and data of the given lengths takes on a
// track, in the units of TrackLength. (3390 Reference, "track capacity"; the
// formulas of the older types are those of their own manuals.)
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

// lastSpace is what the last record of a track takes.
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

// RecordsPerTrack is how many records with keys and data of the given lengths
// fit a track behind a standard record zero: on a 3390, 12 of 4096 bytes
// without key.
func (g *Geometry) RecordsPerTrack(key, data int) int {
	if key < 0 || key > maximumKey || data < 0 || data > g.DataLength || g.FBA() {
		return 0
	}
	last := g.lastSpace(key, data)
	if last > g.TrackLength {
		return 0
	}
	n := 1 + (g.TrackLength-last)/g.space(key, data)
	// The formulas allow more records of no length than a record number counts.
	return min(n, maximumRecords)
}

// Limits of a record and of a track.
const (
	maximumKey     = 255
	maximumRecords = 255
)

// Lookup finds a device by name: "3390-3", "9336-20", another name of a model
// that Hercules knows, such as "3380-2" for a 3380-E, or a type alone, which means
// its smallest model (of the 0671, as in Hercules, the 0671-1). The geometry
// found has the model's own name.
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

// Resize gives a CKD device of the same type with another number of cylinders.
// Its model is the smallest one that holds them; the name is that model's.
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

// ForBlocks finds the FBA device for a number of blocks: the one that has just
// so many, else a 3370 (or, where that is too small, a 9336) with as many.
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

// ForBlocksOfType finds the FBA device whose type ends in the given two digits (0x36
// for a 9336, as image headers name it): the model that has just so many blocks, else
// the smallest that holds them, or the largest, with as many.
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

// ResizeBlocks gives an FBA device of the same type and model with another
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

// WithBlockSize gives an FBA device that addresses blocks of the given size, a
// multiple of 512 bytes up to 4096. Of the 512-byte blocks, those that do not
// fill a larger one are cut off.
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

// MaxBlocks is the most blocks that an FBA device can have: block numbers have
// 32 bits, and the highest is kept free.
const MaxBlocks = 1<<32 - 1
