// Package access is access methods: what an application calls. The block access
// method turns reads and writes of bytes on a volume into channel programs for
// ECKD and fixed-block devices and hands them to the I/O supervisor.
//
// It knows the I/O supervisor and the channel's formats, and nothing of mirrors
// or detours.
package access
