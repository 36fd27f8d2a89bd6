// Package world makes random small machines with I/O from seeds: pairs of volumes
// over links of all kinds, a policy, requests and channel programs that meet on the
// same tracks, faults and swaps. It runs them with every end-of-run check and with
// the independent observer, and reports the properties that did not hold.
//
// A world is a scenario: its text can be kept, cut down and played like any other.
// The package decides what happens, but not which results are right.
package world
