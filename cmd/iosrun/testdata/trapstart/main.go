//go:build wasip1

// Command trapstart is a detour that ends abnormally before its first call.
package main

import "github.com/iosrun/iosrun/abi/guest"

func init() { panic("not today") }

//go:wasmexport front_end
func frontEnd() { guest.Frame() }

func main() {}
