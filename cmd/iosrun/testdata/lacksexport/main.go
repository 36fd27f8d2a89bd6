//go:build wasip1

// Command lacksexport is a detour without the hook that its manifest names.
package main

import "github.com/iosrun/iosrun/abi/guest"

//go:wasmexport back_end
func backEnd() { guest.Frame() }

func main() {}
