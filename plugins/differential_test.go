package plugins_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/internal/frames"
	"github.com/stretchr/testify/require"
)

// module builds the detour as WebAssembly and makes an instance of it, with the
// capabilities that its manifest asks for.
func (d *detour) module(t testing.TB) *host.Instance {
	t.Helper()
	if testing.Short() {
		t.Skip("builds modules with the Go toolchain")
	}
	ctx := context.Background()
	path, err := build.Build(ctx, d.folder(), filepath.Join(os.TempDir(), "iosrun-test-modules"), nil)
	if errors.Is(err, build.ErrNoToolchain) {
		t.Skip(err)
	}
	require.NoError(t, err)
	code, err := os.ReadFile(path)
	require.NoError(t, err)
	m, err := host.Inspect(code)
	require.NoError(t, err)
	r, err := host.NewRuntime(ctx, host.RuntimeConfig{CacheDir: filepath.Join(os.TempDir(), "iosrun-test-code")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close(ctx)) })
	c, err := r.Load(ctx, m)
	require.NoError(t, err)
	granted, err := d.manifest(t).Wants()
	require.NoError(t, err)
	i, err := c.Instantiate(ctx, host.InstanceConfig{Granted: granted})
	require.NoError(t, err)
	return i
}

// TestModuleAnswersAsNative feeds the same frames to each detour natively and as
// a module. The frames after the calls must not differ in a byte.
func TestModuleAnswersAsNative(t *testing.T) {
	const calls = 100_000
	for i := range detours {
		d := &detours[i]
		t.Run(d.name, func(t *testing.T) {
			m := d.module(t)
			require.NoError(t, host.Rehearse(m))
			g := frames.New(uint64(i) + 100)
			m.UseChain(g)
			rest := &chain.Rest{Read: g.ReadChain}
			native := new(abi.Frame)
			for n := range calls {
				g.Fill(native, d.hook)
				*m.Frame() = *native
				d.call(native, rest)
				require.NoError(t, m.Call(d.hook), "frame %d", n)
				if *m.Frame() != *native {
					require.Equal(t, native.Response, m.Frame().Response, "frame %d", n)
					require.FailNow(t, "the module changed the request", "frame %d", n)
				}
			}
		})
	}
}
