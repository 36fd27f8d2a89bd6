// Package report is what a run found and how it is shown: latency histograms,
// the paired comparison of two runs over the same workload, a table for a
// person and JSON for a program.
//
// It knows the figures and their units, and nothing of how they came about. It
// keeps memory bounded whatever the length of a run. The collectors belong to
// one goroutine each; nothing here reads a clock.
package report
