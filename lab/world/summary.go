package world

// Summary is what came of many worlds.
type Summary struct {
	First  uint64 `json:"first_seed"`
	Worlds int    `json:"worlds"`
	// Failed has the results of the worlds in which something did not hold.
	Failed []*Result `json:"failed"`
	// Has counts what the worlds had in them, and what came of their I/Os and checks.
	Has Counts `json:"has"`
}

// Add takes up the result of a world.
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
