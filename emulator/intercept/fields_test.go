package intercept_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// TestCallCountsTheCallsForTheIO: Head.Call is the number of calls of the hook for
// the I/O before; a mirror I/O that is refused, or left queued, counts no more than
// one that goes on, and finds the number of the I/O itself.
func TestCallCountsTheCallsForTheIO(t *testing.T) {
	for _, answer := range []abi.IntentKind{abi.IntentNone, abi.IntentRetry, abi.IntentReject} {
		t.Run(answer.String(), func(t *testing.T) {
			g := newRig(t, 1)
			var primary, mirror, post []uint32
			g.install(t, func(f *abi.Frame) {
				if f.Target.Origin == abi.OriginMirror {
					if mirror = append(mirror, f.Head.Call); len(mirror) == 1 && answer != abi.IntentNone {
						f.Response.Ask(answer)
						f.Response.Verdict = abi.Return
					}
					return
				}
				if primary = append(primary, f.Head.Call); len(primary) == 1 {
					f.Response.Ask(abi.IntentRetry)
					f.Response.Verdict = abi.Return
					return
				}
				frontEnd(f)
			}, backEnd, func(f *abi.Frame) {
				if f.Target.Origin != abi.OriginMirror {
					post = append(post, f.Head.Call)
				}
				postStatus(f)
			})
			require.NoError(t, g.block.Submit(0, true, 0, 4096))
			g.run()
			assert.Equal(t, []uint32{0, 1}, primary, "left queued once")
			require.NotEmpty(t, mirror)
			for _, n := range mirror {
				assert.EqualValues(t, 2, n, "two calls for the I/O itself")
			}
			for i, n := range post {
				assert.EqualValues(t, i, n)
			}
		})
	}
}

// TestFrameOfAFailedIO: the condition code is that of the SSCH for the back-end and
// the deferred one at post-status; the sense bytes are as many as there are.
func TestFrameOfAFailedIO(t *testing.T) {
	g := newRig(t, 1)
	g.primary.fail = func(bool) bool { return true }
	var seen []abi.Status
	g.install(t, nil, nil, func(f *abi.Frame) { seen = append(seen, f.Status) })
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.run()
	require.NotEmpty(t, seen)
	s := seen[0]
	assert.Zero(t, s.OK)
	assert.EqualValues(t, 32, s.SenseSize, "as many as the control unit gives")
	assert.EqualValues(t, 0x10, s.Sense[0], "equipment check")
	assert.Zero(t, s.CC)

	g = newRig(t, 1)
	g.primary.lost = true
	g.ios.MissingInterrupt = 10 * machine.Millisecond
	seen = nil
	g.install(t, nil, nil, func(f *abi.Frame) { seen = append(seen, f.Status) })
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.run()
	require.NotEmpty(t, seen)
	assert.Zero(t, seen[0].SenseSize, "a unit that does not answer has no sense")
	assert.NotEqualValues(t, arch.CompletionNormal, g.app.codes[0])
}

// TestAtRiskIsWhatSomeMirrorLacksNow: Pair.AtRisk and Mirror.AtRisk in the frame.
func TestAtRiskIsWhatSomeMirrorLacksNow(t *testing.T) {
	g := newRig(t, 2)
	var pair uint32
	var mirrors [2]uint32
	g.install(t, func(f *abi.Frame) {
		if f.Target.Role == abi.RolePrimary {
			pair, mirrors = f.Pair.AtRisk, [2]uint32{f.Pair.Mirror[0].AtRisk, f.Pair.Mirror[1].AtRisk}
		}
		frontEnd(f)
	}, backEnd, nil) // nobody waits for the mirrors
	g.mirrors[1].latency = 5 * machine.Millisecond
	write := func(token uint64) {
		require.NoError(t, g.block.Submit(token, true, int64(token)*4096*12, 4096))
	}
	until := func(at machine.Time) {
		for g.m.Clock.Next() < at && g.m.Clock.Step() {
		}
	}
	write(0)
	until(400 * machine.Microsecond)
	write(1)
	until(600 * machine.Microsecond)
	assert.EqualValues(t, 1, pair, "the first is on neither mirror")
	assert.Equal(t, [2]uint32{1, 1}, mirrors)
	until(2 * machine.Millisecond)
	write(2)
	until(2200 * machine.Microsecond)
	assert.EqualValues(t, 2, pair, "both are on the first mirror, and not on the second")
	assert.Equal(t, [2]uint32{0, 2}, mirrors)
	g.run()
	write(3)
	g.run()
	assert.Zero(t, pair)
	assert.Equal(t, [2]uint32{}, mirrors)
}
