// Package world makes small machines with everything in them that a seed thinks of:
// pairs of volumes over links of all kinds, a policy, requests and channel programs
// that meet on the same tracks, faults and swaps. It runs them with every check of
// the end of a run and with the independent observer, and says what did not hold.
//
// A world is a scenario: its text can be kept, cut down and played like any other.
// The package decides what happens and never how it is judged.
package world
