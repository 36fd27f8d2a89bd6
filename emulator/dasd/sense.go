package dasd

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/dasd/media"
)

// senseSize is the most sense bytes that a control unit gives.
const senseSize = 32

// The bits of sense byte 0, shifted left by 8, and of sense byte 1.
const (
	senseCommandReject    = 0x8000
	senseIntervention     = 0x4000
	senseEquipmentCheck   = 0x1000
	senseDataCheck        = 0x0800
	senseIncompleteDomain = 0x0100
	senseInvalidFormat    = 0x0040 // invalid track format
	senseEndOfCylinder    = 0x0020
	senseNoRecord         = 0x0008
	senseFileProtected    = 0x0004
	senseWriteInhibited   = 0x0002
)

// The messages of format 0, in sense byte 7, that go with a command reject.
const (
	messageNone             = 0
	messageInvalidCommand   = 1
	messageInvalidSequence  = 2
	messageCountTooSmall    = 3
	messageInvalidParameter = 4
	messageDiagnostic       = 5 // not allowed by the file mask
)

// Places in the sense bytes of a CKD device.
const (
	senseCylinderLow  = 5
	senseCylinderHead = 6
	senseMessage      = 7
	senseCompatible   = 27 // 80: the first 24 bytes are as older units give them
	senseCylinder     = 29
	senseHead         = 31
)

// check makes the sense bytes of a unit check, for a CKD device with the track
// that it stands on.
func (s *session) check(bits uint16, message byte, track int) channel.UnitStatus {
	p := &s.sense
	*p = s.device.unit.emptySense(s.device.geometry)
	binary.BigEndian.PutUint16(p[:], bits)
	s.sensed = true
	if heads := s.device.geometry.Heads; heads > 0 {
		cylinder, head := track/heads, track%heads
		p[senseCylinderLow] = byte(cylinder)
		p[senseCylinderHead] = byte(cylinder>>8)<<4 | byte(head)
		p[senseMessage] = message
		if s.device.unit.senseLength == senseSize {
			binary.BigEndian.PutUint16(p[senseCylinder:], uint16(cylinder))
			p[senseHead] = byte(head)
		}
	}
	return unitCheck
}

// emptySense is what a sense command gives when there is nothing to say.
func (u *controlUnit) emptySense(g *media.Geometry) (p [senseSize]byte) {
	if !g.FBA() && u.senseLength == senseSize {
		p[senseCompatible] = 0x80
	}
	return p
}

// broken is the unit check of a failed device, or 0.
func (s *session) broken(track int) channel.UnitStatus {
	switch s.device.failure {
	case EquipmentCheck:
		return s.check(senseEquipmentCheck, messageNone, track)
	case InterventionRequired:
		return s.check(senseIntervention, messageNone, track)
	}
	return 0
}
