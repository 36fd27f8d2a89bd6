package experiment

import (
	"fmt"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
)

// volume is one side of a pair: its medium, its device and its link.
type volume struct {
	ckd    media.CKD
	fba    media.FBA
	device *dasd.Device
	link   *dasd.Link
	unit   *ios.UCB
}

// storage is the volumes of a run.
type storage struct {
	geometry *media.Geometry
	imaged   string // the first image file that gave the geometry, or empty
	pairs    []pair
}

// pair is a primary and its mirrors, each where it was before any promotion.
type pair struct {
	*intercept.Pair
	primary volume
	mirrors []volume
}

// at is the volume of a place: 0 is the primary, 1 the first mirror.
func (p *pair) at(place int) *volume {
	if place == 0 {
		return &p.primary
	}
	return &p.mirrors[place-1]
}

// Device numbers of the volumes: the first pair's primary and first mirror, and
// how far apart others are; aliases follow their base unit.
const (
	primaryNumber = 0x1000
	mirrorNumber  = 0x2000
	volumeStep    = 0x0100 // between primaries, and between a primary's mirrors
	mirrorsStep   = abi.MaxMirrors * volumeStep
)

// group is the consistency group of all pairs: they are one application's.
const group = 1

// build makes the machine and the access method that plays the workload.
func (r *run) build() error {
	if err := r.buildMachine(); err != nil {
		return err
	}
	return r.buildAccess()
}

// buildMachine makes the machine: processors, channel subsystem, I/O supervisor,
// storage subsystems with a volume each, and the pairs.
func (r *run) buildMachine() error {
	c := r.config
	m, err := machine.New(c.Processors)
	if err != nil {
		return err
	}
	r.m = m
	r.ios = ios.New(m, channel.New(m))
	r.x = intercept.New(r.ios, r.opts.Log.Named("intercept"))
	r.x.Seed = c.Seed
	r.x.Promoted = r.promoted
	r.mirror = mirror.New(m, r.x)
	if c.Patience != 0 {
		r.mirror.Patience = machine.Time(c.Patience)
	}
	m.Steps = r.opts.Steps
	if r.faults, err = c.faultsOf(); err != nil {
		return err
	}
	if r.storage.geometry, err = c.geometry(); err != nil {
		return err
	}
	places := c.places()
	r.storage.pairs = make([]pair, c.pairs())
	for i := range r.storage.pairs {
		r.storage.pairs[i].mirrors = make([]volume, len(places))
	}
	if err := r.openImages(); err != nil {
		return err
	}
	for i := range r.storage.pairs {
		if err := r.addPair(i, places); err != nil {
			return err
		}
	}
	return nil
}

// buildAccess makes the block access method, and what the workload needs of the
// volumes.
func (r *run) buildAccess() error {
	if err := takesBlocks(r.storage.geometry); err != nil {
		return err
	}
	if err := r.format(); err != nil {
		return err
	}
	layout, err := r.config.Workload.layout(r.storage.geometry)
	if err != nil {
		return err
	}
	var volumes []access.Volume
	for i := range r.storage.pairs {
		volumes = append(volumes, access.Volume{Unit: r.storage.pairs[i].primary.unit, Layout: layout})
	}
	if r.block, err = access.NewBlock(r.ios, volumes, int64(r.config.Workload.stripe())<<10/program.BlockSize, r); err != nil {
		return err
	}
	r.watch(layout)
	if told := r.opts.Identified; told != nil {
		r.block.Identified = func(token, io uint64) { told(int64(token), io) }
	}
	return nil
}

// addPair makes the volumes of pair number i, from 0, and the pair.
func (r *run) addPair(i int, places []Place) error {
	p := &r.storage.pairs[i]
	number := uint16(primaryNumber + i*volumeStep)
	own, err := r.subsystem("PRIMARY", number, 1, &r.config.Primary)
	if err == nil {
		err = r.volume(&p.primary, own, number, &r.config.Primary)
	}
	if err != nil {
		return err
	}
	var mirrors []intercept.Device
	for j, place := range places {
		number := uint16(mirrorNumber + i*mirrorsStep + j*volumeStep)
		sub := own
		if !place.SameSubsystem {
			cfwid := place.CFWID
			if cfwid == 0 {
				cfwid = uint16(j + 2)
			}
			if sub, err = r.subsystem(fmt.Sprintf("MIRROR%d", j+1), number, cfwid, &place); err != nil {
				return err
			}
		}
		if err := r.volume(&p.mirrors[j], sub, number, &place); err != nil {
			return err
		}
		mirrors = append(mirrors, intercept.Device{Unit: p.mirrors[j].unit, CFWID: sub.CFWID()})
	}
	made, err := r.x.AddPair(intercept.Device{Unit: p.primary.unit, CFWID: 1}, r.geometry(), mirrors, !r.config.images())
	if err != nil {
		return err
	}
	p.Pair = made
	return r.x.JoinGroup(made, group)
}

// subsystem makes the storage subsystem of the volume that has the device number.
func (r *run) subsystem(name string, number, cfwid uint16, p *Place) (*dasd.Subsystem, error) {
	return dasd.NewSubsystem(r.m, name, dasd.Config{
		CFWID: cfwid, CacheTracks: p.CacheTracks, Seed: r.config.Seed ^ uint64(number),
		Timing: p.subsystem(),
	})
}

// volume makes a volume in a subsystem, its link, and its units.
func (r *run) volume(v *volume, sub *dasd.Subsystem, number uint16, p *Place) (err error) {
	g := r.storage.geometry
	if v.ckd == nil && v.fba == nil {
		if err := v.memory(g); err != nil {
			return err
		}
	}
	if g.FBA() {
		v.device, err = sub.NewFBA(number, v.fba)
	} else {
		v.device, err = sub.NewECKD(number, v.ckd)
	}
	if err != nil {
		return err
	}
	kind, err := dasd.ParseLinkType(p.Link)
	if err != nil {
		return err
	}
	v.link, err = dasd.NewLink(r.m, p.link(kind))
	if err != nil {
		return err
	}
	if v.unit, err = r.ios.AddUnit(number, v.device.NewSession(v.link), nil); err != nil {
		return err
	}
	for i := range p.Aliases {
		if _, err := r.ios.AddUnit(number+uint16(i)+1, v.device.NewSession(v.link), v.unit); err != nil {
			return err
		}
	}
	return nil
}

// memory makes a medium in memory, formatted in blocks and labelled.
func (v *volume) memory(g *media.Geometry) (err error) {
	if g.FBA() {
		v.fba, err = media.NewMemoryFBA(g)
		return err
	}
	if v.ckd, err = media.NewMemoryCKD(g, g.RecordsPerTrack(0, program.BlockSize), program.BlockSize); err != nil {
		return err
	}
	// A pair's volumes have one serial number: the mirror is to take the primary's
	// place.
	return media.InitCKD(v.ckd, media.Label{Serial: "IOSRUN"})
}

// volumeOf is the volume on a unit. A promotion has units change places.
func (p *pair) volumeOf(u *ios.UCB) *volume {
	for place := range len(p.mirrors) + 1 {
		if v := p.at(place); v.unit == u {
			return v
		}
	}
	return nil
}

// geometry is what the intercept process must know of the devices.
func (r *run) geometry() intercept.Geometry {
	g := r.storage.geometry
	if g.FBA() {
		return intercept.Geometry{Class: abi.ClassFBA, Tracks: uint32(g.Tracks()), Blocks: uint32(g.Blocks), TrackBlocks: media.GroupBlocks}
	}
	return intercept.Geometry{Class: abi.ClassECKD, Tracks: uint32(g.Tracks()), Heads: uint32(g.Heads)}
}

// recordsATrack is the number of blocks on a formatted track.
func (r *run) recordsATrack() int { return r.storage.geometry.RecordsPerTrack(0, program.BlockSize) }

// layout is where on a volume the workload's blocks lie.
func (w *Workload) layout(g *media.Geometry) (access.Layout, error) {
	if g.FBA() {
		if w.Cylinders > 0 {
			return nil, fmt.Errorf("workload of %d cylinders: a %s has blocks, whose requests go to all of it", w.Cylinders, g.Name)
		}
		return access.NewFBALayout(g.Blocks)
	}
	records := g.RecordsPerTrack(0, program.BlockSize)
	if w.Cylinders == 0 {
		return access.NewECKDLayout(g.Cylinders, g.Heads, records)
	}
	first := w.firstCylinder()
	if w.Cylinders > g.Cylinders-first {
		return nil, fmt.Errorf("workload of %d cylinders from %d on: the volume has 1 to %d for it", w.Cylinders, first, g.Cylinders-1)
	}
	return access.NewECKDExtent(first, w.Cylinders, g.Heads, records)
}

// firstCylinder is the first cylinder that requests go to, where they go to some
// cylinders alone: cylinder 0 is the label's.
func (w *Workload) firstCylinder() int { return max(1, w.FirstCylinder) }

// compare holds a mirror against its primary: how many tracks differ, and how
// many of those the account has not marked.
func (r *run) compare(of *pair, m *intercept.Mirror) (differ, unmarked int, err error) {
	p, v := of.volumeOf(of.Primary()), of.volumeOf(m.Unit())
	for t := range r.geometry().Tracks {
		same, err := equalTrack(p, v, r.storage.geometry, int(t))
		if err != nil {
			return differ, unmarked, err
		}
		if !same {
			differ++
			if !m.Marked(t) {
				unmarked++
			}
		}
	}
	return differ, unmarked, nil
}

func equalTrack(a, b *volume, g *media.Geometry, t int) (bool, error) {
	if a.ckd == nil {
		first := int64(t) * media.GroupBlocks
		return media.EqualBlocks(a.fba, b.fba, first, int(min(media.GroupBlocks, g.Blocks-first)))
	}
	x, err := a.ckd.Track(t)
	if err != nil {
		return false, err
	}
	y, err := b.ckd.Track(t)
	if err != nil {
		return false, err
	}
	return media.EqualTrack(x, y), nil
}
