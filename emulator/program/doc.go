// Package program builds channel programs of the usual shapes: reads and writes
// of 4 KiB blocks on ECKD and fixed-block devices, whole tracks and the
// volume label, these also with the commands of the oldest CKD devices. It writes CCWs and their parameters into storage that its caller owns.
//
// It knows the formats of CCWs and commands and nothing of who runs them.
package program
