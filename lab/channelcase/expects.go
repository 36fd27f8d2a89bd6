package channelcase

import "slices"

// Expects reports whether Check compares anything: a case without an expectation, or
// with all of it ignored, agrees with any outcome.
func (c *Case) Expects() bool {
	want := &c.Expect
	for _, part := range []struct {
		name  string
		there bool
	}{
		{"cc", want.CC != nil}, {"irb", want.IRB != nil}, {"sense", want.Sense != ""}, {"schib", want.SCHIB != ""},
		{"interruption", want.Interruption != ""}, {"dump", len(want.Dump) != 0}, {"tracks", len(want.Tracks) != 0},
	} {
		if part.there && !slices.Contains(c.Ignore, part.name) {
			return true
		}
	}
	return false
}
