// Command wasm is the standard front-end detour as a module.
package main

import (
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/abi/guest/chain"
	rest "github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/frontend/standard"
)

// long is a package variable because one made for each call would be garbage after
// the call.
var long = rest.Rest{Read: chain.Read}

//lint:ignore U1000 the host calls it
//go:wasmexport front_end
func frontEnd() { standard.FrontEndLong(guest.Frame(), &long) }

func main() {}
