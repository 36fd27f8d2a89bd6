package description

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
)

// Experiment is a description that has been parsed and checked.
type Experiment struct {
	Name string
	// Machine is the machine on which each policy runs.
	Machine Machine
	// Extent is the part of the primaries that the requests use.
	Extent Extent
	// Traffic is the source of the requests.
	Traffic Traffic
	// Policies lists the names or files of the policies to run.
	Policies []string
	// Swaps and Faults list the events during the run, in the order of the settings.
	Swaps  []Swap
	Faults []Fault
	// Synchronise holds the options of the action Resynchronise, except for those that
	// depend on the devices.
	Synchronise mirror.SyncOptions
	// Expect lists the kinds of failures that do not make a check fail. Strict says
	// that a refused intent of a detour does.
	Expect Expect
	Strict bool

	origin origin
}

// About adds the place where the setting of a key was given, if that is known, to an
// error that already names its subject.
func (x *Experiment) About(key string, err error) error { return x.origin.about(key, err) }

// Machine describes a host computer and the volumes on its channels.
type Machine struct {
	// Seed is the seed of all pseudo-random numbers of the machine and its detours.
	Seed uint64
	// Processors is the number of processors, 1 to machine.MaxProcessors.
	Processors int
	// Patience is the longest time that an application waits for mirrors; 0 stands
	// for mirror.Patience.
	Patience machine.Time
	// Geometry describes the devices of volumes in memory. When a volume is in a file,
	// all have the file's geometry.
	Geometry *media.Geometry
	// Pairs is the number of primaries, each with mirrors of its own.
	Pairs int
	// Primary and Mirrors describe the volumes of each pair.
	Primary Volume
	Mirrors []Volume
	// Native says that shipped detours are linked into the host.
	Native bool
}

// Volume describes a volume: its device, its storage subsystem and its link.
type Volume struct {
	Link dasd.LinkConfig
	// Subsystem describes the storage subsystem, except for its seed. It is not used
	// for a mirror in its primary's subsystem.
	Subsystem dasd.Config
	// Aliases is the number of alias units, not counting the base unit.
	Aliases int
	// Standing says that a suspended chain stands on the unit, to which mirror I/Os are
	// joined.
	Standing bool
	// SameSubsystem says that the volume is in its primary's storage subsystem.
	SameSubsystem bool
	// Image describes the volume's file; nil stands for memory.
	Image *Image
}

// Image describes a volume in a file.
type Image struct {
	Path string
	// Shadows lists the shadow files, which hold changes to it, the topmost last.
	Shadows []string
	Mode    media.Mode
	// CacheBytes limits the memory of cached tracks, in bytes; 0 stands for
	// image.DefaultCacheBytes.
	CacheBytes int
	// IgnoreOpened writes to a compressed image although its last user did not close it.
	IgnoreOpened bool
}

// volumes returns the primary and the mirrors of one pair, in this order.
func (m *Machine) volumes() []*Volume {
	all := []*Volume{&m.Primary}
	for i := range m.Mirrors {
		all = append(all, &m.Mirrors[i])
	}
	return all
}

// InFiles reports whether a volume is in a file. Then the mirrors do not begin with
// the content of their primary.
func (m *Machine) InFiles() bool {
	for _, v := range m.volumes() {
		if v.Image != nil {
			return true
		}
	}
	return false
}

// Has returns an error when there is no volume at a place, or nil. Pairs are
// numbered from 1, and so are mirrors; mirror 0 is the primary.
func (m *Machine) Has(pair, mirror int) error {
	switch {
	case mirror > len(m.Mirrors):
		return fmt.Errorf("there are %d mirrors", len(m.Mirrors))
	case pair > m.Pairs:
		return fmt.Errorf("there are %d pairs", m.Pairs)
	}
	return nil
}

// Extent is the part of the primaries that the requests use.
type Extent struct {
	// FirstCylinder and Cylinders are an extent of CKD volumes that is formatted for
	// the requests. With 0 cylinders they use the whole volumes.
	FirstCylinder, Cylinders int
	// StripeBlocks is the number of blocks that lie on a primary before the next ones
	// lie on the next primary.
	StripeBlocks int64
}

// Layout returns the layout of the blocks on a volume of a geometry.
func (e *Extent) Layout(g *media.Geometry) (access.Layout, error) {
	if g.FBA() {
		if e.Cylinders > 0 {
			return nil, fmt.Errorf("workload of %d cylinders: a %s has blocks, whose requests go to all of it", e.Cylinders, g.Name)
		}
		return access.NewFBALayout(g.Blocks)
	}
	records := g.RecordsPerTrack(0, program.BlockSize)
	if e.Cylinders == 0 {
		return access.NewECKDLayout(g.Cylinders, g.Heads, records)
	}
	if e.Cylinders > g.Cylinders-e.FirstCylinder {
		return nil, fmt.Errorf("workload of %d cylinders from %d on: the volume has 1 to %d for it", e.Cylinders, e.FirstCylinder, g.Cylinders-1)
	}
	return access.NewECKDExtent(e.FirstCylinder, e.Cylinders, g.Heads, records)
}

// TakesBlocks returns the reason why no workload can be played on a device, or nil.
// Control units before the 3880 have neither define extent nor locate record, with
// which the channel programs of the block access method begin.
func TakesBlocks(g *media.Geometry) error {
	switch {
	case g.FBA():
	case g.Formula == media.FormulaGap, g.Formula == media.FormulaLast:
		return fmt.Errorf("workload on a %s: its control unit knows no define extent and locate record, which the block access method reads and writes with: want a 3375, 3380, 3390 or 9345, or a device of blocks", g.Name)
	case g.RecordsPerTrack(0, program.BlockSize) == 0:
		return fmt.Errorf("workload on a %s: its tracks take no record of %d bytes, which the block access method reads and writes", g.Name, program.BlockSize)
	}
	return nil
}
