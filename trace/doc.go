// Package trace reads recorded traces of block requests, which are streamed and
// never held in memory as a whole.
//
// A Source hands out requests in order of their time, counted from its first. A
// trace goes through five stages, each in a file of its own: its bytes, from a
// file or a pipe (Input); the unpacker (packing.go); lines or records (lines.go);
// the rows of a layout (columns.go with tables.go, or a file of the layout's own);
// and their order (order.go). Work that does not depend on the layout is done once
// for all of them. Findings counts the problems on the way.
//
// The package knows the layouts of trace files and nothing of volumes, devices
// or policies; it never reads a clock and draws no random number. A Source
// belongs to one goroutine.
package trace
