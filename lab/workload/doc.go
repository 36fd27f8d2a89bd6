// Package workload makes requests up, with a seeded generator, and changes what a
// source hands out: how fast requests arrive, and when they end.
//
// It knows requests and sources (package trace) and nothing of volumes, devices
// or policies; it never reads a clock and draws from no random source but a
// generator's own.
package workload
