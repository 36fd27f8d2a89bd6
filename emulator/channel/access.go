package channel

import (
	"encoding/binary"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// access is the view that one start function has of main storage: through the
// storage key in its ORB and, for data, within the address limit.
type access struct {
	storage *machine.Storage
	key     byte // in the high four bits, as in a storage key
	keyed   bool // a key other than zero can be refused
	guarded bool // data addresses must be checked: keyed or limited
	limited limitMode
	limit   machine.Address
}

// limitMode is the PMCW's limit mode (LM).
type limitMode uint8

// The limit modes: data addresses at or above the limit, or below it.
const (
	limitNone limitMode = iota
	limitAbove
	limitBelow
)

// The bits of a storage key.
const (
	keyAccess = 0xF0
	keyFetch  = 0x08 // fetch protection
)

// permits reports whether the key allows an access to the block that holds a. Key
// zero allows every access. Another key allows to store if it equals the block's
// key, and to fetch if it equals it or the block is not fetch protected.
func (x *access) permits(a machine.Address, store bool) bool {
	if !x.keyed {
		return true
	}
	k := x.storage.Key(a)
	return k&keyAccess == x.key || !store && k&keyFetch == 0
}

// reach returns the number of the n data bytes from a on that may be accessed:
// those in the block of a and on its side of the limit. If it is 0, the status
// says which check a fails.
func (x *access) reach(a machine.Address, n int, store bool) (int, arch.ChannelStatus) {
	n = min(n, machine.KeyBlockSize-int(a%machine.KeyBlockSize))
	switch x.limited {
	case limitAbove:
		if a < x.limit {
			return 0, arch.ProgramCheck
		}
	case limitBelow:
		if a >= x.limit {
			return 0, arch.ProgramCheck
		}
		n = min(n, int(x.limit-a))
	}
	if !x.permits(a, store) {
		return 0, arch.ProtectionCheck
	}
	return n, 0
}

// control fetches the len(p) bytes of a CCW, IDAW or MIDAW at a into p. The word
// is aligned to its length, so that it lies in one block.
func (x *access) control(a machine.Address, p []byte) arch.ChannelStatus {
	if x.keyed && !x.permits(a, false) {
		return arch.ProtectionCheck
	}
	if v := x.storage.View(a, len(p)); v != nil {
		copy(p, v)
		return 0
	}
	if _, err := x.storage.Load(a, p); err != nil {
		return arch.ProgramCheck
	}
	return 0
}

// ccw fetches the CCW at a, which is a multiple of CCWSize.
func (x *access) ccw(a machine.Address, format1 bool) (CCW, arch.ChannelStatus) {
	v := x.storage.View(a, arch.CCWSize)
	if v == nil || x.keyed {
		var p [arch.CCWSize]byte
		if check := x.control(a, p[:]); check != 0 {
			return CCW{}, check
		}
		v = p[:]
	}
	if format1 {
		return ParseCCW1(v), 0
	}
	return ParseCCW0(v), 0
}

// word fetches the four bytes at a, or eight bytes if wide is set.
func (x *access) word(a machine.Address, wide bool) (uint64, arch.ChannelStatus) {
	var p [8]byte
	if wide {
		check := x.control(a, p[:])
		return binary.BigEndian.Uint64(p[:]), check
	}
	check := x.control(a, p[:4])
	return uint64(binary.BigEndian.Uint32(p[:4])), check
}
