// Package catalog finds detours. A reference is the name of a shipped module, a
// .wasm file or a folder of Go source; the catalog turns it into a module. It turns
// a policy into detours that are ready for the slots, the I/O supervisor's pointers.
package catalog
