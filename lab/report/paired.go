package report

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Limits of a paired comparison.
const (
	// MaxCells is the largest number of cells, of 16 bytes each, that a Series keeps.
	// When the workload has no more requests than that, a cell is one request.
	MaxCells = 1 << 17
	// MaxBlocks is the largest number of blocks from which an interval is derived;
	// with more than MaxBlocks/2 x firstBlock requests, there are at least half as
	// many.
	MaxBlocks = 400
	// MinBlocks is the smallest number of blocks from which an interval is derived.
	MinBlocks = 8
	// Resamples is the number of times that the blocks are drawn anew.
	Resamples = 2000
	// Confidence is the coverage of an interval.
	Confidence = 0.95

	// firstBlock is the smallest number of consecutive requests in a block.
	firstBlock = 16
)

// Series collects the latencies of one class of I/Os of one run for a paired
// comparison, and which I/Os failed. It keeps sums over cells of consecutive
// requests: the sum of the differences over a cell is the difference of the
// sums, so two runs over the same workload can be paired afterwards, request by
// request, in bounded memory. A cell is one request for as long as MaxCells
// allows it; then neighbours are merged. The zero value is ready for use.
type Series struct {
	length int64  // number of requests that a cell covers; 0 before the first
	cells  []cell // up to the last that has an I/O
}

type cell struct {
	sum    int64 // latencies of the requests that ended well, in nanoseconds
	count  int32 // number of requests that ended well
	failed int32
}

func (c *cell) add(o cell) {
	c.sum += o.sum
	c.count += o.count
	c.failed += o.failed
}

// block holds the sum of the differences over a number of I/Os.
type block struct {
	sum   int64 // nanoseconds; exact for 106 days of latency a block
	count int64
}

// Record adds the latency of request k of the workload, counted from 0 over
// all classes. Requests may come in any order. A negative k is left out.
func (s *Series) Record(k int64, latency machine.Time) {
	if k >= 0 {
		s.at(k).add(cell{sum: int64(latency), count: 1})
	}
}

// Fail notes that request k has failed: it has no latency, and no pair that it
// belongs to is compared. A negative k is left out.
func (s *Series) Fail(k int64) {
	if k >= 0 {
		s.at(k).failed++
	}
}

// at returns the cell of request k.
func (s *Series) at(k int64) *cell {
	if s.length == 0 {
		s.length = 1
	}
	for k/s.length >= MaxCells {
		s.merge()
	}
	i := int(k / s.length)
	if more := i + 1 - len(s.cells); more > 0 {
		s.cells = append(s.cells, make([]cell, more)...)
	}
	return &s.cells[i]
}

// merge has each cell cover twice as many requests.
func (s *Series) merge() {
	n := (len(s.cells) + 1) / 2
	for i := range n {
		merged := s.cells[2*i]
		if 2*i+1 < len(s.cells) {
			merged.add(s.cells[2*i+1])
		}
		s.cells[i] = merged
	}
	s.cells = s.cells[:n]
	s.length *= 2
}

// merged returns the series, or a copy of it, with cells of at least the length.
func (s *Series) merged(length int64) Series {
	c := *s
	if c.length != 0 && c.length < length {
		c.cells = slices.Clone(c.cells)
		for c.length < length {
			c.merge()
		}
	}
	return c
}

// get returns cell number i; cells behind the last one are empty.
func (s *Series) get(i int) cell {
	if i < len(s.cells) {
		return s.cells[i]
	}
	return cell{}
}

// Count returns the number of latencies recorded.
func (s *Series) Count() int64 {
	var n int64
	for i := range s.cells {
		n += int64(s.cells[i].count)
	}
	return n
}

// Difference holds the mean of latency(B) - latency(A) over the I/Os of a class,
// each I/O of B paired with the same I/O of A.
type Difference struct {
	// Count is the number of pairs that were compared.
	Count  int64   `json:"count"`
	Blocks int     `json:"blocks"`
	MeanUS float64 `json:"mean_us"`
	// Interval is the confidence interval of the mean; it is nil when there are fewer
	// than MinBlocks blocks.
	Interval *Interval `json:"interval,omitempty"`
	// Significant says that there is an interval and that it excludes 0.
	Significant bool `json:"significant"`
	// LeftOut counts the pairs that were not compared; it is nil when all were.
	LeftOut *LeftOut `json:"left_out,omitempty"`
}

// LeftOut counts the pairs that were not compared because the I/O failed on a side.
type LeftOut struct {
	// Pairs is the number of pairs. With more than MaxCells requests a pair's
	// neighbours are left out with it.
	Pairs int64 `json:"pairs"`
	// Baseline and Run are the numbers of failed I/Os on each side; an I/O can
	// have failed on both.
	Baseline int64 `json:"failed_in_baseline"`
	Run      int64 `json:"failed_in_run"`
}

// Interval is a confidence interval in microseconds.
type Interval struct {
	LowUS      float64 `json:"low_us"`
	HighUS     float64 `json:"high_us"`
	Confidence float64 `json:"confidence"`
}

// Compare pairs the I/Os of two runs over the same workload. A pair in which a side
// failed is left out. The interval is a percentile bootstrap over blocks of
// consecutive requests, drawn with replacement (Carlstein's non-overlapping block
// bootstrap, Annals of Statistics 14(3), 1986): latencies of neighbours depend on
// one another, and resampling single I/Os would give intervals that are far too
// narrow. It assumes that a disturbance is short against a block. The seed chooses
// the resamples. Neither series is changed.
func Compare(a, b *Series, seed uint64) (Difference, error) {
	length := max(a.length, b.length, 1)
	x, y := a.merged(length), b.merged(length)
	cells := max(len(x.cells), len(y.cells))
	each := max(firstBlock, length) // number of requests in a block
	for int64(cells-1)*length/each >= MaxBlocks {
		each *= 2
	}
	var d Difference
	var left LeftOut
	var diffs []block // sums of differences
	var all, now block
	for i := range cells {
		p, q := x.get(i), y.get(i)
		if p.count+p.failed != q.count+q.failed {
			return Difference{}, fmt.Errorf("paired comparison: requests %d to %d: %d I/Os against %d: want the same workload",
				int64(i)*length, int64(i+1)*length-1, p.count+p.failed, q.count+q.failed)
		}
		if p.failed|q.failed != 0 {
			left.Pairs += int64(p.count + p.failed)
			left.Baseline += int64(p.failed)
			left.Run += int64(q.failed)
		} else {
			now.sum += q.sum - p.sum
			now.count += int64(p.count)
		}
		if end := i+1 == cells || int64(i+1)*length%each == 0; end && now.count > 0 {
			diffs = append(diffs, now)
			all.sum += now.sum
			all.count += now.count
			now = block{}
		}
	}
	d.Count, d.Blocks, d.MeanUS = all.count, len(diffs), all.meanUS()
	if len(diffs) >= MinBlocks {
		d.Interval = bootstrap(diffs, seed)
		d.Significant = d.Interval.LowUS > 0 || d.Interval.HighUS < 0
	}
	if left.Pairs != 0 {
		d.LeftOut = &left
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
