package readcheck

import "fmt"

// Sweep compares every block that is known from a write or a read with the volume
// that its pair reads from now. The volume must have the last acknowledged write, or
// a later one that is under way or has failed. So writes that nobody has read again
// are checked as well. It is called at the end of a run.
func (c *Checker) Sweep() error {
	c.settle()
	var on Block
	return c.table.each(func(block int64, units *Block) error {
		if err := c.media.Read(block, &on); err != nil {
			return err
		}
		wrong, first := uint64(0), 0
		for i, want := range units {
			u := block*UnitsABlock + int64(i)
			switch {
			case !want.known():
				c.tally.Unjudged++
				continue
			case !same(want, on[i]) && !(on[i].number() > want.number() && c.writes.possible(u, on[i])):
				if wrong == 0 {
					first = i
				}
				wrong++
			}
			c.tally.Swept++
		}
		if wrong != 0 {
			c.wrong(wrong, func() string {
				more := ""
				if wrong > 1 {
					more = fmt.Sprintf(", and %d more units of it", wrong-1)
				}
				u := block*UnitsABlock + int64(first)
				return fmt.Sprintf("at the end %s, unit %d, holds %s; right was %s%s", c.media.Where(block), first, c.text(u, on[first]), c.text(u, units[first]), more)
			})
		}
		return nil
	})
}
