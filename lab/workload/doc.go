// Package workload is where block requests come from: recorded traces, which
// are streamed and never held in memory as a whole, and a seeded generator.
//
// A Source hands out requests in order of their time, counted from the start
// of the workload. A trace goes through five stages, each in a file of its own:
// its bytes, from a file or a pipe (Input); the unpacker (packing.go); lines or
// records (lines.go); the rows of a layout (a file a layout); and their order
// (order.go). What is not a layout's own affair is handled once, for all of
// them. What was found out on the way is counted (Findings).
//
// The package knows the layouts of trace files and nothing of volumes, devices
// or policies; it never reads a clock and draws from no random source but a
// generator's own. A Source belongs to one goroutine.
package workload
