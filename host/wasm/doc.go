// Package wasm reads the outer structure of a WebAssembly module in the binary
// format (core specification 2.0, chapter 5): its sections, types, imports,
// exports, limits and custom sections, each with its offset, and makes the few
// edits that a detour's build needs. It does not look at instructions, runs
// nothing and keeps views of the bytes it was given.
//
// Nothing in a module is trusted: sizes are checked before they are used, and
// nothing is allocated that the module's own bytes do not pay for.
package wasm
