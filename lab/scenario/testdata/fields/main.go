//go:build wasip1

// Command fields is a detour that does to some I/Os what no detour should: it traps,
// answers nonsense, and holds completions back for ever. It also leaves something in
// the scratch area.
package main

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/guest"
)

// The settings: the I/Os to which it does that.
const (
	trap = iota
	invalid
	holdRead
	holdWrite
)

//go:wasmexport front_end
func frontEnd() {
	f := guest.Frame()
	f.Scratch[0]++
	switch int64(f.Head.IO) {
	case f.Settings.Value[trap]:
		panic("not this one")
	case f.Settings.Value[invalid]:
		f.Response.Intents = abi.MaxIntents + 1
	}
}

//go:wasmexport post_status
func postStatus() {
	f := guest.Frame()
	if n := int64(f.Head.IO); n != 0 && (n == f.Settings.Value[holdRead] || n == f.Settings.Value[holdWrite]) {
		f.Response.Verdict = abi.Return
	}
}

func main() {}
