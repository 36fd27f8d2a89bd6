package intercept_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// unit is a unit of work that a test runs on a processor.
type unit struct {
	machine.SRB
	f func(p *machine.Processor)
}

func (u *unit) Enter(p *machine.Processor, _ *machine.SRB) { u.f(p) }

func (g *rig) on(f func(p *machine.Processor)) {
	u := &unit{f: f}
	u.Entry = u
	g.m.Dispatcher.Schedule(g.m.Clock.Now(), &u.SRB)
	g.m.Clock.RunUntil(g.m.Clock.Now() + 10*machine.Millisecond)
}

func backEndResuming(f *abi.Frame) {
	m := &f.Pair.Mirror[0]
	if m.IO == abi.MirrorIOShadow && m.Flags&abi.MirrorHasSuspendedChain != 0 {
		f.Response.Ask(abi.IntentResume).Mirrors = 1
		return
	}
	backEnd(f)
}

func TestStandingChainTakesMirrorWritesWithoutStartio(t *testing.T) {
	g := newRig(t, 1)
	g.install(t, frontEnd, backEndResuming, postStatus)
	g.on(func(p *machine.Processor) { g.x.StartStanding(p, g.pair.Mirrors()[0]) })
	before := g.ios.Counts()
	for i := range 10 {
		require.NoError(t, g.block.Submit(uint64(i), true, int64(i)*8192, 8192))
		g.m.Clock.RunUntil(g.m.Clock.Now() + 10*machine.Millisecond)
	}
	for i, c := range g.app.codes {
		assert.EqualValues(t, arch.CompletionNormal, c, i)
	}
	assert.Len(t, g.app.codes, 10)
	after := g.ios.Counts()
	assert.EqualValues(t, 10, after.STARTIO-before.STARTIO, "one a primary write, none a mirror write")
	assert.EqualValues(t, 10, after.RSCH)
	assert.EqualValues(t, 10, g.x.Counts().Resumed)
	assert.Zero(t, g.x.Counts().Refused)
	assert.Equal(t, g.primary.tags, g.mirrors[0].tags)
	assert.Zero(t, g.pair.Mirrors()[0].OutOfSync())
	g.x.StopStanding(g.pair.Mirrors()[0])
	g.run()
	assert.Zero(t, g.x.Pending())
}

func TestWritesBesideABusyStandingChainAreStarted(t *testing.T) {
	g := newRig(t, 1)
	g.install(t, frontEnd, backEndResuming, postStatus)
	g.on(func(p *machine.Processor) { g.x.StartStanding(p, g.pair.Mirrors()[0]) })
	for i := range 50 {
		require.NoError(t, g.block.Submit(uint64(i), true, int64(i)*4096, 4096))
	}
	g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Second)
	assert.Len(t, g.app.codes, 50)
	assert.Equal(t, g.primary.tags, g.mirrors[0].tags)
	g.x.StopStanding(g.pair.Mirrors()[0])
	g.run()
	assert.Zero(t, g.x.Pending())
}

func TestStandingChainThatFailsLeavesItsTracksMarked(t *testing.T) {
	g := newRig(t, 1)
	g.install(t, frontEnd, backEndResuming, postStatus)
	g.on(func(p *machine.Processor) { g.x.StartStanding(p, g.pair.Mirrors()[0]) })
	g.mirrors[0].fail = func(write bool) bool { return write }
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.run()
	assert.Equal(t, []uint8{arch.CompletionNormal}, g.app.codes)
	assert.Equal(t, 1, g.pair.Mirrors()[0].OutOfSync())
	assert.Equal(t, abi.MirrorSuspended, g.pair.Mirrors()[0].State)
	assert.Zero(t, g.x.Pending())
}
