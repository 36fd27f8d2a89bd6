package host

import (
	"fmt"
	"unsafe"

	"github.com/iosrun/iosrun/abi"
	"github.com/tetratelabs/wazero/api"
)

// The unsafe part of the package: Go structs laid over a module's memory. It
// rests on three facts. The memory's backing array is allocated with the
// capacity of its maximum, so that growing never moves it. The host is
// little-endian, as WebAssembly is. The abi structs have explicit padding, no
// pointers, and no bit pattern that is not a value.

const (
	frameSize    = uint32(unsafe.Sizeof(abi.Frame{}))
	frameAlign   = 8
	headSize     = uint32(unsafe.Sizeof(abi.Head{}))
	targetSize   = uint32(unsafe.Sizeof(abi.Target{}))
	statusSize   = uint32(unsafe.Sizeof(abi.Status{}))
	pairSize     = uint32(unsafe.Sizeof(abi.Pair{}))
	chainSize    = uint32(unsafe.Sizeof(abi.Chain{}))
	settingsSize = uint32(unsafe.Sizeof(abi.Settings{}))
	ccwSize      = uint32(unsafe.Sizeof(abi.CCW{}))
	ccwAlign     = uint32(unsafe.Alignof(abi.CCW{}))
	capChain     = abi.CapChain
	// maxChain is the largest number of CCWs that one chain_read copies.
	maxChain = 1<<16 - 1
)

// frameAt lays the frame over the memory at the offset that the module's marker
// returned.
func frameAt(mem api.Memory, offset uint32) (*abi.Frame, error) {
	if offset%frameAlign != 0 || offset == 0 {
		return nil, fmt.Errorf("frame at %#x: want a multiple of %d above 0", offset, frameAlign)
	}
	p, ok := mem.Read(offset, frameSize)
	if !ok {
		return nil, fmt.Errorf("frame of %d bytes at %#x does not fit the memory of %d bytes", frameSize, offset, mem.Size())
	}
	return (*abi.Frame)(unsafe.Pointer(unsafe.SliceData(p))), nil
}

// ccws lays CCWs over bytes of a module's memory, whose alignment the caller has
// checked.
func ccws(p []byte) []abi.CCW {
	return unsafe.Slice((*abi.CCW)(unsafe.Pointer(unsafe.SliceData(p))), len(p)/int(ccwSize))
}

// littleEndian reports whether the host is little-endian.
func littleEndian() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 1
}
