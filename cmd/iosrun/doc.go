// Command iosrun emulates a mainframe's I/O supervisor and lets WebAssembly
// modules take control of its I/O process: see the README.
package main
