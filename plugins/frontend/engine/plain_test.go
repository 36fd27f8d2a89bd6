package engine

import (
	"math/bits"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/internal/frames"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPlainAnswersAsGeneral(t *testing.T) {
	turns := func(f *abi.Frame, mirrors uint8) int {
		if f.Head.IO%2 == 0 {
			return Primary
		}
		return bits.TrailingZeros8(mirrors)
	}
	g := frames.New(3)
	rest := &chain.Rest{Read: g.ReadChain}
	f := new(abi.Frame)
	taken := map[uint16]int{}
	for n := range 100_000 {
		g.Fill(f, abi.FrontEnd)
		for _, v := range []Variant{{}, {ConstantCopy: true}, {Choose: turns}} {
			v.Rest = rest
			plain, general := *f, *f
			if !v.plain(&plain) {
				require.True(t, plain == *f, "frame %d: was changed, although it is not plain", n)
				continue
			}
			v.general(&general)
			require.Equal(t, inUse(&general.Response), inUse(&plain.Response), "frame %d", n)
			for _, s := range plain.Response.Step[:plain.Response.Steps] {
				taken[s]++
			}
		}
	}
	for _, s := range []uint16{158, 162, 188, 106, 192, 236} {
		assert.Greater(t, taken[s], 100, "step %d", s)
	}
}

// inUse is the response without what its counts leave out.
func inUse(r *abi.Response) abi.Response {
	u := *r
	clear(u.Intent[u.Intents:])
	clear(u.Recipe[u.Recipes:])
	clear(u.Parameter[u.Parameters:])
	clear(u.Step[u.Steps:])
	return u
}
