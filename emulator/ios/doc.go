// Package ios is the I/O supervisor: UCBs (unit control blocks, one for each
// device) and their queues, the request blocks IOSB (I/O supervisor block) and IOQ
// (I/O queue element), and the modules of the I/O process under their own names.
// On the way down a request passes IOSVSSCQ (builds the queue element), IOSVSSCH
// (drives the queue), DDTSIO (the device-dependent start-I/O routine) and IOSVSCP
// (issues SSCH, START SUBCHANNEL). IOSVRSUM resumes a suspended channel program;
// IOSVSLIH handles an interruption, and IECVPST (post-status processing) ends the
// request.
//
// The package owns the three slots: the first pointer (DDTSIO), the return address
// and SRBEP (the entry point of the SRB, the service request block).
// Conventionally they lead to its own modules. It knows the machine, the channel
// subsystem and hooks, and nothing of mirroring or of the inside of a detour.
// Module names and flow: FIGs. 3 and 14 of the method, MVS sources IECIOSCN,
// IECVSTIO, IECVPST.
package ios
