package trace

import (
	"io"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Description sums up the requests of a workload.
type Description struct {
	Requests int64 `json:"requests"`
	Reads    Class `json:"reads"`
	Writes   Class `json:"writes"`
	Flushes  Class `json:"flushes"`
	Trims    Class `json:"trims"`
	// Span is the time of the last request, in nanoseconds.
	Span machine.Time `json:"span_ns"`
	// MaxAddress is the end of the highest request in bytes: the smallest size of a
	// volume that holds the workload.
	MaxAddress int64 `json:"max_address"`
	// PeakPerSecond is the largest number of reads and writes in one second. Seconds
	// are counted from the start of the workload.
	PeakPerSecond int64 `json:"peak_per_s"`
}

// Class sums up the requests of one operation.
type Class struct {
	Count int64 `json:"count"`
	Bytes int64 `json:"bytes"`
	// MinBytes and MaxBytes are the lengths of the shortest and the longest request.
	MinBytes int64 `json:"min_bytes"`
	MaxBytes int64 `json:"max_bytes"`
}

func (c *Class) add(length int64) {
	if c.Count == 0 || length < c.MinBytes {
		c.MinBytes = length
	}
	c.MaxBytes = max(c.MaxBytes, length)
	c.Count++
	c.Bytes += length
}

// Describe reads a source to its end and returns its description. When the source
// fails it returns the error, and the description of the requests before. It does
// not close the source.
func Describe(source Source) (Description, error) {
	var d Description
	classes := [numOps]*Class{Read: &d.Reads, Write: &d.Writes, Flush: &d.Flushes, Trim: &d.Trims}
	var q Request
	var second machine.Time
	var inSecond int64
	for {
		err := source.Next(&q)
		if err == io.EOF {
			return d, nil
		}
		if err != nil {
			return d, err
		}
		d.Requests++
		classes[q.Op].add(q.Length)
		d.Span = q.At
		d.MaxAddress = max(d.MaxAddress, q.Offset+q.Length)
		if s := q.At / machine.Second; s != second {
			second, inSecond = s, 0
		}
		if q.Op == Read || q.Op == Write {
			inSecond++
			d.PeakPerSecond = max(d.PeakPerSecond, inSecond)
		}
	}
}
