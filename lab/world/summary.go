package world

import (
	"fmt"
	"slices"
	"strings"
)

// Summary sums up the results of many worlds.
type Summary struct {
	First  uint64 `json:"first_seed"`
	Worlds int    `json:"worlds"`
	// Failed has the results of the worlds in which a property did not hold.
	Failed []*Result `json:"failed"`
	// Has counts the parts of the worlds, and the results of their I/Os and checks.
	Has Counts `json:"has"`
}

// Add adds the result of a world.
func (s *Summary) Add(r *Result) {
	if s.Has == nil {
		s.Has = make(Counts)
		s.First, s.Failed = r.Seed, []*Result{}
	}
	s.Worlds++
	s.Has.AddAll(r.Has)
	if len(r.Wrong) != 0 {
		s.Failed = append(s.Failed, r)
	}
}

// Row is a line of the summary.
type Row struct {
	Group, Name string
	Count       int
	// Outcome sums up the results of the I/Os of a class, or of a check.
	Outcome string
}

// Rows returns the parts of the worlds, by group and name, with the results of I/Os
// and checks.
func (s *Summary) Rows() (all []Row) {
	row := func(group, name string, of map[string]string) {
		r := Row{Group: group, Name: name, Count: s.Has[group][name]}
		var came []string
		n := 0
		for _, outcome := range outcomes {
			if k := s.Has[of[outcome]][name]; of[outcome] != "" && k != 0 {
				n += k
				came = append(came, fmt.Sprintf("%d %s", k, outcome))
			}
		}
		if r.Outcome = strings.Join(came, ", "); r.Count == 0 {
			r.Count = n
		}
		all = append(all, r)
	}
	checks := make(map[string]string)
	for _, outcome := range outcomes {
		checks[outcome] = checkGroup + outcome
	}
	ends := map[string]string{endedWell: endedWell, failed: failed}
	named := make(Counts) // the checks, whatever their results
	for _, group := range s.Has.Groups() {
		switch {
		case group == endedWell || group == failed:
		case strings.HasPrefix(group, checkGroup):
			for _, name := range s.Has.Names(group) {
				named.Add("check", name, 1)
			}
		case group == "chain" || group == "request":
			for _, name := range s.Has.Names(group) {
				row(group, name, ends)
			}
		default:
			for _, name := range s.Has.Names(group) {
				row(group, name, nil)
			}
		}
	}
	for _, name := range named.Names("check") {
		row("check", name, checks)
	}
	slices.SortStableFunc(all, func(a, b Row) int { return strings.Compare(a.Group, b.Group) })
	return all
}
