package readcheck

// Failed is the number of failed writes that are kept.
func (c *Checker) Failed() int { return len(c.writes.failed) }
