//go:build wasip1

// Command empty is a detour that does nothing.
package main

import "github.com/iosrun/iosrun/abi/guest"

//go:wasmexport front_end
func frontEnd() { _ = guest.Frame() }

func main() {}
