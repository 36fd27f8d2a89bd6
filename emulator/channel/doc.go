// Package channel is the channel subsystem: subchannels (each the channel's side
// of one device), the I/O instructions with their condition codes, and the
// execution of channel programs out of main storage. A channel program is a chain
// of CCWs (channel command words).
//
// The instructions are methods of Subsystem: SSCH, RSCH, HSCH, CSCH, XSCH, TSCH,
// STSCH, MSCH, TPI, and in part SAL and SCHM. Channel programs have CCWs of format
// 0 and 1 with every flag, IDAWs (indirect-data-address words) of both formats,
// MIDAWs (modified IDAWs), storage keys and address limits. Each subchannel has
// one channel path; transport mode, channel reports and RCHP are not installed. A
// channel here never overruns, so the checks that only bad hardware causes do not
// happen; a device may still cause an interface-control check by breaking its
// contract.
//
// The package knows the machine and nothing else. A device is the interface
// Session here; other packages implement it with a control unit, a link and a
// medium. The source of every rule is the Principles of Operation, unless a
// comment names another.
package channel
