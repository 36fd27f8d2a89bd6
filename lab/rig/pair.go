package rig

import (
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/program"
)

// Volume is one side of a pair: its medium, its device, its link and its base unit.
type Volume struct {
	// CKD is the medium of a count-key-data device, FBA the medium of a fixed-block
	// device. The other one is nil.
	CKD    media.CKD
	FBA    media.FBA
	Device *dasd.Device
	Link   *dasd.Link
	Unit   *ios.UCB
}

// Pair is a primary and its mirrors.
type Pair struct {
	*intercept.Pair
	volumes []Volume // as they were before any promotion, the primary first
}

// At returns the volume of a place, as it was before any promotion: 0 is the
// primary, 1 the first mirror.
func (p *Pair) At(place int) *Volume { return &p.volumes[place] }

// Places returns the number of volumes of the pair.
func (p *Pair) Places() int { return len(p.volumes) }

// VolumeOf returns the volume of a unit. A promotion exchanges the units of volumes.
func (p *Pair) VolumeOf(u *ios.UCB) *Volume {
	for i := range p.volumes {
		if p.volumes[i].Unit == u {
			return &p.volumes[i]
		}
	}
	return nil
}

// Works reports whether the volume can be read now.
func (v *Volume) Works() bool {
	return v.Device.Failure() == dasd.Healthy && !v.Device.Subsystem().Failed() && !v.Link.Down()
}

// inMemory makes a medium in memory, formatted in blocks and labelled.
func (v *Volume) inMemory(g *media.Geometry) (err error) {
	if g.FBA() {
		v.FBA, err = media.NewMemoryFBA(g)
		return err
	}
	if v.CKD, err = media.NewMemoryCKD(g, g.RecordsPerTrack(0, program.BlockSize), program.BlockSize); err != nil {
		return err
	}
	// A pair's volumes have the same serial number, because a mirror may take the
	// primary's place.
	return media.InitCKD(v.CKD, media.Label{Serial: "IOSRUN"})
}

func (v *Volume) close() error {
	switch {
	case v.CKD != nil:
		return v.CKD.Close()
	case v.FBA != nil:
		return v.FBA.Close()
	}
	return nil
}
