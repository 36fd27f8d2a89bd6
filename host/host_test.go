package host_test

import (
	"context"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/stretchr/testify/require"
)

func newRuntime(t testing.TB) *host.Runtime {
	t.Helper()
	return newRuntimeWith(t, host.RuntimeConfig{})
}

func newRuntimeWith(t testing.TB, c host.RuntimeConfig) *host.Runtime {
	t.Helper()
	r, err := host.NewRuntime(context.Background(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close(context.Background())) })
	return r
}

func inspect(t testing.TB, code []byte) *host.Module {
	t.Helper()
	m, err := host.Inspect(code)
	require.NoError(t, err)
	return m
}

// instance makes an instance with every capability, unless c says otherwise.
func instance(t testing.TB, r *host.Runtime, code []byte, c host.InstanceConfig) *host.Instance {
	t.Helper()
	if c.Granted == 0 {
		c.Granted = abi.CapabilitiesKnown
	}
	compiled, err := r.Load(context.Background(), inspect(t, code))
	require.NoError(t, err)
	i, err := compiled.Instantiate(context.Background(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, i.Close()) })
	return i
}
