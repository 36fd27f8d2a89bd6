package guest

import "unsafe"

// marker makes the module a detour of ABI major version 1 (abi.MarkerExport) and
// returns the address of its frame.
//
//go:wasmexport iosrun_abi_1
func marker() uint32 { return uint32(uintptr(unsafe.Pointer(&frame))) }
