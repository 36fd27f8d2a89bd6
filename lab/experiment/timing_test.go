package experiment

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/iosrun/iosrun/lab/workload"
)

// stream is a flood of writes of 64 KiB, more than any link takes.
func stream(link string) Config {
	c := Default()
	c.Native = true
	c.Primary.Link, c.Primary.Kilometres, c.Primary.Aliases = link, 0, 255
	g := workload.DefaultGenerator()
	g.ReadShare, g.Skew, g.Rate, g.Count, g.Duration = 0, 0, 100_000, 2000, 0
	g.Sizes = []workload.SizeWeight{{Bytes: 65536, Weight: 1}}
	g.VolumeBytes, g.AlignBytes = 8<<30, 65536
	c.Workload = Workload{Generator: &g, Speed: 1}
	return c
}

// Links of different speeds carry a stream of writes at their own, where nothing
// else is set; a rate of destaging set below that is what a stream comes down to.
func TestLinkSpeedsShow(t *testing.T) {
	if testing.Short() {
		t.Skip("plays many runs, one after the other")
	}
	rate := func(c Config) float64 { return execute(t, c, nil, "none").Throughput.MBPerS }
	for link, megabytes := range map[string]float64{"ficon": 100, "ficon-2": 200, "ficon-4": 400, "ficon-8": 800, "ficon-16": 1600, "ficon-32": 3200} {
		assert.InEpsilon(t, megabytes, rate(stream(link)), 0.05, link)
	}
	c := stream("ficon-32")
	c.Primary.Timing = Timing{DestageMegabytes: 400, NonVolatileMegabytes: 1}
	assert.InEpsilon(t, 400, rate(c), 0.05)
	c.Primary.Timing.DestageMegabytes = -1
	assert.InEpsilon(t, 3200, rate(c), 0.05, "no limit")
}

// Every setting of the timing changes what it says.
func TestTimingSettings(t *testing.T) {
	if testing.Short() {
		t.Skip("plays many runs, one after the other")
	}
	base := stream("ficon-8")
	base.Primary.Kilometres = 100
	base.Primary.HitRatio, base.Primary.Arms = 1e-9, 1
	g := base.Workload.Generator
	g.Rate, g.Count, g.ReadShare = 1, 200, 0.5
	g.Sizes[0].Bytes, g.AlignBytes = 4096, 4096
	read := func(c Config) float64 { return execute(t, c, nil, "none").ReadLatency.MeanUS }
	write := func(c Config) float64 { return execute(t, c, nil, "none").WriteLatency.MeanUS }
	r, w := read(base), write(base)
	with := func(set func(*Timing)) Config {
		c := base
		set(&c.Primary.Timing)
		return c
	}
	assert.InDelta(t, 940, write(with(func(t *Timing) { t.Program = time.Millisecond }))-w, 20)
	assert.InDelta(t, 3*96, write(with(func(t *Timing) { t.Command = 100 * time.Microsecond }))-w, 20)
	assert.InDelta(t, -1000, write(with(func(t *Timing) { t.WriteRoundTrips = 1 }))-w, 20)
	assert.InDelta(t, -2400, read(with(func(t *Timing) { t.StageBytes = -1 }))-r, 300)
	assert.Greater(t, write(with(func(t *Timing) { t.NonVolatileMegabytes = -1 })), w+7000)

	far := stream("ficon-8")
	far.Primary.Kilometres = 1000
	far.Workload.Generator.Sizes[0].Bytes, far.Workload.Generator.AlignBytes = 4096, 4096
	ops := func(c Config) float64 { return execute(t, c, nil, "none").Throughput.RequestsPerS }
	// 32 exchanges, each open for two round trips of 10 ms.
	few := ops(far)
	assert.InEpsilon(t, 32/0.0201, few, 0.05)
	far.Primary.Timing.Exchanges = 128
	assert.InEpsilon(t, 4*few, ops(far), 0.1)
}
