package host_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// builtGuest builds a guest of testdata, which takes the Go toolchain some
// seconds the first time.
func builtGuest(t testing.TB, name string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a guest with the Go toolchain")
	}
	path, err := build.Build(context.Background(), filepath.Join("testdata", name), filepath.Join(os.TempDir(), "iosrun-test-modules"), nil)
	require.NoError(t, err)
	code, err := os.ReadFile(path)
	require.NoError(t, err)
	return code
}

// cachingRuntime keeps the code of Go guests, which take a second to compile,
// from one run of the tests to the next.
func cachingRuntime(t testing.TB) *host.Runtime {
	t.Helper()
	return newRuntimeWith(t, host.RuntimeConfig{CacheDir: testCode()})
}

func testCode() string { return filepath.Join(os.TempDir(), "iosrun-test-code") }

// probe asks the guest "probe" for something and gives two numbers of its answer.
func probe(t *testing.T, i *host.Instance, what, argument byte) (uint64, uint64) {
	t.Helper()
	s := &i.Frame().Scratch
	*s = [abi.ScratchSize]byte{what, argument}
	require.NoError(t, i.Call(abi.FrontEnd))
	return binary.LittleEndian.Uint64(i.Frame().Scratch[8:]), binary.LittleEndian.Uint64(i.Frame().Scratch[16:])
}

type chain []abi.CCW

func (c chain) ReadChain(first int, into []abi.CCW) int {
	if first >= len(c) {
		return 0
	}
	return copy(into, c[first:])
}

func TestGoGuest(t *testing.T) {
	code := builtGuest(t, "probe")
	r := cachingRuntime(t)
	var out bytes.Buffer
	log := hclog.New(&hclog.LoggerOptions{Name: "iosrun", Output: &out, Level: hclog.Info, DisableTime: true})
	i := instance(t, r, code, host.InstanceConfig{Seed: 1, Log: log, Settings: map[string]string{"flags": "4"}})
	require.NoError(t, host.Rehearse(i))

	t.Run("settings", func(t *testing.T) {
		f := i.Frame()
		assert.Equal(t, uint32(2), f.Settings.Count)
		assert.Equal(t, []int64{7, 4, 0}, f.Settings.Value[:3])
		f.Response = abi.Response{}
		require.NoError(t, i.Call(abi.PostStatus))
		assert.Equal(t, uint64(4), f.Response.Intent[0].Value)
	})
	t.Run("state stays from call to call and not from life to life", func(t *testing.T) {
		require.NoError(t, i.Renew())
		a, _ := probe(t, i, 0, 0)
		b, _ := probe(t, i, 0, 0)
		assert.Equal(t, []uint64{1, 2}, []uint64{a, b})
		require.NoError(t, i.Renew())
		a, _ = probe(t, i, 0, 0)
		assert.Equal(t, uint64(1), a)
	})
	t.Run("log", func(t *testing.T) {
		out.Reset()
		probe(t, i, 2, 0)
		assert.Equal(t, "[INFO]  iosrun.test/probe: a line on standard output\n"+
			"[INFO]  iosrun.test/probe: two parts of one\n[INFO]  iosrun.test/probe: and \\x1b[31mred\n", out.String())
	})
	t.Run("virtual time", func(t *testing.T) {
		require.NoError(t, i.Renew())
		i.Frame().Head.Now = 5_000_000
		at, slept := probe(t, i, 3, 0)
		assert.Equal(t, uint64(5_000_000), at)
		assert.Equal(t, uint64(time.Hour), slept)
	})
	t.Run("random numbers are the seed's", func(t *testing.T) {
		draw := func(seed uint64) [2]uint64 {
			i := instance(t, r, code, host.InstanceConfig{Seed: seed})
			a, b := probe(t, i, 4, 0)
			return [2]uint64{a, b}
		}
		assert.Equal(t, draw(5), draw(5))
		assert.NotEqual(t, draw(5), draw(6))
	})
	t.Run("chain", func(t *testing.T) {
		long := make(chain, 150)
		for n := range long {
			long[n].Address = uint32(n) * 16
		}
		i.UseChain(long)
		n, last := probe(t, i, 5, 64)
		assert.Equal(t, []uint64{86, 149 * 16}, []uint64{n, last})
		n, _ = probe(t, i, 5, 150)
		assert.Zero(t, n)
		i.UseChain(nil)
		n, _ = probe(t, i, 5, 0)
		assert.Zero(t, n)
	})
	t.Run("nothing of the machine it runs on", func(t *testing.T) {
		s, _ := probe(t, i, 10, 0)
		assert.Equal(t, uint64(1), s, "no file, no arguments, no environment")
	})
	t.Run("garbage is collected", func(t *testing.T) {
		// A call that allocates 25 MB uses more than the default.
		i := instance(t, newRuntimeWith(t, host.RuntimeConfig{CacheDir: testCode(), Fuel: 10 * host.DefaultFuel}), code, host.InstanceConfig{})
		frame := i.Frame()
		n, _ := probe(t, i, 11, 0)
		assert.Equal(t, uint64(1), n)
		assert.Same(t, frame, i.Frame(), "the view of the frame survives growing memory")
	})
	for _, c := range []struct {
		name string
		what byte
		want string
	}{
		{"panic", 1, `front_end trapped: unreachable, after writing "panic: runtime error: index out of range [200] with length 56"`},
		{"memory", 6, "out of memory"},
		{"exit", 7, "ended the program with exit code 3"},
		{"recursion", 8, "out of stack"},
		{"deadlock", 9, "deadlock"},
	} {
		t.Run("trap by "+c.name, func(t *testing.T) {
			require.NoError(t, i.Renew())
			i.Frame().Scratch[0] = c.what
			err := i.Call(abi.FrontEnd)
			var trap *host.TrapError
			require.True(t, errors.As(err, &trap), "%v", err)
			assert.Equal(t, "front_end", trap.Function)
			assert.Contains(t, err.Error(), c.want)
			assert.NotContains(t, err.Error(), "goroutine 1")
			assert.NotContains(t, err.Error(), "\n")
			require.NoError(t, i.Renew())
			n, _ := probe(t, i, 0, 0)
			assert.Equal(t, uint64(1), n)
		})
	}
}

func TestGoGuestAllocatesNothing(t *testing.T) {
	i := instance(t, cachingRuntime(t), builtGuest(t, "empty"), host.InstanceConfig{})
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		if err := i.Call(abi.FrontEnd); err != nil {
			t.Error(err)
		}
	}))
}
