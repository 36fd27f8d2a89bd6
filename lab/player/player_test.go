package player

import (
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/rig"
)

func build(t *testing.T, c description.Config) (*rig.Rig, *description.Experiment) {
	t.Helper()
	x, err := c.ParseStage()
	require.NoError(t, err)
	r, err := rig.Build(&x.Machine, rig.Options{Log: hclog.NewNullLogger()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r, x
}

// TestDevicesThatTakeNoWorkload are refused before anything is played.
func TestDevicesThatTakeNoWorkload(t *testing.T) {
	for _, device := range []string{"3350", "2311"} {
		c := description.Default()
		c.Model = device
		r, x := build(t, c)
		_, err := New(r, x, nil, Options{})
		require.ErrorContains(t, err, "workload on a "+device+"-1: its control unit knows no define extent")
	}
}

// TestEveryActionHappens: each action of a fault changes what it is about.
func TestEveryActionHappens(t *testing.T) {
	c := description.Default()
	c.Model = "3390-1"
	r, x := build(t, c)
	p, err := New(r, x, nil, Options{})
	require.NoError(t, err)
	v := r.Pairs[0].At(1)
	happen := func(a description.Action) {
		t.Helper()
		require.NoError(t, p.Happen(description.Fault{Pair: 1, Mirror: 1, Action: a}))
	}
	happen(description.LinkDown)
	assert.True(t, v.Link.Down())
	happen(description.LinkUp)
	assert.False(t, v.Link.Down())
	for a, want := range map[description.Action]dasd.Failure{
		description.Fail: dasd.EquipmentCheck, description.Gone: dasd.NotOperational, description.NotResponding: dasd.NotResponding,
	} {
		happen(a)
		assert.Equal(t, want, v.Device.Failure(), a)
		assert.False(t, v.Works())
		happen(description.Restore)
		assert.True(t, v.Works())
	}
	happen(description.Resynchronise)
	assert.True(t, p.Copies.Any())
	require.NoError(t, p.Run(t.Context()))
	assert.True(t, p.Copies.All()[0].Progress().Ended)
}
