package hooks

import (
	"math"
	"math/bits"

	"github.com/iosrun/iosrun/abi"
)

// Record sums up the values that a detour has recorded under one name of its
// manifest (abi.IntentRecord) since it was attached.
type Record struct {
	Name  string
	Unit  string // unit of Sum and Max, from the manifest
	Count uint64 // number of values
	Sum   uint64 // sum of all values; stays at the largest 64-bit number when it would exceed it
	Max   uint64 // the largest value
}

// NewRecords makes the records that a manifest declares, in its order, for an
// Attachment.
func NewRecords(m *abi.Manifest) []Record {
	if len(m.Records) == 0 {
		return nil
	}
	all := make([]Record, len(m.Records))
	for i := range m.Records {
		all[i].Name, all[i].Unit = m.Records[i].Name, m.Records[i].Unit
	}
	return all
}

// Record adds a value to record number code. It reports false, and does nothing,
// where the detour has declared fewer. It is for the event loop and allocates
// nothing.
func (a *Attachment) Record(code uint8, value uint64) bool {
	if int(code) >= len(a.Records) {
		return false
	}
	r := &a.Records[code]
	r.Count++
	sum, carry := bits.Add64(r.Sum, value, 0)
	if carry != 0 {
		sum = math.MaxUint64
	}
	r.Sum = sum
	r.Max = max(r.Max, value)
	return true
}
