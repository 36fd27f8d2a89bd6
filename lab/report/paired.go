package report

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Limits of a paired comparison.
const (
	// MaxBlocks is the most blocks that a Series keeps; with more than
	// MaxBlocks/2 x firstBlock requests, it has at least half as many.
	MaxBlocks = 400
	// MinBlocks is the fewest blocks from which an interval is derived.
	MinBlocks = 8
	// Resamples is how many times the blocks are drawn anew.
	Resamples = 2000
	// Confidence is the coverage of an interval.
	Confidence = 0.95

	// firstBlock is how many consecutive requests a block has at first.
	firstBlock = 16
)

// Series collects the latencies of one class of I/Os of one run for a paired
// comparison. It keeps sums over blocks of consecutive requests, not I/Os: the
// sum of the differences over a block is the difference of the sums, so two
// runs over the same workload can be paired afterwards, request by request, in
// bounded memory. Where the blocks are full, neighbours are merged. The zero
// value is ready for use.
type Series struct {
	length int64 // requests a block covers; 0 before the first
	used   int   // blocks up to the last that has an I/O
	blocks [MaxBlocks]block
}

type block struct {
	sum   int64 // nanoseconds; exact for 106 days of latency a block
	count int64
}

// Record adds the latency of request k of the workload, counted from 0 over
// all classes. Requests may come in any order. It allocates nothing. A negative
// k is left out.
func (s *Series) Record(k int64, latency machine.Time) {
	if k < 0 {
		return
	}
	if s.length == 0 {
		s.length = firstBlock
	}
	for k/s.length >= MaxBlocks {
		s.merge()
	}
	b := &s.blocks[k/s.length]
	b.sum += int64(latency)
	b.count++
	s.used = max(s.used, int(k/s.length)+1)
}

// merge has each block cover twice as many requests.
func (s *Series) merge() {
	for i := range s.blocks {
		var merged block
		for j := 2 * i; j < min(2*i+2, MaxBlocks); j++ {
			merged.sum += s.blocks[j].sum
			merged.count += s.blocks[j].count
		}
		s.blocks[i] = merged
	}
	s.length *= 2
	s.used = (s.used + 1) / 2
}

// Count is how many latencies were recorded.
func (s *Series) Count() int64 {
	var n int64
	for i := range s.used {
		n += s.blocks[i].count
	}
	return n
}

// Difference is the mean of latency(B) - latency(A) over the I/Os of a class,
// each I/O of B paired with the same I/O of A.
type Difference struct {
	Count  int64   `json:"count"`
	Blocks int     `json:"blocks"`
	MeanUS float64 `json:"mean_us"`
	// Interval is where the mean lies with that confidence; nil where there
	// are fewer than MinBlocks blocks to tell it from.
	Interval *Interval `json:"interval,omitempty"`
	// Significant says that there is an interval and that it excludes 0.
	Significant bool `json:"significant"`
}

// Interval is a confidence interval in microseconds.
type Interval struct {
	LowUS      float64 `json:"low_us"`
	HighUS     float64 `json:"high_us"`
	Confidence float64 `json:"confidence"`
}

// Compare pairs the I/Os of two runs over the same workload. The interval is a
// percentile bootstrap over blocks of consecutive requests, drawn with
// replacement (Carlstein's non-overlapping block bootstrap, Annals of
// Statistics 14(3), 1986): latencies of neighbours depend on one another, and
// resampling single I/Os would give intervals that are far too narrow. It
// assumes that a disturbance is short against a block. The seed chooses the
// resamples. Neither series is changed.
func Compare(a, b *Series, seed uint64) (Difference, error) {
	x, y := *a, *b
	if x.length != 0 && y.length != 0 {
		for x.length < y.length {
			x.merge()
		}
		for y.length < x.length {
			y.merge()
		}
	}
	var diffs []block // sums of differences
	var all block
	for i := range max(x.used, y.used) {
		p, q := x.blocks[i], y.blocks[i]
		if p.count != q.count {
			length := max(x.length, y.length)
			return Difference{}, fmt.Errorf("paired comparison: requests %d to %d: %d I/Os against %d: want the same workload",
				int64(i)*length, int64(i+1)*length-1, p.count, q.count)
		}
		if p.count > 0 {
			diffs = append(diffs, block{q.sum - p.sum, p.count})
			all.sum += q.sum - p.sum
			all.count += p.count
		}
	}
	d := Difference{Count: all.count, Blocks: len(diffs), MeanUS: all.meanUS()}
	if len(diffs) >= MinBlocks {
		d.Interval = bootstrap(diffs, seed)
		d.Significant = d.Interval.LowUS > 0 || d.Interval.HighUS < 0
	}
	return d, nil
}

func (b block) meanUS() float64 {
	return ratio(float64(b.sum)/float64(machine.Microsecond), float64(b.count))
}

func bootstrap(diffs []block, seed uint64) *Interval {
	random := rand.New(rand.NewPCG(seed, 0x62_6F_6F_74_73_74_72_61))
	means := make([]float64, Resamples)
	for i := range means {
		var sum block
		for range diffs {
			d := &diffs[random.IntN(len(diffs))]
			sum.sum += d.sum
			sum.count += d.count
		}
		means[i] = sum.meanUS()
	}
	slices.Sort(means)
	const tail = (1 - Confidence) / 2
	return &Interval{
		LowUS:      quantile(means, tail),
		HighUS:     quantile(means, 1-tail),
		Confidence: Confidence,
	}
}

// quantile interpolates between the two nearest of the sorted values.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-2)
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
