package world

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/policy/catalog"
)

// Shrink leaves actions out of a world for as long as the first thing that was wrong
// with it, or another with the same check, is wrong; what repairs it at the end stays. It
// gives the smaller world and the number of runs that it took.
func Shrink(ctx context.Context, l *catalog.Loader, w *World, r *Result) (*World, int, error) {
	if len(r.Wrong) == 0 {
		return w, 0, nil
	}
	check, _, _ := strings.Cut(r.Wrong[0], ":")
	if strings.HasPrefix(check, "I/O ") { // its number changes
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
				at += size // nothing is left, or nothing was left out
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

// without is the world without the actions from one to before another, and without
// what resumes their programs.
func (w *World) without(from, to int) *World {
	s, out := *w.Scenario, *w
	s.Play = nil
	out.Classes = nil
	number := make(map[int]int) // of I/Os that stay, by what it was
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

// ios is the number of I/Os that an action asks for.
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
