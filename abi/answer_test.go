package abi_test

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/iosrun/iosrun/abi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAsk(t *testing.T) {
	var f abi.Frame
	r := &f.Response
	r.Intent[0] = abi.Intent{Kind: 9, Value: 9} // what an earlier call has left
	n := r.Ask(abi.IntentMirror)
	assert.Equal(t, abi.Intent{Kind: abi.IntentMirror}, *n)
	n.Mirrors = 3
	r.Record(5, 1<<40)
	assert.Equal(t, abi.Intent{Kind: abi.IntentRecord, Code: 5, Value: 1 << 40}, r.Intent[1])
	r.Intents--
	r.SetFlags(abi.FlagCCWError)
	assert.Equal(t, uint16(2), r.Intents)
	assert.Equal(t, uint8(3), r.Intent[0].Mirrors)
	assert.Equal(t, uint64(abi.FlagCCWError), r.Intent[1].Value)
	require.NoError(t, r.Check(abi.FrontEnd, abi.CapabilitiesKnown, 0))
	for range abi.MaxIntents {
		r.Ask(abi.IntentNone)
	}
	assert.ErrorContains(t, r.Check(abi.FrontEnd, abi.CapabilitiesKnown, 0), "intents is 18: at most 16")
}

func TestRecipeAndBlocks(t *testing.T) {
	var r abi.Response
	for n := range abi.MaxRecipe {
		require.True(t, r.Add(abi.RecipeCCW{Source: uint16(n)}))
	}
	assert.False(t, r.Add(abi.RecipeCCW{}))
	assert.Equal(t, uint16(abi.MaxRecipe), r.Recipes)
	r.Parameter[1][3] = 7 // what an earlier call has left
	for n := range abi.MaxResponseParameters {
		b, i := r.Block()
		require.NotNil(t, b)
		assert.Equal(t, uint8(n), i)
		assert.Zero(t, *b)
		assert.Same(t, &r.Parameter[n], b)
	}
	b, _ := r.Block()
	assert.Nil(t, b)
}

func TestTook(t *testing.T) {
	var f abi.Frame
	f.Took(100)
	assert.Zero(t, f.Response.Steps, "nobody is looking")
	f.Head.Flags = abi.Tracing
	for n := range uint16(abi.MaxSteps + 5) {
		f.Took(n)
	}
	assert.Equal(t, uint16(abi.MaxSteps), f.Response.Steps)
	assert.Equal(t, uint16(abi.MaxSteps-1), f.Response.Step[abi.MaxSteps-1])
}

func TestParameterBlock(t *testing.T) {
	c := abi.Chain{Parameters: 2}
	for _, x := range []struct {
		parameter uint8
		want      *[abi.ParameterSize]byte
	}{{0, nil}, {1, &c.Parameter[0]}, {2, &c.Parameter[1]}, {3, nil}, {255, nil}} {
		got := c.ParameterBlock(&abi.CCW{Parameter: x.parameter})
		assert.True(t, got == x.want, "parameter %d", x.parameter)
	}
	c.Parameters = 0xFFFF
	assert.Nil(t, c.ParameterBlock(&abi.CCW{Parameter: 5}))
}

// TestAnswersAllocateNothing: a guest's collector must not run during an I/O.
func TestAnswersAllocateNothing(t *testing.T) {
	var f abi.Frame
	f.Head.Flags = abi.Tracing
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		f.Response = abi.Response{}
		f.Took(1)
		f.Response.Ask(abi.IntentMirror).Count = 1
		f.Response.Add(abi.RecipeCCW{Kind: abi.RecipeParameter, Count: 16})
		f.Response.Block()
		f.Response.SetFlags(abi.FlagCCWError)
		if err := f.Response.Check(abi.FrontEnd, abi.CapabilitiesKnown, 3); err != nil {
			t.Error(err)
		}
	}))
}

func TestCheck(t *testing.T) {
	all := abi.CapabilitiesKnown
	intent := func(n ...abi.Intent) func(*abi.Response) {
		return func(r *abi.Response) { r.Intents = uint16(copy(r.Intent[:], n)) }
	}
	recipe := func(c ...abi.RecipeCCW) func(*abi.Response) {
		return func(r *abi.Response) { r.Recipes, r.Parameters = uint16(copy(r.Recipe[:], c)), 2 }
	}
	for _, c := range []struct {
		name    string
		hook    abi.Hook
		granted abi.Capability
		set     func(*abi.Response)
		want    string // the whole error; empty: none
	}{
		{"nothing", abi.FrontEnd, 0, func(*abi.Response) {}, ""},
		{"steps alone", abi.FrontEnd, 0, func(r *abi.Response) { r.Steps = abi.MaxSteps }, ""},
		{"unknown verdict", abi.PostStatus, 0, func(r *abi.Response) { r.Verdict = 77 }, ""},
		{"return", abi.FrontEnd, 0, func(r *abi.Response) { r.Verdict = abi.Return }, ""},
		{"hold", abi.PostStatus, abi.CapHold, func(r *abi.Response) { r.Verdict = abi.Return }, ""},
		{"hold without grant", abi.PostStatus, all &^ abi.CapHold, func(r *abi.Response) { r.Verdict = abi.Return },
			`post-status response: verdict is 1: returning on SRBEP needs the capability "hold"`},
		{"hold without grant, with an intent", abi.PostStatus, all &^ abi.CapHold, func(r *abi.Response) { r.Verdict, r.Intents = abi.Return, 1 },
			`post-status response: verdict is 1: returning on SRBEP needs the capability "hold"`},
		{"intents", abi.FrontEnd, all, func(r *abi.Response) { r.Intents = 17 }, "front-end response: intents is 17: at most 16"},
		{"recipes", abi.FrontEnd, all, func(r *abi.Response) { r.Recipes = 81 }, "front-end response: recipes is 81: at most 80"},
		{"parameters", abi.FrontEnd, all, func(r *abi.Response) { r.Parameters = 9 }, "front-end response: parameters is 9: at most 8"},
		{"steps", abi.FrontEnd, all, func(r *abi.Response) { r.Steps = 49 }, "front-end response: steps is 49: at most 48"},
		{"kind", abi.FrontEnd, all, intent(abi.Intent{Kind: 200}), "front-end response: intent[0].kind is 200: kinds are 0 to 19"},
		{"not heard", abi.BackEnd, all, intent(abi.Intent{Kind: abi.IntentRoute}), "back-end response: intent[0].kind is 6: route is not heard on this hook"},
		{"not granted", abi.FrontEnd, all &^ abi.CapRoute, intent(abi.Intent{}, abi.Intent{Kind: abi.IntentRoute}),
			"front-end response: intent[1].kind is 6: route needs the capability [route], which is not granted"},
		{"recipe that is not there", abi.FrontEnd, all, intent(abi.Intent{Kind: abi.IntentMirror, First: 1, Count: 1}),
			"front-end response: intent[0].count is 1: a recipe from 1 of that length does not fit the response's 0"},
		{"recipe of what has none", abi.FrontEnd, all, intent(abi.Intent{Kind: abi.IntentReject, Count: 1}),
			"front-end response: intent[0].count is 1: a recipe from 0 of that length does not fit the response's 0"},
		{"flags of a mirror request", abi.FrontEnd, all, intent(abi.Intent{Kind: abi.IntentMirror, Flags: 4}), "front-end response: intent[0].flags is 4: has unknown flags"},
		{"flag table", abi.FrontEnd, all, intent(abi.Intent{Kind: abi.IntentFlag, Value: 1 << 40}), "front-end response: intent[0].value is 1099511627776: has unknown flags"},
		{"copy", abi.FrontEnd, all, recipe(abi.RecipeCCW{Source: 2}), ""},
		{"copy of what is not in the chain", abi.FrontEnd, all, recipe(abi.RecipeCCW{Source: 3}), "front-end response: recipe[0].source is 3: the chain has 3 CCWs"},
		{"private copy of what is not in the chain", abi.FrontEnd, all, recipe(abi.RecipeCCW{Kind: abi.RecipePrivate, Source: 3}), "front-end response: recipe[0].source is 3: the chain has 3 CCWs"},
		{"parameter", abi.FrontEnd, all, recipe(abi.RecipeCCW{Kind: abi.RecipeParameter, Count: 64}), ""},
		{"parameter too long", abi.FrontEnd, all, recipe(abi.RecipeCCW{Kind: abi.RecipeParameter, Parameter: 1, Count: 33}), "front-end response: recipe[0].parameter is 1: with count 33 it does not fit the response's 2 blocks"},
		{"parameter that is not there", abi.FrontEnd, all, recipe(abi.RecipeCCW{Kind: abi.RecipeParameter, Parameter: 2}), "front-end response: recipe[0].parameter is 2: with count 0 it does not fit the response's 2 blocks"},
		{"transfer", abi.FrontEnd, all, recipe(abi.RecipeCCW{}, abi.RecipeCCW{Kind: abi.RecipeTransfer, Source: 1}), ""},
		{"transfer out of the recipe", abi.FrontEnd, all, recipe(abi.RecipeCCW{Kind: abi.RecipeTransfer, Source: 1}), "front-end response: recipe[0].source is 1: the recipe has 1 CCWs"},
		{"control", abi.FrontEnd, all, recipe(abi.RecipeCCW{Kind: abi.RecipeControl, Source: 99}), ""},
		{"recipe kind", abi.FrontEnd, all, recipe(abi.RecipeCCW{Kind: 5}), "front-end response: recipe[0].kind is 5: kinds are 0 to 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r abi.Response
			c.set(&r)
			err := r.Check(c.hook, c.granted, 3)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
			var e *abi.ResponseError
			assert.True(t, errors.As(err, &e))
		})
	}
}

// FuzzCheck lays random bytes over a response. Whatever passes must be within
// the limits that the host indexes by.
func FuzzCheck(f *testing.F) {
	f.Add(make([]byte, unsafe.Sizeof(abi.Response{})), uint8(0), uint16(0xFFFF), uint16(3))
	f.Add([]byte{1, 0, 0, 0, 2, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 1, 0, 1, 0, 0, 1, 0}, uint8(0), uint16(0xFFFF), uint16(3))
	f.Fuzz(func(t *testing.T, p []byte, hook uint8, granted, chain uint16) {
		var r abi.Response
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&r)), unsafe.Sizeof(r)), p)
		h := abi.Hook(hook) % abi.Hooks
		if err := r.Check(h, abi.Capability(granted), int(chain)); err != nil {
			if err.Error() == "" {
				t.Fatal("an error without a text")
			}
			return
		}
		for _, n := range r.Intent[:r.Intents] {
			if abi.IntentTable[n.Kind].Needs&^abi.Capability(granted) != 0 || !abi.IntentTable[n.Kind].Heard[h] {
				t.Fatalf("%v passed on %v with %v", n.Kind, h, abi.Capability(granted).Names())
			}
			for _, c := range r.Recipe[n.First : n.First+n.Count] {
				if c.Kind <= abi.RecipePrivate && c.Kind != abi.RecipeParameter && c.Source >= chain {
					t.Fatalf("recipe CCW from %d of %d", c.Source, chain)
				}
			}
		}
		_ = r.Step[:r.Steps]
		_ = r.Parameter[:r.Parameters]
	})
}

func BenchmarkCheck(b *testing.B) {
	var r abi.Response
	r.Ask(abi.IntentMirror).Mirrors = 1
	r.Ask(abi.IntentBackEnd)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Check(abi.FrontEnd, abi.CapMirror, 3); err != nil {
			b.Fatal(err)
		}
	}
}
