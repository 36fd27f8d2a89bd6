package readselect

import (
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/engine"
	"github.com/stretchr/testify/assert"
)

func TestSelectors(t *testing.T) {
	const p = engine.Primary
	side := func(latency, queue, last uint32) abi.Mirror {
		return abi.Mirror{ReadLatency: latency, Queue: queue, LastTrack: last}
	}
	for _, c := range []struct {
		name     string
		selector Selector
		primary  abi.Mirror
		mirrors  []abi.Mirror
		mask     uint8
		edit     func(*abi.Frame)
		want     int
	}{
		{"shorter by latency", LowestLatency, side(300, 0, 0), []abi.Mirror{side(400, 0, 0), side(200, 0, 0)}, 0b11, nil, 1},
		{"shorter by queue", LowestLatency, side(300, 2, 0), []abi.Mirror{side(400, 1, 0), side(200, 9, 0)}, 0b11, nil, 0},
		{"equal", LowestLatency, side(300, 1, 0), []abi.Mirror{side(300, 1, 0)}, 0b1, nil, p},
		{"not among the mirrors allowed", LowestLatency, side(300, 0, 0), []abi.Mirror{side(1, 0, 0), side(200, 0, 0)}, 0b10, nil, 1},
		{"no overflow", LowestLatency, side(1<<32-1, 1<<32-1, 0), []abi.Mirror{side(1<<32-1, 1<<32-2, 0)}, 0b1, nil, 0},
		{"never measured", LowestLatency, side(300, 0, 0), []abi.Mirror{side(0, 5, 0)}, 0b1, nil, 0},
		{"fewest", LeastPending, side(0, 3, 0), []abi.Mirror{side(0, 2, 0), side(0, 2, 0)}, 0b11, nil, 0},
		{"primary has as few", LeastPending, side(0, 2, 0), []abi.Mirror{side(0, 2, 0)}, 0b1, nil, p},
		{"first turn", RoundRobin, side(0, 0, 0), make([]abi.Mirror, 3), 0b101, func(f *abi.Frame) { f.Head.IO = 9 }, p},
		{"second turn", RoundRobin, side(0, 0, 0), make([]abi.Mirror, 3), 0b101, func(f *abi.Frame) { f.Head.IO = 10 }, 0},
		{"third turn", RoundRobin, side(0, 0, 0), make([]abi.Mirror, 3), 0b101, func(f *abi.Frame) { f.Head.IO = 11 }, 2},
		{"first stripe", Stripe, side(0, 0, 0), make([]abi.Mirror, 1), 0b1, func(f *abi.Frame) { f.Target.FirstTrack, f.Settings.Value[StripeTracks] = 14, 15 }, p},
		{"second stripe", Stripe, side(0, 0, 0), make([]abi.Mirror, 1), 0b1, func(f *abi.Frame) { f.Target.FirstTrack, f.Settings.Value[StripeTracks] = 15, 15 }, 0},
		{"stripes of nothing", Stripe, side(0, 0, 0), make([]abi.Mirror, 1), 0b1, func(f *abi.Frame) { f.Target.FirstTrack = 3 }, 0},
		{"goes on there", Sequential, side(0, 0, 105), []abi.Mirror{side(0, 0, 99)}, 0b1, func(f *abi.Frame) { f.Target.FirstTrack = 100 }, 0},
		{"goes on at the primary", Sequential, side(0, 0, 100), []abi.Mirror{side(0, 0, 99)}, 0b1, func(f *abi.Frame) { f.Target.FirstTrack = 100 }, p},
		{"nearest head", Sequential, side(0, 0, 10), []abi.Mirror{side(0, 0, 300), side(0, 0, 90)}, 0b11, func(f *abi.Frame) { f.Target.FirstTrack = 100 }, 1},
		{"prefers the primary", PreferPrimary, side(900, 9, 0), []abi.Mirror{side(1, 0, 0)}, 0b1, nil, p},
		{"congested", PreferPrimary, side(900, 9, 0), []abi.Mirror{side(1, 0, 0)}, 0b1, func(f *abi.Frame) { f.Settings.Value[Congestion] = 9 }, 0},
		{"not congested yet", PreferPrimary, side(900, 9, 0), []abi.Mirror{side(1, 0, 0)}, 0b1, func(f *abi.Frame) { f.Settings.Value[Congestion] = 10 }, p},
		{"congested, and the mirror more so", PreferPrimary, side(900, 9, 0), []abi.Mirror{side(1, 10, 0)}, 0b1, func(f *abi.Frame) { f.Settings.Value[Congestion] = 9 }, p},
		{"unknown selector", Selectors, side(900, 9, 0), []abi.Mirror{side(1, 0, 0)}, 0b1, nil, p},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(abi.Frame)
			f.Settings.Value[SelectorSetting] = int64(c.selector)
			f.Pair.ReadLatency, f.Pair.Queue, f.Pair.LastTrack = c.primary.ReadLatency, c.primary.Queue, c.primary.LastTrack
			f.Pair.Mirrors = uint8(copy(f.Pair.Mirror[:], c.mirrors))
			if c.edit != nil {
				c.edit(f)
			}
			assert.Equal(t, c.want, Choose(f, c.mask))
		})
	}
}

func TestTurnsAreEven(t *testing.T) {
	f := new(abi.Frame)
	f.Settings.Value[SelectorSetting] = int64(RoundRobin)
	count := map[int]int{}
	for io := range uint64(3000) {
		f.Head.IO = io
		count[Choose(f, 0b1010)]++
	}
	assert.Equal(t, map[int]int{engine.Primary: 1000, 1: 1000, 3: 1000}, count)
}
