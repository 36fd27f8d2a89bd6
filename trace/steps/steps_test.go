package steps

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/step"
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
	assert.True(t, seen[step.WriteLabel])
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

func TestWayFollowsIOs(t *testing.T) {
	var w Way
	w.Step(0, 72, "mirror process", 0) // before the I/O
	w.Follow(3)
	w.Step(5, 88, "access method", 3)
	w.Step(6, 88, "access method", 4)
	w.Step(9, 76, "mirror process", 0)
	w.Step(7, 100, "front-end detour", 3)
	w.Step(10, 78, "mirror process", 0) // after it
	events, err := w.Events()
	require.NoError(t, err)
	var at []machine.Time
	for _, e := range events {
		at = append(at, e.At)
		assert.NotEmpty(t, e.What, e.Step)
		assert.NotEmpty(t, e.Figure, e.Step)
	}
	assert.Equal(t, []machine.Time{5, 7, 9}, at)
	assert.Equal(t, "front-end detour", events[1].Who)
}

// Changes of state are on the way of an I/O for whoever asks; each names the leg.
func TestWayShowsStates(t *testing.T) {
	for _, states := range []bool{false, true} {
		w := Way{States: states}
		w.Follow(7)
		w.Transition(10, "request", 0, "free", "queued", 7)
		w.Step(20, 94, "IOSVSSCH", 7)
		w.Transition(30, "leg", 0, "idle", "under way", 7)
		w.Transition(40, "mirror I/O", 2, "none", "shadow", 7)
		w.Transition(50, "request", 0, "free", "queued", 8)
		events, err := w.Events()
		require.NoError(t, err)
		var have []string
		for _, e := range events {
			if e.Step == "" {
				have = append(have, e.Who+": "+e.What)
			}
		}
		if states {
			assert.Equal(t, []string{"request: free → queued", "leg 0: idle → under way", "mirror I/O 2: none → shadow"}, have)
		} else {
			assert.Len(t, events, 1)
		}
	}
}

func TestWayHasALimit(t *testing.T) {
	w := Way{All: true}
	for range MaxEvents {
		w.Step(0, 88, "access method", 1)
	}
	assert.False(t, w.Missed)
	w.Step(0, 88, "access method", 1)
	assert.True(t, w.Missed)
	events, err := w.Events()
	require.NoError(t, err)
	assert.Len(t, events, MaxEvents)
}

func TestBoth(t *testing.T) {
	var a, b Counter
	Both(&a, &b).Step(1, 88, "access method", 1)
	Both(nil, &a).Step(1, 88, "access method", 1)
	Both(&a, nil).Step(1, 88, "access method", 1)
	r := Row{Step: 88, Actor: "access method"}
	assert.EqualValues(t, 3, a.Count(r))
	assert.EqualValues(t, 1, b.Count(r))
}

func TestDrawingHasALaneAComponentAndEscapes(t *testing.T) {
	var b strings.Builder
	events := []Event{
		{At: 1000, Who: "access method", Step: "88", What: "a < b & c"},
		{At: 2000, Who: "IOSVSSCQ", Step: "90", What: "x"},
		{At: 9_000_000, Who: "access method", Step: "88", What: "y"},
	}
	require.NoError(t, WriteSVG(&b, "a <title>", events))
	d := xml.NewDecoder(strings.NewReader(b.String()))
	lanes := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if a.Name.Local == "class" && a.Value == "lane" {
					lanes++
				}
			}
		}
	}
	assert.Equal(t, 2, lanes)
	assert.Contains(t, b.String(), "a &lt; b &amp; c")
	assert.ErrorContains(t, WriteSVG(&b, "none", nil), "no events")
}
