package experiment

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	volumes "github.com/iosrun/iosrun/lab/volume"
	"github.com/iosrun/iosrun/lab/volume/volumetest"
	"github.com/iosrun/iosrun/lab/workload"
)

// fresh makes a volume with dasdinit.
func fresh(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	volumetest.Tool(t, dir, "dasdinit", args...)
	return filepath.Join(dir, name)
}

func content(t *testing.T, path string) string {
	t.Helper()
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(p)
}

func requireEqual(t *testing.T, a, b string) {
	t.Helper()
	c, err := volumes.Compare(a, b, volumes.CompareOptions{})
	require.NoError(t, err)
	require.True(t, c.Equal(), "%+v", c)
}

// created makes a small volume of a device type.
func created(t *testing.T, path, device string, cylinders int, o image.CreateOptions) string {
	t.Helper()
	o.NoSync = true
	require.NoError(t, volumes.Create(path, volumes.CreateOptions{Device: device, Cylinders: cylinders, Content: image.Content{Serial: "VOL001"}, Image: o}))
	return path
}

// shadowed puts an empty shadow file on a volume.
func shadowed(t *testing.T, path, name string) []string {
	t.Helper()
	s := filepath.Join(filepath.Dir(path), name)
	_, err := volumes.CreateShadow(s, path, nil, image.CreateOptions{Compression: image.Zlib, NoSync: true})
	require.NoError(t, err)
	return []string{s}
}

// The shadow files of an experiment's volumes take what is written; the images
// under them stay as they are.
func TestExperimentOnShadows(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	dir := t.TempDir()
	c := imageConfig(t, dir, "read-write")
	c.Primary.Shadows = shadowed(t, c.Primary.Image, "p_1")
	c.Mirror.Shadows = shadowed(t, c.Mirror.Image, "m_1")
	c.Policies = []string{"sync"}
	x, err := c.Parse()
	require.NoError(t, err)
	require.NoError(t, x.CheckImages())
	p, m := content(t, c.Primary.Image), content(t, c.Mirror.Image)
	r := execute(t, c, loader(t), "sync")
	for _, k := range r.Checks {
		assert.False(t, k.Failed(), "%s: %s", k.Name, k.Detail)
	}
	require.Equal(t, p, content(t, c.Primary.Image))
	require.Equal(t, m, content(t, c.Mirror.Image))
	same, err := volumes.Compare(c.Primary.Image, c.Mirror.Image, volumes.CompareOptions{
		First: image.Options{Shadows: c.Primary.Shadows}, Second: image.Options{Shadows: c.Mirror.Shadows},
	})
	require.NoError(t, err)
	require.True(t, same.Equal(), "%+v", same)
	under, err := volumes.Compare(c.Primary.Image, c.Primary.Image, volumes.CompareOptions{First: image.Options{Shadows: c.Primary.Shadows}})
	require.NoError(t, err)
	require.False(t, under.Equal(), "the workload wrote to the shadow file")
}

// imageConfig is an experiment on a loaded volume and a mirror that dasdinit
// made, whose workload has cylinders 10 to 17 for itself.
func imageConfig(t *testing.T, dir, mode string) Config {
	t.Helper()
	c := Default()
	c.Primary.Image, c.Primary.ImageMode = volumetest.Loaded(t, dir), mode
	c.Mirror.Image = fresh(t, dir, "mirror.dsk", "-lfs", "mirror.dsk", "3390", "MIRROR", "20")
	c.Mirror.ImageMode = mode
	c.Primary.Aliases, c.Mirror.Aliases = 7, 7
	g := workload.DefaultGenerator()
	g.Count, g.Rate = 1500, 2000
	c.Workload = Workload{Speed: 1, Generator: &g, FirstCylinder: 10, Cylinders: 8}
	return c
}

// A real volume is synchronised, written to, and afterwards both images are
// equal; what the data sets hold is what it was.
func TestExperimentOnImages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	dir := t.TempDir()
	c := imageConfig(t, dir, "read-write")
	want := volumetest.Printed(t, dir, c.Primary.Image)
	before := content(t, c.Primary.Image)
	r := execute(t, c, loader(t), "sync")
	for _, k := range r.Checks {
		assert.False(t, k.Failed(), "%s: %s", k.Name, k.Detail)
	}
	assert.Equal(t, []int64{0}, outOfSync(r))
	assert.Positive(t, r.Workload.Writes)
	requireEqual(t, c.Primary.Image, c.Mirror.Image)
	assert.NotEqual(t, before, content(t, c.Primary.Image), "the workload wrote")
	require.Equal(t, want, volumetest.Printed(t, dir, c.Primary.Image))
	require.Equal(t, want, volumetest.Printed(t, dir, c.Mirror.Image))
}

func TestCopyOnWriteLeavesImages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	dir := t.TempDir()
	c := imageConfig(t, dir, "")
	p, m := content(t, c.Primary.Image), content(t, c.Mirror.Image)
	r := execute(t, c, loader(t), "constant-copy")
	for _, k := range r.Checks {
		assert.False(t, k.Failed(), "%s: %s", k.Name, k.Detail)
	}
	assert.Equal(t, []int64{0}, outOfSync(r))
	require.Equal(t, p, content(t, c.Primary.Image))
	require.Equal(t, m, content(t, c.Mirror.Image))
}
