package world

import (
	"fmt"

	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/media"
)

// device is a kind of volume.
type device struct {
	model string
	fixed bool // it has fixed blocks
	heads int
	// records is the number of records of 4096 bytes of a track.
	records int
}

// devices lists the kinds of volumes of worlds; a test compares them with the
// geometries.
var devices = []device{
	{model: "3390-3", heads: 15, records: 12},
	{model: "3390-3", heads: 15, records: 12},
	{model: "3380-K", heads: 15, records: 10},
	{model: "9336-20", fixed: true},
}

// Sizes of fixed-block volumes, in blocks of 512 bytes.
const (
	trackBlocks    = media.GroupBlocks // number of blocks that count as a track
	cylinderBlocks = 15 * 12 * 8       // about the size of a cylinder of a 3390
	requestBytes   = 4096              // size of a record that the block access method writes
	blocksARecord  = requestBytes / 512
)

// stripeKiB is the size in KiB of the pieces in which requests are spread over
// several pairs.
const stripeKiB = 16

// layout returns the layout on a volume of the blocks of the block access method.
func (v *device) layout(size int) access.Layout {
	var l access.Layout
	var err error
	if v.fixed {
		l, err = access.NewFBALayout(int64(size))
	} else {
		l, err = access.NewECKDLayout(size, v.heads, v.records)
	}
	if err != nil {
		panic(err) // every volume of Limits has room for blocks
	}
	return l
}

// track returns the track, or the group of blocks, on which a block lies.
func (w *World) track(block int) int {
	at := w.layout.Locate(int64(block))
	if w.device.fixed {
		return int(at.Block) / trackBlocks
	}
	return at.Track
}

// condition is a change of a volume's place that makes it slow, far or narrow.
type condition struct {
	name string
	keys func(d *draw) map[string]any
}

// conditions lists the possible changes of a place; it gets one besides its
// distance.
var conditions = []condition{
	{"ordinary", func(*draw) map[string]any { return nil }},
	{"far", func(d *draw) map[string]any { return map[string]any{"kilometres": d.between(200, 3000)} }},
	{"slow link", func(d *draw) map[string]any { return map[string]any{"megabytes": pick(d, []float64{0.5, 2, 10})} }},
	{"slow control unit", func(d *draw) map[string]any {
		return map[string]any{"timing": map[string]any{"program": fmt.Sprintf("%dus", d.between(500, 5000))}}
	}},
	{"slow device", func(*draw) map[string]any {
		return map[string]any{"hit-ratio": 0.01, "cache-tracks": 1, "timing": map[string]any{"nonvolatile-megabytes": -1}}
	}},
	{"narrow link", func(*draw) map[string]any {
		return map[string]any{"aliases": 1, "timing": map[string]any{"exchanges": 1}}
	}},
	{"standing chain", func(*draw) map[string]any { return map[string]any{"standing": true} }},
	{"same subsystem", func(*draw) map[string]any { return map[string]any{"same-subsystem": true} }},
}

// forMirrors is the index of the first condition that is only for mirrors.
const forMirrors = 6

// links lists the types of links, the long ones first.
var links = []string{"ficon-8", "ficon-2", "ficon-32", "escon"}

// longLinks is the number of types that reach far.
const longLinks = 3

// machine draws the volumes and their places, and counts their properties.
func (w *World) machine(d *draw, l *Limits) {
	w.device = pick(d, devices)
	w.pairs, w.mirrors = d.between(1, l.Pairs), d.between(1, l.Mirrors)
	cylinders := d.between(2, l.Cylinders)
	w.tracks = d.between(1, l.Tracks)
	size := cylinders
	if w.device.fixed {
		size = cylinders * cylinderBlocks
		w.count("device", "fixed blocks")
	} else {
		w.count("device", "count, key and data")
	}
	w.layout = w.device.layout(size)
	place := func(all []condition) map[string]any {
		c := pick(d, all)
		w.count("place", c.name)
		keys := map[string]any{"link": pick(d, links), "kilometres": pick(d, []int{1, 10, 60})}
		if c.name == "far" { // not over ESCON, where a track would take longer than an I/O may
			keys["link"] = pick(d, links[:longLinks])
		}
		for k, v := range c.keys(d) {
			keys[k] = v
		}
		w.count("link", keys["link"].(string))
		return keys
	}
	m := map[string]any{
		"model": w.device.model, "size": size, "seed": w.Seed, "pairs": w.pairs,
		"processors": d.between(1, 3), "native": d.chance(1, 2),
		"workload": map[string]any{"stripe": stripeKiB},
		"primary":  place(conditions[:forMirrors]),
	}
	var mirrors []any
	for range w.mirrors {
		mirrors = append(mirrors, place(conditions))
	}
	m["mirrors"] = mirrors
	w.Scenario.Machine = m
}
