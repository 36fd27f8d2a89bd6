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

func TestWriteCompletesWithTheSlowerSide(t *testing.T) {
	g := newRig(t, 1)
	g.install(t, frontEnd, backEnd, postStatus)
	g.x.Promise.Durability = intercept.DurableMirrors
	require.NoError(t, g.block.Submit(0, true, 8192, 8192))
	g.run()
	require.Equal(t, []uint8{arch.CompletionNormal}, g.app.codes)
	assert.Greater(t, g.app.at[0], 700*machine.Microsecond)
	assert.Equal(t, g.primary.tags, g.mirrors[0].tags)
	assert.Equal(t, 2, g.primary.writes)
	c := g.x.Counts()
	assert.EqualValues(t, 1, c.Mirrored)
	assert.Zero(t, c.Violations)
	assert.Zero(t, c.Refused)
	assert.Zero(t, g.x.Pending())
	assert.Zero(t, g.pair.Mirrors()[0].OutOfSync())
	assert.Equal(t, [abi.Hooks]uint64{2, 2, 3}, c.Calls)
}

func TestWithoutDetoursEveryWriteIsMarked(t *testing.T) {
	g := newRig(t, 1)
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.run()
	require.Equal(t, []uint8{arch.CompletionNormal}, g.app.codes)
	assert.True(t, g.pair.Mirrors()[0].Marked(15))
	assert.Equal(t, 1, g.pair.Mirrors()[0].OutOfSync())
	assert.EqualValues(t, 1, g.pair.Mirrors()[0].Risk(g.m.Clock.Now()).Unmirrored)
}

func TestFailedMirrorIsDissociatedAndMarked(t *testing.T) {
	g := newRig(t, 2)
	g.install(t, frontEnd, backEnd, postStatus)
	g.mirrors[1].fail = func(write bool) bool { return write }
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.run()
	require.NoError(t, g.block.Submit(1, true, 4096*12, 4096))
	g.run()
	require.Equal(t, []uint8{arch.CompletionNormal, arch.CompletionNormal}, g.app.codes)
	assert.Equal(t, g.primary.tags, g.mirrors[0].tags)
	assert.Zero(t, g.pair.Mirrors()[0].OutOfSync())
	assert.Equal(t, abi.MirrorSuspended, g.pair.Mirrors()[1].State)
	assert.Equal(t, 2, g.pair.Mirrors()[1].OutOfSync())
	assert.Zero(t, g.x.Pending())
}

func TestMirrorThatNeverAnswersIsGivenUp(t *testing.T) {
	g := newRig(t, 1)
	g.install(t, frontEnd, backEnd, postStatus)
	g.mirrors[0].lost = true
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.run()
	require.Equal(t, []uint8{arch.CompletionNormal}, g.app.codes)
	assert.Less(t, g.app.at[0], 7*machine.Second)
	assert.EqualValues(t, 1, g.x.Counts().TimedOut)
	assert.Equal(t, 1, g.pair.Mirrors()[0].OutOfSync())
	assert.Zero(t, g.x.Pending())
}

func TestFailedPrimaryWriteLeavesItsTracksInDoubt(t *testing.T) {
	g := newRig(t, 1)
	g.install(t, frontEnd, backEnd, postStatus)
	g.primary.fail = func(write bool) bool { return write }
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.run()
	require.Equal(t, []uint8{arch.CompletionPermanent}, g.app.codes)
	assert.Equal(t, 1, g.pair.Mirrors()[0].OutOfSync())
	assert.Zero(t, g.x.Pending())
}

func TestManyWritesLeaveBothSidesEqual(t *testing.T) {
	g := newRig(t, 2)
	g.install(t, frontEnd, backEnd, postStatus)
	x := uint64(1)
	for i := range 2000 {
		x = x*6364136223846793005 + 1442695040888963407
		block := int64(x>>33) % 400
		n := int64(x>>20)%3 + 1
		require.NoError(t, g.block.Submit(uint64(i), x>>62 != 0, block*4096, n*4096))
		if x>>60&3 == 0 {
			g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
		}
	}
	g.run()
	require.Len(t, g.app.codes, 2000)
	assert.Equal(t, g.primary.tags, g.mirrors[0].tags)
	assert.Equal(t, g.primary.tags, g.mirrors[1].tags)
	assert.Zero(t, g.pair.Mirrors()[0].OutOfSync())
	assert.Zero(t, g.x.Counts().Refused)
	assert.Zero(t, g.block.Counts().Duplicates)
	assert.Zero(t, g.x.Pending())
}

func BenchmarkMirroredWrite(b *testing.B) {
	app := &loop{}
	g := newRigWith(b, app, 1)
	g.install(b, frontEnd, backEnd, postStatus)
	b.ReportAllocs()
	i := int64(0)
	for b.Loop() {
		i++
		_ = g.block.Submit(uint64(i), true, i%3000*4096, 4096)
		for app.done != uint64(i) {
			g.m.Clock.Step()
		}
	}
}

type loop struct{ done uint64 }

func (l *loop) Complete(token uint64, _ uint8, _ machine.Time) { l.done = token }

func TestPromotedMirrorTakesOver(t *testing.T) {
	g := newRig(t, 2)
	g.install(t, frontEnd, backEnd, func(f *abi.Frame) {
		if f.Target.Role == abi.RolePrimary && f.Status.OK == 0 {
			for i := range f.Pair.Mirror[:f.Pair.Mirrors] {
				if f.Pair.Mirror[i].State == abi.MirrorInSync {
					f.Response.Ask(abi.IntentPromote).Code = uint8(i)
					return
				}
			}
		}
		postStatus(f)
	})
	for i := range 40 {
		require.NoError(t, g.block.Submit(uint64(i), i%3 != 0, int64(i)*4096, 4096))
		g.m.Clock.RunUntil(g.m.Clock.Now() + 300*machine.Microsecond)
		if i == 20 {
			g.primary.fail = func(bool) bool { return true }
		}
	}
	g.run()
	require.Len(t, g.app.codes, 40)
	for i, c := range g.app.codes {
		assert.EqualValues(t, arch.CompletionNormal, c, i)
	}
	assert.EqualValues(t, 1, g.x.Counts().Promoted)
	assert.Equal(t, uint16(0x200), g.pair.Primary().DeviceNumber)
	assert.Equal(t, abi.MirrorFailed, g.pair.Mirrors()[0].State)
	assert.Positive(t, g.pair.Mirrors()[0].OutOfSync())
	for track := range uint32(300) {
		at, end := track*12*8, (track+1)*12*8
		assert.Equal(t, g.mirrors[0].tags[at:end], g.mirrors[1].tags[at:end])
		if !g.pair.Mirrors()[0].Marked(track) {
			assert.Equal(t, g.mirrors[0].tags[at:end], g.primary.tags[at:end])
		}
	}
	assert.Zero(t, g.x.Pending())
}
