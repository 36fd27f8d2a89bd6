// Command wasm is the post-status detour of constant copy as a module.
package main

import (
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/plugins/poststatus/constantcopy"
)

//lint:ignore U1000 the host calls it
//go:wasmexport post_status
func postStatus() { constantcopy.PostStatus(guest.Frame()) }

func main() {}
