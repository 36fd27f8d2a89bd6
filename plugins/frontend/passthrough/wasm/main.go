// Command wasm is the front-end detour that lets everything through, as a module.
package main

import (
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/plugins/frontend/passthrough"
)

//go:wasmexport front_end
func frontEnd() { passthrough.FrontEnd(guest.Frame()) }

func main() {}
