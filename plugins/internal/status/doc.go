// Package status finds out how an I/O has ended, from the subchannel-status word and
// the sense bytes of a frame.
package status
