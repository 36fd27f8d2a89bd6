// Package access holds access methods, which applications call to reach their
// data. The block access method turns reads and writes of bytes on a volume into
// channel programs for ECKD devices (disks with tracks of records) and fixed-block
// devices, and hands them to the I/O supervisor. EXCP (execute channel program)
// runs a channel program exactly as it is given.
//
// A channel program is a list of CCWs (channel command words); the channel reads
// them from main storage and carries them out. The package knows the I/O
// supervisor and the channel's formats, and nothing of mirrors or detours.
package access
