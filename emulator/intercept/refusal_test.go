package intercept_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
)

// sequences are the attachments of a rig.
type sequences [hooks.Slots][]*hooks.Attachment

// stand puts native detours on the slots and gives their attachments.
func (g *rig) stand(t testing.TB, front, back, post func(*abi.Frame)) sequences {
	t.Helper()
	one := func(name string, f, b, p func(*abi.Frame)) []*hooks.Attachment {
		return []*hooks.Attachment{{Name: name, Detour: hooks.NewNative(f, b, p), Granted: abi.CapabilitiesKnown}}
	}
	c := sequences{one("front", front, nil, nil), one("back", nil, back, nil), one("post", nil, nil, post)}
	_, err := g.ios.Hooks.Install(c)
	require.NoError(t, err)
	return c
}

// TestRefusals: each intent that the host cannot carry out is counted with its
// reason, for the detour that has asked.
func TestRefusals(t *testing.T) {
	ask := func(kind abi.IntentKind, change func(*abi.Intent)) func(*abi.Frame) {
		return func(f *abi.Frame) {
			n := f.Response.Ask(kind)
			if change != nil {
				change(n)
			}
		}
	}
	mirrors := func(mask uint8) func(*abi.Intent) { return func(n *abi.Intent) { n.Mirrors = mask } }
	code := func(v uint8) func(*abi.Intent) { return func(n *abi.Intent) { n.Code = v } }
	primary := func(then ...func(*abi.Frame)) func(*abi.Frame) {
		return func(f *abi.Frame) {
			if f.Target.Role == abi.RolePrimary {
				for _, do := range then {
					do(f)
				}
			}
		}
	}
	onMirror := func(then func(*abi.Frame)) func(*abi.Frame) {
		return func(f *abi.Frame) {
			frontEnd(f)
			if f.Target.Role == abi.RoleMirror {
				then(f)
			}
		}
	}
	enabled := func(then func(*abi.Frame)) func(*abi.Frame) {
		return func(f *abi.Frame) {
			if f.Head.Flags&abi.Disabled == 0 {
				then(f)
				return
			}
			backEnd(f)
		}
	}
	disabled := func(then func(*abi.Frame)) func(*abi.Frame) {
		return func(f *abi.Frame) {
			if f.Head.Flags&abi.Disabled != 0 {
				then(f)
			}
		}
	}
	cut := func(g *rig) { g.pair.Mirrors()[0].State = abi.MirrorSuspended }
	noStart := func(g *rig) { g.mirrors[0].fail = func(bool) bool { return true } }
	for _, c := range []struct {
		name  string
		slot  hooks.Slot
		does  func(*abi.Frame)
		set   func(*rig)
		read  bool
		kind  abi.IntentKind
		cause hooks.Refusal
	}{
		{"mirror of a mirror I/O", hooks.DDTSIO, onMirror(ask(abi.IntentMirror, mirrors(1))), nil, false, abi.IntentMirror, hooks.WrongTarget},
		{"mirror that is not there", hooks.DDTSIO, primary(ask(abi.IntentMirror, mirrors(6))), nil, false, abi.IntentMirror, hooks.NoSuchMirror},
		{"mirror twice", hooks.DDTSIO, primary(frontEnd, ask(abi.IntentMirror, mirrors(1))), nil, false, abi.IntentMirror, hooks.RequestState},
		{"mirror that is cut off", hooks.DDTSIO, primary(frontEnd), cut, false, abi.IntentMirror, hooks.MirrorState},
		{"recipe that cannot be built", hooks.DDTSIO, primary(func(f *abi.Frame) {
			f.Response.Add(abi.RecipeCCW{Kind: abi.RecipeCopy, Command: 0x85, Count: 65535})
			n := f.Response.Ask(abi.IntentMirror)
			n.Mirrors, n.Count = 1, 1
		}), nil, false, abi.IntentMirror, hooks.Program},
		{"retry of a rejected one", hooks.DDTSIO, primary(ask(abi.IntentReject, nil), ask(abi.IntentRetry, nil)), nil, false, abi.IntentRetry, hooks.Contradiction},
		{"retry for ever", hooks.DDTSIO, primary(ask(abi.IntentRetry, nil)), nil, false, abi.IntentRetry, hooks.PatienceOver},
		{"inhibit of the primary", hooks.DDTSIO, primary(ask(abi.IntentInhibit, nil)), nil, false, abi.IntentInhibit, hooks.WrongTarget},
		{"route of a write", hooks.DDTSIO, primary(ask(abi.IntentRoute, code(0))), nil, false, abi.IntentRoute, hooks.Program},
		{"route to no mirror", hooks.DDTSIO, primary(ask(abi.IntentRoute, code(3))), nil, true, abi.IntentRoute, hooks.NoSuchMirror},
		{"route to one that is cut off", hooks.DDTSIO, primary(ask(abi.IntentRoute, code(0))), cut, true, abi.IntentRoute, hooks.MirrorState},
		{"route to one that lacks the track", hooks.DDTSIO, primary(ask(abi.IntentRoute, code(0))), func(g *rig) { g.pair.Mirrors()[0].MarkAll() }, true, abi.IntentRoute, hooks.MirrorBehind},
		{"unknown mode", hooks.DDTSIO, primary(ask(abi.IntentMode, code(9))), nil, false, abi.IntentMode, hooks.UnknownCode},
		{"unknown scope", hooks.DDTSIO, primary(ask(abi.IntentDissociate, code(9))), nil, false, abi.IntentDissociate, hooks.UnknownCode},
		{"record that is not declared", hooks.DDTSIO, primary(ask(abi.IntentRecord, nil)), nil, false, abi.IntentRecord, hooks.UnknownCode},
		{"changed tracks of a read", hooks.DDTSIO, primary(ask(abi.IntentChangedTracks, mirrors(1))), nil, true, abi.IntentChangedTracks, hooks.Program},
		{"changed tracks for no mirror", hooks.DDTSIO, primary(ask(abi.IntentChangedTracks, mirrors(8))), nil, false, abi.IntentChangedTracks, hooks.NoSuchMirror},
		{"drop of what was not made", hooks.ReturnAddress, primary(ask(abi.IntentDrop, mirrors(2))), nil, false, abi.IntentDrop, hooks.NoRequest},
		{"start in the disabled run", hooks.ReturnAddress, disabled(ask(abi.IntentStart, mirrors(1))), nil, false, abi.IntentStart, hooks.WrongMoment},
		{"start without one", hooks.ReturnAddress, enabled(ask(abi.IntentStart, mirrors(2))), nil, false, abi.IntentStart, hooks.NoRequest},
		{"schedule in the enabled run", hooks.ReturnAddress, enabled(ask(abi.IntentSchedule, mirrors(1))), nil, false, abi.IntentSchedule, hooks.WrongMoment},
		{"schedule of nothing", hooks.ReturnAddress, disabled(ask(abi.IntentSchedule, mirrors(0))), nil, false, abi.IntentSchedule, hooks.NoRequest},
		{"resume without a chain", hooks.ReturnAddress, disabled(ask(abi.IntentResume, mirrors(1))), nil, false, abi.IntentResume, hooks.MirrorState},
		{"drop after the start", hooks.SRBEP, primary(ask(abi.IntentDrop, mirrors(1))), nil, false, abi.IntentDrop, hooks.RequestState},
		{"retry of a mirror I/O that went well", hooks.SRBEP, primary(ask(abi.IntentRetryMirror, mirrors(1))), nil, false, abi.IntentRetryMirror, hooks.RequestState},
		{"retry of none", hooks.SRBEP, primary(ask(abi.IntentRetryMirror, mirrors(2))), nil, false, abi.IntentRetryMirror, hooks.NoRequest},
		{"failure of a mirror I/O", hooks.SRBEP, func(f *abi.Frame) {
			if f.Target.Origin == abi.OriginMirror {
				f.Response.Ask(abi.IntentFail)
			}
		}, nil, false, abi.IntentFail, hooks.WrongTarget},
		{"failure twice", hooks.SRBEP, primary(ask(abi.IntentFail, nil), ask(abi.IntentFail, nil)), nil, false, abi.IntentFail, hooks.WrongMoment},
		{"promotion of nothing", hooks.SRBEP, primary(ask(abi.IntentPromote, code(4))), nil, false, abi.IntentPromote, hooks.NoSuchMirror},
		{"promotion of one that is cut off", hooks.SRBEP, primary(ask(abi.IntentDissociate, mirrors(1)), ask(abi.IntentPromote, code(0))), nil, false, abi.IntentPromote, hooks.MirrorState},
		{"promotion twice", hooks.SRBEP, primary(ask(abi.IntentPromote, code(0)), ask(abi.IntentPromote, code(0))), nil, false, abi.IntentPromote, hooks.Overtaken},
		{"promotion by a mirror I/O", hooks.SRBEP, func(f *abi.Frame) {
			if f.Target.Role == abi.RoleMirror {
				f.Response.Ask(abi.IntentPromote)
			}
		}, noStart, false, abi.IntentPromote, hooks.WrongTarget},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			if c.set != nil {
				c.set(g)
			}
			front, back, post := frontEnd, backEnd, postStatus
			switch c.slot {
			case hooks.DDTSIO:
				front = c.does
			case hooks.ReturnAddress:
				back = c.does
			default:
				post = c.does
			}
			detours := g.stand(t, front, back, post)
			require.NoError(t, g.block.Submit(0, !c.read, 0, 4096))
			g.m.Clock.RunUntil(20 * machine.Second)
			a := detours[c.slot][0]
			assert.NotZero(t, a.Refusals[c.kind][c.cause], "%v", reasons(a))
			total := uint64(0)
			for _, sequence := range detours {
				total += sum(sequence[0])
				assert.Equal(t, sequence[0].Counters.Refused, sum(sequence[0]))
			}
			assert.Equal(t, g.x.Counts().Refused, total)
		})
	}
}

// sum adds the refusals up; none is counted as carried out.
func sum(a *hooks.Attachment) (n uint64) {
	for k := range a.Refusals {
		for why, c := range a.Refusals[k] {
			if hooks.Refusal(why) != hooks.CarriedOut {
				n += c
			}
		}
	}
	return n
}

func reasons(a *hooks.Attachment) (all []string) {
	for k := range a.Refusals {
		for why, c := range a.Refusals[k] {
			if c != 0 {
				all = append(all, abi.IntentKind(k).String()+": "+hooks.Refusal(why).String())
			}
		}
	}
	return all
}

// TestRefusalsInTheLog: however many there are, the log has a line for each
// power of two of one kind, with the count.
func TestRefusalsInTheLog(t *testing.T) {
	g := newRig(t, 1)
	var log bytes.Buffer
	g.x.Log = hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: &log})
	g.stand(t, func(f *abi.Frame) { f.Response.Ask(abi.IntentMode).Code = 9 }, backEnd, postStatus)
	for i := range 100 {
		require.NoError(t, g.block.Submit(uint64(i), true, int64(i)*4096, 4096))
	}
	g.run()
	assert.EqualValues(t, 100, g.x.Counts().Refused)
	assert.Equal(t, 7, strings.Count(log.String(), "\n"), "1, 2, 4, to 64: %s", log.String())
	assert.Contains(t, log.String(), `intent=mode reason="its code stands for nothing" count=64`)
}

// trapping is a detour whose calls end as it is told.
type trapping struct {
	hooks.Detour
	frame abi.Frame
	call  func(*abi.Frame) error
	renew error
}

func (d *trapping) Frame() *abi.Frame   { return &d.frame }
func (d *trapping) Call(abi.Hook) error { return d.call(&d.frame) }
func (d *trapping) Renew() error        { return d.renew }
func (d *trapping) Close() error        { return nil }

// TestDetoursThatGiveNoAnswerArePassedOver: abnormal ends and responses that do
// not pass the check count together, in time and in the log.
func TestDetoursThatGiveNoAnswerArePassedOver(t *testing.T) {
	invalid := func(f *abi.Frame) error {
		f.Response.Ask(abi.IntentKind(200))
		return nil
	}
	trap := func(*abi.Frame) error { return errors.New("out of memory") }
	calls := 0
	for _, c := range []struct {
		name           string
		call           func(*abi.Frame) error
		renew          error
		traps, invalid uint64
		first          string
	}{
		{"invalid", invalid, nil, 0, intercept.MaxFailures, "kinds are 0 to"},
		{"trap", trap, nil, intercept.MaxFailures, 0, "out of memory"},
		{"both", func(f *abi.Frame) error {
			if calls%4 == 0 {
				return trap(f)
			}
			return invalid(f)
		}, nil, intercept.MaxFailures / 4, intercept.MaxFailures - intercept.MaxFailures/4, "kinds are 0 to"},
		{"not renewed", trap, errors.New("no instance"), 1, 0, "out of memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, 1)
			var log bytes.Buffer
			g.x.Log = hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: &log})
			calls = 0
			d := &trapping{renew: c.renew, call: func(f *abi.Frame) error { calls++; return c.call(f) }}
			a := &hooks.Attachment{Name: "mine", Detour: d, Granted: abi.CapabilitiesKnown}
			_, err := g.ios.Hooks.Install(sequences{{a}})
			require.NoError(t, err)
			for i := range 500 {
				require.NoError(t, g.block.Submit(uint64(i), true, int64(i%1000)*4096, 4096))
				g.run()
			}
			for i, code := range g.app.codes {
				assert.EqualValues(t, arch.CompletionNormal, code, "request %d goes on as if the detour had not been there", i)
			}
			assert.True(t, a.Disabled)
			assert.EqualValues(t, c.traps, a.Counters.Traps)
			assert.EqualValues(t, c.invalid, a.Counters.Invalid)
			assert.EqualValues(t, c.traps+c.invalid, calls, "no call follows")
			assert.Equal(t, c.traps+c.invalid, a.PassedOver.Failures)
			assert.Positive(t, a.PassedOver.At)
			assert.Less(t, a.PassedOver.At, int64(g.app.at[c.traps+c.invalid]))
			assert.EqualValues(t, 1, g.x.Counts().PassedOver)
			assert.ErrorContains(t, a.FirstFailure, c.first)
			assert.LessOrEqual(t, strings.Count(log.String(), "\n"), 10, log.String())
			assert.Equal(t, 1, strings.Count(log.String(), "passed over"))
		})
	}
}

// TestTwoMirrorsAndALabel: while the label of one mirror is read, the detour runs
// for the other and asks again. That is no refusal.
func TestTwoMirrorsAndALabel(t *testing.T) {
	g := newRig(t, 2)
	labels := 0
	back := func(f *abi.Frame) {
		m := &f.Pair.Mirror[0]
		if m.IO != abi.MirrorIOShadow && m.IO != abi.MirrorIOScheduled || m.Flags&abi.MirrorLabelRead != 0 {
			backEnd(f)
			return
		}
		labels++
		f.Response.Ask(abi.IntentLabel).Mirrors = 1
		switch f.Pair.Mirror[1].IO {
		case abi.MirrorIOShadow:
			f.Response.Ask(abi.IntentSchedule).Mirrors = 2
		case abi.MirrorIOScheduled:
			f.Response.Ask(abi.IntentStart).Mirrors = 2
		}
	}
	detours := g.stand(t, frontEnd, back, postStatus)
	require.NoError(t, g.block.Submit(0, true, 0, 4096))
	g.run()
	assert.Equal(t, 2, labels)
	assert.Empty(t, reasons(detours[hooks.ReturnAddress][0]))
	assert.EqualValues(t, arch.CompletionNormal, g.app.codes[0])
	assert.Equal(t, g.primary.tags, g.mirrors[0].tags)
	assert.Equal(t, g.primary.tags, g.mirrors[1].tags)
	assert.Zero(t, g.x.Pending())
}
