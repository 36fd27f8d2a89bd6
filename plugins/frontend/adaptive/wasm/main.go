// Command wasm is the adaptive front-end detour as a module.
package main

import (
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/abi/guest/chain"
	"github.com/iosrun/iosrun/plugins/frontend/adaptive"
	rest "github.com/iosrun/iosrun/plugins/frontend/chain"
)

// long is a package variable because one made for each call would be garbage after
// the call.
var long = rest.Rest{Read: chain.Read}

//lint:ignore U1000 the host calls it
//go:wasmexport front_end
func frontEnd() { adaptive.FrontEndLong(guest.Frame(), &long) }

func main() {}
