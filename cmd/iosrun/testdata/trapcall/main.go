//go:build wasip1

// Command trapcall is a detour that ends abnormally once the I/Os have got
// going.
package main

import "github.com/iosrun/iosrun/abi/guest"

//go:wasmexport front_end
func frontEnd() {
	if f := guest.Frame(); f.Head.IO > 100 && f.Head.IO%50 == 0 {
		panic("enough")
	}
}

func main() {}
