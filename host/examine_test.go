package host_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/wasm"
)

// constAt is the constant expression of a segment's start.
func constAt(at int32) []byte { return cat([]byte{opI32Const}, s32(at), []byte{opEnd}) }

// TestExamine: what can be known before anything runs is said by Examine, and what
// it accepts can be loaded and started.
func TestExamine(t *testing.T) {
	one := []byte{1, 0x70, 1, 2, 2} // a table of two functions
	data := func(flags byte, rest ...[]byte) []byte { return cat([]byte{1, flags}, cat(rest...)) }
	r := newRuntime(t)
	bare, err := host.NewRuntime(context.Background(), host.RuntimeConfig{Fuel: host.Unmetered})
	require.NoError(t, err)
	defer bare.Close(context.Background())
	for _, c := range []struct {
		name  string
		guest guest
		want  string // of an error; empty: accepted
	}{
		{"valid", guest{}, ""},
		{"body that does not validate", guest{body: []byte{opDrop}}, "does not compile: "},
		{"tail call", guest{body: []byte{0x12, 1}}, "tail calls (byte 0x46)"},
		{"unknown instruction", guest{body: []byte{0xFF}}, "instruction 0xff is unknown (byte 0x46)"},
		{"call of no function", guest{body: []byte{opCall, 99}}, "call of function 99: the module has 2 (byte 0x46)"},
		{"data at the end", guest{data: data(0, constAt(wasm.PageSize-3), sized([]byte("abc")))}, ""},
		{"data beyond the end", guest{data: data(0, constAt(wasm.PageSize-2), sized([]byte("abc")))}, "data segment of 3 bytes goes to 0xfffe, beyond the memory, which begins with 65536"},
		{"data far away", guest{data: data(2, []byte{0}, constAt(-1), sized([]byte("a")))}, "data segment of 1 bytes goes to 0xffffffff, beyond the memory"},
		{"passive data", guest{data: data(1, sized([]byte("abc")))}, ""},
		{"data in a memory that could grow", guest{minPages: 1, maxPages: 9, data: data(0, constAt(wasm.PageSize), sized([]byte("a")))}, "beyond the memory"},
		{"elements", guest{table: one, elements: data(0, constAt(0), []byte{2, 0, 1})}, ""},
		{"elements beyond the table", guest{table: one, elements: data(0, constAt(1), []byte{2, 0, 1})}, "element segment of 2 elements goes to 0x1, beyond the table, which begins with 2"},
		{"elements as expressions", guest{table: one, elements: data(4, constAt(2), []byte{1, 0xD2, 0, opEnd})}, "element segment of 1 elements goes to 0x2"},
		{"declared elements", guest{table: one, elements: data(3, []byte{0, 1, 0})}, ""},
		{"start that traps", guest{start: []byte{opUnreachable}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := inspect(t, c.guest.encode())
			code, report, err := r.Examine(context.Background(), m, 0)
			require.NoError(t, err)
			if c.want != "" {
				require.ErrorIs(t, report.Err(), host.ErrRefused)
				assert.Contains(t, report.Err().Error(), c.want)
				text, _, _ := strings.Cut(c.want, " (byte")
				assert.Contains(t, report.String(), text)
				assert.Nil(t, code)
				_, err := r.Load(context.Background(), m)
				assert.ErrorIs(t, err, host.ErrRefused, "the loader agrees")
				_, unmetered, err := bare.Examine(context.Background(), m, 0)
				require.NoError(t, err)
				assert.ErrorIs(t, unmetered.Err(), host.ErrRefused)
				return
			}
			require.NoError(t, report.Err())
			i, err := code.Instantiate(context.Background(), host.InstanceConfig{})
			if c.guest.start != nil {
				assert.ErrorContains(t, err, "trapped")
				return
			}
			require.NoError(t, err)
			require.NoError(t, host.Rehearse(i))
			require.NoError(t, i.Close())
		})
	}
	m := inspect(t, guest{wants: []string{"mirror"}}.encode())
	_, report, err := r.Examine(context.Background(), m, 0)
	require.NoError(t, err)
	assert.ErrorContains(t, report.Err(), "wants mirror, which is not granted")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err = newRuntime(t).Examine(ended, m, abi.CapMirror)
	assert.ErrorIs(t, err, context.Canceled, "no verdict")
}
