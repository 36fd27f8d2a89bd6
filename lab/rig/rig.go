package rig

import (
	"errors"
	"fmt"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/chain"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/lab/description"
)

// Options holds the parameters of a rig besides its description.
type Options struct {
	// Log gets the machine's messages; it must not be nil.
	Log hclog.Logger
	// Steps, if not nil, records the steps that the machine takes.
	Steps machine.StepRecorder
	// Frames, if not nil, is called with the frame of each call of a detour, before
	// the call and after it. It must not change the frame.
	Frames func(*abi.Frame)
	// NoSync lets the operating system decide when changes to image files become
	// durable.
	NoSync bool
}

// Rig is a machine with its volumes and pairs.
type Rig struct {
	Description *description.Machine
	Log         hclog.Logger
	Machine     *machine.Machine
	Supervisor  *ios.Supervisor
	Intercept   *intercept.Process
	Mirroring   *mirror.Process
	// Geometry describes the devices; all are alike.
	Geometry *media.Geometry
	// Pairs lists all pairs, in the order of their numbers, which begin at 1.
	Pairs []Pair
	// Promised, if not nil, is called with the promise of a policy when its detours
	// have been put on the slots.
	Promised func(intercept.Promise)

	frames    func(*abi.Frame)
	noSync    bool
	imaged    string // the first image file that gave the geometry, or empty
	installed []Installation
}

// Device numbers of the volumes: of the first pair's primary and first mirror, and
// the steps to the others. Aliases follow their base unit.
const (
	primaryNumber = 0x1000
	mirrorNumber  = 0x2000
	volumeStep    = 0x0100 // step between primaries, and between a primary's mirrors
	mirrorsStep   = abi.MaxMirrors * volumeStep
)

// group is the number of the consistency group of all pairs, which belong to one
// application.
const group = 1

// Build makes the machine: processors, channel subsystem, I/O supervisor, storage
// subsystems with a volume each, and the pairs. The slots lead to their conventional
// targets. The caller must close the rig.
func Build(d *description.Machine, o Options) (*Rig, error) {
	m, err := machine.New(d.Processors)
	if err != nil {
		return nil, err
	}
	r := &Rig{Description: d, Log: o.Log, Machine: m, Geometry: d.Geometry, frames: o.Frames, noSync: o.NoSync}
	r.Supervisor = ios.New(m, channel.New(m))
	r.Intercept = intercept.New(r.Supervisor, o.Log.Named("intercept"))
	r.Intercept.Seed = d.Seed
	r.Mirroring = mirror.New(m, r.Intercept)
	if d.Patience != 0 {
		r.Mirroring.Patience = d.Patience
	}
	m.Steps = o.Steps
	r.Pairs = make([]Pair, d.Pairs)
	for i := range r.Pairs {
		r.Pairs[i].volumes = make([]Volume, 1+len(d.Mirrors))
	}
	if err := r.addVolumes(); err != nil {
		return nil, errors.Join(err, r.closeVolumes())
	}
	return r, nil
}

// addVolumes opens the images and makes the pairs of volumes.
func (r *Rig) addVolumes() error {
	if err := r.openImages(); err != nil {
		return err
	}
	for i := range r.Pairs {
		if err := r.addPair(i); err != nil {
			return err
		}
	}
	return nil
}

// addPair makes the volumes of pair number i, from 0, and the pair.
func (r *Rig) addPair(i int) error {
	p, d := &r.Pairs[i], r.Description
	number := uint16(primaryNumber + i*volumeStep)
	own, err := r.subsystem("PRIMARY", number, &d.Primary)
	if err == nil {
		err = r.addVolume(p.At(0), own, number, &d.Primary)
	}
	if err != nil {
		return err
	}
	var mirrors []intercept.Device
	for j := range d.Mirrors {
		v := &d.Mirrors[j]
		number := uint16(mirrorNumber + i*mirrorsStep + j*volumeStep)
		sub := own
		if !v.SameSubsystem {
			if sub, err = r.subsystem(fmt.Sprintf("MIRROR%d", j+1), number, v); err != nil {
				return err
			}
		}
		if err := r.addVolume(p.At(j+1), sub, number, v); err != nil {
			return err
		}
		mirrors = append(mirrors, intercept.Device{Unit: p.At(j + 1).Unit, CFWID: sub.CFWID()})
	}
	p.Pair, err = r.Intercept.AddPair(intercept.Device{Unit: p.At(0).Unit, CFWID: own.CFWID()}, r.geometry(), mirrors, !d.InFiles())
	if err != nil {
		return err
	}
	return r.Intercept.JoinGroup(p.Pair, group)
}

// subsystem makes the storage subsystem of the volume that has the device number.
func (r *Rig) subsystem(name string, number uint16, d *description.Volume) (*dasd.Subsystem, error) {
	c := d.Subsystem
	c.Seed = r.Description.Seed ^ uint64(number)
	return dasd.NewSubsystem(r.Machine, name, c)
}

// addVolume makes a volume in a subsystem, its link, and its units.
func (r *Rig) addVolume(v *Volume, sub *dasd.Subsystem, number uint16, d *description.Volume) (err error) {
	g := r.Geometry
	if v.CKD == nil && v.FBA == nil {
		if err := v.inMemory(g); err != nil {
			return err
		}
	}
	if g.FBA() {
		v.Device, err = sub.NewFBA(number, v.FBA)
	} else {
		v.Device, err = sub.NewECKD(number, v.CKD)
	}
	if err != nil {
		return err
	}
	if v.Link, err = dasd.NewLink(r.Machine, d.Link); err != nil {
		return err
	}
	if v.Unit, err = r.Supervisor.AddUnit(number, v.Device.NewSession(v.Link), nil); err != nil {
		return err
	}
	for i := range d.Aliases {
		if _, err := r.Supervisor.AddUnit(number+uint16(i)+1, v.Device.NewSession(v.Link), v.Unit); err != nil {
			return err
		}
	}
	return nil
}

// geometry returns the data about the devices that the intercept process needs.
func (r *Rig) geometry() chain.Geometry {
	g := r.Geometry
	if g.FBA() {
		return chain.Geometry{Class: abi.ClassFBA, Tracks: uint32(g.Tracks()), Blocks: uint32(g.Blocks), TrackBlocks: media.GroupBlocks}
	}
	return chain.Geometry{Class: abi.ClassECKD, Tracks: uint32(g.Tracks()), Heads: uint32(g.Heads)}
}

// RecordsATrack returns the number of blocks on a formatted track; 0 when a block
// does not fit a track, and on fixed-block devices.
func (r *Rig) RecordsATrack() int { return r.Geometry.RecordsPerTrack(0, program.BlockSize) }

// Online takes a volume into use again that the I/O supervisor has boxed, which
// means taken out of use because it did not answer. An operator does this after a
// repair.
func (r *Rig) Online(v *Volume) { r.Supervisor.Online(r.Machine.Clock.Now(), v.Unit) }

// MirrorName returns a mirror's name in messages; pair and mirror are numbered from
// 1.
func (r *Rig) MirrorName(pair, mirror int) string {
	if len(r.Pairs) == 1 {
		return fmt.Sprintf("mirror %d", mirror)
	}
	return fmt.Sprintf("pair %d, mirror %d", pair, mirror)
}

// Mirror is a mirror of a pair, with its name in messages.
type Mirror struct {
	*intercept.Mirror
	Of   *Pair
	Name string
}

// Mirror returns a mirror of a pair, both numbered from 1.
func (r *Rig) Mirror(pair, mirror int) Mirror {
	p := &r.Pairs[pair-1]
	return Mirror{p.Mirrors()[mirror-1], p, r.MirrorName(pair, mirror)}
}

// Mirrors returns the mirrors of all pairs, in order.
func (r *Rig) Mirrors() (all []Mirror) {
	for i := range r.Pairs {
		for j := range r.Pairs[i].Mirrors() {
			all = append(all, r.Mirror(i+1, j+1))
		}
	}
	return all
}

// Close takes the detours off the slots, closes them, and writes the volumes'
// changes to their files.
func (r *Rig) Close() error { return errors.Join(r.Supervisor.Hooks.Close(), r.closeVolumes()) }
