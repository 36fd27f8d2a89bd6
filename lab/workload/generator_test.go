package workload

import (
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/trace"
)

func generate(t *testing.T, config GeneratorConfig) []trace.Request {
	t.Helper()
	g, err := NewGenerator(config)
	require.NoError(t, err)
	return all(t, g)
}

func TestGeneratorKeepsItsPromises(t *testing.T) {
	if testing.Short() {
		t.Skip("reads or makes much, on one goroutine")
	}
	base := GeneratorConfig{
		ReadShare: 0.3, Sizes: []SizeWeight{{4096, 3}, {16384, 1}, {512, 0}}, Pattern: PatternRandom,
		Arrival: ArrivalPoisson, Rate: 5000, Count: 40000, VolumeBytes: 10_000_384, AlignBytes: 512, Seed: 42,
	}
	tests := map[string]func(*GeneratorConfig){
		"uniform":     func(*GeneratorConfig) {},
		"skew 0.5":    func(c *GeneratorConfig) { c.Skew = 0.5 },
		"skew 1":      func(c *GeneratorConfig) { c.Skew = 1 },
		"skew 2":      func(c *GeneratorConfig) { c.Skew = 2 },
		"skew 10":     func(c *GeneratorConfig) { c.Skew = MaxSkew },
		"sequential":  func(c *GeneratorConfig) { c.Pattern = PatternSequential },
		"fixed":       func(c *GeneratorConfig) { c.Arrival = ArrivalFixed },
		"tiny volume": func(c *GeneratorConfig) { c.VolumeBytes, c.Skew = 16384, 0.9 },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			config := base
			change(&config)
			got := generate(t, config)
			require.Len(t, got, int(config.Count))
			assert.Equal(t, got, generate(t, config), "the same seed makes the same workload")
			other := config
			other.Seed++
			assert.NotEqual(t, got, generate(t, other))

			reads, large := 0, 0
			var last machine.Time
			for _, q := range got {
				if q.At < last || q.Offset < 0 || q.Offset%512 != 0 || q.Offset+q.Length > config.VolumeBytes {
					t.Fatalf("%+v after %v", q, last)
				}
				last = q.At
				if q.Op == trace.Read {
					reads++
				}
				switch q.Length {
				case 16384:
					large++
				case 512:
					t.Fatal("a size without weight came up")
				}
			}
			// Five standard deviations.
			assert.InDelta(t, 0.3*40000, reads, 5*math.Sqrt(0.3*0.7*40000))
			assert.InDelta(t, 0.25*40000, large, 5*math.Sqrt(0.25*0.75*40000))
			assert.InDelta(t, 8, last.Duration().Seconds(), 5*math.Sqrt(40000)/5000)
		})
	}
}

func TestGeneratorEnds(t *testing.T) {
	config := DefaultGenerator()
	config.Arrival, config.Rate, config.Duration = ArrivalFixed, 3, 2*time.Second
	got := generate(t, config)
	require.Len(t, got, 6, "0, 1/3 ... 5/3 of a second; not 2 s itself")
	assert.Equal(t, machine.Time(1666666666), got[5].At)

	config.Count = 4
	assert.Len(t, generate(t, config), 4, "whichever is first")

	config.Duration, config.Count, config.Rate = time.Nanosecond, 0, 1
	config.Arrival = ArrivalPoisson
	g, err := NewGenerator(config)
	require.NoError(t, err)
	for range 3 {
		assert.Equal(t, io.EOF, g.Next(new(trace.Request)))
	}
	assert.NoError(t, g.Close())
}

func TestSequentialWraps(t *testing.T) {
	config := GeneratorConfig{
		Sizes: []SizeWeight{{1024, 1}}, Pattern: PatternSequential, Arrival: ArrivalFixed, Rate: 1, Count: 5,
		VolumeBytes: 2560, AlignBytes: 512,
	}
	var offsets []int64
	for _, q := range generate(t, config) {
		offsets = append(offsets, q.Offset)
	}
	assert.Equal(t, []int64{0, 1024, 0, 1024, 0}, offsets)
}

func TestPoissonGaps(t *testing.T) {
	config := DefaultGenerator()
	config.Count, config.Duration, config.Rate = 200_000, 0, 1000
	var sum, squares, last float64
	got := generate(t, config)
	for _, q := range got {
		gap := float64(q.At) - last
		last = float64(q.At)
		sum += gap
		squares += gap * gap
	}
	n := float64(len(got))
	mean := sum / n
	assert.InEpsilon(t, 1e6, mean, 0.02)
	assert.InEpsilon(t, 1e6, math.Sqrt(squares/n-mean*mean), 0.02, "exponential: deviation equals mean")
}

// The frequencies of ranks are held against the distribution's own terms with a
// chi-square test; the bound is the 0.999999 quantile for that many degrees of
// freedom (Wilson and Hilferty's approximation).
func TestZipfDistribution(t *testing.T) {
	if testing.Short() {
		t.Skip("reads or makes much, on one goroutine")
	}
	const draws = 100_000
	for _, n := range []int64{1, 2, 3, 10, 1000, 1 << 40} {
		for _, s := range []float64{0.01, 0.5, 0.9, 0.999999999999, 1, 1.1, 2, 5} {
			z := newZipf(n, s)
			r := rand.New(rand.NewPCG(7, uint64(n)))
			const cells = 20
			var seen [cells + 1]float64
			for range draws {
				k := z.draw(r)
				require.True(t, k >= 1 && k <= n, "rank %d of %d", k, n)
				seen[min(k-1, cells)]++
			}
			var total float64
			if n <= 1000 {
				for k := int64(1); k <= n; k++ {
					total += math.Pow(float64(k), -s)
				}
			} else {
				total = harmonic(float64(n), s)
			}
			chi, freedom, rest := 0.0, -1.0, float64(draws)
			add := func(got, want float64) {
				if want >= 5 {
					chi += (got - want) * (got - want) / want
					freedom++
				}
			}
			for k := int64(1); k <= min(n, cells); k++ {
				want := draws * math.Pow(float64(k), -s) / total
				rest -= want
				add(seen[k-1], want)
			}
			add(seen[cells], rest)
			if freedom < 1 {
				continue
			}
			h := 2 / (9 * freedom)
			bound := freedom * math.Pow(1-h+4.75*math.Sqrt(h), 3)
			assert.Less(t, chi, bound, "n %d, s %v, %v degrees of freedom", n, s, freedom)
		}
	}
}

// harmonic is the sum of k^-s up to n by the Euler-Maclaurin formula, after
// the first thousand terms.
func harmonic(n, s float64) float64 {
	var sum float64
	const m = 1000
	for k := 1.0; k < m; k++ {
		sum += math.Pow(k, -s)
	}
	integral := math.Log(n / m)
	if s != 1 {
		integral = (math.Pow(n, 1-s) - math.Pow(m, 1-s)) / (1 - s)
	}
	return sum + integral + (math.Pow(m, -s)+math.Pow(n, -s))/2 + s/12*(math.Pow(m, -s-1)-math.Pow(n, -s-1))
}

func TestScatterIsOneToOne(t *testing.T) {
	if testing.Short() {
		t.Skip("reads or makes much, on one goroutine")
	}
	for _, n := range []int64{1, 2, 3, 4, 5, 7, 8, 9, 100, 1000, 4096, 4097, 65537} {
		for _, key := range []uint64{0, 1, 0x123456789ABCDEF0, math.MaxUint64} {
			s := newScatter(n, key)
			seen := make([]bool, n)
			for i := range uint64(n) {
				at := s.at(i)
				require.Less(t, at, uint64(n))
				require.False(t, seen[at], "n %d: %d twice", n, at)
				seen[at] = true
			}
		}
	}
}

func TestScatterSpreads(t *testing.T) {
	const n, top = 1 << 20, 1000
	s := newScatter(n, 99)
	var quarters [4]int
	for i := range uint64(top) {
		quarters[s.at(i)*4/n]++
	}
	for _, q := range quarters {
		assert.InDelta(t, top/4, q, 5*math.Sqrt(top/4*0.75), "%v", quarters)
	}
}

func TestGeneratorConfigErrors(t *testing.T) {
	tests := []struct {
		change func(*GeneratorConfig)
		want   string
	}{
		{func(c *GeneratorConfig) { c.ReadShare = 1.5 }, "generator: read share 1.5: want 0 to 1"},
		{func(c *GeneratorConfig) { c.ReadShare = math.NaN() }, "generator: read share NaN"},
		{func(c *GeneratorConfig) { c.Sizes = nil }, "generator: 0 sizes: want 1 to 64"},
		{func(c *GeneratorConfig) { c.Sizes = make([]SizeWeight, 65) }, "generator: 65 sizes"},
		{func(c *GeneratorConfig) { c.Sizes = []SizeWeight{{4096, 1}, {1000, 1}} }, "generator: size 2 of 1000 bytes: want a positive multiple of the alignment, 4096"},
		{func(c *GeneratorConfig) { c.Sizes = []SizeWeight{{0, 1}} }, "generator: size 1 of 0 bytes"},
		{func(c *GeneratorConfig) { c.Sizes = []SizeWeight{{1 << 30, 1}} }, "up to 67108864"},
		{func(c *GeneratorConfig) { c.Sizes[0].Weight = -1 }, "generator: size 1 has the weight -1"},
		{func(c *GeneratorConfig) { c.Sizes[0].Weight = math.NaN() }, "generator: size 1 has the weight NaN"},
		{func(c *GeneratorConfig) { c.Sizes[0].Weight = 0 }, "weights of the sizes add up to 0"},
		{func(c *GeneratorConfig) { c.Pattern = "zigzag" }, `generator: pattern "zigzag": want random or sequential`},
		{func(c *GeneratorConfig) { c.Skew = -0.1 }, "generator: skew -0.1: want 0 to 10"},
		{func(c *GeneratorConfig) { c.Skew = math.Inf(1) }, "generator: skew +Inf"},
		{func(c *GeneratorConfig) { c.Pattern = PatternSequential }, "generator: skew 0.9 with a sequential pattern"},
		{func(c *GeneratorConfig) { c.Arrival = "burst" }, `generator: arrival "burst": want poisson or fixed`},
		{func(c *GeneratorConfig) { c.Rate = 0 }, "generator: rate of 0 requests a second"},
		{func(c *GeneratorConfig) { c.Rate = 2e9 }, "at most 1000000000"},
		{func(c *GeneratorConfig) { c.Count = -1 }, "generator: count -1"},
		{func(c *GeneratorConfig) { c.Duration = -1 }, "generator: duration -1ns"},
		{func(c *GeneratorConfig) { c.Duration = 0 }, "neither count nor duration is given"},
		{func(c *GeneratorConfig) { c.Duration, c.Count, c.Rate = 0, 1<<40, 1 }, "take more than 366 days"},
		{func(c *GeneratorConfig) { c.VolumeBytes = 4095 }, "generator: volume of 4095 bytes: want at least 4096"},
		{func(c *GeneratorConfig) { c.AlignBytes = 1000 }, "generator: alignment of 1000 bytes: want a positive multiple of 512"},
	}
	for _, test := range tests {
		config := DefaultGenerator()
		test.change(&config)
		_, err := NewGenerator(config)
		assert.ErrorContains(t, err, test.want)
	}
	config := DefaultGenerator()
	assert.NoError(t, config.Validate())
}
