// Package guest is the Go side of the contract for a detour that is compiled to
// WebAssembly: it owns the frame and exports the marker by which the host finds
// it. A detour's main package says which hooks it has:
//
//	//go:build wasip1
//
//	package main
//
//	//go:wasmexport front_end
//	func frontEnd() { standard.FrontEnd(guest.Frame()) }
//
//	func main() {}
//
// and is built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared
//
// The compiler passes over wasmexport lines on every other platform. A file with
// such lines still wants the tag "//go:build wasip1", or analysers find functions
// there that nobody uses; the detour's logic belongs into a package of its own,
// which builds, is tested and runs everywhere. A hook runs to its end before the
// host calls another one: a detour needs no locks. It must not allocate in a
// hook, or the collector would run in the middle of an I/O.
package guest
