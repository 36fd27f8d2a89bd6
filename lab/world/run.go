package world

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/policy/catalog"
)

// Result holds the results of a world.
type Result struct {
	Seed uint64 `json:"seed"`
	// Hash is the event-log hash: equal worlds have equal ones.
	Hash string `json:"event_log_hash"`
	// VirtualS is the virtual time that it took, in seconds.
	VirtualS float64 `json:"virtual_s"`
	// Wrong lists the properties that did not hold; it is empty for a good world.
	Wrong []string `json:"wrong,omitempty"`
	// Checks lists the end-of-run checks.
	Checks []report.Check `json:"checks"`
	// Has counts the parts of the world, and the results of its I/Os and checks.
	Has Counts `json:"has"`
}

// Run plays a world. An error means that it could not be played; properties that did
// not hold are in Result.Wrong.
func Run(ctx context.Context, l *catalog.Loader, w *World) (*Result, error) {
	text, err := w.Text()
	if err != nil {
		return nil, err
	}
	s, err := scenario.Parse(text, w.Scenario.Name)
	if err != nil {
		return nil, err
	}
	r, err := s.Run(ctx, l, scenario.Options{Log: hclog.NewNullLogger()})
	if err != nil {
		return nil, err
	}
	res := &Result{
		Seed: w.Seed, Hash: fmt.Sprintf("%016x", r.Hash), VirtualS: r.Took.Duration().Seconds(), Wrong: r.Wrong,
		Checks: slices.Clip(r.Run.Report.Checks), Has: make(Counts),
	}
	if w.Synchronised {
		k := synchronised(&r.Run.Report)
		res.Checks = append(res.Checks, k)
		if k.Failed() {
			res.Wrong = append(res.Wrong, k.Name+": "+k.Detail)
		}
	}
	res.Has.AddAll(w.Has)
	for i, class := range w.Classes {
		ending := endedWell
		if r.Codes[i] != arch.CompletionNormal {
			ending = failed
		}
		res.Has.Add(ending, class, 1)
	}
	for _, k := range res.Checks {
		res.Has.Add(checkGroup+outcome(k), k.Name, 1)
	}
	for _, p := range r.Run.Report.Promotions {
		name := "promotion"
		if p.Refused != 0 {
			name = "promotion refused"
		}
		res.Has.Add("action", name, 1)
	}
	return res, nil
}

// The results of I/Os and of checks. Counts has a group for each result of I/Os, and
// for each result of checks one that begins with checkGroup.
const (
	endedWell  = "ended well"
	ok         = "ok"
	allowed    = "allowed"
	nothing    = "nothing to check"
	failed     = "failed"
	checkGroup = "check "
)

var outcomes = []string{endedWell, ok, allowed, nothing, failed}

// outcome returns the result of a check.
func outcome(k report.Check) string {
	switch {
	case k.Failed():
		return failed
	case k.Nothing:
		return nothing
	case k.Allowed:
		return allowed
	}
	return ok
}

// synchronised checks that after all repairs a synchronisation leaves no mirror that
// lacks any data. (Guarantee 1.)
func synchronised(r *report.Run) report.Check {
	c := report.Check{Name: "synchronised at the end", OK: true, Detail: fmt.Sprintf("all of %d mirrors", len(r.Mirrors))}
	for _, m := range r.Mirrors {
		if m.State != report.MirrorInSync {
			c.OK = false
			c.Detail = fmt.Sprintf("%s is %s: want %s", m.Name, m.State, report.MirrorInSync)
			break
		}
	}
	return c
}
