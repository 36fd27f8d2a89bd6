package chain

import (
	"unsafe"

	"github.com/iosrun/iosrun/abi"
)

//go:wasmimport iosrun chain_read
func chainRead(first uint32, into unsafe.Pointer, count uint32) uint32

func read(first int, into []abi.CCW) int {
	return int(chainRead(uint32(first), unsafe.Pointer(&into[0]), uint32(len(into))))
}
