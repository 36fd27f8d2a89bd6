// Package passthrough is a front-end detour that lets everything through: what a
// call costs, and what happens without mirroring, is measured with it.
package passthrough
