// Package abi is the contract between the host and a detour: the frame that
// carries a request to the detour and its response back, the verdicts, the
// intents, the capabilities, the manifest and their versions. SPEC.md says the
// same for somebody who writes a guest in another language.
//
// Of this project it imports the vocabulary alone (arch), and it holds no behaviour beyond encoding
// and checking. The host and a guest lay the same structs over the same bytes:
// little-endian, naturally aligned, fixed offsets.
package abi
