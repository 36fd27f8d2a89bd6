package checks

import (
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/lab/readcheck"
	"github.com/iosrun/iosrun/lab/report"
)

// readsCurrent checks that every read returned the data of the last acknowledged
// write, or of one that was under way, and that the volumes hold such data at the
// end.
func readsCurrent(s *Seen, c *report.Check) {
	t := &s.Reads.Tally
	c.OK = t.Wrong == 0
	if c.OK && t.Units == 0 && t.Swept == 0 {
		nothing(c, "no read ended well, and nothing was written")
		return
	}
	c.Detail = fmt.Sprintf("%d reads of %d units of 512 bytes held against %d writes, %d units at the end", t.Reads, t.Units, t.Writes, t.Swept)
	if t.Unjudged != 0 {
		c.Detail += fmt.Sprintf("; %d not judged, whose content was not known", t.Unjudged)
	}
	if t.Programs != 0 {
		c.Detail += fmt.Sprintf("; %d channel programs besides, of which the reads of %d were not judged", t.Programs, t.Unread)
	}
	if !c.OK {
		found := s.Reads.Findings
		if more := t.WrongIOs - uint64(len(found)); more != 0 {
			found = append(found[:len(found):len(found)], fmt.Sprintf("and %d more", more))
		}
		c.Detail = fmt.Sprintf("%d units are wrong: %s; %s", t.Wrong, strings.Join(found, "; "), c.Detail)
	}
}

// nothingLost checks that every acknowledged write is on a volume that its pair
// reads from.
func nothingLost(s *Seen, c *report.Check) {
	allowed, other := s.Reads.Allowed, s.Reads.Other
	c.OK = other.Writes == 0
	if s.Reads.Acknowledged == 0 {
		nothing(c, "no write was acknowledged")
		return
	}
	text := func(l readcheck.Loss) string {
		return fmt.Sprintf("%d acknowledged writes (%d bytes)", l.Writes, l.Bytes)
	}
	switch {
	case allowed.Writes == 0 && other.Writes == 0:
		c.Detail = "every acknowledged write is on a volume that its pair reads from"
	case allowed.Writes != 0:
		c.Detail = text(allowed) + " lost by a promotion that the policy allows"
	}
	if other.Writes != 0 {
		if c.Detail != "" {
			c.Detail += "; "
		}
		c.Detail += text(other) + " lost"
		if s.Expect.LostWrites {
			c.OK = true
			c.Detail += ", as the experiment expects"
		}
	}
	if allowed.Writes+other.Writes != 0 {
		c.Allowed = c.OK
		c.Detail += ": " + strings.Join(s.Reads.Lost, "; ")
	}
	if n := s.Intercept.StaleRefused; n != 0 {
		c.Detail += fmt.Sprintf("; %d promotions of a mirror that lacks acknowledged writes were refused", n)
	}
}
