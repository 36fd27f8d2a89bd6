//go:build wasip1

// Command wrong is a detour whose front end gives no response that passes the
// check once the I/Os have got going, and whose post-status hook asks for what
// cannot be done.
package main

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/guest"
)

//go:wasmexport front_end
func frontEnd() {
	if f := guest.Frame(); f.Head.IO > 100 {
		f.Response.Ask(abi.IntentKind(200))
	}
}

//go:wasmexport post_status
func postStatus() { guest.Frame().Response.Ask(abi.IntentPromote).Code = 7 }

func main() {}
