//go:build wasip1

// Command fields is a detour that does to some I/Os what no detour should: it traps,
// answers nonsense, never ends, and holds completions back for ever. It also leaves something in
// the scratch area.
package main

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/guest"
)

// The settings: the I/Os to which it does that. From trapFrom and holdFrom on it does
// it to every one; 0 is none.
const (
	trap = iota
	invalid
	holdRead
	holdWrite
	refused
	endless
	trapFrom
	holdFrom
)

// undeclared is a record that the manifest does not have.
const undeclared = 7

//go:wasmexport front_end
func frontEnd() {
	f := guest.Frame()
	f.Scratch[0]++
	switch n := int64(f.Head.IO); {
	case n == f.Settings.Value[trap], f.Settings.Value[trapFrom] != 0 && n >= f.Settings.Value[trapFrom]:
		panic("not this one")
	case n == f.Settings.Value[invalid]:
		f.Response.Intents = abi.MaxIntents + 1
	case n == f.Settings.Value[endless]:
		for {
			f.Scratch[1]++
		}
	case n == f.Settings.Value[refused]:
		f.Response.Record(undeclared, 1)
	}
}

//go:wasmexport post_status
func postStatus() {
	f := guest.Frame()
	if n := int64(f.Head.IO); n != 0 && (n == f.Settings.Value[holdRead] || n == f.Settings.Value[holdWrite] || f.Settings.Value[holdFrom] != 0 && n >= f.Settings.Value[holdFrom]) {
		f.Response.Verdict = abi.Return
	}
}

func main() {}
