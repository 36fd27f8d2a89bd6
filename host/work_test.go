package host_test

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
)

// forever calls a host function with the same arguments without an end.
func forever(f host.HostFunction, args ...int32) guest {
	code := []byte{opLoop, empty}
	for n, c := range f.Params {
		op, v := byte(opI32Const), int32(0)
		if c == 'I' {
			op = opI64Const
		}
		if n < len(args) {
			v = args[n]
		}
		code = cat(code, []byte{op}, s32(v))
	}
	code = cat(code, []byte{opCall, 0})
	if f.Results != "" {
		code = cat(code, []byte{opDrop})
	}
	code = cat(code, []byte{opBranch, 0, opEnd})
	return guest{body: code, imports: [][2]string{{f.Module, f.Name}}, types: []string{f.Params + ":" + f.Results}, wants: []string{"chain"}}
}

// TestHostFunctionsWithoutAnEnd: a module that calls host functions without an
// end is ended by the fuel that they cost, in a hook and in its start, and lives
// again.
func TestHostFunctionsWithoutAnEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("makes many long calls, one after the other")
	}
	r := newRuntime(t)
	const limit = "out of fuel after 10000000 units"
	for _, f := range host.HostFunctions() {
		if f.Name == "proc_exit" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			g := forever(f)
			i := instance(t, r, g.encode(), host.InstanceConfig{Granted: abi.CapabilitiesKnown})
			i.UseChain(chain(make([]abi.CCW, 100)))
			for range 2 {
				assert.ErrorContains(t, i.Call(abi.FrontEnd), limit)
				require.NoError(t, i.Renew())
			}
			g.initialize, g.body = g.body, nil
			m, err := host.Inspect(g.encode())
			require.NoError(t, err)
			c, err := r.Load(context.Background(), m)
			require.NoError(t, err)
			_, err = c.Instantiate(context.Background(), host.InstanceConfig{Granted: abi.CapabilitiesKnown})
			assert.ErrorContains(t, err, limit)
		})
	}
}

// TestLongBuffers: of more than a host function takes at once it takes a part and
// says so, or says that it is too much; what it does take is counted.
func TestLongBuffers(t *testing.T) {
	r := newRuntime(t)
	const page = 1 << 16
	get := func(name, params string) *host.Instance {
		g := caller(host.HostFunction{Module: wasi.ModuleName, Name: name, Params: params, Results: "i"})
		g.minPages, g.maxPages = 16, 16
		return instance(t, r, g.encode(), host.InstanceConfig{})
	}
	call := func(i *host.Instance, args ...uint64) (errno uint32) {
		t.Helper()
		for n, v := range args {
			binary.LittleEndian.PutUint64(i.Frame().Scratch[8*n:], v)
		}
		require.NoError(t, i.Call(abi.FrontEnd))
		return binary.LittleEndian.Uint32(i.Frame().Scratch[60:])
	}
	t.Run("fd_write", func(t *testing.T) {
		i := get("fd_write", "iiii")
		const table, vectors, result = page, 1000, 16
		for n := range uint32(vectors) { // each is the whole memory
			require.True(t, i.Memory().WriteUint32Le(table+8*n, 0) && i.Memory().WriteUint32Le(table+8*n+4, 16*page))
		}
		for range 3 {
			assert.Zero(t, call(i, 1, table, vectors, result))
			written, _ := i.Memory().ReadUint32Le(result)
			assert.EqualValues(t, 64<<10, written)
		}
		assert.EqualValues(t, 28, call(i, 1, table, 1025, result), "too many vectors")
	})
	t.Run("random_get", func(t *testing.T) {
		i := get("random_get", "ii")
		assert.Zero(t, call(i, 2*page, 64<<10))
		assert.EqualValues(t, 28, call(i, 2*page, 64<<10+1))
	})
	t.Run("poll_oneoff", func(t *testing.T) {
		i := get("poll_oneoff", "iiii")
		assert.Zero(t, call(i, 2*page, 3*page, 64, 16))
		assert.EqualValues(t, 28, call(i, 2*page, 3*page, 65, 16))
	})
}

// TestLongChainsAreCounted: reading a chain of the greatest length again and
// again comes to its end sooner than calls that move nothing.
func TestLongChainsAreCounted(t *testing.T) {
	f := host.HostFunction{}
	for _, h := range host.HostFunctions() {
		if h.Name == "chain_read" {
			f = h
		}
	}
	g := forever(f, 0, 1<<16, 1<<15)
	g.minPages, g.maxPages = 16, 16
	i := instance(t, newRuntime(t), g.encode(), host.InstanceConfig{Granted: abi.CapabilitiesKnown})
	reads := counting(0)
	i.UseChain(&reads)
	require.Error(t, i.Call(abi.FrontEnd))
	assert.LessOrEqual(t, int(reads), host.DefaultFuel*4/(1<<15*16), "a unit for four bytes")
}

type counting int

func (c *counting) ReadChain(_ int, into []abi.CCW) int {
	*c++
	return len(into)
}
