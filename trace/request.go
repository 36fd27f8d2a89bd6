package trace

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Op is the operation of a request.
type Op uint8

// The operations. Flush has neither offset nor length. Trim gives up the
// contents of a range and carries no data.
const (
	Read Op = iota
	Write
	Flush
	Trim

	numOps = iota
)

var opNames = [numOps]string{Read: "read", Write: "write", Flush: "flush", Trim: "trim"}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("op %d", uint8(o))
}

// Request is one block request.
type Request struct {
	// At is the time at which the request arrives, in nanoseconds from the start of
	// the workload. It never decreases from one request of a source to the next.
	At machine.Time
	Op Op
	// Offset and Length are in bytes, multiples of SectorBytes; both are 0 for Flush,
	// and Length is positive otherwise.
	Offset int64
	Length int64
}

// Source hands out the requests of a workload in order of their time.
type Source interface {
	// Next fills in the next request. It returns io.EOF after the last one and
	// any other error as often as it is called again. It allocates nothing in
	// steady state, and the request stays the caller's.
	Next(*Request) error
	// Close releases the source's files. A second Close does nothing.
	Close() error
}

// Limits of a workload.
const (
	// SectorBytes is the granule of offsets and lengths.
	SectorBytes = 512
	// MaxRequestBytes is the longest read or write. The longest transfers in public
	// traces are below 32 MiB; a longer one is treated as damage.
	MaxRequestBytes = 64 << 20
	// MaxSpan is the longest workload, in virtual time, and MaxSpanDays the same in
	// days. It catches times that are in another unit than the format's.
	MaxSpan     = MaxSpanDays * 24 * 3600 * machine.Second
	MaxSpanDays = 366
)
