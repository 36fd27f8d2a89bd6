// Package hooks is pointer slots, the sequences of detours in front of their
// conventional targets, links to what is attached, and generations.
//
// It knows neither WebAssembly nor devices: a detour is anything that owns a
// frame and can be called. Changing a table is safe from any goroutine; Current,
// Enter, Leave and the calls of detours belong to the machine's event loop.
package hooks
