// Package host runs detours that are WebAssembly modules. A module goes one way:
//
//	Inspect      what the file says of itself, read without running anything
//	Verify       held against what it was granted; every finding with its offset
//	Load         metered, and compiled by wazero, the result kept on disk
//	Instantiate  an instance for one machine, its frame found, its settings set
//	Rehearse     every hook run on canned frames
//	Attachment   ready for a slot of package hooks
//
// A detour gets no file, no network, no environment and no wall clock: its WASI is a
// deterministic stub, and its one other host function reads the chain of CCWs of the
// I/O it was called for. An abnormal end in a detour becomes an error here. A call
// that does not end by itself is ended by a limit on its work and on its stack
// (package meter).
//
// This package imports hooks and abi, and nothing of the emulator.
package host
