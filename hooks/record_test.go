package hooks_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
)

func TestRecord(t *testing.T) {
	m := &abi.Manifest{Records: []abi.RecordRow{{Name: "reads", Unit: "bytes"}, {Name: "waits", Unit: "µs"}}}
	a := &hooks.Attachment{Records: hooks.NewRecords(m)}
	for _, v := range []uint64{4096, 0, 512} {
		assert.True(t, a.Record(0, v))
	}
	assert.True(t, a.Record(1, 7))
	assert.True(t, a.Record(1, math.MaxUint64-3))
	assert.True(t, a.Record(1, 1))
	want := []hooks.Record{
		{Name: "reads", Unit: "bytes", Count: 3, Sum: 4608, Max: 4096},
		{Name: "waits", Unit: "µs", Count: 3, Sum: math.MaxUint64, Max: math.MaxUint64 - 3},
	}
	assert.Equal(t, want, a.Records)
	for _, code := range []uint8{2, 255} {
		assert.False(t, a.Record(code, 1), "record %d of 2", code)
	}
	assert.Equal(t, want, a.Records, "changed by a record that was not declared")
	assert.False(t, new(hooks.Attachment).Record(0, 1), "of a detour without records")
	assert.Nil(t, hooks.NewRecords(&abi.Manifest{}))
	assert.Zero(t, testing.AllocsPerRun(100, func() { a.Record(0, 1) }))
}
