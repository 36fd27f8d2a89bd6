//go:build wasip1

// Command plain is a detour for tests: it reports one step and continues.
package main

import "github.com/iosrun/iosrun/abi/guest"

//go:wasmexport front_end
func frontEnd() { guest.Frame().Took(100) }

func main() {}
