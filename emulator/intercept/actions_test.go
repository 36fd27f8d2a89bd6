package intercept_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// write has the client write n blocks and end.
func (c *client) write(t testing.TB, first, n int) *io {
	c.submit(t, true, first, n)
	i := c.last
	c.g.run()
	return i
}

// duplicate is a front-end detour that asks for a recipe of the chain itself,
// with a change.
func duplicate(change func(f *abi.Frame, recipe []abi.RecipeCCW)) func(*abi.Frame) {
	return func(f *abi.Frame) {
		if f.Target.Role != abi.RolePrimary {
			return
		}
		r := &f.Response
		for i := range f.Chain.CCW[:f.Chain.Inline] {
			c := &f.Chain.CCW[i]
			r.Add(abi.RecipeCCW{Command: c.Command, Flags: c.Flags, Source: uint16(i), Count: c.Count})
		}
		if change != nil {
			change(f, r.Recipe[:r.Recipes])
		}
		n := r.Ask(abi.IntentMirror)
		n.Mirrors, n.Count = 1, r.Recipes
		r.Ask(abi.IntentBackEnd)
	}
}

func parameters(f *abi.Frame, c *abi.RecipeCCW, of int, change func(b *[abi.ParameterSize]byte)) {
	b, n := f.Response.Block()
	*b = f.Chain.Parameter[of]
	change(b)
	c.Kind, c.Parameter = abi.RecipeParameter, n
}

// TestRecipes: a mirror chain that the host can see to do what the primary's does
// keeps the mirror in sync; any other leaves every track marked that either can
// have touched; a recipe that cannot be built is refused, and the track marked.
func TestRecipes(t *testing.T) {
	const track = 40
	for _, c := range []struct {
		name    string
		change  func(f *abi.Frame, recipe []abi.RecipeCCW)
		marked  []uint32
		refused bool
	}{
		{name: "the same", change: nil},
		{name: "private data", change: func(_ *abi.Frame, r []abi.RecipeCCW) { r[2].Kind = abi.RecipePrivate }},
		{name: "without interruption", change: func(_ *abi.Frame, r []abi.RecipeCCW) { r[2].Flags &^= uint8(arch.FlagPCI) }},
		{name: "identification", change: func(f *abi.Frame, r []abi.RecipeCCW) {
			parameters(f, &r[0], 0, func(b *[abi.ParameterSize]byte) { binary.BigEndian.PutUint16(b[4:], 0x1234) })
		}},
		{name: "another extent", marked: []uint32{track, track + 1}, change: func(f *abi.Frame, r []abi.RecipeCCW) {
			parameters(f, &r[0], 0, func(b *[abi.ParameterSize]byte) { b[15]++ })
		}},
		{name: "another track", marked: []uint32{track, track + 15}, change: func(f *abi.Frame, r []abi.RecipeCCW) {
			parameters(f, &r[0], 0, func(b *[abi.ParameterSize]byte) { b[13]++ })
			parameters(f, &r[1], 1, func(b *[abi.ParameterSize]byte) { b[5]++; b[9]++ })
		}},
		{name: "another record", marked: []uint32{track}, change: func(f *abi.Frame, r []abi.RecipeCCW) {
			parameters(f, &r[1], 1, func(b *[abi.ParameterSize]byte) { b[12]++ })
		}},
		{name: "other data", marked: []uint32{track}, change: func(_ *abi.Frame, r []abi.RecipeCCW) { r[2].Source = 3 }},
		{name: "a write less", marked: []uint32{track}, change: func(f *abi.Frame, r []abi.RecipeCCW) {
			r[2].Flags = 0
			f.Response.Recipes--
		}},
		{name: "a read instead", marked: []uint32{track}, change: func(_ *abi.Frame, r []abi.RecipeCCW) { r[2].Command = 0x86 }},
		{name: "nothing but control", marked: []uint32{track}, change: func(_ *abi.Frame, r []abi.RecipeCCW) {
			r[0] = abi.RecipeCCW{Kind: abi.RecipeControl, Command: 3, Count: 1}
		}},
		{name: "more data than there is", marked: []uint32{track}, refused: true, change: func(_ *abi.Frame, r []abi.RecipeCCW) { r[2].Count++ }},
		{name: "more private data than there is", marked: []uint32{track}, refused: true, change: func(_ *abi.Frame, r []abi.RecipeCCW) { r[2].Kind, r[2].Count = abi.RecipePrivate, 4097 }},
		{name: "transfer into the primary's chain", marked: []uint32{track}, refused: true, change: func(_ *abi.Frame, r []abi.RecipeCCW) { r[2].Command = arch.CommandTransfer }},
		{name: "transfer out of the recipe", marked: []uint32{track}, refused: true, change: func(f *abi.Frame, r []abi.RecipeCCW) {
			r[2] = abi.RecipeCCW{Kind: abi.RecipeTransfer, Source: f.Response.Recipes}
			f.Response.Add(abi.RecipeCCW{Kind: abi.RecipeControl})
			f.Response.Recipes--
			r[2].Source--
			n := f.Response.Ask(abi.IntentMirror)
			n.Mirrors, n.First, n.Count = 1, 0, 3
		}},
		{name: "loop", marked: []uint32{track}, change: func(_ *abi.Frame, r []abi.RecipeCCW) {
			r[3] = abi.RecipeCCW{Kind: abi.RecipeTransfer, Source: 2}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			app := newClient(g)
			app.submit(t, true, (track+15)*12, 2) // something else is there
			g.install(t, frontEnd, backEnd, postStatus)
			g.run()
			g.install(t, duplicate(c.change), backEnd, postStatus)
			i := app.write(t, track*12, 2)
			assert.EqualValues(t, arch.CompletionNormal, i.block.CompletionCode)
			m := g.pair.Mirrors()[0]
			var marked []uint32
			for tr := range uint32(diskTracks) {
				if m.Marked(tr) {
					marked = append(marked, tr)
				} else {
					require.Equal(t, g.primary.tags[tr*trackUnits:(tr+1)*trackUnits], g.mirrors[0].tags[tr*trackUnits:(tr+1)*trackUnits], "track %d", tr)
				}
			}
			assert.Equal(t, c.marked, marked)
			assert.Equal(t, c.refused, g.x.Counts().Refused != 0)
			assert.Zero(t, g.x.Lent())
			assert.Zero(t, g.x.Pending())
			assert.Empty(t, app.wrong)
		})
	}
}

// TestAMirrorChainStoresNothing: a read of the primary whose chain a detour has
// the mirror run, too, brings what the primary has.
func TestAMirrorChainStoresNothing(t *testing.T) {
	g := newRig(t, 1)
	app := newClient(g)
	app.write(t, 600, 4) // no detour: the mirror lacks it
	require.True(t, g.pair.Mirrors()[0].Marked(50))
	for _, front := range []func(*abi.Frame){duplicate(nil), func(f *abi.Frame) {
		f.Response.Ask(abi.IntentMirror).Mirrors = 1
		f.Response.Ask(abi.IntentBackEnd)
	}} {
		g.install(t, front, backEnd, postStatus)
		app.submit(t, false, 600, 4)
		g.run()
		assert.Empty(t, app.wrong)
		assert.Zero(t, g.x.Lent())
	}
}

func interloper(t *testing.T, g *rig, verdict func(*abi.Frame)) *io {
	t.Helper()
	g.install(t, func(f *abi.Frame) {
		if f.Target.Role == abi.RoleMirror && f.Target.Origin == abi.OriginApplication {
			verdict(f)
		}
	}, nil2, nil2)
	c := newClient(g)
	c.intrude(t, g.pair.Mirrors()[0].Unit(), 480, 3)
	i := c.last
	g.run()
	return i
}

func nil2(*abi.Frame) {}

func TestInterlopers(t *testing.T) {
	for _, c := range []struct {
		name    string
		verdict func(*abi.Frame)
		code    uint8
		writes  int
	}{
		{"rejected", func(f *abi.Frame) { f.Response.Ask(abi.IntentReject).Code = arch.CompletionRejected }, arch.CompletionRejected, 0},
		{"rejected as if it were done", func(f *abi.Frame) { f.Response.Ask(abi.IntentReject).Code = arch.CompletionNormal }, arch.CompletionRejected, 0},
		{"rejected and left queued", func(f *abi.Frame) {
			f.Response.Ask(abi.IntentReject)
			f.Response.Ask(abi.IntentRetry)
		}, arch.CompletionRejected, 0},
		{"inhibited", func(f *abi.Frame) { f.Response.Ask(abi.IntentInhibit) }, arch.CompletionExtent, 0},
		{"not stopped", func(*abi.Frame) {}, arch.CompletionNormal, 3},
		{"left queued for ever", func(f *abi.Frame) { f.Response.Ask(abi.IntentRetry) }, arch.CompletionNormal, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			i := interloper(t, g, c.verdict)
			assert.Equal(t, c.code, i.block.CompletionCode)
			assert.Equal(t, c.writes, g.mirrors[0].writes)
			assert.Equal(t, c.writes != 0, g.pair.Mirrors()[0].Marked(40))
			assert.Zero(t, g.x.Pending())
			assert.Zero(t, g.x.Lent())
			assert.Equal(t, i.control.At+32, i.block.ChannelProgram, "the requester has its chain back")
			assert.Less(t, g.m.Clock.Now(), 12*machine.Second)
		})
	}
}

// TestAReadThatAMirrorCannotServe goes to the primary.
func TestAReadThatAMirrorCannotServe(t *testing.T) {
	route := func(f *abi.Frame) {
		if f.Target.Role == abi.RolePrimary && f.Target.Origin == abi.OriginApplication {
			f.Response.Ask(abi.IntentRoute)
		}
	}
	t.Run("served", func(t *testing.T) {
		g := newRig(t, 1)
		g.install(t, route, nil2, nil2)
		app := newClient(g)
		app.submit(t, false, 480, 3)
		g.run()
		assert.Equal(t, [2]int{0, 3}, [2]int{g.primary.reads, g.mirrors[0].reads})
		assert.EqualValues(t, 1, g.x.Counts().Routed)
	})
	t.Run("fails", func(t *testing.T) {
		g := newRig(t, 1)
		g.install(t, func(f *abi.Frame) {
			if f.Target.Role == abi.RolePrimary && f.Head.Call == 0 {
				f.Response.Ask(abi.IntentRoute)
			}
		}, nil2, nil2)
		g.mirrors[0].fail = func(bool) bool { return true }
		app := newClient(g)
		app.submit(t, false, 480, 3)
		i := app.last
		g.run()
		assert.EqualValues(t, arch.CompletionNormal, i.block.CompletionCode)
		assert.Equal(t, 3, g.primary.reads)
		assert.Zero(t, g.x.Pending())
	})
	t.Run("marked", func(t *testing.T) {
		g := newRig(t, 1)
		app := newClient(g)
		app.write(t, 480, 3)
		g.install(t, route, nil2, nil2)
		app.submit(t, false, 482, 30%clientBlocks)
		g.run()
		assert.Zero(t, g.mirrors[0].reads)
		assert.EqualValues(t, 1, g.x.Counts().Refused)
		assert.Empty(t, app.wrong)
	})
	t.Run("promised to a standing chain", func(t *testing.T) {
		g := newRig(t, 1)
		g.install(t, route, nil2, nil2)
		g.on(func(p *machine.Processor) { g.x.StartStanding(p, g.pair.Mirrors()[0]) })
		app := newClient(g)
		app.submit(t, false, 480, 3)
		g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Second)
		assert.Equal(t, 1, app.ended, "the standing chain makes way")
		g.x.StopStanding(g.pair.Mirrors()[0])
		g.run()
		assert.Zero(t, g.x.Pending())
	})
}

func TestScopesOfDissociation(t *testing.T) {
	for scope, want := range map[uint8][]abi.MirrorState{
		abi.ScopeMirror: {abi.MirrorInSync, abi.MirrorSuspended, abi.MirrorInSync, abi.MirrorInSync},
		abi.ScopePair:   {abi.MirrorSuspended, abi.MirrorSuspended, abi.MirrorInSync, abi.MirrorInSync},
		abi.ScopeGroup:  {abi.MirrorSuspended, abi.MirrorSuspended, abi.MirrorSuspended, abi.MirrorInSync},
		3:               {abi.MirrorInSync, abi.MirrorInSync, abi.MirrorInSync, abi.MirrorInSync},
	} {
		g := newRig(t, 2)
		pairs := []*intercept.Pair{g.pair}
		for i := range 2 {
			var d [2]intercept.Device
			for k := range d {
				u, err := g.ios.AddUnit(uint16(0x300+2*i+k), newDisk(machine.Millisecond), nil)
				require.NoError(t, err)
				d[k].Unit = u
			}
			p, err := g.x.AddPair(d[0], g.pair.Geometry(), d[1:], true)
			require.NoError(t, err)
			pairs = append(pairs, p)
		}
		for i, id := range []uint32{7, 7, 8} {
			require.NoError(t, g.x.JoinGroup(pairs[i], id))
		}
		g.install(t, func(f *abi.Frame) {
			n := f.Response.Ask(abi.IntentDissociate)
			n.Mirrors, n.Code = 2, scope
		}, nil2, nil2)
		c := newClient(g)
		c.submit(t, false, 480, 1)
		g.run()
		var states []abi.MirrorState
		for _, p := range pairs {
			for _, m := range p.Mirrors() {
				states = append(states, m.State)
			}
		}
		assert.Equal(t, want, states, "scope %d", scope)
	}
}

// TestInstallTakesTheModeBack: a pair that one policy has put into constant copy
// is not in it for the next.
func TestInstallTakesTheModeBack(t *testing.T) {
	g := newRig(t, 1)
	g.pair.Mode = abi.ModeConstantCopy
	a := func() []*hooks.Attachment {
		return []*hooks.Attachment{{Name: "none", Detour: hooks.NewNative(nil2, nil2, nil2), Granted: abi.CapabilitiesKnown}}
	}
	require.NoError(t, g.x.Install([hooks.Slots][]*hooks.Attachment{a(), a(), a()}, intercept.Promise{Durability: intercept.DurableMirrors}))
	assert.Equal(t, abi.ModeSynchronous, g.pair.Mode)
}

// TestAMirrorRequestThatNobodyStarts is failed at once, not held until the
// monitor gives up.
func TestAMirrorRequestThatNobodyStarts(t *testing.T) {
	for name, back := range map[string]func(*abi.Frame){
		"silent":          nil2,
		"starts disabled": func(f *abi.Frame) { f.Response.Ask(abi.IntentStart).Mirrors = 1 },
		"schedules, then nothing": func(f *abi.Frame) {
			if f.Head.Flags&abi.Disabled != 0 {
				f.Response.Ask(abi.IntentSchedule).Mirrors = 1
			}
		},
	} {
		g := newRig(t, 1)
		g.install(t, frontEnd, back, postStatus)
		app := newClient(g)
		i := app.write(t, 480, 1)
		assert.EqualValues(t, arch.CompletionNormal, i.block.CompletionCode, name)
		assert.Less(t, i.block.EndedAt, machine.Second, name)
		assert.True(t, g.pair.Mirrors()[0].Marked(40), name)
		assert.Zero(t, g.x.Pending(), name)
		assert.Zero(t, g.x.Shadow(), name)
	}
}

// TestFrames looks at what detours get: sections with their sizes, and nothing of
// an earlier and longer chain.
func TestFrames(t *testing.T) {
	g := newRig(t, 1)
	var frames []abi.Frame
	look := func(f *abi.Frame) { frames = append(frames, *f) }
	detour := hooks.NewNative(look, look, func(f *abi.Frame) {
		look(f)
		f.Scratch[0]++
	})
	a := func() []*hooks.Attachment {
		return []*hooks.Attachment{{Name: "look", Detour: detour, Granted: abi.CapabilitiesKnown}}
	}
	require.NoError(t, g.x.Install([hooks.Slots][]*hooks.Attachment{a(), a(), a()}, intercept.Promise{}))
	app := newClient(g)
	app.write(t, 480, 14)
	app.write(t, 492, 1)
	require.Len(t, frames, 4, "two front-end calls and two post-status calls: nobody asked for a back-end")
	for i := range frames {
		f := &frames[i]
		assert.EqualValues(t, []uint32{64, 48, 64}, []uint32{f.Head.Size, f.Target.Size, f.Status.Size})
		assert.EqualValues(t, 1, f.Pair.Mirrors)
		assert.Equal(t, abi.RolePrimary, f.Target.Role)
		assert.Equal(t, uint16(0x100), f.Target.Device)
		assert.Equal(t, f.Chain.Count, f.Chain.Inline)
		for k := f.Chain.Inline; k < abi.InlineCCWs; k++ {
			require.Zero(t, f.Chain.CCW[k], "frame %d: CCW %d", i, k)
		}
		for k := f.Pair.Mirrors; k < abi.MaxMirrors; k++ {
			require.Zero(t, f.Pair.Mirror[k])
		}
		assert.Zero(t, f.Scratch[0], "the first call for an I/O finds it zero, and there is one a hook")
		assert.Zero(t, f.Response.Intents)
	}
	assert.EqualValues(t, 16, frames[0].Chain.Count)
	assert.EqualValues(t, 3, frames[2].Chain.Count)
	assert.Equal(t, [2]uint32{40, 41}, [2]uint32{frames[0].Target.FirstTrack, frames[0].Target.LastTrack})
	assert.Equal(t, [2]uint32{41, 41}, [2]uint32{frames[2].Target.FirstTrack, frames[2].Target.LastTrack})
	assert.EqualValues(t, 14*4096, frames[0].Target.DataLength)
	assert.EqualValues(t, []uint8{0, 1}, []uint8{frames[0].Status.OK, frames[1].Status.OK})
}

// TestPromotionKeepsWhatWasAcknowledged: a write that the old primary accepted
// and the new one lacks is done again before the application is told.
func TestPromotionKeepsWhatWasAcknowledged(t *testing.T) {
	g := newRig(t, 1)
	promoted := false
	g.install(t, nil2, nil2, func(f *abi.Frame) {
		if !promoted && f.Target.Role == abi.RolePrimary {
			promoted = true
			f.Response.Ask(abi.IntentPromote)
		}
	})
	app := newClient(g)
	i := app.write(t, 480, 2) // not mirrored
	assert.EqualValues(t, arch.CompletionNormal, i.block.CompletionCode)
	assert.Equal(t, uint16(0x200), g.pair.Primary().DeviceNumber)
	assert.Equal(t, i.tag, g.mirrors[0].tags[480*8])
	app.submit(t, false, 480, 2)
	g.run()
	assert.Empty(t, app.wrong)
	assert.Zero(t, g.x.Pending())
}
