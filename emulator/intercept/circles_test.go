package intercept_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/hooks"
)

// circleEvents is more events than any of the circles here needs to end by its
// limit.
const circleEvents = 400_000

// rest lets events happen until there are none.
func (g *rig) rest(t testing.TB) {
	t.Helper()
	for range circleEvents {
		if !g.m.Clock.Step() {
			return
		}
	}
	t.Fatalf("does not come to rest: %s, %d events to come", g.m.Clock.Now(), g.m.Clock.Pending())
}

// stubborn puts detours on the slots that answer by these functions, with one
// containment rule, and gives their attachments.
func (g *rig) stubborn(t testing.TB, rule hooks.Containment, hook [abi.Hooks]func(*abi.Frame)) (all [hooks.Slots]*hooks.Attachment) {
	t.Helper()
	var sequences [hooks.Slots][]*hooks.Attachment
	for s := range sequences {
		all[s] = &hooks.Attachment{Name: "stubborn", Detour: hooks.NewNative(hook[0], hook[1], hook[2]), Granted: abi.CapabilitiesKnown, Containment: rule}
		sequences[s] = []*hooks.Attachment{all[s]}
	}
	require.NoError(t, g.x.Install(sequences, intercept.Promise{Durability: intercept.DurableMirrors}))
	return all
}

// made is the mask of the mirrors with a mirror request.
func made(f *abi.Frame) (mask uint8) {
	for i := range f.Pair.Mirror[:f.Pair.Mirrors] {
		if f.Pair.Mirror[i].IO != abi.MirrorIONone {
			mask |= 1 << i
		}
	}
	return mask
}

func askAgain(f *abi.Frame) {
	if m := made(f); m != 0 {
		f.Response.Ask(abi.IntentRetryMirror).Mirrors = m
	}
}

// TestCirclesEnd: whatever a detour asks for again and again, each request ends,
// nothing stays behind, and the host says that it has gone on by itself.
func TestCirclesEnd(t *testing.T) {
	const within = mirrorPatience + machine.Second
	for _, c := range []struct {
		name      string
		hooks     [abi.Hooks]func(*abi.Frame)
		failing   bool // the mirror answers each write with an equipment check
		held      bool // the completion is held in the end
		slot      hooks.Slot
		overruled bool
		marked    bool
		within    machine.Time
	}{
		{"retry", [abi.Hooks]func(*abi.Frame){func(f *abi.Frame) {
			frontEnd(f)
			f.Response.Ask(abi.IntentRetry)
			f.Response.Verdict = abi.Return
		}, backEnd, postStatus}, false, false, hooks.DDTSIO, true, false, 3 * within},
		{"label", [abi.Hooks]func(*abi.Frame){frontEnd, func(f *abi.Frame) {
			if m := made(f); m != 0 && f.Status.CC == 0 {
				f.Response.Ask(abi.IntentLabel).Mirrors = m
			}
		}, postStatus}, false, false, hooks.ReturnAddress, true, true, machine.Second},
		{"schedule", [abi.Hooks]func(*abi.Frame){frontEnd, func(f *abi.Frame) {
			if m := made(f); m != 0 {
				f.Response.Ask(abi.IntentSchedule).Mirrors = m
			}
		}, postStatus}, false, false, hooks.ReturnAddress, false, true, machine.Second},
		{"resume", [abi.Hooks]func(*abi.Frame){frontEnd, func(f *abi.Frame) {
			if m := made(f); m != 0 {
				f.Response.Ask(abi.IntentSchedule).Mirrors = m
				f.Response.Ask(abi.IntentResume).Mirrors = m
			}
		}, postStatus}, false, false, hooks.ReturnAddress, false, true, machine.Second},
		{"another attempt", [abi.Hooks]func(*abi.Frame){frontEnd, backEnd, askAgain}, true, false, hooks.SRBEP, true, true, machine.Second},
		{"another attempt, held", [abi.Hooks]func(*abi.Frame){frontEnd, backEnd, func(f *abi.Frame) {
			askAgain(f)
			f.Response.Verdict = abi.Return
		}}, true, true, hooks.SRBEP, true, true, within},
		{"another copy", [abi.Hooks]func(*abi.Frame){func(f *abi.Frame) {
			if f.Target.Role == abi.RolePrimary {
				n := f.Response.Ask(abi.IntentMirror)
				n.Mirrors, n.Flags = 1, abi.MirrorWithError
				f.Response.Ask(abi.IntentBackEnd)
			}
		}, nil2, askAgain}, true, false, hooks.SRBEP, true, true, 10 * within},
		{"changed tracks", [abi.Hooks]func(*abi.Frame){func(f *abi.Frame) {
			if f.Target.Role == abi.RolePrimary {
				f.Response.Ask(abi.IntentChangedTracks).Mirrors = 1
			}
		}, nil2, askAgain}, true, false, hooks.SRBEP, true, true, 10 * within},
		{"hold", [abi.Hooks]func(*abi.Frame){frontEnd, backEnd, func(f *abi.Frame) { f.Response.Verdict = abi.Return }},
			false, true, hooks.SRBEP, true, false, within},
		{"hold of what nothing is made for", [abi.Hooks]func(*abi.Frame){nil2, nil2, func(f *abi.Frame) { f.Response.Verdict = abi.Return }},
			false, true, hooks.SRBEP, true, true, within},
		{"promotion", [abi.Hooks]func(*abi.Frame){nil2, nil2, func(f *abi.Frame) {
			f.Response.Ask(abi.IntentPromote).Code = uint8(f.Head.Call) % 3
			f.Response.Verdict = abi.Return
		}}, false, true, hooks.SRBEP, true, true, 4 * within},
	} {
		for _, rule := range []hooks.Containment{hooks.Bypass, hooks.FailIO, hooks.SuspendMirroring} {
			t.Run(c.name+"/"+rule.String(), func(t *testing.T) {
				g := newRig(t, 3)
				if c.failing {
					for _, d := range g.mirrors {
						d.fail = func(write bool) bool { return write }
					}
				}
				all := g.stubborn(t, rule, c.hooks)
				app := newClient(g)
				app.submit(t, true, 480, 2)
				i := app.last
				g.rest(t)
				require.Equal(t, 1, app.ended)
				assert.Less(t, i.block.EndedAt, c.within)
				assert.Equal(t, c.overruled, all[c.slot].Counters.Overruled != 0, "overruled %d times", all[c.slot].Counters.Overruled)
				assert.Equal(t, c.overruled, g.x.Counts().Overruled != 0)
				assert.Zero(t, g.x.Pending())
				assert.Zero(t, g.x.Shadow())
				assert.Zero(t, g.x.Lent())
				failed := rule == hooks.FailIO && (c.slot == hooks.DDTSIO || c.held)
				if failed {
					assert.EqualValues(t, arch.CompletionPermanent, i.block.CompletionCode)
				} else {
					assert.EqualValues(t, arch.CompletionNormal, i.block.CompletionCode)
				}
				if !failed && c.marked {
					assert.Positive(t, g.pair.Mirrors()[0].OutOfSync()+g.pair.Mirrors()[1].OutOfSync()+g.pair.Mirrors()[2].OutOfSync())
				}
				if rule == hooks.SuspendMirroring && c.overruled {
					for _, m := range g.pair.Mirrors() {
						assert.Contains(t, []abi.MirrorState{abi.MirrorSuspended, abi.MirrorFailed}, m.State)
					}
				}
				assert.Empty(t, app.wrong)
			})
		}
	}
}

const mirrorPatience = 5 * machine.Second

// TestALabelIsReadSoOften counts the reads.
func TestALabelIsReadSoOften(t *testing.T) {
	g := newRig(t, 1)
	calls := 0
	g.stubborn(t, hooks.Bypass, [abi.Hooks]func(*abi.Frame){frontEnd, func(f *abi.Frame) {
		calls++
		f.Response.Ask(abi.IntentLabel).Mirrors = made(f)
	}, postStatus})
	newClient(g).submit(t, true, 480, 1)
	g.rest(t)
	assert.Equal(t, 1+intercept.MaxLabelReads, calls, "the disabled run, and one after each read")
}

// TestAReadIsSentToAMirrorSoOften: a read that a mirror can no longer serve when
// its turn comes goes back to the primary, and from there to the mirror again, if
// that can serve it by then; but not for ever.
func TestAReadIsSentToAMirrorSoOften(t *testing.T) {
	g := newRig(t, 1)
	g.stubborn(t, hooks.Bypass, [abi.Hooks]func(*abi.Frame){func(f *abi.Frame) {
		if f.Target.Role == abi.RolePrimary {
			f.Response.Ask(abi.IntentRoute)
		}
	}, nil2, nil2})
	m, primary := g.pair.Mirrors()[0], g.pair.Primary()
	app := newClient(g)
	g.ios.Quiesce(m.Unit())
	app.submit(t, false, 480, 1)
	for turn := 0; app.ended == 0; turn++ {
		require.Less(t, turn, 3*intercept.MaxRoutes)
		g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
		m.Mark(40)
		g.ios.Quiesce(primary)
		g.now(func(p *machine.Processor) { g.ios.Release(p, m.Unit()) })
		g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
		c := m.BeginCopy(40, 1)
		c.End(true)
		g.ios.Quiesce(m.Unit())
		g.now(func(p *machine.Processor) { g.ios.Release(p, primary) })
		g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Millisecond)
	}
	assert.EqualValues(t, intercept.MaxRoutes, g.x.Counts().Routed)
	assert.Equal(t, 1, g.primary.reads)
	assert.Empty(t, app.wrong)
}

// TestPatienceIsInAll: however often a detour holds a request, its application is
// told when the patience is over, counted from the end of the primary I/O, to the
// moment.
func TestPatienceIsInAll(t *testing.T) {
	for _, patience := range []machine.Time{2 * machine.Millisecond, 100 * machine.Millisecond, 500 * machine.Millisecond, 7 * machine.Second} {
		for name, post := range map[string]func(*abi.Frame){
			"for ever":            func(f *abi.Frame) { f.Response.Verdict = abi.Return },
			"until it is told so": postStatus,
		} {
			t.Run(patience.String()+" "+name, func(t *testing.T) {
				g := newRig(t, 2)
				g.mirror.Patience = patience
				g.mirrors[1].lost = true // one mirror answers, the other one does not
				g.stubborn(t, hooks.Bypass, [abi.Hooks]func(*abi.Frame){frontEnd, backEnd, post})
				app := newClient(g)
				told := map[*io]machine.Time{}
				var all []*io
				for k := range 5 {
					app.submit(t, true, 480+20*k, 1)
					all = append(all, app.last)
					for range 2000 {
						if g.m.Clock.Next() > g.m.Clock.Now()+300*machine.Microsecond {
							break
						}
						g.m.Clock.Step()
						for _, i := range all {
							if i.block.Ended() && told[i] == 0 {
								told[i] = g.m.Clock.Now()
							}
						}
					}
				}
				for g.m.Clock.Step() {
					for _, i := range all {
						if i.block.Ended() && told[i] == 0 {
							told[i] = g.m.Clock.Now()
						}
					}
				}
				require.Equal(t, 5, app.ended)
				waited := false
				for k, i := range all {
					held := told[i] - i.block.EndedAt
					assert.LessOrEqual(t, held, patience+100*machine.Microsecond, "write %d", k)
					waited = waited || held >= patience
				}
				assert.True(t, waited)
			})
		}
	}
}

// TestADetourThatKeepsEachRequestIsPassedOver: of writes that wait for each other,
// a few are kept as long as the limits allow; then the detour is passed over.
func TestADetourThatKeepsEachRequestIsPassedOver(t *testing.T) {
	for slot, hook := range map[hooks.Slot][abi.Hooks]func(*abi.Frame){
		hooks.SRBEP:  {frontEnd, backEnd, func(f *abi.Frame) { f.Response.Verdict = abi.Return }},
		hooks.DDTSIO: {func(f *abi.Frame) { f.Response.Ask(abi.IntentRetry) }, backEnd, postStatus},
	} {
		g := newRig(t, 1)
		all := g.stubborn(t, hooks.Bypass, hook)
		app := newClient(g)
		for range 100 {
			app.submit(t, true, 480, 1)
		}
		g.rest(t)
		assert.Equal(t, 100, app.ended)
		assert.True(t, all[slot].Disabled)
		assert.EqualValues(t, intercept.MaxOverstays, all[slot].Counters.Overruled)
		assert.Less(t, g.m.Clock.Now(), (intercept.MaxOverstays+1)*mirrorPatience)
	}
}

// TestADetourThatLetsGoIsNotOverruled: one that holds until it is told that the
// time is over is right.
func TestADetourThatLetsGoIsNotOverruled(t *testing.T) {
	g := newRig(t, 1)
	g.mirrors[0].lost = true
	all := g.stubborn(t, hooks.FailIO, [abi.Hooks]func(*abi.Frame){frontEnd, backEnd, postStatus})
	app := newClient(g)
	for k := range 40 {
		app.submit(t, true, 480+k, 1)
	}
	g.rest(t)
	assert.Equal(t, 40, app.ended)
	assert.Zero(t, g.x.Counts().Overruled)
	assert.Positive(t, g.x.Counts().TimedOut)
	assert.False(t, all[hooks.SRBEP].Disabled)
}

// TestARequestLeftQueuedStopsNoSynchronisation: the last copy of a
// synchronisation waits for mirror requests that are on the shadow queue, and
// requests wait for the end of that copy; a detour that makes mirror requests and
// leaves the request queued ties no knot of it.
func TestARequestLeftQueuedStopsNoSynchronisation(t *testing.T) {
	g := newRig(t, 1)
	m := g.pair.Mirrors()[0]
	app := newClient(g)
	app.submit(t, true, 480, 1)
	g.rest(t)
	g.stubborn(t, hooks.Bypass, [abi.Hooks]func(*abi.Frame){func(f *abi.Frame) {
		if frontEnd(f); f.Response.Intents != 0 { // a write to the primary
			f.Response.Ask(abi.IntentRetry)
		}
	}, backEnd, postStatus})
	var ended []error
	_, err := g.mirror.Synchronise(m, mirror.SyncOptions{Changed: g.primary, RecordsATrack: 12, Done: func(err error) { ended = append(ended, err) }})
	require.NoError(t, err)
	app.submit(t, true, 600, 1)
	g.rest(t)
	assert.Equal(t, []error{nil}, ended)
	assert.Equal(t, 2, app.ended)
	assert.Less(t, g.m.Clock.Now(), 12*machine.Second)
	assert.Zero(t, m.OutOfSync())
}

// TestASynchronisationHoldsWritesForSoLong: where writes that are under way do
// not end, it fails and lets the others go on.
func TestASynchronisationHoldsWritesForSoLong(t *testing.T) {
	g := newRig(t, 1)
	g.ios.MissingInterrupt = -1
	alias, err := g.ios.AddUnit(0x101, g.primary, g.pair.Primary())
	require.NoError(t, err)
	require.NotNil(t, alias)
	g.stubborn(t, hooks.Bypass, [abi.Hooks]func(*abi.Frame){frontEnd, backEnd, postStatus})
	app := newClient(g)
	lose := true
	g.primary.loseEnd = func() bool { l := lose; lose = false; return l }
	app.submit(t, true, 480, 1) // for ever under way
	g.m.Clock.RunUntil(machine.Millisecond)
	var failed error
	_, err = g.mirror.Synchronise(g.pair.Mirrors()[0], mirror.SyncOptions{Changed: g.primary, RecordsATrack: 12, Done: func(err error) { failed = err }})
	require.NoError(t, err)
	g.m.Clock.RunUntil(machine.Second)
	app.submit(t, true, 600, 1)
	g.m.Clock.RunUntil(2 * machine.Second)
	assert.Zero(t, app.ended, "writes are held")
	g.m.Clock.RunUntil(2*machine.Second + mirror.DrainPatience)
	assert.ErrorContains(t, failed, "have not ended within 20s")
	assert.Equal(t, 1, app.ended)
	assert.Equal(t, abi.MirrorSuspended, g.pair.Mirrors()[0].State)
}
