// Package readcheck holds what reads return against what writes have left. A read
// must return what the last acknowledged write left, or what a write that was under
// way at the same time wrote; never anything older. The package also finds the
// acknowledged writes that were lost.
//
// It is told of requests by the access method and looks at media; it knows nothing
// of mirrors, accounts or detours, and never changes what it watches. Its memory
// grows with what was written and what is under way, not with the length of a run.
package readcheck
