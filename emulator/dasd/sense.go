package dasd

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/media"
)

// The messages of format 0, in sense byte 7, that accompany a command reject.
const (
	messageNone             = 0
	messageInvalidCommand   = 1
	messageInvalidSequence  = 2
	messageCountTooSmall    = 3
	messageInvalidParameter = 4
	messageDiagnostic       = 5 // not allowed by the file mask
)

// Offsets in the sense bytes of a CKD device.
const (
	senseModel        = 2
	senseReady        = 3
	senseDrive        = 4
	senseCylinderLow  = 5
	senseCylinderHead = 6
	senseMessage      = 7
	senseCompatible   = 27 // 80: the first 24 bytes have the form of older units
	senseCylinder     = 29
	senseHead         = 31
)

// check makes the sense bytes of a unit check; for a CKD device they contain the
// track that the head is on.
func (s *session) check(bits arch.Sense, message byte, track int) arch.UnitStatus {
	p := &s.sense
	*p = s.device.unit.emptySense(s.device.geometry)
	binary.BigEndian.PutUint16(p[:], uint16(bits))
	s.sensed = true
	if heads := s.device.geometry.Heads; heads > 0 {
		cylinder, head := track/heads, track%heads
		s.device.place(p, cylinder, head)
		p[senseMessage] = message
		if s.device.unit.senseLength == arch.SenseSize {
			binary.BigEndian.PutUint16(p[senseCylinder:], uint16(cylinder))
			p[senseHead] = byte(head)
		}
	}
	return unitCheck
}

// Bits of sense bytes 2 and 3.
const (
	rotational  = 0x80 // 3340: rotational position sensing
	ready       = 0x80 // 2311
	online      = 0x40 // 2305, 2311, 2314
	safe        = 0x08 // 2311: no unsafe condition
	endCylinder = 0x04 // 2305, 2311, 2314, beside the bit of sense byte 1
)

// mostSensedCylinders is the number of cylinders that sense bytes 5 and 6 can
// number. A larger device has all ones there.
const mostSensedCylinders = 4096

// place fills in the sense bytes that name the drive and the position of its arm:
// the drive, in a code of its type; the low eight bits of the cylinder; then its
// high bits, shifted by an amount that depends on the type, and the head. (The
// devices' manuals, as Hercules 3.13 has them.)
func (d *Device) place(p *[arch.SenseSize]byte, cylinder, head int) {
	drive := byte(d.number)
	shift := 4
	switch g := d.geometry; g.Type {
	case 0x2305, 0x2311, 0x2314:
		p[senseReady] = online
		if g.Type == 0x2311 {
			p[senseReady] |= ready | safe
		}
		if arch.SenseOf(p)&arch.SenseEndOfCylinder != 0 {
			p[senseReady] |= endCylinder
		}
		return
	case 0x3330:
		p[senseDrive] = ^drive&7<<3 | drive&7
		if shift = 5; g.Model == 1 {
			shift = 6
		}
	case 0x3340:
		p[senseModel] |= rotational | g.Model
		p[senseDrive] = 0x80 >> (drive & 7)
		shift = 5
	case 0x3350:
		p[senseDrive] = 0x80 >> (drive & 7)
		shift = 5
	case 0x3375:
		p[senseDrive] = drive & 7
		shift = 6
	case 0x3380:
		p[senseDrive] = drive & 0xF
	}
	p[senseCylinderLow], p[senseCylinderHead] = byte(cylinder), byte(cylinder>>8<<shift|head)
	if d.geometry.Cylinders >= mostSensedCylinders {
		p[senseCylinderLow], p[senseCylinderHead] = 0xFF, 0xFF
	}
}

// emptySense returns the sense bytes when there is nothing to report.
func (u *controlUnit) emptySense(g *media.Geometry) (p [arch.SenseSize]byte) {
	if !g.FBA() && u.senseLength == arch.SenseSize {
		p[senseCompatible] = 0x80
	}
	return p
}

// broken returns the unit check of a failed device, or 0.
func (s *session) broken(track int) arch.UnitStatus {
	switch s.device.failure {
	case EquipmentCheck:
		return s.check(arch.SenseEquipmentCheck, messageNone, track)
	case InterventionRequired:
		return s.check(arch.SenseIntervention, messageNone, track)
	}
	return 0
}
