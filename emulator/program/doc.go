// Package program builds channel programs of the usual shapes: reads and writes of
// 4 KiB blocks on ECKD (extended count key data) and fixed-block devices, reads
// and writes of whole tracks and of the volume label; the latter two also with the
// commands of the oldest CKD devices. It writes CCWs (channel command words) and
// their parameters into storage that its caller owns.
//
// It knows the formats of CCWs and commands and nothing of the packages that run
// them.
package program
