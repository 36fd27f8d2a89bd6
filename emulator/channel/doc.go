// Package channel is the channel subsystem: subchannels, the I/O instructions
// with their condition codes, and the execution of channel programs out of
// main storage.
//
// The instructions are methods of Subsystem: SSCH, RSCH, HSCH, CSCH, XSCH,
// TSCH, STSCH, MSCH, TPI, and in part SAL and SCHM. Channel programs have CCWs
// of format 0 and 1 with every flag, IDAWs of both formats, MIDAWs, storage
// keys and address limits. There is one channel path a subchannel; transport
// mode, channel reports and RCHP are not installed. A channel here never
// overruns, so the checks that only bad hardware causes do not happen; a
// device may still cause an interface-control check by breaking its contract.
//
// It knows the machine and nothing else. A device is the interface Session
// here; what is behind it (control unit, link, medium) is another package's
// affair. The source of every rule is the Principles of Operation, as far as a
// comment names no other.
package channel
