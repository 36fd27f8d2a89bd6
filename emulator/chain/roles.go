package chain

import "github.com/iosrun/iosrun/abi"

// The command codes that the host itself must understand: those that say where
// a chain may write (FACTS: ECKD and fixed-block command tables of the 3990 and
// 3370 references).
const (
	DefineExtent   = 0x63
	locateRecord   = 0x47
	locateExtended = 0x4B
	prefix         = 0xE7
	seek           = 0x07
	seekCylinder   = 0x0B
	seekHead       = 0x1B
	recalibrate    = 0x13
	locateFBA      = 0x43
	writeFBA       = 0x41
)

// prefixExtentValid is the bit of byte 1 of a prefix's parameters that says that
// they have those of a define extent.
const prefixExtentValid = 0x80

// Role is a mask of what a command does, as far as mirroring cares.
type Role uint8

// The roles.
const (
	IsWrite     Role = 1 << iota // changes the medium
	IsData                       // transfers data
	IsParameter                  // its data says where or how
	IsSearch                     // may skip the next CCW, by status modifier
	IsMulti                      // may go on with the next track of the cylinder
	IsInput                      // puts data into main storage
)

// Roles has the roles of each command code.
type Roles [256]Role

// multitrack is the bit of a command code that lets it go on with the next track.
const multitrack = 0x80

var eckdRoles = func() (t Roles) {
	for c := range t {
		if c&3 == 1 || c&3 == 2 || c&0xF == 0xC { // write, read, read backward
			t[c] = IsData
		}
		if c&3 == 1 {
			t[c] |= IsWrite
		}
	}
	for _, c := range []int{0x31, 0x51, 0x71, 0x29, 0x49, 0x69, 0x39} { // searches
		t[c], t[c|multitrack] = IsSearch, IsSearch|IsMulti
	}
	for _, c := range []int{0x06, 0x0E, 0x1E, 0x12, 0x16, 0x1A} { // reads
		t[c|multitrack] |= IsMulti
	}
	for _, c := range []int{DefineExtent, locateRecord, locateExtended, prefix,
		seek, seekCylinder, seekHead, recalibrate} {
		t[c] = IsParameter
	}
	return withInput(t)
}()

var fbaRoles = func() (t Roles) {
	for c := range t {
		if c&3 == 2 {
			t[c] = IsData
		}
	}
	t[writeFBA] = IsData | IsWrite
	t[DefineExtent], t[locateFBA] = IsParameter, IsParameter
	return withInput(t)
}()

// withInput adds what holds for every device: read, sense and read backward
// commands (xxxxxx10, xxxx0100, xxxx1100) put data into main storage.
func withInput(t Roles) Roles {
	for c := range t {
		if c&3 == 2 || c&0xF == 4 || c&0xF == 0xC {
			t[c] |= IsInput
		}
	}
	return t
}

// RolesOf gives the roles of the commands of a class of devices. The table must
// not be changed.
func RolesOf(c abi.DeviceClass) *Roles {
	if c == abi.ClassFBA {
		return &fbaRoles
	}
	return &eckdRoles
}
