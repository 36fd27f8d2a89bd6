// Package report is what a run found and how it is shown: the paired comparison of
// two runs over the same workload, a table for a person and JSON for a program.
//
// It knows the figures and their units, and nothing of how they came about. It
// keeps memory bounded whatever the length of a run. A
// collector belongs to one goroutine; nothing here reads a clock.
package report
