// Command wasm is the front-end detour that lets everything through, as a module.
package main

import (
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/plugins/frontend/passthrough"
)

//lint:ignore U1000 the host calls it
//go:wasmexport front_end
func frontEnd() { passthrough.FrontEnd(guest.Frame()) }

func main() {}
