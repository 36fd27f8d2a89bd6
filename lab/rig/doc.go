// Package rig builds the machine of an experiment from its description: processors,
// the I/O supervisor with its channels, volumes in memory or in files on their
// links, pairs in a consistency group, the intercept and the mirror process. It puts
// policies' detours on the slots, and takes everything down at the end.
//
// A rig belongs to one goroutine. It knows no workload and no report, and nothing
// happens on it by itself: its owner lets the clock run.
package rig
