// Package channel is the channel subsystem: subchannels, the I/O instructions
// (SSCH, TSCH, RSCH, HSCH, CSCH, MSCH, STSCH) with their condition codes, and
// the execution of channel programs out of main storage.
//
// It knows the machine and nothing else. A device is the interface Session
// here; what is behind it (control unit, link, medium) is another package's
// affair. The source of every rule is the Principles of Operation, as far as a
// comment names no other.
package channel
