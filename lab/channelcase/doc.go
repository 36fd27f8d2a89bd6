// Package channelcase runs channel programs that are given in hexadecimal
// against volumes, and shows what the channel subsystem presents: condition codes,
// subchannel status, sense bytes, storage and tracks afterwards. It compares that
// with the expectation of a case.
//
// A file of cases names volumes by suite. The cases of a suite run in order on
// one volume, each after a system reset: main storage is cleared, the
// subchannel is as new, the device and its volume are as the case before left
// them. The package knows the emulator and nothing of a command line.
package channelcase
