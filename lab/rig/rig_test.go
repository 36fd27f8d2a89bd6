package rig

import (
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/description"
	volumes "github.com/iosrun/iosrun/lab/volume"
)

func build(c description.Config) (*Rig, error) {
	x, err := c.ParseStage()
	if err != nil {
		return nil, err
	}
	return Build(&x.Machine, Options{Log: hclog.NewNullLogger()})
}

// TestRigIsAsDescribed: there are the pairs, the places, the units and the links
// that the description has.
func TestRigIsAsDescribed(t *testing.T) {
	c := description.Default()
	c.Model, c.Pairs, c.Primary.Aliases = "3390-1", 2, 3
	c.Mirrors = []description.Place{{Aliases: 1, Kilometres: 10}, {Aliases: 2, SameSubsystem: true}}
	r, err := build(c)
	require.NoError(t, err)
	var names []string
	for _, m := range r.Mirrors() {
		names = append(names, m.Name)
	}
	assert.Equal(t, []string{"pair 1, mirror 1", "pair 1, mirror 2", "pair 2, mirror 1", "pair 2, mirror 2"}, names)
	assert.Len(t, r.Supervisor.Units(), 2*(4+2+3))
	p := &r.Pairs[1]
	require.Equal(t, 3, p.Places())
	assert.Same(t, p.At(0), p.VolumeOf(p.Primary()))
	assert.Same(t, p.At(2), p.VolumeOf(p.Mirrors()[1].Unit()))
	assert.Nil(t, p.VolumeOf(r.Pairs[0].Primary()))
	assert.Same(t, p.At(0).Device.Subsystem(), p.At(2).Device.Subsystem())
	assert.NotSame(t, p.At(0).Device.Subsystem(), p.At(1).Device.Subsystem())
	require.NoError(t, r.Close())
}

// TestCompareFindsWhatDiffers, and what of that nobody has marked.
func TestCompareFindsWhatDiffers(t *testing.T) {
	c := description.Default()
	c.Model = "3390-1"
	r, err := build(c)
	require.NoError(t, err)
	m := r.Mirror(1, 1)
	for _, n := range []int{15, 16} {
		track, err := r.Pairs[0].At(0).CKD.Update(n)
		require.NoError(t, err)
		record, _, err := track.Record(1)
		require.NoError(t, err)
		track.DataTags(record)[0] = machine.Tag(77)
	}
	differ, unmarked, err := m.Compare(r.Geometry)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 2}, []int{differ, unmarked})
	m.MarkAll()
	differ, unmarked, err = m.Compare(r.Geometry)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 0}, []int{differ, unmarked})
	require.NoError(t, r.Close())
}

// TestMirrorUnlikeItsPrimary is refused, and what had been opened is closed.
func TestMirrorUnlikeItsPrimary(t *testing.T) {
	dir := t.TempDir()
	create := func(name string, cylinders int) string {
		path := filepath.Join(dir, name)
		require.NoError(t, volumes.Create(path, volumes.CreateOptions{Device: "3390", Cylinders: cylinders, Content: image.Content{Serial: "VOL001"}}))
		return path
	}
	c := description.Default()
	c.Primary.Image, c.Mirror.Image = create("p", 2), create("m", 3)
	_, err := build(c)
	require.ErrorIs(t, err, ErrUnlike)
	c.Mirror.Image = create("like", 2)
	r, err := build(c)
	require.NoError(t, err)
	require.NoError(t, r.Close())
}
