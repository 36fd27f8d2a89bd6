// Package readcheck compares the data that reads return with the data of the writes
// before. A read must return the data of the last acknowledged write, or of a write
// that was under way at the same time; never anything older. The package also finds
// the acknowledged writes that were lost.
//
// The access method tells it of requests, and it reads media; it knows nothing of
// mirrors, accounts or detours, and never changes what it watches. Its memory grows
// with the number of blocks written and of requests under way, not with the length
// of a run.
package readcheck
