package histogram

import (
	"math/bits"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/iosrun/iosrun/emulator/machine"
)

// The range and precision of a Latency.
const (
	// MaxLatency is the longest latency that the histogram tells apart. A longer one
	// counts as MaxLatency in percentiles, and in full in mean and maximum.
	MaxLatency = 3600 * machine.Second
	// significantDigits bounds the error of a percentile to 1 in 1,000.
	significantDigits = 3
)

// Latency is the histogram of the latencies of a class of I/Os. It takes about 270
// KB, for any number of latencies.
type Latency struct {
	histogram *hdrhistogram.Histogram
	count     int64
	max       machine.Time
	// sumHigh and sumLow are the sum in 128 bits, so that the mean is exact.
	sumHigh, sumLow uint64
	outside         int64
}

// New makes an empty histogram.
func New() *Latency {
	return &Latency{histogram: hdrhistogram.New(1, int64(MaxLatency), significantDigits)}
}

// Record adds the latency of one I/O, in nanoseconds. A negative one counts as
// 0 and, like one above MaxLatency, in Outside. It allocates nothing.
func (l *Latency) Record(latency machine.Time) {
	if latency < 0 {
		l.outside++
		latency = 0
	}
	l.count++
	l.max = max(l.max, latency)
	var carry uint64
	l.sumLow, carry = bits.Add64(l.sumLow, uint64(latency), 0)
	l.sumHigh += carry
	if latency > MaxLatency {
		l.outside++
		latency = MaxLatency
	}
	// The value is in range; nothing else can fail.
	_ = l.histogram.RecordValue(int64(latency))
}

// Count returns the number of latencies recorded.
func (l *Latency) Count() int64 { return l.count }

// Max returns the longest latency in nanoseconds, exactly; 0 when there is none.
func (l *Latency) Max() machine.Time { return l.max }

// Outside returns the number of latencies that were negative or above MaxLatency.
func (l *Latency) Outside() int64 { return l.outside }

// Mean returns the mean in nanoseconds; 0 when there is no latency.
func (l *Latency) Mean() float64 {
	if l.count == 0 {
		return 0
	}
	return (float64(l.sumHigh)*(1<<64) + float64(l.sumLow)) / float64(l.count)
}

// Percentile returns the smallest latency that p percent of the recorded ones do not
// exceed, in nanoseconds, rounded up by at most 1 in 1,000; p is from 0 to 100. It
// returns 0 when there is no latency.
func (l *Latency) Percentile(p float64) machine.Time {
	if l.count == 0 {
		return 0
	}
	return min(machine.Time(l.histogram.ValueAtPercentile(p)), l.max)
}

// Merge adds the latencies of another histogram.
func (l *Latency) Merge(o *Latency) {
	l.histogram.Merge(o.histogram)
	l.count += o.count
	l.max = max(l.max, o.max)
	l.outside += o.outside
	var carry uint64
	l.sumLow, carry = bits.Add64(l.sumLow, o.sumLow, 0)
	l.sumHigh, _ = bits.Add64(l.sumHigh, o.sumHigh, carry)
}

// Summary holds the figures of a Latency that are shown, in microseconds. A
// percentile of few latencies is the longest of them: see EnoughFor.
type Summary struct {
	Count  int64   `json:"count"`
	MeanUS float64 `json:"mean_us"`
	P50US  float64 `json:"p50_us"`
	P95US  float64 `json:"p95_us"`
	P99US  float64 `json:"p99_us"`
	P999US float64 `json:"p99_9_us"`
	MaxUS  float64 `json:"max_us"`
	// Outside is the number of latencies beyond the range of the histogram.
	Outside int64 `json:"outside,omitempty"`
}

// Summary returns the figures that are shown.
func (l *Latency) Summary() Summary {
	us := func(t machine.Time) float64 { return float64(t) / float64(machine.Microsecond) }
	return Summary{
		Count:   l.count,
		MeanUS:  l.Mean() / float64(machine.Microsecond),
		P50US:   us(l.Percentile(50)),
		P95US:   us(l.Percentile(95)),
		P99US:   us(l.Percentile(99)),
		P999US:  us(l.Percentile(99.9)),
		MaxUS:   us(l.max),
		Outside: l.outside,
	}
}

// EnoughFor reports whether count latencies are enough to tell percentile p, above 0
// and below 100, from the longest of them.
func EnoughFor(p float64, count int64) bool {
	const rounding = 1e-9 // 100-99.9 is a little more than 0.1
	return float64(count)*(100-p) >= 100*(1-rounding)
}
