// Package meter rewrites a WebAssembly module so that a call of it ends: it counts
// the work of a call in units of fuel and the size of the frames of functions
// that have not returned, and traps when one of the two is used up. It knows the
// binary format of instructions and nothing of detours; it runs nothing.
//
// Fuel is exact. A function's code is cut into pieces that run as a whole; a piece
// is charged where it begins, for all its instructions (see the table in
// docs/fuel.md), and pieces of which one runs whenever the other does share a
// charge. A call has used, when it ends, exactly what it has executed: on every
// machine the same. The counter is tested where a function begins and where a loop
// goes round, before bulk operations, and in long code without either. A call that
// ends otherwise, by a trap of its own, may have paid for the rest of the piece.
//
// The stack is an estimate from above of what the compiler needs (see frame.go),
// also the same everywhere.
//
// All that the module has keeps its index. What the pass adds stands behind it,
// and a module that names one of those indices is refused, as it is without the
// pass. What the pass does not understand is refused by name.
package meter
