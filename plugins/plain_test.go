package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/internal/frames"
)

// TestTracingChangesNoAnswer holds the short ways that detours take when nobody
// traces against the long ones.
func TestTracingChangesNoAnswer(t *testing.T) {
	for i := range detours {
		d := &detours[i]
		t.Run(d.name, func(t *testing.T) {
			g := frames.New(uint64(i) + 77)
			rest := &chain.Rest{Read: g.ReadChain}
			f := new(abi.Frame)
			for n := range 50_000 {
				g.Fill(f, d.hook)
				quiet, traced := *f, *f
				quiet.Head.Flags &^= abi.Tracing
				traced.Head.Flags |= abi.Tracing
				d.call(&quiet, rest)
				d.call(&traced, rest)
				traced.Head.Flags = quiet.Head.Flags
				traced.Response.Steps, traced.Response.Step = quiet.Response.Steps, quiet.Response.Step
				require.True(t, quiet == traced, "frame %d: quiet %+v, traced %+v", n, quiet.Response.Intent, traced.Response.Intent)
			}
		})
	}
}
