package player

import (
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Tally counts the requests of a run.
type Tally struct {
	Issued, Ended int64
	// Reads and Writes are the numbers of requests that were issued, with their bytes.
	Reads, Writes         int64
	ReadBytes, WriteBytes int64
	// Flushes and Trims are requests for which no I/O is made.
	Flushes, Trims int64
	// GoodBytes is the number of bytes of requests that ended well.
	GoodBytes int64
	// Failed counts the requests that ended with an error.
	Failed Failures
	// Duplicates counts the ends of requests that had ended already.
	Duplicates uint64
	// FirstAt is the time of the first request, LastEnd the time of the last end.
	FirstAt, LastEnd machine.Time
}

// Failures counts requests by completion code.
type Failures struct{ Reads, Writes [256]int64 }

// begun counts a request that arrives at the given time.
func (t *Tally) begun(write bool, length int64, at machine.Time) {
	if t.Issued == 0 {
		t.FirstAt = at
	}
	t.Issued++
	if write {
		t.Writes++
		t.WriteBytes += length
	} else {
		t.Reads++
		t.ReadBytes += length
	}
}

// ended counts the end of a request.
func (t *Tally) ended(f *inflight, code uint8, now machine.Time) {
	t.Ended++
	t.LastEnd = max(t.LastEnd, now)
	switch {
	case code == arch.CompletionNormal:
		t.GoodBytes += f.bytes
	case f.write:
		t.Failed.Writes[code]++
	default:
		t.Failed.Reads[code]++
	}
}
