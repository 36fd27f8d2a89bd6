package plugins_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/plugins/frontend/adaptive"
)

// lagging is a mirror with so many requests on its unit and so many writes at
// risk.
func lagging(state abi.MirrorState, queue, atRisk uint32) abi.Mirror {
	m := mirror(state, 0)
	m.Queue, m.AtRisk = queue, atRisk
	return m
}

func adaptiveCases() (all []testCase) {
	write := program(defineExtent, locateRecord, writeData)
	const sync, constant = abi.ModeSynchronous, abi.ModeConstantCopy
	toConstant := constantCopy
	toSync := abi.Intent{Kind: abi.IntentMode, Code: uint8(sync)}
	in := func(queue, atRisk uint32) abi.Mirror { return lagging(abi.MirrorInSync, queue, atRisk) }
	limits := func(lag, caughtUp int64) func(*abi.Frame) {
		return with(setting(adaptive.Lag, lag), setting(adaptive.CaughtUp, caughtUp))
	}
	of := func(m abi.PairMode) func(*abi.Frame) { return func(f *abi.Frame) { f.Pair.Mode = m } }
	written := took(create, s(158, 172, 176), held)
	usual := limits(32, 2)
	for _, c := range []struct {
		name    string
		limits  func(*abi.Frame)
		mode    abi.PairMode
		mirrors []abi.Mirror
		want    []abi.Intent
	}{
		{"no lag", usual, sync, []abi.Mirror{in(1, 0)}, nil},
		{"lag just below", usual, sync, []abi.Mirror{in(31, 31)}, nil},
		{"lag by the queue", usual, sync, []abi.Mirror{in(32, 0)}, asks(toConstant)},
		{"lag by what is at risk", usual, sync, []abi.Mirror{in(0, 32)}, asks(toConstant)},
		{"one of two lags", usual, sync, []abi.Mirror{in(0, 0), in(40, 0)}, asks(toConstant)},
		{"a mirror that is synchronising lags", usual, sync, []abi.Mirror{in(0, 0), lagging(abi.MirrorSynchronising, 0, 40)}, asks(toConstant)},
		{"a mirror that is cut off lags", usual, sync, []abi.Mirror{in(0, 0), lagging(abi.MirrorSuspended, 40, 40)}, nil},
		{"lags still", usual, constant, []abi.Mirror{in(40, 40)}, nil},
		{"lags less, but not caught up", usual, constant, []abi.Mirror{in(3, 0)}, nil},
		{"one of two has caught up", usual, constant, []abi.Mirror{in(0, 0), in(0, 3)}, nil},
		{"caught up", usual, constant, []abi.Mirror{in(2, 1), in(0, 2)}, asks(toSync)},
		{"caught up but for one that is cut off", usual, constant, []abi.Mirror{in(2, 1), lagging(abi.MirrorFailed, 9, 9)}, asks(toSync)},
		{"limits that are one: not to and fro", limits(5, 5), constant, []abi.Mirror{in(5, 0)}, nil},
		{"limits that are one: back one below", limits(5, 5), constant, []abi.Mirror{in(4, 0)}, asks(toSync)},
		{"limits that are one: there at the limit", limits(5, 5), sync, []abi.Mirror{in(5, 0)}, asks(toConstant)},
		{"limits that are exchanged", limits(5, 50), constant, []abi.Mirror{in(6, 0)}, nil},
		{"limits that no manifest lets through", limits(-3, -9), sync, []abi.Mirror{in(0, 0)}, nil},
		{"limits that no manifest lets through, some lag", limits(-3, -9), sync, []abi.Mirror{in(1, 0)}, asks(toConstant)},
	} {
		mask := uint8(0)
		for i := range c.mirrors {
			if s := c.mirrors[i].State; s == abi.MirrorInSync || s == abi.MirrorSynchronising {
				mask |= 1 << i
			}
		}
		all = append(all, testCase{name: c.name, detour: &detours[7], chain: write, edit: with(c.limits, of(c.mode), mirrors(c.mirrors...)),
			intents: append(asks(intent(abi.IntentMirror, mask), backEnd), c.want...), steps: written})
	}
	far, near := with(usual, of(sync), mirrors(in(99, 99))), with(usual, of(constant), mirrors(in(0, 0)))
	writeS := program(defineExtent, locateRecord, flagged(writeData, arch.FlagS))
	return append(all,
		testCase{name: "read, while the mirror lags", detour: &detours[7], chain: program(defineExtent, locateRecord, readData), edit: far,
			intents: asks(backEnd), steps: took(create, s(162, 186, 188), nothing)},
		testCase{name: "left queued, while the mirror lags", detour: &detours[7], chain: write, edit: with(far, func(f *abi.Frame) { f.Pair.Active = 1 }),
			verdict: abi.Return, intents: asks(intent(abi.IntentRetry, 0)), steps: s(114, 120, 122, 102)},
		testCase{name: "chain with cache fast write for another identification, while the mirror lags", detour: &detours[7], chain: write,
			edit:    with(far, fastWrite(1), cfwid(0, 0x0777)),
			intents: asks(mirrorWith(1, 0, 3), backEnd, toConstant), recipe: copies(write, map[int]func(*abi.RecipeCCW){0: parameters}),
			steps: took(create, s(158, 172, 173, 174, 176), held)},
		testCase{name: "write that suspends itself, when the mirror has caught up", detour: &detours[7], chain: writeS, edit: near,
			intents: asks(constantCopy, abi.Intent{Kind: abi.IntentMirror, Mirrors: 1, Flags: abi.MirrorConstantCopy, Count: 3}, backEnd),
			recipe:  copies(writeS, map[int]func(*abi.RecipeCCW){2: unsuspend}), steps: took(create, s(160, 178, 180, 182), held)},
		testCase{name: "interloper, while the mirror lags", detour: &detours[7], chain: write, edit: with(far, role(abi.RoleMirror, 0)), verdict: abi.Return,
			intents: asks(abi.Intent{Kind: abi.IntentReject, Code: 0x4A}), steps: s(114, 116, 118, 126, 128, 130, 102)})
}

// TestAdaptiveDoesNotFlap plays mirrors that fall behind and catch up, with a lag
// that jumps about between the limits, and keeps the pair's mode as the host does.
func TestAdaptiveDoesNotFlap(t *testing.T) {
	const lag, caughtUp, rounds = 32, 2, 20
	r := rand.New(rand.NewPCG(1, 2))
	c := testCase{detour: &detours[7], chain: program(defineExtent, locateRecord, writeData),
		edit: with(setting(adaptive.Lag, lag), setting(adaptive.CaughtUp, caughtUp))}
	f := c.frame()
	mode := abi.ModeSynchronous
	write := func(behind uint32) (changed bool) {
		again(f)
		f.Pair.Mode, f.Pair.Mirror[0].Queue, f.Pair.Mirror[0].AtRisk = mode, behind/2, behind
		c.detour.call(f, nil)
		for _, n := range f.Response.Intent[:f.Response.Intents] {
			if n.Kind == abi.IntentMode {
				changed, mode = true, abi.PairMode(n.Code)
			}
		}
		return changed
	}
	between := func() {
		for range 200 {
			require.False(t, write(caughtUp+1+r.Uint32N(lag-caughtUp-1)), "changed between the limits")
		}
	}
	for range rounds {
		between()
		require.True(t, write(lag+r.Uint32N(100)))
		require.Equal(t, abi.ModeConstantCopy, mode)
		require.False(t, write(lag+r.Uint32N(100)))
		between()
		require.True(t, write(r.Uint32N(caughtUp+1)))
		require.Equal(t, abi.ModeSynchronous, mode)
		require.False(t, write(r.Uint32N(caughtUp+1)))
	}
}
