// Package workload is where block requests come from: recorded traces, which
// are streamed and never held in memory as a whole, and a seeded generator.
//
// A Source hands out requests in order of their time, counted from the start
// of the workload. The package knows the layouts of trace files and nothing of
// volumes, devices or policies; it never reads a clock and draws from no
// random source but a generator's own. A Source belongs to one goroutine.
package workload
