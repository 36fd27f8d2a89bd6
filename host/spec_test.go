package host_test

import (
	"encoding/hex"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// specExample is what wabt's wat2wasm makes of the example in abi/SPEC.md, which
// has no manifest then.
const specExample = "" +
	"0061736d010000000108026000017f6000000303020001050401010101072503066d656d6f727902000c696f7372756e" +
	"5f6162695f3100000966726f6e745f656e6400010a490205004180080b410041ca082d000041014641f4092d00004102" +
	"4671044041e81842820237030041f018420037030041f8184201370300418019420037030041dc1841023b01000b0b"

func TestExampleOfTheSpec(t *testing.T) {
	code, err := hex.DecodeString(specExample)
	require.NoError(t, err)
	code, err = build.Stamp(code, []byte(`{"name":"example/wat","version":"1","abi":"1.0","hooks":["front_end"],"capabilities":["mirror"]}`))
	require.NoError(t, err)
	i := instance(t, newRuntime(t), code, host.InstanceConfig{Granted: abi.CapMirror})
	require.NoError(t, host.Rehearse(i))

	f := i.Frame()
	for _, c := range []struct {
		role  abi.Role
		state abi.MirrorState
		want  uint16
	}{
		{abi.RolePrimary, abi.MirrorInSync, 2},
		{abi.RolePrimary, abi.MirrorSuspended, 0},
		{abi.RoleMirror, abi.MirrorInSync, 0},
	} {
		f.Response = abi.Response{}
		f.Target.Role, f.Pair.Mirror[0].State = c.role, c.state
		require.NoError(t, i.Call(abi.FrontEnd))
		assert.Equal(t, c.want, f.Response.Intents)
		if c.want == 2 {
			assert.Equal(t, []abi.Intent{{Kind: abi.IntentMirror, Mirrors: 1}, {Kind: abi.IntentBackEnd}}, f.Response.Intent[:2])
			require.NoError(t, f.Response.Check(abi.FrontEnd, abi.CapMirror, 3))
		}
	}
}
