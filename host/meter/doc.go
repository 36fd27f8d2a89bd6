// Package meter rewrites a WebAssembly module so that a call of it ends: it counts
// the work of a call in units of fuel and the size of the frames of functions
// that have not returned, and traps when one of the two is used up. It knows the
// binary format of instructions and nothing of detours; it runs nothing.
//
// Fuel is exact. A function's code is cut into pieces that run as a whole. A piece
// is charged at its beginning, for all its instructions (see the table in
// docs/fuel.md), and two pieces that always run together share one charge. When a
// call ends, its charge is exactly the cost of the instructions that it executed,
// the same on every machine. The counter is tested at the beginning of a function,
// at each repetition of a loop, before bulk operations, and within long code that
// has none of these. A call that ends by a trap of its own may have paid for the
// rest of the piece.
//
// The size of the stack is an upper estimate of the stack that the compiled code
// needs (see frame.go), also the same everywhere.
//
// The module's own functions and globals keep their indices. Additions of the pass
// have the indices behind them, and a module that names one of those is refused, as
// it is without the pass. An instruction that the pass does not know is refused by
// name.
package meter
