package workload

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/trace"
)

// Pattern is the way in which a generator chooses addresses.
type Pattern string

// The patterns.
const (
	// PatternRandom draws each address anew, with the distribution that Skew gives.
	PatternRandom Pattern = "random"
	// PatternSequential goes on at the end of the last request, and starts again at 0
	// when the next one would cross the end of the volume.
	PatternSequential Pattern = "sequential"
)

// Arrival is the distribution of the times between a generator's requests.
type Arrival string

// The arrivals.
const (
	// ArrivalPoisson has independent, exponentially distributed gaps.
	ArrivalPoisson Arrival = "poisson"
	// ArrivalFixed has equal gaps, the first request at 0.
	ArrivalFixed Arrival = "fixed"
)

// Limits of a generator.
const (
	// MaxSizes is the largest number of entries in GeneratorConfig.Sizes.
	MaxSizes = 64
	// MaxSkew is the largest Zipf exponent; at it 999 requests in 1,000 go to
	// one address.
	MaxSkew = 10
	// MaxRate is the highest arrival rate: one request a nanosecond.
	MaxRate = 1e9
)

// SizeWeight is a request size in bytes with its frequency relative to the other
// sizes.
type SizeWeight struct {
	Bytes  int64   `json:"bytes" koanf:"bytes"`
	Weight float64 `json:"weight" koanf:"weight"`
}

// GeneratorConfig describes a made-up workload. Two generators with the same
// configuration, on processors of the same architecture, make the same
// requests; math.Exp and math.Log may differ in the last bit between
// architectures.
type GeneratorConfig struct {
	// ReadShare is the share of reads, from 0 to 1; the rest are writes.
	ReadShare float64 `json:"read_share" koanf:"read_share"`
	// Sizes lists the sizes of requests, multiples of AlignBytes.
	Sizes []SizeWeight `json:"sizes" koanf:"sizes"`
	// Pattern is random or sequential.
	Pattern Pattern `json:"pattern" koanf:"pattern"`
	// Skew is the exponent of the Zipf distribution of a random pattern: with 0 all
	// addresses are equally likely, 0.9 to 1.1 is usual for disks. The most popular
	// addresses are scattered over the volume.
	Skew float64 `json:"skew" koanf:"skew"`
	// Arrival is poisson or fixed.
	Arrival Arrival `json:"arrival" koanf:"arrival"`
	// Rate is the mean arrival rate in requests a second of virtual time.
	Rate float64 `json:"rate" koanf:"rate"`
	// Count is the number of requests after which the workload ends; 0 stands for no
	// limit.
	Count int64 `json:"count" koanf:"count"`
	// Duration ends the workload before the first request at or after that time; 0
	// stands for no limit. One of Count and Duration must be given.
	Duration time.Duration `json:"duration" koanf:"duration"`
	// VolumeBytes is the size of the volume, at least the largest of Sizes.
	// A random request starts where the largest of Sizes would still fit.
	VolumeBytes int64 `json:"volume_bytes" koanf:"volume_bytes"`
	// AlignBytes is the number of bytes of which all addresses are multiples; it is
	// itself a multiple of trace.SectorBytes.
	AlignBytes int64 `json:"align_bytes" koanf:"align_bytes"`
	// Seed chooses one of the workloads that fit the description.
	Seed uint64 `json:"seed" koanf:"seed"`
}

// DefaultGenerator is an online-transaction mix: 4 KiB blocks, two thirds
// reads, skewed, 2,000 requests a second for 30 seconds on a gigabyte.
func DefaultGenerator() GeneratorConfig {
	return GeneratorConfig{
		ReadShare:   0.67,
		Sizes:       []SizeWeight{{Bytes: 4096, Weight: 1}},
		Pattern:     PatternRandom,
		Skew:        0.9,
		Arrival:     ArrivalPoisson,
		Rate:        2000,
		Duration:    30 * time.Second,
		VolumeBytes: 1 << 30,
		AlignBytes:  4096,
		Seed:        1,
	}
}

// GeneratorError says which setting of a generator is invalid.
type GeneratorError struct {
	// Key is the key of the setting.
	Key string
	// Problem says which values would be right.
	Problem string
}

func (e *GeneratorError) Error() string { return "generator: " + e.Problem }

func unfit(key, format string, args ...any) error {
	return &GeneratorError{key, fmt.Sprintf(format, args...)}
}

// Validate returns an error about the first invalid setting, or nil.
func (c *GeneratorConfig) Validate() error {
	switch {
	case !(c.ReadShare >= 0 && c.ReadShare <= 1):
		return unfit("read_share", "read share %v: want 0 to 1", c.ReadShare)
	case c.AlignBytes <= 0 || c.AlignBytes%trace.SectorBytes != 0 || c.AlignBytes > trace.MaxRequestBytes:
		return unfit("align_bytes", "alignment of %d bytes: want a positive multiple of %d up to %d", c.AlignBytes, trace.SectorBytes, trace.MaxRequestBytes)
	case len(c.Sizes) == 0 || len(c.Sizes) > MaxSizes:
		return unfit("sizes", "%d sizes: want 1 to %d", len(c.Sizes), MaxSizes)
	case c.Pattern != PatternRandom && c.Pattern != PatternSequential:
		return unfit("pattern", "pattern %q: want %s or %s", c.Pattern, PatternRandom, PatternSequential)
	case !(c.Skew >= 0 && c.Skew <= MaxSkew):
		return unfit("skew", "skew %v: want 0 to %d", c.Skew, MaxSkew)
	case c.Skew != 0 && c.Pattern == PatternSequential:
		return unfit("skew", "skew %v with a sequential pattern: want 0, or a random pattern", c.Skew)
	case c.Arrival != ArrivalPoisson && c.Arrival != ArrivalFixed:
		return unfit("arrival", "arrival %q: want %s or %s", c.Arrival, ArrivalPoisson, ArrivalFixed)
	case !(c.Rate > 0 && c.Rate <= MaxRate):
		return unfit("rate", "rate of %v requests a second: want above 0, at most %.0f", c.Rate, MaxRate)
	case c.Count < 0:
		return unfit("count", "count %d: want 0 or more", c.Count)
	case c.Duration < 0 || c.Duration > trace.MaxSpan.Duration():
		return unfit("duration", "duration %v: want 0 to %d days", c.Duration, trace.MaxSpanDays)
	case c.Count == 0 && c.Duration == 0:
		return unfit("count", "neither count nor duration is given: want one of them above 0")
	}
	if _, _, err := c.sizes(); err != nil {
		return err
	}
	if c.VolumeBytes < c.largest() {
		return unfit("volume_bytes", "volume of %d bytes: want at least %d, the largest request", c.VolumeBytes, c.largest())
	}
	if c.Duration == 0 && float64(c.Count)/c.Rate*float64(machine.Second) > float64(trace.MaxSpan) {
		return unfit("rate", "%d requests at %v a second take more than %d days: want fewer or faster", c.Count, c.Rate, trace.MaxSpanDays)
	}
	return nil
}

// sizes returns the upper bound of each size's share of [0, total).
func (c *GeneratorConfig) sizes() (bounds []float64, total float64, err error) {
	for i, s := range c.Sizes {
		switch {
		case s.Bytes <= 0 || s.Bytes%c.AlignBytes != 0 || s.Bytes > trace.MaxRequestBytes:
			return nil, 0, unfit("sizes", "size %d of %d bytes: want a positive multiple of the alignment, %d, up to %d",
				i+1, s.Bytes, c.AlignBytes, trace.MaxRequestBytes)
		case !(s.Weight >= 0) || math.IsInf(s.Weight, 0):
			return nil, 0, unfit("sizes", "size %d has the weight %v: want 0 or more", i+1, s.Weight)
		}
		total += s.Weight
		bounds = append(bounds, total)
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return nil, 0, unfit("sizes", "the weights of the sizes add up to %v: want a number above 0", total)
	}
	return bounds, total, nil
}

func (c *GeneratorConfig) largest() int64 {
	var most int64
	for _, s := range c.Sizes {
		most = max(most, s.Bytes)
	}
	return most
}

// Generator is a trace.Source of made-up requests.
type Generator struct {
	config  GeneratorConfig
	random  *rand.Rand
	bounds  []float64
	weights float64
	starts  int64 // number of addresses at which a random request may start
	zipf    zipf
	scatter scatter
	gap     float64 // mean nanoseconds between requests
	made    int64
	ended   bool // the duration is over
	at      machine.Time
	part    float64 // fraction of a nanosecond by which at is too small
	cursor  int64   // offset of the next sequential request
}

var _ trace.Source = (*Generator)(nil)

// NewGenerator makes a generator. It returns an error when its configuration is
// invalid.
func NewGenerator(config GeneratorConfig) (*Generator, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	config.Sizes = append([]SizeWeight(nil), config.Sizes...)
	bounds, weights, err := config.sizes()
	if err != nil {
		return nil, err
	}
	g := &Generator{
		config: config, bounds: bounds, weights: weights,
		random: rand.New(rand.NewPCG(config.Seed, 0x77_6F_72_6B_6C_6F_61_64)),
		starts: (config.VolumeBytes-config.largest())/config.AlignBytes + 1,
		gap:    float64(machine.Second) / config.Rate,
	}
	if config.Skew > 0 {
		g.zipf = newZipf(g.starts, config.Skew)
		g.scatter = newScatter(g.starts, g.random.Uint64())
	}
	return g, nil
}

// Next makes the next request; see trace.Source.
func (g *Generator) Next(q *trace.Request) error {
	c := &g.config
	if g.ended || c.Count > 0 && g.made == c.Count {
		return io.EOF
	}
	at := g.arrive()
	if c.Duration > 0 && at.Duration() >= c.Duration {
		g.ended = true
		return io.EOF
	}
	if at > trace.MaxSpan {
		return fmt.Errorf("generator: request %d would arrive after more than %d days", g.made+1, trace.MaxSpanDays)
	}
	q.At, q.Op, q.Length = at, trace.Write, c.Sizes[g.size()].Bytes
	if g.random.Float64() < c.ReadShare {
		q.Op = trace.Read
	}
	q.Offset = g.place(q.Length)
	g.made++
	return nil
}

func (g *Generator) arrive() machine.Time {
	if g.config.Arrival == ArrivalFixed {
		return machine.Time(min(float64(g.made)*g.gap, float64(trace.MaxSpan)+1))
	}
	g.part += g.random.ExpFloat64() * g.gap
	whole := min(math.Floor(g.part), float64(trace.MaxSpan)+1)
	g.at += machine.Time(whole)
	g.part -= whole
	return g.at
}

func (g *Generator) size() int {
	if len(g.bounds) == 1 {
		return 0
	}
	u := g.random.Float64() * g.weights
	for i, b := range g.bounds {
		if u < b {
			return i
		}
	}
	return len(g.bounds) - 1
}

func (g *Generator) place(length int64) int64 {
	c := &g.config
	if c.Pattern == PatternSequential {
		if length > c.VolumeBytes-g.cursor {
			g.cursor = 0
		}
		at := g.cursor
		g.cursor += length
		return at
	}
	if c.Skew == 0 {
		return g.random.Int64N(g.starts) * c.AlignBytes
	}
	return int64(g.scatter.at(uint64(g.zipf.draw(g.random)-1))) * c.AlignBytes
}

// Close does nothing: a generator has nothing to release.
func (g *Generator) Close() error { return nil }
