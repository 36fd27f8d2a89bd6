package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/lab/scenario"
	shipping "github.com/iosrun/iosrun/policy"
	"github.com/iosrun/iosrun/policy/catalog"
)

// shipped loads the shipped modules, or err says why there are none.
var shipped struct {
	loader *catalog.Loader
	err    error
}

func TestMain(m *testing.M) {
	ctx := context.Background()
	rt, err := host.NewRuntime(ctx, host.RuntimeConfig{})
	if shipped.err = err; err == nil {
		shipped.loader = &catalog.Loader{Runtime: rt}
	}
	os.Exit(m.Run())
}

func modules(t *testing.T) *catalog.Loader {
	t.Helper()
	require.NoError(t, shipped.err)
	return shipped.loader
}

// seeds is the number of worlds of an ordinary run of the tests; IOSRUN_SEEDS=A-B has
// those seeds tried instead.
const seeds = 24

// TestWorldsHold: in no world is a guarantee broken.
func TestWorldsHold(t *testing.T) {
	if testing.Short() {
		t.Skip("plays many worlds, one machine each: nothing there is shared")
	}
	l := modules(t)
	first, last := uint64(0), uint64(seeds-1)
	if text := os.Getenv("IOSRUN_SEEDS"); text != "" {
		_, err := fmt.Sscanf(text, "%d-%d", &first, &last)
		require.NoError(t, err, "IOSRUN_SEEDS=%s: want FIRST-LAST", text)
	}
	next := first
	require.NoError(t, Each(t.Context(), l, first, int(last-first+1), runtime.GOMAXPROCS(0), DefaultLimits(), func(w *World, r *Result) error {
		assert.Equal(t, next, r.Seed, "in order")
		next++
		assert.Empty(t, r.Wrong, "iosrun world --seed %d", r.Seed)
		return nil
	}))
	assert.Equal(t, last+1, next)
}

// TestEqualSeedsAreEqualWorlds: in their text, in what happens, and in what came of it.
func TestEqualSeedsAreEqualWorlds(t *testing.T) {
	l := modules(t)
	for _, seed := range []uint64{1, 2, 1 << 63} {
		a, b := New(seed, DefaultLimits()), New(seed, DefaultLimits())
		x, err := a.Text()
		require.NoError(t, err)
		y, err := b.Text()
		require.NoError(t, err)
		assert.Equal(t, string(x), string(y))
		r, err := Run(t.Context(), l, a)
		require.NoError(t, err)
		again, err := Run(t.Context(), l, b)
		require.NoError(t, err)
		assert.Equal(t, r, again)
	}
	assert.NotEqual(t, New(1, DefaultLimits()).Scenario.Play, New(2, DefaultLimits()).Scenario.Play)
}

// TestWorldsHaveEverything: the first worlds have every class of channel program, every
// fault, every shipped policy, and places of every kind.
func TestWorldsHaveEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("plays many worlds, one machine each: nothing there is shared")
	}
	has := make(Counts)
	for seed := range uint64(100) {
		has.AddAll(New(seed, DefaultLimits()).Has)
	}
	for _, k := range append(append([]class{}, ckdClasses...), fixedClasses...) {
		assert.NotZero(t, has["chain"][k.name], k.name)
	}
	for _, k := range troubles {
		assert.NotZero(t, has["fault"][k.name], k.name)
	}
	for _, k := range conditions {
		assert.NotZero(t, has["place"][k.name], k.name)
	}
	for _, name := range shipping.Names() {
		assert.NotZero(t, has["policy"][name], name)
	}
	for _, name := range []string{"swap", "synchronisation", "synchronisation at the end"} {
		assert.NotZero(t, has["action"][name], name)
	}
}

// TestChannelProgramsAreWhatTheySay: a program of each class that is run alone on a
// healthy machine ends well, where it may be in a calm world.
func TestChannelProgramsAreWhatTheySay(t *testing.T) {
	l := modules(t)
	for _, fixed := range []bool{false, true} {
		w := New(0, DefaultLimits())
		w.device, w.pairs, w.mirrors, w.tracks, w.turbulent = devices[0], 1, 1, 2, false
		size, classes := 2, ckdClasses
		if fixed {
			w.device, size, classes = devices[len(devices)-1], cylinderBlocks, fixedClasses
		}
		w.layout = w.device.layout(size)
		c := &chains{d: newDraw(1), p: w.device, tracks: w.tracks, fixedFirst: int(w.layout.Locate(0).Block)}
		s := &scenario.Scenario{Name: "alone", Policy: "sync", Machine: map[string]any{"model": w.device.model, "size": size}, Expect: scenario.Expect{AnyState: true}}
		var names []string
		for _, k := range classes {
			if k.turbulent {
				continue
			}
			at := scenario.Duration(len(s.Play)+1) * 100e6
			s.Play = append(s.Play, scenario.Action{At: at, Program: &scenario.Program{On: "primary", CCWs: k.make(c)}})
			if names = append(names, k.name); k.suspends {
				s.Play = append(s.Play, scenario.Action{At: at + 50e6, Resume: len(names)})
			}
		}
		text, err := s.Text()
		require.NoError(t, err)
		parsed, err := scenario.Parse(text, "alone")
		require.NoError(t, err)
		r, err := parsed.Run(t.Context(), l, scenario.Options{})
		require.NoError(t, err)
		assert.Empty(t, r.Wrong, "%v", names)
	}
}

// TestPoliciesAreThoseThatShip: with the settings that their detours have.
func TestPoliciesAreThoseThatShip(t *testing.T) {
	var names []string
	for _, p := range policies {
		names = append(names, p.name)
	}
	assert.Equal(t, shipping.Names(), names)
	l := modules(t)
	for _, p := range policies {
		loaded, err := shipping.Load(p.name)
		require.NoError(t, err)
		for _, k := range []struct {
			chain []shipping.Detour
			own   []setting
		}{{loaded.Slots.FrontEnd, p.frontEnd}, {loaded.Slots.PostStatus, p.postState}} {
			for _, s := range k.own {
				for _, v := range s.values {
					require.NotEmpty(t, k.chain)
					if k.chain[0].Settings == nil {
						k.chain[0].Settings = make(map[string]any)
					}
					k.chain[0].Settings[s.name] = v
					_, err := l.Prepare(t.Context(), loaded)
					assert.NoError(t, err, "%s: %s %v", p.name, s.name, v)
				}
			}
		}
	}
}

func TestDevicesAreThoseOfTheGeometry(t *testing.T) {
	for _, v := range devices {
		g, err := media.Lookup(v.model)
		require.NoError(t, err)
		assert.Equal(t, g.FBA(), v.fixed)
		if !v.fixed {
			assert.Equal(t, g.Heads, v.heads)
			assert.Equal(t, g.RecordsPerTrack(0, program.BlockSize), v.records)
		}
	}
}

func TestLimits(t *testing.T) {
	good := DefaultLimits()
	require.NoError(t, good.Check())
	for name, change := range map[string]func(*Limits){
		"pairs": func(l *Limits) { l.Pairs = 0 }, "mirrors": func(l *Limits) { l.Mirrors = 9 },
		"cylinders": func(l *Limits) { l.Cylinders = 1 }, "tracks": func(l *Limits) { l.Tracks = 16 },
		"requests": func(l *Limits) { l.Requests = 1000 }, "faults": func(l *Limits) { l.Faults = -1 },
		"swaps": func(l *Limits) { l.Swaps = 100 }, "span": func(l *Limits) { l.Span = 0 },
	} {
		l := DefaultLimits()
		change(&l)
		err := l.Check()
		assert.ErrorIs(t, err, ErrLimits)
		assert.ErrorContains(t, err, name)
		assert.ErrorIs(t, Each(t.Context(), nil, 0, 1, 1, l, nil), ErrLimits)
	}
	// The smallest and the largest limits make worlds that can be played.
	l := modules(t)
	for _, k := range []Limits{
		{Pairs: 1, Mirrors: 1, Cylinders: 2, Tracks: 1, Requests: 1, Span: 1e6},
		{Pairs: maxPairs, Mirrors: maxMirrors, Cylinders: maxCylinders, Tracks: maxTracks, Requests: maxRequests, Faults: maxFaults, Swaps: maxSwaps, Synchronisations: maxSyns, Span: 1e9},
	} {
		require.NoError(t, Each(t.Context(), l, 5, 2, 1, k, func(*World, *Result) error { return nil }))
	}
}

func TestEachEndsWithAnError(t *testing.T) {
	l := modules(t)
	enough := errors.New("enough")
	n := 0
	assert.ErrorIs(t, Each(t.Context(), l, 0, 100, 2, DefaultLimits(), func(*World, *Result) error {
		n++
		return enough
	}), enough)
	assert.Equal(t, 1, n)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, Each(ctx, l, 0, 3, 2, DefaultLimits(), func(*World, *Result) error { return nil }), context.Canceled)
}

// TestShrink leaves of a world what is wrong with it: here a request that fails where
// none may.
func TestShrink(t *testing.T) {
	l := modules(t)
	w := New(1, DefaultLimits())
	w.Scenario.Expect.AnyCode = false
	r, err := Run(t.Context(), l, w)
	require.NoError(t, err)
	require.NotEmpty(t, r.Wrong)
	small, runs, err := Shrink(t.Context(), l, w, r)
	require.NoError(t, err)
	assert.Positive(t, runs)
	assert.Less(t, len(small.Scenario.Play), len(w.Scenario.Play))
	r, err = Run(t.Context(), l, small)
	require.NoError(t, err)
	require.NotEmpty(t, r.Wrong)
	assert.True(t, strings.HasPrefix(r.Wrong[0], "I/O "), r.Wrong[0])
}

// TestSummary counts worlds, keeps those that failed, and says what came of I/Os and
// checks.
func TestSummary(t *testing.T) {
	var s Summary
	s.Add(&Result{Seed: 3, Has: Counts{"chain": {"read": 2}, endedWell: {"read": 2}, checkGroup + ok: {"x": 1}, "fault": {"link cut": 1}}})
	s.Add(&Result{Seed: 4, Has: Counts{"chain": {"read": 1}, failed: {"read": 1}, checkGroup + failed: {"x": 1}}, Wrong: []string{"x: y"}})
	assert.EqualValues(t, 3, s.First)
	assert.Equal(t, 2, s.Worlds)
	assert.Len(t, s.Failed, 1)
	assert.Equal(t, []Row{
		{"chain", "read", 3, "2 ended well, 1 failed"}, {"check", "x", 2, "1 ok, 1 failed"}, {"fault", "link cut", 1, ""},
	}, s.Rows())
}
