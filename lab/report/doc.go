// Package report holds the results of runs and shows them: with the paired
// comparison of two runs over the same workload, in a table for a person and as JSON
// for a program.
//
// It knows the figures and their units, but not how they were measured. Its memory
// does not grow with the length of a run. A collector belongs to one goroutine;
// nothing here reads a clock.
package report
