package dasd

import (
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/text/encoding/charmap"

	"github.com/iosrun/iosrun/emulator/media"
)

// controlUnit describes a kind of control unit: its identification data, and the
// commands that it knows.
type controlUnit struct {
	name        string
	number      uint16
	model, code byte
	senseLength int
	facilities  uint32
	functions   byte // byte 36 (hex) of the device characteristics
	extended    bool // knows locate record (the 3990 and later, and the 3880's successors)
	prefix      bool // knows prefix and the track data commands (the 2105 and later)
	overflow    int  // offset of the sense byte for record overflow; 0 without that feature
	fba         bool
	devices     []uint16
	interfaces  []uint32 // command-information words behind the one of FA
}

// units lists the kinds of control unit. The numbers of the 3990, 2107 and 3880
// with a 3370 come from captured identification data; those of the other kinds are
// the plain model numbers.
var units = []controlUnit{
	{name: "2107", number: 0x2107, model: 0xE8, code: 0x1F, senseLength: 32, facilities: 0x528010B7, functions: 0x48, extended: true, prefix: true,
		devices: []uint16{0x3390, 0x3380}, interfaces: []uint32{0x41270004, 0x423E01A0, 0x433E0008}},
	{name: "2105", number: 0x2105, model: 0xE8, code: 0x1F, senseLength: 32, facilities: 0x528010B7, functions: 0x48, extended: true, prefix: true,
		devices: []uint16{0x3390, 0x3380}, interfaces: []uint32{0x41270004, 0x423E01A0, 0x433E0008}},
	{name: "3990-6", number: 0x3990, model: 0xE9, code: 0x15, senseLength: 32, facilities: 0xD0000000, extended: true, devices: []uint16{0x3390, 0x3380}},
	{name: "3990-3", number: 0x3990, model: 0xEC, code: 0x10, senseLength: 32, facilities: 0xD0000000, extended: true, devices: []uint16{0x3390, 0x3380}},
	{name: "3990", number: 0x3990, model: 0xC2, code: 0x10, senseLength: 32, facilities: 0xD0000000, extended: true, devices: []uint16{0x3390, 0x3380}},
	{name: "9343", number: 0x9343, model: 0xE0, code: 0x11, senseLength: 32, facilities: 0x80000000, extended: true, devices: []uint16{0x9345}},
	{name: "3880", number: 0x3880, model: 0x05, code: 0x09, senseLength: 24, facilities: 0x80000000, extended: true, devices: []uint16{0x3375, 0x3380}},
	{name: "3830", number: 0x3830, model: 0x02, senseLength: 24, overflow: overflow3830, devices: []uint16{0x3330, 0x3340, 0x3350}},
	{name: "2835", number: 0x2835, senseLength: 24, overflow: overflow2841, devices: []uint16{0x2305}},
	{name: "2841", number: 0x2841, senseLength: 6, overflow: overflow2841, devices: []uint16{0x2311}},
	{name: "2314", number: 0x2314, senseLength: 6, overflow: overflow2841, devices: []uint16{0x2314}},
	{name: "3880-1", number: 0x3880, model: 0x01, senseLength: 24, fba: true, devices: []uint16{0x3370}},
	{name: "4331", number: 0x4331, model: 0x01, senseLength: 24, fba: true, devices: []uint16{0x3310}},
	{name: "6310", number: 0x6310, model: 0x80, senseLength: 24, fba: true, devices: []uint16{0x9313, 0x9332, 0x9335, 0x9336, 0x0671}},
}

// ControlUnits lists the kinds of control unit that Config.ControlUnit can name.
func ControlUnits() []string {
	names := make([]string, len(units))
	for i := range units {
		names[i] = units[i].name
	}
	return names
}

func findUnit(name string) *controlUnit {
	for i := range units {
		if units[i].name == name {
			return &units[i]
		}
	}
	return nil
}

func (u *controlUnit) takes(g *media.Geometry) bool { return slices.Contains(u.devices, g.Type) }

// usualUnit returns the first kind of control unit that takes the device.
func usualUnit(g *media.Geometry) *controlUnit {
	for i := range units {
		if units[i].takes(g) {
			return &units[i]
		}
	}
	return nil
}

// senseID makes the bytes of Sense ID: control unit, device, and for devices with
// configuration data the command-information words. For the others the number of
// bytes, seven, is that of Hercules.
func (d *Device) senseID(p []byte) []byte {
	u, g := d.unit, d.geometry
	p = append(p, 0xFF)
	p = binary.BigEndian.AppendUint16(p, u.number)
	p = append(p, u.model)
	p = binary.BigEndian.AppendUint16(p, g.Type)
	p = append(p, g.Model, 0)
	if u.fba || !u.extended {
		return p[:len(p)-1]
	}
	p = binary.BigEndian.AppendUint32(p, 0x40FA0100) // read configuration data: FA, 256 bytes
	for _, w := range u.interfaces {
		p = binary.BigEndian.AppendUint32(p, w)
	}
	return p
}

// characteristics makes the bytes of Read Device Characteristics: 64 for CKD,
// 32 for FBA.
func (d *Device) characteristics() []byte {
	u, g := d.unit, d.geometry
	if g.FBA() {
		p := make([]byte, 32)
		p[0], p[1], p[2], p[3] = 0x30, 0x08, 0x21, g.Code
		factor := max(1, g.BlockFactor)
		binary.BigEndian.PutUint16(p[4:], uint16(media.BlockSize*factor))
		binary.BigEndian.PutUint32(p[6:], uint32(g.BlocksPerTrack/factor))
		binary.BigEndian.PutUint32(p[10:], uint32(g.BlocksPerCylinder/factor))
		binary.BigEndian.PutUint32(p[14:], uint32(g.Blocks/int64(factor)))
		return p
	}
	p := make([]byte, 64)
	binary.BigEndian.PutUint16(p, u.number)
	p[2] = u.model
	binary.BigEndian.PutUint16(p[3:], g.Type)
	p[5] = g.Model
	binary.BigEndian.PutUint32(p[6:], u.facilities)
	p[0x0A], p[0x0B] = 0x20, g.Code
	binary.BigEndian.PutUint16(p[0x0C:], uint16(min(g.Cylinders, 0xFFFE))) // FFFE: the number is at 3C
	binary.BigEndian.PutUint16(p[0x0E:], uint16(g.Heads))
	p[0x10] = byte(g.Sectors)
	p[0x11] = byte(g.TrackLength >> 16)
	binary.BigEndian.PutUint16(p[0x12:], uint16(g.TrackLength))
	binary.BigEndian.PutUint16(p[0x14:], uint16(g.HomeLength))
	p[0x16] = byte(g.Formula)
	for i, f := range g.Factors[:5] {
		p[0x17+i] = byte(f)
	}
	p[0x28], p[0x29], p[0x2A], p[0x2B] = g.Code, g.Code, u.code, 0x02
	binary.BigEndian.PutUint16(p[0x2C:], uint16(g.ZeroLength))
	p[0x2F] = 0x01
	p[0x30] = byte(g.Factors[5])
	if g.Type == 0x3390 {
		binary.BigEndian.PutUint16(p[0x31:], 0x7708)
	}
	p[0x36] = u.functions
	p[0x39] = 0xFF
	if u.prefix {
		binary.BigEndian.PutUint32(p[0x3C:], uint32(g.Cylinders))
	}
	return p
}

// Offsets in configuration data: node-element descriptors of 32 bytes for the
// device, the string, the control unit and a token, and at the end the
// node-element qualifier.
const (
	configurationSize = 256
	descriptorSize    = 32
	qualifierAt       = 0xE0
)

// configuration makes the bytes of Read Configuration Data.
func (d *Device) configuration() []byte {
	u, g := d.unit, d.geometry
	p := make([]byte, configurationSize)
	flags := [4]uint32{0xC4010100, 0xC4000000, 0xD4020000, 0xF0000001}
	if u.prefix {
		flags = [4]uint32{0xDC010100, 0xD4020000, 0xD0000000, 0xF0000001}
	}
	device := fmt.Sprintf("00%04X0%02X", g.Type, g.Model)
	unit := fmt.Sprintf("00%04X0%02X", u.number, u.model)
	types := [4]string{device, unit, unit, unit}
	if u.prefix {
		types = [4]string{device, device, unit, unit}
	}
	for i := range flags {
		n := p[i*descriptorSize:]
		binary.BigEndian.PutUint32(n, flags[i])
		serial := fmt.Sprintf("IOR01%012X", d.subsystemID())
		copy(n[4:30], ebcdic(types[i]+serial))
		if i == 0 {
			binary.BigEndian.PutUint16(n[30:], d.number&0xFF)
		}
	}
	q := p[qualifierAt:]
	binary.BigEndian.PutUint32(q, 0x80000001)
	q[6] = 0x1E // time in seconds after which an interruption counts as missing
	binary.BigEndian.PutUint16(q[8:], d.subsystemID())
	q[10], q[11] = 0x80, byte(d.number)
	return p
}

// ebcdic converts letters and digits.
func ebcdic(s string) []byte {
	p, err := charmap.CodePage037.NewEncoder().Bytes([]byte(s))
	if err != nil {
		return make([]byte, len(s))
	}
	return p
}
