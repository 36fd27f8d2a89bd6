package plugins_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/trace/steps"
)

// hostSteps are the rows of the detours that the host takes for them: it is the
// host that learns whether a mirror I/O started (260, 262, 264).
var hostSteps = map[string]bool{"260": true, "262": true, "264": true}

// TestEveryStepIsTaken holds the steps that the cases reach against the table of
// the method: every row of a detour must be there, and nothing that is no row of
// the detour of that hook.
func TestEveryStepIsTaken(t *testing.T) {
	actors := map[string]abi.Hook{}
	for h, row := range abi.HookTable {
		actors[row.Actor] = abi.Hook(h)
	}
	table, err := steps.Table()
	require.NoError(t, err)
	taken := map[string]bool{}
	reported := map[abi.Hook]map[string]bool{abi.FrontEnd: {}, abi.BackEnd: {}, abi.PostStatus: {}}
	for i := range cases {
		c := &cases[i]
		f := c.frame()
		c.detour.call(f, c.rest())
		for _, s := range f.Response.Step[:f.Response.Steps] {
			reported[c.detour.hook][strconv.Itoa(int(s))] = true
		}
		// The steps of the text alone have no numbers to report; their intents show them.
		for _, n := range f.Response.Intent[:f.Response.Intents] {
			switch n.Kind {
			case abi.IntentPromote:
				taken["M3"] = true
			case abi.IntentDissociate:
				taken["M4"] = true
			}
		}
	}
	rows := 0
	for _, r := range table {
		hook, ours := actors[r.Actor]
		if !ours || hostSteps[r.Name] {
			continue
		}
		rows++
		assert.True(t, taken[r.Name] || reported[hook][r.Name], "no case takes step %s: %s", r.Name, r.What)
		delete(reported[hook], r.Name)
	}
	assert.Equal(t, 85, rows, "rows of the detours in the table")
	for hook, left := range reported {
		assert.Empty(t, left, "%v reports steps that are not its own", hook)
	}
}

func TestCases(t *testing.T) {
	for i := range cases {
		c := &cases[i]
		t.Run(c.detour.name+"/"+c.name, func(t *testing.T) {
			granted, err := c.detour.manifest(t).Wants()
			require.NoError(t, err)
			f := c.frame()
			c.detour.call(f, c.rest())
			r := &f.Response
			require.NoError(t, r.Check(c.detour.hook, granted, int(f.Chain.Count)))
			assert.Equal(t, c.verdict, r.Verdict)
			assert.Equal(t, c.intents, append([]abi.Intent(nil), r.Intent[:r.Intents]...))
			assert.Equal(t, c.recipe, append([]abi.RecipeCCW(nil), r.Recipe[:r.Recipes]...))
			assert.Equal(t, c.steps, append([]uint16(nil), r.Step[:r.Steps]...))
			if c.after != nil {
				c.after(t, f)
			}

			untraced := c.frame()
			untraced.Head.Flags &^= abi.Tracing
			c.detour.call(untraced, c.rest())
			untraced.Head.Flags = f.Head.Flags
			untraced.Response.Steps, untraced.Response.Step = f.Response.Steps, f.Response.Step
			assert.True(t, *untraced == *f, "answers otherwise when nobody traces")
		})
	}
}
