package intercept_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
)

// promoting asks for mirror 1 when the primary fails, and lets no application wait.
func promoting(f *abi.Frame) {
	if f.Target.Role == abi.RolePrimary && f.Status.OK == 0 {
		f.Response.Ask(abi.IntentPromote)
	}
}

// TestPromotionWaitsForWhatIsOnItsWay: acknowledged writes are on their way to the
// mirror when the primary fails. The request that has failed is held until the mirror
// has them; then the mirror is promoted, and nothing is lost.
func TestPromotionWaitsForWhatIsOnItsWay(t *testing.T) {
	g := newRig(t, 1)
	g.mirrors[0].latency = 5 * machine.Millisecond
	g.install(t, frontEnd, backEnd, promoting)
	for i := range 3 {
		require.NoError(t, g.block.Submit(uint64(i), true, int64(i)*4096, 4096))
	}
	g.m.Clock.RunUntil(2 * machine.Millisecond)
	assert.Len(t, g.app.codes, 3, "acknowledged")
	assert.EqualValues(t, 3, g.pair.Mirrors()[0].Risk(0).IOs)
	g.primary.fail = func(bool) bool { return true }
	require.NoError(t, g.block.Submit(3, false, 0, 4096))
	require.NoError(t, g.block.Submit(4, true, 40960, 4096))
	g.m.Clock.RunUntil(3 * machine.Millisecond)
	assert.Zero(t, g.x.Counts().Promoted)
	assert.NotNil(t, g.x.LongestHeld())
	g.run()
	assert.EqualValues(t, 1, g.x.Counts().Promoted)
	assert.Zero(t, g.x.Counts().StaleRefused)
	require.Len(t, g.x.Promotions(), 1)
	assert.Zero(t, g.x.Promotions()[0].Writes)
	for i, c := range g.app.codes {
		assert.EqualValues(t, arch.CompletionNormal, c, i)
	}
	assert.Equal(t, []machine.Tag{1<<18 + 1, 2<<18 + 1, 3<<18 + 1}, []machine.Tag{g.mirrors[0].tags[180*8], g.mirrors[0].tags[181*8], g.mirrors[0].tags[182*8]})
	assert.Zero(t, g.x.Pending())
}

// TestPromotionOfAStaleMirrorIsRefused: the mirror has missed acknowledged writes, or
// what is on its way to it does not arrive. Only a policy that allows it gets it.
func TestPromotionOfAStaleMirrorIsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		front   func(*abi.Frame)
		allowed bool
		lost    bool // on the way
	}{
		{"missed", nil2, false, false},
		{"missed, allowed", nil2, true, false},
		{"lost on the way", frontEnd, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			g.x.Promise.StalePromotion = c.allowed
			g.mirrors[0].latency = 5 * machine.Millisecond
			g.mirrors[0].fail = func(bool) bool { return c.lost }
			g.install(t, c.front, backEnd, promoting)
			var told []bool
			g.x.Promoted = func(_ *intercept.Pair, stale bool) { told = append(told, stale) }
			require.NoError(t, g.block.Submit(0, true, 0, 4096))
			g.m.Clock.RunUntil(2 * machine.Millisecond)
			g.primary.fail = func(bool) bool { return true }
			require.NoError(t, g.block.Submit(1, false, 4096, 4096))
			g.run()
			require.Len(t, g.x.Promotions(), 1)
			p := g.x.Promotions()[0]
			assert.EqualValues(t, 1, p.Writes)
			assert.EqualValues(t, 4096, p.Bytes)
			assert.EqualValues(t, 1, p.Tracks)
			if c.allowed {
				assert.Equal(t, []bool{true}, told)
				assert.EqualValues(t, arch.CompletionNormal, g.app.codes[1])
				assert.Zero(t, p.Refused)
			} else {
				assert.Empty(t, told)
				assert.EqualValues(t, arch.CompletionPermanent, g.app.codes[1])
				assert.Equal(t, g.x.Counts().StaleRefused, p.Refused)
				assert.NotZero(t, p.Refused)
				assert.EqualValues(t, 0x100, g.pair.Primary().DeviceNumber)
			}
			assert.Zero(t, g.x.Pending())
		})
	}
}
