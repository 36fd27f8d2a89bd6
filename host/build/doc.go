// Package build makes a detour's module from a folder of Go source: it runs the
// Go toolchain, gives the module's memory a maximum, puts the manifest into it, and
// keeps the result under a name that is a hash of its sources.
package build
