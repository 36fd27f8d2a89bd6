//go:build wasip1

// Command wrongabi is a detour whose manifest names another version of the contract.
package main

import "github.com/iosrun/iosrun/abi/guest"

//go:wasmexport front_end
func frontEnd() { guest.Frame() }

func main() {}
