package intercept_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
)

// TestRecords: what detours of every slot record is added to their own records,
// in a chain each to the one that has asked; a record that was not declared is
// refused and counted, and does not undo the others.
func TestRecords(t *testing.T) {
	g := newRig(t, 1)
	declared := &abi.Manifest{Records: []abi.RecordRow{{Name: "a", Unit: "bytes"}, {Name: "b", Unit: "calls"}}}
	detour := func(call func(*abi.Frame)) *hooks.Attachment {
		return &hooks.Attachment{Detour: hooks.NewNative(call, call, call), Granted: abi.CapabilitiesKnown, Records: hooks.NewRecords(declared)}
	}
	recording := func(code uint8, then func(*abi.Frame)) func(*abi.Frame) {
		return func(f *abi.Frame) {
			then(f)
			if f.Target.Role == abi.RolePrimary {
				f.Response.Record(2, 1)
				f.Response.Record(code, uint64(f.Target.DataLength))
			}
		}
	}
	first, second := detour(recording(0, nil2)), detour(recording(1, frontEnd))
	back, post := detour(recording(0, backEnd)), detour(recording(1, postStatus))
	_, err := g.ios.Hooks.Install([hooks.Slots][]*hooks.Attachment{{first, second}, {back}, {post}})
	require.NoError(t, err)
	app := newClient(g)
	app.write(t, 480, 1)
	app.write(t, 600, 2)

	const sum, largest = 3 * 4096, 2 * 4096
	assert.Equal(t, []hooks.Record{{Name: "a", Unit: "bytes", Count: 2, Sum: sum, Max: largest}, {Name: "b", Unit: "calls"}}, first.Records)
	assert.Equal(t, []hooks.Record{{Name: "a", Unit: "bytes"}, {Name: "b", Unit: "calls", Count: 2, Sum: sum, Max: largest}}, second.Records)
	assert.Equal(t, back.Counters.Calls, back.Records[0].Count)
	assert.NotZero(t, back.Records[0].Count)
	assert.Greater(t, post.Records[1].Count, uint64(2), "again when the mirror I/O has ended")
	refused := uint64(0)
	for _, a := range []*hooks.Attachment{first, second, back, post} {
		assert.Equal(t, a.Records[0].Count+a.Records[1].Count, a.Counters.Refused, "one refusal a call")
		refused += a.Counters.Refused
	}
	assert.Equal(t, refused, g.x.Counts().Refused)
	assert.Zero(t, g.pair.Mirrors()[0].OutOfSync(), "the mirror request of the same response was carried out")
}
