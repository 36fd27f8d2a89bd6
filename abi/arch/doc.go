// Package arch is the vocabulary of the mainframe's I/O architecture: the codes,
// bits and offsets that an operating system, a channel and a storage device agree
// on. Every number of that kind which more than one package knows stands here, and
// nowhere else; a test says so.
//
// It holds constants and functions of their arguments alone, imports nothing and
// costs nothing to load, because detours are built with it, too. Most constants are
// untyped: the same command code or flag lies in a byte of main storage, in a field
// of the detours' frame and in a struct of the emulated channel.
//
// The sources are named per file: z/Architecture Principles of Operation, the
// reference manuals of the 3990 storage control and of the 3370 device, and z/OS's
// MVS manuals on I/O completion.
package arch
