// Command wasm is the post-status detour of synchronous mirroring as a module.
package main

import (
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/plugins/poststatus/standard"
)

//lint:ignore U1000 the host calls it
//go:wasmexport post_status
func postStatus() { standard.PostStatus(guest.Frame()) }

func main() {}
