package chain

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Limits of following a chain.
const (
	// MaxCCWs is the largest number of CCWs that are followed. A longer chain is
	// marked as truncated, and every track of its extent counts as written.
	MaxCCWs = 1024
	// maxWays is the largest number of ways through a chain that wait to be followed.
	// A chain with more is marked as truncated.
	maxWays = 16
)

// Geometry holds the sizes of a device that are needed to find the tracks that a
// chain touches.
type Geometry struct {
	Class abi.DeviceClass
	// Tracks is the number of tracks of the device.
	Tracks uint32
	// Heads is the number of tracks of a cylinder (ECKD).
	Heads uint32
	// Blocks is the number of 512-byte blocks of a fixed-block device, TrackBlocks
	// the number of blocks that count as one track.
	Blocks, TrackBlocks uint32
}

// Extent is a range of tracks, both ends included.
type Extent struct{ First, Last uint32 }

// Track returns the extent of one track.
func Track(t uint32) Extent { return Extent{t, t} }

// NoTracks is the empty extent.
var NoTracks = Extent{1, 0}

// Program describes a chain that has been followed. Follow fills it; its buffers
// are reused from one chain to the next.
type Program struct {
	// CCWs holds the CCWs of the chain in the order in which they were met, each
	// once.
	CCWs []abi.CCW
	// Parameters holds the parameters of its define extent, locate and prefix
	// commands; the first Blocks entries are in use.
	Parameters [abi.InlineParameters][abi.ParameterSize]byte
	Blocks     int
	Flags      abi.ChainFlags
	// Writes says that the chain may write to the device.
	Writes bool
	// Bytes is the number of bytes that the commands transfer, parameters not
	// counted.
	Bytes uint32
	// Written is the number of these bytes that write commands transfer.
	Written uint32
	// Tracks is the range of tracks that the chain can touch.
	Tracks Extent
	// Late holds the tracks that the chain can touch after it has suspended itself; it
	// is empty for a chain that does not.
	Late Extent
	// Suspends says that a CCW has the suspend flag, Interrupts that one asks for a
	// program-controlled interruption.
	Suspends, Interrupts bool
	// Stores says that the chain stores into main storage, Modifies that it stores
	// into its own CCWs or into data that it sends.
	Stores, Modifies bool
	// Branches says that the CCWs are not executed in the order in which they lie in
	// storage.
	Branches bool

	late where             // places after a suspension; set with Suspends
	ways []machine.Address // beginnings of ways that have not been followed yet
}

func (g *Program) reset() {
	g.CCWs = g.CCWs[:0]
	g.Blocks, g.Flags, g.Writes, g.Bytes, g.Written, g.Suspends, g.Interrupts = 0, 0, false, 0, 0, false, false
	g.Stores, g.Modifies, g.Branches = false, false, false
	g.ways = g.ways[:0]
}

// Truncated reports whether the chain could not be followed to its end.
func (g *Program) Truncated() bool { return g.Flags&abi.ChainTruncated != 0 }

// met reports whether the CCW at that location is among those of the program.
func (g *Program) met(location uint32) bool {
	for i := range g.CCWs {
		if g.CCWs[i].Location == location {
			return true
		}
	}
	return false
}

// branch notes another way that the chain can take, beginning at at.
func (g *Program) branch(at machine.Address) {
	if g.Branches = true; len(g.ways) == maxWays {
		g.Flags |= abi.ChainTruncated
		return
	}
	g.ways = append(g.ways, at)
}

// way takes a way that has not been followed yet and returns the address at which
// it begins; false when none is left.
func (g *Program) way() (machine.Address, bool) {
	n := len(g.ways)
	if n == 0 {
		return 0, false
	}
	at := g.ways[n-1]
	g.ways = g.ways[:n-1]
	return at, true
}
