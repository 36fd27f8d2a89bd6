// Command wasm is the auditing post-status detour as a module.
package main

import (
	"github.com/iosrun/iosrun/abi/guest"
	"github.com/iosrun/iosrun/plugins/poststatus/audit"
)

//lint:ignore U1000 the host calls it
//go:wasmexport post_status
func postStatus() { audit.PostStatus(guest.Frame()) }

func main() {}
