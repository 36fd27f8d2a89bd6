// Package shipped carries the modules that ship with the program: one archive,
// embedded in it, of all of them as WebAssembly.
//
// It knows names and bytes. The archive is made from the source tree by "iosrun
// plugin build --shipped"; a test holds it against the sources.
package shipped
