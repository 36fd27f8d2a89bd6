// Package passthrough is a front-end detour that lets every request through. It
// serves to measure the cost of a call, and runs without mirroring.
package passthrough
