package channel

import (
	"encoding/binary"
	"fmt"
)

// PMCW is the path-management-control word: the identity of a subchannel and the
// settings for its use.
type PMCW struct {
	InterruptionParameter uint32
	// Flags holds bytes 4 and 5: interruption subclass and the PMCW bits.
	Flags  uint16
	Device uint16 // device number
	LPM    uint8  // logical-path mask: the paths that may be used
	PNOM   uint8  // path-not-operational mask
	LPUM   uint8  // last-path-used mask
	PIM    uint8  // path-installed mask
	MBI    uint16 // measurement-block index
	POM    uint8  // path-operational mask
	PAM    uint8  // path-available mask
	CHPID  [8]uint8
	// Control is the last word, of which PMCWConcurrentSense is in use.
	Control uint32
}

// The bits of PMCW.Flags and PMCW.Control.
const (
	PMCWISC             = 0x3800 // interruption subclass
	PMCWISCShift        = 11
	PMCWEnabled         = 0x0080 // E
	PMCWLimit           = 0x0060 // LM: limit mode
	PMCWLimitAbove      = 0x0020 // data at or above the address limit
	PMCWLimitBelow      = 0x0040 // data below it
	PMCWMeasure         = 0x0010 // MM: measurement-block update
	PMCWConnectTime     = 0x0008 // MM: device-connect-time measurement
	PMCWMultipath       = 0x0004 // D
	PMCWTiming          = 0x0002 // T
	PMCWValid           = 0x0001 // V: device number valid
	PMCWConcurrentSense = 0x00000001

	pmcwFlagsReserved   = 0xC700
	pmcwControlReserved = 0xFFFFFFF8
	// The bits that MODIFY SUBCHANNEL may change.
	pmcwFlagsModify   = PMCWISC | PMCWEnabled | PMCWLimit | PMCWMeasure | PMCWConnectTime | PMCWMultipath
	pmcwControlModify = PMCWConcurrentSense
)

// ISC returns the interruption subclass, 0 to 7.
func (w *PMCW) ISC() int { return int(w.Flags&PMCWISC) >> PMCWISCShift }

// SCHIB is the subchannel-information block.
type SCHIB struct {
	PMCW  PMCW
	SCSW  SCSW
	Model [12]byte // model-dependent area
}

// The sizes of a PMCW and of a SCHIB in storage.
const (
	PMCWSize  = 28
	SCHIBSize = 52
)

// Put stores w into the first 28 bytes of p.
func (w *PMCW) Put(p []byte) {
	_ = p[PMCWSize-1]
	binary.BigEndian.PutUint32(p, w.InterruptionParameter)
	binary.BigEndian.PutUint16(p[4:], w.Flags)
	binary.BigEndian.PutUint16(p[6:], w.Device)
	p[8], p[9], p[10], p[11] = w.LPM, w.PNOM, w.LPUM, w.PIM
	binary.BigEndian.PutUint16(p[12:], w.MBI)
	p[14], p[15] = w.POM, w.PAM
	copy(p[16:24], w.CHPID[:])
	binary.BigEndian.PutUint32(p[24:], w.Control)
}

// Put stores s into the first 52 bytes of p.
func (s *SCHIB) Put(p []byte) {
	_ = p[SCHIBSize-1]
	s.PMCW.Put(p)
	s.SCSW.Put(p[PMCWSize:])
	copy(p[PMCWSize+SCSWSize:SCHIBSize], s.Model[:])
}

// ParseSCHIB reads the part of a SCHIB that MODIFY SUBCHANNEL uses, the PMCW. It
// fails with ErrOperand if the instruction would: reserved bits are on, or the
// limit mode is the reserved one.
func ParseSCHIB(p []byte) (SCHIB, error) {
	if len(p) < SCHIBSize {
		return SCHIB{}, fmt.Errorf("schib: %d bytes, want %d", len(p), SCHIBSize)
	}
	w := PMCW{
		InterruptionParameter: binary.BigEndian.Uint32(p),
		Flags:                 binary.BigEndian.Uint16(p[4:]),
		Device:                binary.BigEndian.Uint16(p[6:]),
		LPM:                   p[8],
		PNOM:                  p[9],
		LPUM:                  p[10],
		PIM:                   p[11],
		MBI:                   binary.BigEndian.Uint16(p[12:]),
		POM:                   p[14],
		PAM:                   p[15],
		CHPID:                 [8]uint8(p[16:24]),
		Control:               binary.BigEndian.Uint32(p[24:]),
	}
	return SCHIB{PMCW: w}, w.Check()
}

// Check reports ErrOperand for a PMCW that MODIFY SUBCHANNEL refuses.
func (w *PMCW) Check() error {
	switch {
	case w.Flags&pmcwFlagsReserved != 0:
		return fmt.Errorf("pmcw: word 1 begins with %04x, bits %04x must be zero: %w", w.Flags, pmcwFlagsReserved, ErrOperand)
	case w.Control&pmcwControlReserved != 0:
		return fmt.Errorf("pmcw: word 6 is %08x, bits %08x must be zero: %w", w.Control, uint32(pmcwControlReserved), ErrOperand)
	case w.Flags&PMCWLimit == PMCWLimit:
		return fmt.Errorf("pmcw: word 1 begins with %04x, limit mode 11 is reserved: %w", w.Flags, ErrOperand)
	}
	return nil
}
