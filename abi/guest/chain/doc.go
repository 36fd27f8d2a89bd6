// Package chain reads channel programs that are longer than the frame carries.
// It is a package of its own so that only a module that uses it imports the
// host's function, which the host grants with the capability "chain".
package chain
