// Package workload generates requests from a seed, and changes the requests of a
// source: the speed at which they arrive, and their number.
//
// It knows requests and sources (package trace) and nothing of volumes, devices or
// policies; it never reads a clock, and its only random source is the generator's
// own.
package workload
