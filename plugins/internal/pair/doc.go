// Package pair answers questions about the mirrors of a pair that detours of every
// slot have.
package pair
