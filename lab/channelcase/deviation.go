package channelcase

import (
	"encoding/hex"
	"strings"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// Deviation is a point in which Hercules, the emulator from which expectations often
// come, differs from the manual, while this emulator does not. When the outcome of a
// case differs only by it, the outcome is right and the expectation is wrong.
type Deviation struct {
	Name string
	// Reason describes the behaviour of both.
	Reason string
	// Source is the passage of the manual, or another source for the right behaviour.
	Source string

	between func(c *Case, theirs, ours *Outcome) bool
}

// known lists the deviations that can explain a difference between an outcome and an
// expectation. The case and the two outcomes must identify each without doubt;
// docs/channel.md lists further ones.
var known = [...]Deviation{
	{
		"write data in a domain of several records",
		"a domain of locate record to write data (01) whose count asks for more than one record takes Write Update Data and Write Update Key and Data only; Hercules 3.13 takes Write Data for the first, by an error in its expression (`a == b ? 2 : 1`) that later versions have corrected",
		"\"When more than one update write command is required, the Locate Record command must be followed by a sequence of either Write Update Data or Write Update Key and Data commands. ... the invalid command is rejected with unit check status. The sense data contains command reject with format 0, message 2.\" (IBM, Internal Disk Subsystem Reference Guide, SA22-1025-00, Locate Record, Write Data operation code)",
		severalWriteData,
	},
}

// Deviation returns the known deviation that explains the difference between the
// expectation of the case and the outcome, or nil.
func (c *Case) Deviation(o *Outcome) *Deviation {
	for i := range known {
		if d := &known[i]; d.between(c, &c.Expect, o) {
			return d
		}
	}
	return nil
}

// severalWriteData reports whether the case ends here with a Write Data, or Write
// Key and Data, that is refused because its domain asks for more than one record,
// and there with a later command.
func severalWriteData(c *Case, theirs, ours *Outcome) bool {
	const refused, sequence = "800000000000000", "2" // command reject, format 0, message 2
	if len(theirs.IRB) == 0 || len(theirs.IRB) != len(ours.IRB) || !strings.HasPrefix(ours.Sense, refused+sequence) {
		return false
	}
	last := len(ours.IRB) - 1
	t, o := parseSCSW(theirs.IRB[last].SCSW), parseSCSW(ours.IRB[last].SCSW)
	at := o.CCWAddress - arch.CCWSize
	if o.Unit&arch.UnitCheck == 0 || t.CCWAddress <= o.CCWAddress {
		return false
	}
	if w, ok := c.ccw(at); !ok || w.Command != arch.CommandWriteData && w.Command != arch.CommandWriteKeyData {
		return false
	}
	before, ok := c.ccw(at - arch.CCWSize)
	p := c.bytes(before.Address, 4)
	if !ok || before.Command != arch.CommandLocateRecord && before.Command != arch.CommandLocateRecordExtended || p == nil {
		return false
	}
	suffix := p[arch.LocateRecordAuxiliary] & arch.AuxiliarySuffix
	return p[arch.LocateRecordOperation]&arch.OperationMask == arch.OperationWriteData && int(p[arch.LocateRecordCount])-int(suffix) > 1
}

// ccw returns the CCW at an address, as the case put it into storage.
func (c *Case) ccw(at uint32) (channel.CCW, bool) {
	p := c.bytes(at, arch.CCWSize)
	switch {
	case p == nil:
		return channel.CCW{}, false
	case c.control&channel.ORBFormat1 != 0:
		return channel.ParseCCW1(p), true
	}
	return channel.ParseCCW0(p), true
}

// bytes returns n bytes that the case put into storage as one piece, or nil.
func (c *Case) bytes(at uint32, n int) []byte {
	for _, m := range c.memory {
		if o := int(at) - int(m.at); o >= 0 && o+n <= len(m.bytes) {
			return m.bytes[o : o+n]
		}
	}
	return nil
}

// parseSCSW reads an SCSW in hexadecimal; one that is not valid is zero.
func parseSCSW(text string) (w channel.SCSW) {
	p, err := hex.DecodeString(text)
	if err != nil || len(p) != channel.SCSWSize {
		return w
	}
	half := func(at int) uint16 { return uint16(p[at])<<8 | uint16(p[at+1]) }
	return channel.SCSW{
		Flags: half(0), Control: half(2), CCWAddress: uint32(half(4))<<16 | uint32(half(6)),
		Unit: arch.UnitStatus(p[8]), Channel: arch.ChannelStatus(p[9]), Residual: half(10),
	}
}
