package plugins_test

import (
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/internal/frames"
	"github.com/iosrun/iosrun/plugins/internal/pair"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryResponseIsValid holds the answers to many frames against the host's
// check, with the capabilities that the manifest asks for, and against what the
// intents of a detour must never say. It also finds capabilities that are asked
// for and records that are declared, and never used.
func TestEveryResponseIsValid(t *testing.T) {
	for i := range detours {
		d := &detours[i]
		t.Run(d.name, func(t *testing.T) {
			granted, err := d.manifest(t).Wants()
			require.NoError(t, err)
			g := frames.New(uint64(i) + 1)
			rest := &chain.Rest{Read: g.ReadChain}
			f := new(abi.Frame)
			var used abi.Capability
			recorded := make([]bool, len(d.records))
			for n := range 50_000 {
				g.Fill(f, d.hook)
				before := *f
				d.call(f, rest)
				require.NoError(t, f.Response.Check(d.hook, granted, int(f.Chain.Count)), "frame %d", n)
				used |= sound(t, f)
				for _, n := range f.Response.Intent[:f.Response.Intents] {
					if n.Kind == abi.IntentRecord {
						require.Less(t, int(n.Code), len(recorded), "frame %d: a record that is not declared", n)
						recorded[n.Code] = true
					}
				}
				if f.Response.Verdict == abi.Return && d.hook == abi.PostStatus {
					used |= abi.CapHold
				}
				f.Response = before.Response
				require.True(t, *f == before, "frame %d: the request or the scratch area was changed", n)
			}
			if d.readsLongChains(t) {
				used |= abi.CapChain
			}
			assert.NotContains(t, recorded, false, "a record that is never used")
			assert.Equal(t, granted, used, "asks for %v, uses %v", granted.Names(), used.Names())
		})
	}
}

// sound checks what the method demands of every answer, and gives the
// capabilities that the intents need.
func sound(t *testing.T, f *abi.Frame) (used abi.Capability) {
	t.Helper()
	r := &f.Response
	all := pair.Mirrors(&f.Pair)
	asked := uint8(0)
	for i := range r.Intent[:r.Intents] {
		n := &r.Intent[i]
		used |= abi.IntentTable[n.Kind].Needs
		require.Zero(t, int(n.Mirrors)>>len(all), "%v: mask %08b of %d mirrors", n.Kind, n.Mirrors, len(all))
		switch n.Kind {
		case abi.IntentMirror:
			require.Zero(t, asked&n.Mirrors, "two mirror requests for one mirror")
			asked |= n.Mirrors
			for m := range all {
				if n.Mirrors&(1<<m) != 0 {
					require.True(t, pair.Follows(&all[m]), "a mirror request for a mirror in state %d", all[m].State)
				}
			}
			for c := range r.Recipe[n.First : n.First+n.Count] {
				w := &r.Recipe[int(n.First)+c]
				require.Zero(t, w.Flags&arch.FlagPCI)
				if w.Kind == abi.RecipeTransfer {
					require.True(t, w.Source >= n.First && w.Source < n.First+n.Count, "a transfer out of its own chain")
				}
			}
		case abi.IntentRoute:
			require.Equal(t, abi.RolePrimary, f.Target.Role)
			m := &all[n.Code]
			require.True(t, m.State == abi.MirrorInSync && m.Flags&abi.MirrorTracksInSync != 0, "routed to a mirror that lacks the tracks")
			require.EqualValues(t, 1, r.Intents)
		case abi.IntentPromote:
			require.Equal(t, abi.MirrorInSync, all[n.Code].State)
		case abi.IntentSchedule:
			require.NotZero(t, f.Head.Flags&abi.Disabled)
		case abi.IntentStart:
			require.Zero(t, f.Head.Flags&abi.Disabled)
		}
	}
	return used
}

func TestNothingIsAllocated(t *testing.T) {
	for i := range detours {
		d := &detours[i]
		t.Run(d.name, func(t *testing.T) {
			g := frames.New(uint64(i) + 50)
			all := make([]abi.Frame, 300)
			for i := range all {
				g.Fill(&all[i], d.hook)
			}
			rest := &chain.Rest{Read: g.ReadChain}
			assert.Zero(t, testing.AllocsPerRun(3, func() {
				for i := range all {
					again(&all[i])
					d.call(&all[i], rest)
				}
			}))
		})
	}
}
