package world

import (
	"fmt"
	"time"

	"github.com/iosrun/iosrun/lab/scenario"
)

// trouble is a sequence of faults of a volume, each after a share of the rest of the
// world's span.
type trouble struct {
	name    string
	actions []string
}

// troubles lists the possible sequences.
var troubles = []trouble{
	{"link cut", []string{"link-down"}},
	{"link cut and restored", []string{"link-down", "link-up"}},
	{"link lossy", []string{"link-down", "link-up", "link-down", "link-up", "link-down", "link-up"}},
	{"device failing", []string{"fail"}},
	{"device failing and repaired", []string{"fail", "restore"}},
	{"device gone", []string{"gone"}},
	{"device gone and back", []string{"gone", "restore"}},
	{"device boxed", []string{"not-responding"}},
	{"device not responding for a while", []string{"not-responding", "restore"}},
}

// Times of the events after the workload. By then every missing interruption has
// been found, and every application that waits for a mirror has been told.
const (
	repairedAt     = 600 * time.Second
	synchronisedAt = 700 * time.Second
)

// where returns the name of a place of a pair; pairs are numbered from 1, and place
// 0 is the primary.
func where(pair, place int) string {
	name := "primary"
	if place != 0 {
		name = fmt.Sprintf("mirror%d", place)
	}
	return fmt.Sprintf("pair%d.%s", pair, name)
}

// addTroubles draws faults.
func (w *World) addTroubles(d *draw, l *Limits) {
	for range d.between(min(1, l.Faults), l.Faults) {
		t := pick(d, troubles)
		w.count("fault", t.name)
		place := where(d.between(1, w.pairs), d.between(0, w.mirrors))
		at := d.within(l.Span)
		for _, action := range t.actions {
			w.add(at, scenario.Action{Fault: place + ":" + action})
			at += d.within(max(time.Millisecond, (l.Span-at)/2))
		}
	}
}

// addSynchronisations draws synchronisations of mirrors while I/O goes on.
func (w *World) addSynchronisations(d *draw, l *Limits) {
	for range d.between(0, l.Synchronisations) {
		s := &scenario.Synchronise{Pair: d.between(1, w.pairs), Mirror: d.between(1, w.mirrors), Full: d.chance(1, 3), Threshold: d.IntN(8), Rounds: d.between(1, 4)}
		if d.chance(1, 3) {
			s.TracksPerSecond = pick(d, []int{1000, 10_000})
		}
		w.count("action", "synchronisation")
		w.add(d.within(l.Span), scenario.Action{Synchronise: s})
	}
}

// addEnd repairs everything, so that acknowledged data can be read, and synchronises
// the mirrors.
func (w *World) addEnd(d *draw) {
	if w.turbulent {
		for pair := 1; pair <= w.pairs; pair++ {
			for place := range w.mirrors + 1 {
				for _, action := range []string{"restore", "link-up"} {
					w.add(repairedAt, scenario.Action{Fault: where(pair, place) + ":" + action})
				}
			}
		}
	}
	if w.Synchronised = d.chance(1, 2); !w.Synchronised {
		return
	}
	w.count("action", "synchronisation at the end")
	for pair := 1; pair <= w.pairs; pair++ {
		for m := 1; m <= w.mirrors; m++ {
			w.add(synchronisedAt, scenario.Action{Synchronise: &scenario.Synchronise{Pair: pair, Mirror: m}})
		}
	}
}
