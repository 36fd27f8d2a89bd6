package steps

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

func TestTable(t *testing.T) {
	rows, err := Table()
	require.NoError(t, err)
	assert.Greater(t, len(rows), 90)
	seen := map[machine.Step]bool{}
	for _, r := range rows {
		assert.NotEmpty(t, r.Actor, r.Name)
		assert.NotEmpty(t, r.What, r.Name)
		assert.Equal(t, r.Name, Name(r.Step))
		assert.False(t, seen[r.Step], "step %s stands there twice", r.Name)
		seen[r.Step] = true
	}
	assert.True(t, seen[machine.StepM+7])
}

func TestParseRefuses(t *testing.T) {
	for _, name := range []string{"", "M", "x1", "-1", "0", "99999999"} {
		_, err := Parse(name)
		assert.ErrorContains(t, err, "want a number", name)
	}
}

func TestCounterWantsTheRightComponent(t *testing.T) {
	var c, d Counter
	c.Step(1, 114, "front-end detour", 7)
	d.Step(2, 114, "somebody else", 7)
	c.Add(&d)
	assert.EqualValues(t, 1, c.Count(Row{Step: 114, Actor: "front-end detour"}))
	assert.Zero(t, c.Count(Row{Step: 116, Actor: "front-end detour"}))
}

func TestWayKeepsOneIO(t *testing.T) {
	w := Way{IO: 3}
	w.Step(1, 88, "access method", 3)
	w.Step(2, 88, "access method", 4)
	w.Step(3, 72, "mirror process", 0)
	assert.Equal(t, []Event{{1, "88", "access method", 3}, {3, "72", "mirror process", 0}}, w.Events)
}
