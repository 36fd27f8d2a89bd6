// Package abi is the contract between the host and a detour: the frame that
// carries a request to the detour and its response back, the verdicts, the intents,
// the capabilities, the manifest and their versions. SPEC.md says the same for
// somebody who writes a guest in another language.
//
// Of this project it imports the vocabulary alone (arch), and it holds no behaviour beyond encoding
// and checking. The host and a guest lay the same structs over the same bytes:
// little-endian, naturally aligned, fixed offsets.
//
// The words: an application's request is a channel program, a chain of
// channel-command words (CCWs), which the channel executes with the device. The I/O
// supervisor describes the request by an I/O supervisor block (IOSB) and the device
// by a unit control block (UCB). A detour is code on one of the I/O supervisor's
// pointers (slots), where it sees the request before its start (front-end), after
// its start (back-end) and when its status has come (post-status). A primary is a
// disk device whose writes go to mirrors, too; a primary and its mirrors are a pair.
package abi
