package world

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/policy/catalog"
)

// Shrink leaves actions out of a world as long as it still fails in the first way,
// or in another with the same check; the repairs at the end stay. It returns the
// smaller world and the number of runs that it took.
func Shrink(ctx context.Context, l *catalog.Loader, w *World, r *Result) (*World, int, error) {
	if len(r.Wrong) == 0 {
		return w, 0, nil
	}
	check, _, _ := strings.Cut(r.Wrong[0], ":")
	if strings.HasPrefix(check, "I/O ") { // because its number changes
		check = "I/O "
	}
	failed := func(r *Result) bool {
		return slices.ContainsFunc(r.Wrong, func(text string) bool { return strings.HasPrefix(text, check) })
	}
	runs := 0
	for size := (len(w.Scenario.Play) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(w.Scenario.Play); {
			smaller := w.without(at, min(at+size, len(w.Scenario.Play)))
			if n := len(smaller.Scenario.Play); n == 0 || n == len(w.Scenario.Play) {
				at += size // no action is left, or none was left out
				continue
			}
			runs++
			r, err := Run(ctx, l, smaller)
			if ctx.Err() != nil {
				return w, runs, ctx.Err()
			}
			if err == nil && failed(r) {
				w = smaller
			} else {
				at += size
			}
		}
	}
	return w, runs, nil
}

// without returns the world without the actions with the indices from to to-1, and
// without the actions that resume their programs.
func (w *World) without(from, to int) *World {
	s, out := *w.Scenario, *w
	s.Play = nil
	out.Classes = nil
	number := make(map[int]int) // new numbers of the I/Os that stay, by their old ones
	next := 1
	for i, a := range w.Scenario.Play {
		n := ios(&a)
		first := next
		next += n
		if i >= from && i < to && time.Duration(a.At) < repairedAt {
			continue
		}
		if a.Resume != 0 {
			if a.Resume = number[a.Resume]; a.Resume == 0 {
				continue
			}
		}
		var after []int
		for _, k := range a.After {
			if number[k] != 0 {
				after = append(after, number[k])
			}
		}
		a.After = after
		for k := range n {
			out.Classes = append(out.Classes, w.Classes[first+k-1])
			number[first+k] = len(out.Classes)
		}
		s.Play = append(s.Play, a)
	}
	out.Scenario = &s
	return &out
}

// ios returns the number of I/Os that an action asks for.
func ios(a *scenario.Action) int {
	switch {
	case a.Program != nil:
		return 1
	case a.Read != nil:
		return max(1, a.Read.Times)
	case a.Write != nil:
		return max(1, a.Write.Times)
	}
	return 0
}
