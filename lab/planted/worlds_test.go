package planted

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ofWorlds are planted bugs that the worlds find as well as what the table of bugs
// names.
var ofWorlds = []bug{
	{"overlapping-writes-out-of-order", finder{run: inWorlds}, `seed \d+ FAILED: .*iosrun world --seed \d+`},
	{"write-a-track-too-far-on-both", finder{run: inWorlds}, `seed \d+ FAILED: .*iosrun world --seed \d+`},
	{"forgotten-mark", finder{run: inWorlds}, `seed \d+ FAILED: .*iosrun world --seed \d+`},
}

// TestWorldsFindBugs: the worlds find bugs that checks of one workload find, and say
// which command shows them again.
func TestWorldsFindBugs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program with each bug")
	}
	for i := range ofWorlds {
		b := &ofWorlds[i]
		t.Run(b.patch, func(t *testing.T) {
			overlay := apply(t, b.patch)
			if !every() && i != 0 {
				t.Skip("only in the whole run: make planted")
			}
			out, found := b.find(t, overlay)
			require.True(t, found, "the worlds do not find this bug: %s", out)
			assert.Regexp(t, b.says, out)
		})
	}
}
