package channelcase

import "slices"

// Expects tells whether Check compares anything: a case of which nothing is
// expected, or all of that ignored, agrees with whatever comes.
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
