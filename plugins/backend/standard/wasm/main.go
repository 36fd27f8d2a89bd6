// Command wasm is the back-end detour as a module.
package main

import (
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/plugins/backend/standard"
)

//lint:ignore U1000 the host calls it
//go:wasmexport back_end
func backEnd() { standard.BackEnd(guest.Frame()) }

func main() {}
