package wasm_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/host/wasm"
)

func TestSegments(t *testing.T) {
	code := module(
		sec(9, bytes.Join([][]byte{
			{8},
			{0, 0x41, 5, 0x0B, 2, 0, 1},       // active, functions
			{1, 0, 1, 0},                      // passive
			{2, 1, 0x41, 0x7F, 0x0B, 0, 1, 0}, // active, table 1, start -1
			{3, 0, 1, 0},                      // declarative
			{4, 0x41, 0xE4, 0, 0x0B, 1, 0xD2, 0, 0x0B},    // active, expressions
			{5, 0x70, 1, 0xD0, 0x70, 0x0B},                // passive, expressions
			{6, 0, 0x23, 0, 0x0B, 0x70, 1, 0xD2, 0, 0x0B}, // active, start from a global
			{7, 0x70, 0}, // declarative, expressions
		}, nil)...),
		sec(11, bytes.Join([][]byte{
			{4},
			{0, 0x41, 0x80, 0x80, 4, 0x0B, 2, 'a', 'b'},
			{1, 1, 'c'},
			{2, 0, 0x41, 1, 0x41, 2, 0x6A, 0x0B, 1, 'd'}, // an addition: not read on
			{0, 0x41, 0, 0x0B, 0},
		}, nil)...),
	)
	m, err := wasm.Parse(code)
	require.NoError(t, err)
	var got []wasm.Segment
	for _, s := range wasm.Segments(code, m) {
		assert.Positive(t, s.Offset)
		s.Offset = 0
		got = append(got, s)
	}
	assert.Equal(t, []wasm.Segment{
		{Kind: wasm.KindTable, Start: 5, Known: true, Length: 2},
		{Kind: wasm.KindTable, Index: 1, Start: 1<<32 - 1, Known: true, Length: 1},
		{Kind: wasm.KindTable, Start: 100, Known: true, Length: 1},
		{Kind: wasm.KindTable, Length: 1},
		{Kind: wasm.KindMemory, Start: 65536, Known: true, Length: 2},
	}, got)
	// Whatever is cut off ends the list and nothing else.
	for n := range code {
		if m, err := wasm.Parse(code[:n]); err == nil {
			assert.LessOrEqual(t, len(wasm.Segments(code[:n], m)), len(got))
		}
	}
}
