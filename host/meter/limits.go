package meter

// Limits of the modules that the pass accepts, and of the resources that a metered
// module may use.
const (
	// MaxFunction is the largest size of a function's code in bytes.
	MaxFunction = 1 << 20
	// MaxNesting is the largest number of blocks within each other.
	MaxNesting = 5000
	// MaxLabels is the largest number of labels of a br_table, without the default.
	MaxLabels = 1 << 15
	// MaxLocals is the largest number of parameters and locals of a function.
	MaxLocals = 10000
	// MaxLocalsInAll is the largest number of parameters and locals that the
	// functions of a module have together. A few bytes declare thousands of them.
	MaxLocalsInAll = 2 << 20

	// MaxStack limits the size of the frames of all functions that have not returned,
	// in bytes as the pass estimates them.
	MaxStack = 256 << 10
	// MaxUntested is the number of units that a function may use, beyond one
	// instruction, between two tests of the counter.
	MaxUntested = 1000
	// A function without calls that exceeds neither of these two is not counted
	// against MaxStack.
	smallCode   = 128
	smallLocals = 32
)

// Prefix begins the names of the exports that the pass adds. A module that has
// one of its own is refused.
const Prefix = "iosrun."

// The exports by which the host reaches what the pass has added.
const (
	// LimitExport is a mutable global of 64 bits: the number of units that a call
	// begins with. The host sets it before the first call.
	LimitExport = Prefix + "limit"
	// FuelExport is a mutable global of 64 bits: the number of units that are left. It
	// is negative when the call has used more than it had.
	FuelExport = Prefix + "fuel"
	// StackExport is a mutable global of 64 bits. It is negative after a call that
	// used up the stack.
	StackExport = Prefix + "stack"
	// CallPrefix stands before the name of an exported function without parameters:
	// the export of that name sets the counters, calls the function, and traps when
	// it used more fuel than it had.
	CallPrefix = Prefix + "call."
	// StartExport is such an export for the function of the module's start section, if
	// it has one. The host calls it before any other.
	StartExport = Prefix + "start"
)
