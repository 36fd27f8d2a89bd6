package host_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
	wasi "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// TestStubIsComplete: the stub has every function of WASI preview 1, with its
// signature.
func TestStubIsComplete(t *testing.T) {
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	m, err := wasi.NewBuilder(r).Compile(ctx)
	require.NoError(t, err)
	stub := map[string]string{}
	for _, f := range host.HostFunctions() {
		if f.Module == wasi.ModuleName {
			stub[f.Name] = f.Params + ":" + f.Results
		}
	}
	for name, d := range m.ExportedFunctions() {
		if name == "proc_raise" { // taken out of WASI; nothing imports it
			continue
		}
		letters := func(types []byte) string {
			out := ""
			for _, v := range types {
				out += map[byte]string{0x7F: "i", 0x7E: "I"}[v]
			}
			return out
		}
		assert.Equal(t, letters(d.ParamTypes())+":"+letters(d.ResultTypes()), stub[name], name)
		delete(stub, name)
	}
	assert.Empty(t, stub)
}

// caller is a guest whose hook calls one host function with arguments from the
// scratch area, 8 bytes each, and leaves the result in its last word.
func caller(f host.HostFunction) guest {
	var code []byte
	if f.Results != "" {
		code = cat([]byte{opI32Const}, s32(scratch+60))
	}
	for n, c := range f.Params {
		load := []byte{opI32Load, 2, 0}
		if c == 'I' {
			load = []byte{0x29, 3, 0}
		}
		code = cat(code, []byte{opI32Const}, s32(scratch+8*int32(n)), load)
	}
	code = cat(code, []byte{opCall, 0})
	if f.Results != "" {
		code = cat(code, []byte{opI32Store, 2, 0})
	}
	return guest{body: code, imports: [][2]string{{f.Module, f.Name}}, types: []string{f.Params + ":" + f.Results}}
}

// TestHostFunctionsWithAnyArguments calls every host function with random
// arguments: each call returns an error number or ends the call, and none is a
// fault of the host.
func TestHostFunctionsWithAnyArguments(t *testing.T) {
	r := newRuntime(t)
	interesting := []uint64{0, 1, 2, 3, 7, 64, 1024, 4096, 65528, 65535, 65536, 1 << 20, 1<<31 - 1, 1 << 31, 1<<32 - 8, 1<<32 - 1}
	for _, f := range host.HostFunctions() {
		t.Run(f.Name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 4))
			i := instance(t, r, caller(f).encode(), host.InstanceConfig{})
			i.UseChain(chain(make([]abi.CCW, 100)))
			for range 300 {
				for n := range f.Params {
					v := random.Uint64()
					if random.IntN(4) != 0 {
						v = interesting[random.IntN(len(interesting))]
					}
					binary.LittleEndian.PutUint64(i.Frame().Scratch[8*min(n, 6):], v)
				}
				settings := i.Frame().Settings
				err := i.Call(abi.FrontEnd)
				if err != nil {
					require.Contains(t, []string{"proc_exit", "chain_read"}, f.Name, err.Error())
					var trap *host.TrapError
					require.True(t, errors.As(err, &trap))
					assert.NotContains(t, err.Error(), "runtime error")
					require.NoError(t, i.Renew())
					continue
				}
				if f.Module == wasi.ModuleName {
					assert.Less(t, binary.LittleEndian.Uint32(i.Frame().Scratch[60:]), uint32(77), "an error number")
				}
				i.Frame().Settings = settings
			}
		})
	}
}

// TestClock follows the clock through calls and waits.
func TestClock(t *testing.T) {
	r := newRuntime(t)
	get := instance(t, r, caller(host.HostFunction{Module: wasi.ModuleName, Name: "clock_time_get", Params: "iIi", Results: "i"}).encode(), host.InstanceConfig{})
	read := func(now int64, id uint64) (uint64, uint32) {
		f := get.Frame()
		f.Head.Now = now
		binary.LittleEndian.PutUint64(f.Scratch[0:], id)
		binary.LittleEndian.PutUint64(f.Scratch[16:], uint64(scratch)+32)
		require.NoError(t, get.Call(abi.FrontEnd))
		return binary.LittleEndian.Uint64(f.Scratch[32:]), binary.LittleEndian.Uint32(f.Scratch[60:])
	}
	for _, c := range []struct {
		now  int64
		id   uint64
		want uint64
	}{{0, 0, 1}, {5, 1, 5}, {1 << 40, 0, 1 << 40}, {7, 1, 1 << 40}} {
		at, errno := read(c.now, c.id)
		assert.Zero(t, errno)
		assert.Equal(t, c.want, at, "a clock does not go back")
	}
	_, errno := read(1, 2)
	assert.Equal(t, uint32(28), errno)
}

// TestLogIsBounded: a detour that writes without an end fills no disk, and what
// it writes cannot steer a terminal.
func TestLogIsBounded(t *testing.T) {
	var out bytes.Buffer
	log := hclog.New(&hclog.LoggerOptions{Output: &out, DisableTime: true})
	i := instance(t, newRuntime(t), caller(host.HostFunction{Module: wasi.ModuleName, Name: "fd_write", Params: "iiii", Results: "i"}).encode(), host.InstanceConfig{Name: "noisy", Log: log})
	write := func(text string) {
		// One vector at 16; the text behind the frame.
		f := i.Frame()
		mem := i.Memory()
		require.True(t, mem.WriteUint32Le(16, 8192) && mem.WriteUint32Le(20, uint32(len(text))) && mem.Write(8192, []byte(text)))
		binary.LittleEndian.PutUint64(f.Scratch[0:], 1)
		binary.LittleEndian.PutUint64(f.Scratch[8:], 16)
		binary.LittleEndian.PutUint64(f.Scratch[16:], 1)
		binary.LittleEndian.PutUint64(f.Scratch[24:], 24)
		require.NoError(t, i.Call(abi.FrontEnd))
		require.Zero(t, f.Scratch[60])
	}
	write(strings.Repeat("x", 5000))
	assert.Empty(t, out.String(), "no line yet")
	write("y\n\n\x1b]0;title\x07\xFF\n")
	assert.Equal(t, fmt.Sprintf("[INFO]  noisy: %s\n[INFO]  noisy: \\x1b]0;title\\a\\xff\n", strings.Repeat("x", host.MaxLogLine)), out.String())
	for range 3 {
		write(strings.Repeat("z\n", 1000))
	}
	lines := strings.Count(out.String(), "\n")
	assert.Equal(t, host.MaxLogLines+1, lines)
	assert.Contains(t, out.String(), "[WARN]  noisy: further output of the detour is dropped: lines=1000")
}
