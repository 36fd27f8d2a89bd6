// Package shipped carries the modules that ship with the program: one archive with
// all of them as WebAssembly, embedded in the program.
//
// It knows names and bytes. The archive is made from the source tree by "iosrun
// plugin build --shipped"; a test holds it against the sources.
package shipped
