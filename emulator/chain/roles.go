package chain

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
)

// Role is a mask that classifies a command by its effect on the mirror.
type Role uint8

const (
	IsWrite     Role = 1 << iota // changes the medium
	IsData                       // transfers data
	IsParameter                  // its data are parameters: a place, or a way to work
	IsSearch                     // may skip the next CCW, by status modifier
	IsMulti                      // may go on with the next track of the cylinder
	IsInput                      // puts data into main storage
)

// Roles holds the roles of each command code.
type Roles [256]Role

var eckdRoles = func() (t Roles) {
	for c := range t {
		if code := uint8(c); arch.IsWrite(code) || arch.IsRead(code) || arch.IsReadBackward(code) {
			t[c] = IsData
		}
		if arch.IsWrite(uint8(c)) {
			t[c] |= IsWrite
		}
	}
	for _, c := range []int{
		arch.CommandSearchIDEqual, arch.CommandSearchIDHigh, arch.CommandSearchIDEqualHigh,
		arch.CommandSearchKeyEqual, arch.CommandSearchKeyHigh, arch.CommandSearchKeyEqualHigh, arch.CommandSearchHomeEqual,
	} {
		t[c], t[c|arch.Multitrack] = IsSearch, IsSearch|IsMulti
	}
	for _, c := range []int{
		arch.CommandReadData, arch.CommandReadKeyData, arch.CommandReadCountKeyData,
		arch.CommandReadCount, arch.CommandReadRecordZero, arch.CommandReadHome,
	} {
		t[c|arch.Multitrack] |= IsMulti
	}
	for _, c := range []int{arch.CommandDefineExtent, arch.CommandLocateRecord, arch.CommandLocateRecordExtended, arch.CommandPrefix,
		arch.CommandSeek, arch.CommandSeekCylinder, arch.CommandSeekHead, arch.CommandRecalibrate} {
		t[c] = IsParameter
	}
	return withInput(t)
}()

var fbaRoles = func() (t Roles) {
	for c := range t {
		if arch.IsRead(uint8(c)) {
			t[c] = IsData
		}
	}
	t[arch.CommandFBAWrite] = IsData | IsWrite
	t[arch.CommandDefineExtent], t[arch.CommandFBALocate] = IsParameter, IsParameter
	return withInput(t)
}()

// withInput adds a role that holds for every device: read, sense and read backward
// commands (xxxxxx10, xxxx0100, xxxx1100) put data into main storage.
func withInput(t Roles) Roles {
	for c := range t {
		if arch.Stores(uint8(c)) {
			t[c] |= IsInput
		}
	}
	return t
}

// RolesOf returns the roles of the commands of a class of devices. The table must
// not be changed.
func RolesOf(c abi.DeviceClass) *Roles {
	if c == abi.ClassFBA {
		return &fbaRoles
	}
	return &eckdRoles
}
