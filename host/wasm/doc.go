// Package wasm reads the outer structure of a WebAssembly module in the binary
// format (core specification 2.0, chapter 5): its sections, types, imports,
// exports, limits and custom sections, each with its offset, and makes the few
// edits that a detour's build needs. It does not look at instructions, runs
// nothing and keeps views of the bytes it was given.
//
// Nothing in a module is trusted: sizes are checked before they are used, and memory
// is allocated only in proportion to the module's own size.
package wasm
