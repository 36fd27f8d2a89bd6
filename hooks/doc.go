// Package hooks keeps the three pointer slots of the I/O supervisor: on each a
// sequence of detours in front of the conventional target, which is the routine that
// the pointer leads to without detours. It hands out links to attached detours, and
// keeps generations: snapshots of all sequences, so that an I/O sees the same
// detours from begin to end.
//
// It knows neither WebAssembly nor devices: a detour is anything that owns a
// frame and can be called. Changing a table is safe from any goroutine; Current,
// Enter, Leave and the calls of detours belong to the machine's event loop.
package hooks
