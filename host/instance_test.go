package host_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"unsafe"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/host"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const frameAt = 1024 // where the hand-made guests have their frame

var (
	scratch  = int32(frameAt + unsafe.Offsetof(abi.Frame{}.Scratch))
	response = int32(frameAt + unsafe.Offsetof(abi.Frame{}.Response))
	intents  = response + int32(unsafe.Offsetof(abi.Response{}.Intents))
)

func TestCallAndFrame(t *testing.T) {
	// The hook counts its calls in a cell of its own and shows the count in the
	// scratch area.
	const cell = 16
	load := []byte{opI32Const, cell, opI32Load, 2, 0}
	count := cat([]byte{opI32Const, cell}, load, []byte{opI32Const, 1, opI32Add, opI32Store, 2, 0},
		[]byte{opI32Const}, s32(scratch), load, []byte{opI32Store, 2, 0})
	i := instance(t, newRuntime(t), guest{body: count}.encode(), host.InstanceConfig{Name: "counter"})
	assert.Equal(t, "counter", i.Name())
	for n := byte(1); n < 4; n++ {
		require.NoError(t, i.Call(abi.FrontEnd))
		assert.Equal(t, n, i.Frame().Scratch[0])
	}
	require.NoError(t, i.Renew())
	require.NoError(t, i.Call(abi.FrontEnd))
	assert.Equal(t, byte(1), i.Frame().Scratch[0])
	assert.Equal(t, int64(5), i.Frame().Settings.Value[0])

	assert.ErrorContains(t, i.Call(abi.BackEnd), `counter: has no hook "back_end": its manifest has [front_end]`)
	require.NoError(t, i.Close())
	require.NoError(t, i.Close())
	assert.ErrorIs(t, i.Call(abi.FrontEnd), host.ErrClosed)
	assert.ErrorIs(t, i.Renew(), host.ErrClosed)
	assert.Nil(t, i.Frame())
}

// TestGrowingMemoryKeepsTheFrame: the guest grows its memory until that fails.
// The frame must stay where it is, and the failure is an answer, not a trap.
func TestGrowingMemoryKeepsTheFrame(t *testing.T) {
	grow := cat([]byte{opI32Const}, s32(scratch), []byte{opI32Const, 3, opMemoryGrow, 0, opI32Store, 2, 0})
	i := instance(t, newRuntime(t), guest{body: grow, minPages: 1, maxPages: 16}.encode(), host.InstanceConfig{})
	frame := i.Frame()
	for n := range 8 {
		frame.Scratch = [64]byte{}
		require.NoError(t, i.Call(abi.FrontEnd))
		want := byte(1 + 3*n)
		if n >= 5 {
			want = 0xFF
		}
		assert.Equal(t, want, frame.Scratch[0], "call %d", n)
	}
	assert.Same(t, frame, i.Frame())
}

func TestRefusedInstances(t *testing.T) {
	ctx := context.Background()
	r := newRuntime(t)
	for _, c := range []struct {
		name  string
		guest guest
		cfg   host.InstanceConfig
		want  string
		trap  bool
	}{
		{"frame not aligned", guest{offset: 1028}, host.InstanceConfig{}, "refused: iosrun_abi_1: frame at 0x404: want a multiple of 8", false},
		{"frame at 0", guest{offset: -8}, host.InstanceConfig{}, "does not fit the memory of 65536 bytes", false},
		{"frame beyond the memory", guest{offset: 65536 - 8}, host.InstanceConfig{}, "does not fit the memory of 65536 bytes", false},
		{"traps at start", guest{start: []byte{opUnreachable}}, host.InstanceConfig{}, "its start trapped: unreachable", true},
		{"traps in _initialize", guest{initialize: []byte{opUnreachable}}, host.InstanceConfig{}, "_initialize trapped: unreachable", true},
		{"exits in _initialize", guest{imports: [][2]string{{"wasi_snapshot_preview1", "proc_exit"}}, types: []string{"i:"}, initialize: call(0, 4)}, host.InstanceConfig{}, "_initialize trapped: ended the program with exit code 4", true},
		{"setting", guest{}, host.InstanceConfig{Settings: map[string]string{"speed": "0"}}, "setting speed: 0: want 1 to 9", false},
		{"not granted", guest{wants: []string{"promote"}}, host.InstanceConfig{Granted: abi.CapFlag}, "wants promote, which is not granted", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			compiled, err := r.Load(ctx, inspect(t, c.guest.encode()))
			require.NoError(t, err)
			_, err = compiled.Instantiate(ctx, c.cfg)
			require.ErrorContains(t, err, c.want)
			var trap *host.TrapError
			assert.Equal(t, c.trap, errors.As(err, &trap))
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestLoadRefusesWhatDoesNotCompile(t *testing.T) {
	r := newRuntime(t)
	m := inspect(t, guest{body: []byte{opI32Add}}.encode()) // nothing on the stack to add
	for range 2 {
		_, err := r.Load(context.Background(), m)
		require.ErrorIs(t, err, host.ErrRefused)
		assert.ErrorContains(t, err, "does not compile")
	}
	require.NoError(t, r.Close(context.Background()))
	require.NoError(t, r.Close(context.Background()))
	_, err := r.Load(context.Background(), inspect(t, guest{}.encode()))
	assert.ErrorIs(t, err, host.ErrClosed)
}

func TestTraps(t *testing.T) {
	for _, c := range []struct {
		name  string
		guest guest
		want  string
	}{
		{"unreachable", guest{body: []byte{opUnreachable}}, "unreachable"},
		{"out of bounds", guest{body: store(-4, 1)}, "out of bounds memory access"},
		{"endless recursion", guest{body: call(1)}, "out of stack"},
		{"exit", guest{body: call(0, 0), imports: [][2]string{{"wasi_snapshot_preview1", "proc_exit"}}, types: []string{"i:"}}, "ended the program with exit code 0"},
		{"chain_read outside the memory", guest{body: cat(call(0, 0, 65530, 9), []byte{opDrop}), imports: [][2]string{{"iosrun", "chain_read"}}}, "chain_read into 9 CCWs at 0xfffa"},
		{"chain_read not aligned", guest{body: cat(call(0, 0, 4097, 1), []byte{opDrop}), imports: [][2]string{{"iosrun", "chain_read"}}}, "want a multiple of 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := instance(t, newRuntime(t), c.guest.encode(), host.InstanceConfig{})
			i.UseChain(chain{{}})
			for range 3 { // a life after the trap is a life like the first
				err := i.Call(abi.FrontEnd)
				var trap *host.TrapError
				require.True(t, errors.As(err, &trap), "%v", err)
				assert.Equal(t, "test/guest", trap.Detour)
				assert.Equal(t, "front_end", trap.Function)
				assert.ErrorContains(t, err, c.want)
				assert.NotContains(t, err.Error(), "\n")
				assert.NotContains(t, trap.Stack, "goroutine")
				require.NoError(t, i.Renew())
			}
		})
	}
}

// TestChainRead calls the host function as a module does and compares with the
// reader.
func TestChainRead(t *testing.T) {
	at := int32(8192)
	body := cat([]byte{opI32Const}, s32(scratch), call(0, 2, at, 5), []byte{opI32Store, 2, 0},
		[]byte{opI32Const}, s32(scratch+4), []byte{opI32Const}, s32(at+4), []byte{opI32Load, 2, 0, opI32Store, 2, 0})
	i := instance(t, newRuntime(t), guest{body: body, imports: [][2]string{{"iosrun", "chain_read"}}}.encode(), host.InstanceConfig{})
	require.NoError(t, i.Call(abi.FrontEnd))
	assert.Zero(t, i.Frame().Scratch[0], "without a reader")
	i.UseChain(chain{{}, {}, {Address: 0x11223344}, {}})
	require.NoError(t, i.Call(abi.FrontEnd))
	assert.Equal(t, byte(2), i.Frame().Scratch[0])
	assert.Equal(t, []byte{0x44, 0x33, 0x22, 0x11}, i.Frame().Scratch[4:8])
}

func TestRehearse(t *testing.T) {
	every := []string{"front_end", "back_end", "post_status"}
	for _, c := range []struct {
		name  string
		guest guest
		want  []string
	}{
		{"does nothing", guest{hooks: every}, nil},
		{"traps", guest{hooks: []string{"back_end"}, body: []byte{opUnreachable}}, []string{"rehearsal of back-end on a device that is not mirrored", "trapped: unreachable"}},
		{"too many intents", guest{body: store16(intents, 17)}, []string{"rehearsal of front-end", "intents is 17: at most 16"}},
		{"too many steps", guest{body: store16(intents+6, 49)}, []string{"steps is 49: at most 48"}},
		{"an intent of no kind", guest{body: cat(store16(intents, 1), store(response+16, 0xEE))}, []string{"intent[0].kind is 238"}},
		{"a verdict of no meaning", guest{body: store(response, 99)}, nil},
		{"holds without being granted", guest{hooks: []string{"post_status"}, body: store(response, 1)}, []string{`needs the capability "hold"`}},
		{"writes to the request", guest{body: store(frameAt, 0)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			granted := abi.CapabilitiesKnown &^ abi.CapHold
			i := instance(t, newRuntime(t), c.guest.encode(), host.InstanceConfig{Granted: granted})
			reader := chain{{}}
			i.UseChain(reader)
			err := host.Rehearse(i)
			if c.want == nil {
				require.NoError(t, err)
				assert.Zero(t, i.Frame().Head, "the memory is fresh")
				return
			}
			require.ErrorIs(t, err, host.ErrRefused)
			var rehearsal *host.RehearsalError
			require.True(t, errors.As(err, &rehearsal))
			for _, w := range c.want {
				assert.ErrorContains(t, err, w)
			}
		})
	}
}

func TestAttachment(t *testing.T) {
	i := instance(t, newRuntime(t), guest{}.encode(), host.InstanceConfig{Name: "one", Granted: abi.CapFlag})
	a := i.Attachment(hooks.FailIO)
	assert.Equal(t, "one", a.Name)
	assert.Equal(t, abi.CapFlag, a.Granted)
	assert.Equal(t, hooks.FailIO, a.Containment)
	assert.Empty(t, a.Records)
	var table hooks.Table
	_, err := table.Attach(hooks.DDTSIO, a, hooks.AttachOptions{})
	require.NoError(t, err)
	g := table.Enter()
	require.NoError(t, g.Sequence(hooks.DDTSIO)[0].Detour.Call(abi.FrontEnd))
	require.NoError(t, table.Close())
	require.NoError(t, i.Call(abi.FrontEnd), "an I/O still holds it")
	g.Leave()
	assert.ErrorIs(t, i.Call(abi.FrontEnd), host.ErrClosed)
}

// TestAttachmentHasRecords: an attachment has the records that the manifest
// declares, and a report of the module says what they are.
func TestAttachmentHasRecords(t *testing.T) {
	code := guest{manifest: `{"name":"test/guest","version":"1","abi":"1.1","hooks":["front_end"],"records":[{"name":"waits","unit":"µs"},{"name":"reads","unit":"bytes"}]}`}.encode()
	a := instance(t, newRuntime(t), code, host.InstanceConfig{}).Attachment(hooks.Bypass)
	assert.Equal(t, []hooks.Record{{Name: "waits", Unit: "µs"}, {Name: "reads", Unit: "bytes"}}, a.Records)
	report := host.Verify(inspect(t, code), 0)
	require.NoError(t, report.Err())
	assert.Contains(t, report.String(), "record 1: reads (bytes)")
}

// TestRuntimeIsShared loads and runs one module from many goroutines.
func TestRuntimeIsShared(t *testing.T) {
	r := newRuntime(t)
	code := guest{body: store(scratch, 7)}.encode()
	var wait sync.WaitGroup
	errs := make(chan error, 16)
	for range 16 {
		wait.Go(func() {
			m, err := host.Inspect(code)
			if err != nil {
				errs <- err
				return
			}
			c, err := r.Load(context.Background(), m)
			if err != nil {
				errs <- err
				return
			}
			i, err := c.Instantiate(context.Background(), host.InstanceConfig{})
			if err != nil {
				errs <- err
				return
			}
			for range 100 {
				i.Frame().Scratch = [64]byte{}
				if err := i.Call(abi.FrontEnd); err != nil || i.Frame().Scratch[0] != 7 {
					errs <- fmt.Errorf("call: %w", err)
					return
				}
			}
			errs <- errors.Join(i.Renew(), i.Close())
		})
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		assert.NoError(t, err)
	}
}

// TestRandomCode runs random bytes as a hook's code: whatever the compiler
// accepts must end in a return or a *TrapError and leave the host whole.
func TestRandomCode(t *testing.T) {
	if testing.Short() {
		t.Skip("makes many calls, one after the other")
	}
	// No loop and no call is in the list, so that nothing runs for ever.
	ops := [][]byte{{opUnreachable}, {0x01}, {opDrop}, {opI32Const, 0x7F}, {opI32Const, 8}, {opI32Load, 2, 0}, {opI32Store, 2, 0},
		{opI32Add}, {0x6D}, {0x6F}, {opMemoryGrow, 0}, {0x3F, 0}, {0x0F}, {0xFC, 0x0B, 0}, {opI64Const, 1}, {0xA7}}
	r := newRuntime(t)
	random := rand.New(rand.NewPCG(1, 2))
	ran := 0
	for range 3000 {
		var body []byte
		for range 1 + random.IntN(8) {
			body = append(body, ops[random.IntN(len(ops))]...)
		}
		c, err := r.Load(context.Background(), inspect(t, guest{body: body}.encode()))
		if err != nil {
			require.ErrorIs(t, err, host.ErrRefused)
			continue
		}
		i, err := c.Instantiate(context.Background(), host.InstanceConfig{})
		require.NoError(t, err)
		if err := i.Call(abi.FrontEnd); err != nil {
			var trap *host.TrapError
			require.True(t, errors.As(err, &trap))
		}
		require.NoError(t, i.Close())
		ran++
	}
	assert.Greater(t, ran, 200, "programs that ran")
}
