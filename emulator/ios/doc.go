// Package ios is the I/O supervisor: unit control blocks and their queues, the
// request blocks IOSB and IOQ, and the modules of the I/O process under their
// names: IOSVSSCQ, IOSVSSCH, DDTSIO, IOSVSCP, IOSVRSUM, IOSVSLIH, IECVPST.
//
// It owns the three slots: the first pointer (DDTSIO), the return address and
// SRBEP. Conventionally they lead to its own modules. It knows the machine, the
// channel subsystem and hooks, and nothing of mirroring or of what a detour is
// made of. Module names and flow: FIGs. 3 and 14 of the method, MVS sources
// IECIOSCN, IECVSTIO, IECVPST.
package ios
