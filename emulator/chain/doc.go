// Package chain follows channel programs: it says what a chain of CCWs (channel
// command words) does before it runs. It finds the tracks that a chain can touch,
// whether it writes, stores, suspends itself, interrupts, branches or modifies
// itself, and whether another chain does the same.
//
// It knows main storage, the ABI's form of a CCW and the command codes that say
// where a chain writes. It never runs a chain and knows no device.
package chain
