package experiment

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
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

// A volume that dasdload made is mirrored to one that dasdinit made. Their tools
// print the same of both.
func TestMirrorOfALoadedVolume(t *testing.T) {
	dir := t.TempDir()
	primary := volumetest.Loaded(t, dir)
	before := content(t, primary)
	want := volumetest.Printed(t, dir, primary)
	for name, args := range map[string][]string{
		"plain.dsk":  {"-lfs", "plain.dsk", "3390", "MIRROR", "20"},
		"zlib.cckd":  {"-z", "zlib.cckd", "3390", "MIRROR", "20"},
		"bzip2.cckd": {"-bz2", "bzip2.cckd", "3390", "MIRROR", "20"},
	} {
		t.Run(name, func(t *testing.T) {
			mirror := fresh(t, dir, name, args...)
			m, err := Mirror(context.Background(), primary, mirror, MirrorOptions{})
			require.NoError(t, err)
			assert.GreaterOrEqual(t, m.Tracks, int64(300))
			assert.Greater(t, m.Programs, uint64(600))
			requireEqual(t, primary, mirror)
			require.Equal(t, want, volumetest.Printed(t, dir, mirror))
			require.Equal(t, before, content(t, primary), "the primary stays as it is")
			if name != "plain.dsk" {
				require.Empty(t, volumetest.Tool(t, dir, "cckdcdsk", "-ro", "-3", mirror))
			}
		})
	}
}

// So is one of a device whose control unit knows single records only. The mirror
// is the same file.
func TestMirrorOfALoaded3350(t *testing.T) {
	dir := t.TempDir()
	primary := volumetest.LoadedOn(t, dir, "3350", 6)
	want := volumetest.Printed(t, dir, primary)
	mirror := fresh(t, dir, "mirror", "-lfs", "mirror", "3350", "MIRROR", "6")
	m, err := Mirror(context.Background(), primary, mirror, MirrorOptions{})
	require.NoError(t, err)
	assert.Greater(t, m.Programs, uint64(2*180), "counts and write, and records of tracks that have some")
	requireEqual(t, primary, mirror)
	require.Equal(t, want, volumetest.Printed(t, dir, mirror))
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
	require.NoError(t, c.CheckImages())
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

func TestMirrorOfBlocks(t *testing.T) {
	dir := t.TempDir()
	primary := fresh(t, dir, "p", "-lfs", "p", "3370", "FBA001", "3001")
	v, err := image.OpenFBA(primary, media.ReadWrite, image.Options{})
	require.NoError(t, err)
	p := make([]byte, 700*media.BlockSize)
	for i := range p {
		p[i] = byte(i * i >> 7)
	}
	require.NoError(t, v.WriteBlocks(2301, p))
	require.NoError(t, v.Close())
	mirror := fresh(t, dir, "m", "-lfs", "m", "3370", "FBA002", "3001")
	_, err = Mirror(context.Background(), primary, mirror, MirrorOptions{})
	require.NoError(t, err)
	require.Equal(t, content(t, primary), content(t, mirror))
}

func TestMirrorRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	create := func(name, device string, cylinders int) string {
		require.NoError(t, volumes.Create(at(name), volumes.CreateOptions{Device: device, Cylinders: cylinders, Content: image.Content{Serial: "VOL001"}}))
		return at(name)
	}
	p := create("p", "3390", 3)
	for name, c := range map[string]struct{ mirror, want string }{
		"absent":     {at("absent"), "no such file"},
		"small":      {create("small", "3390", 2), "a mirror is like its primary"},
		"other type": {create("other", "3380", 3), "a mirror is like its primary"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Mirror(context.Background(), p, c.mirror, MirrorOptions{})
			require.ErrorContains(t, err, c.want)
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Mirror(ctx, p, create("m", "3390", 3), MirrorOptions{})
	require.ErrorIs(t, err, context.Canceled)
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

func TestImagesAreChecked(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"mode":      {func(c *Config) { c.Primary.ImageMode = "rw" }, "image mode"},
		"twice":     {func(c *Config) { c.Mirror.Image = c.Primary.Image }, "p (image of the primary) and p (image of mirror 1) are the same file: want two files"},
		"many":      {func(c *Config) { c.Primary.ImageMode = "read-write" }, "policies at once"},
		"no number": {func(c *Config) { c.Workload.FirstCylinder = 3 }, "or both"},
		"negative":  {func(c *Config) { c.Workload.Cylinders = -1 }, "or both"},
		"no image":  {func(c *Config) { c.Mirror.Shadows = []string{"s"} }, "shadow file s: no image is named that it lies on"},
		"shadow":    {func(c *Config) { c.Primary.Shadows = []string{"s", "s"} }, "s (shadow file of the primary) and s (shadow file of the primary) are the same file"},
		"image":     {func(c *Config) { c.Primary.Shadows = []string{"p"} }, "p (image of the primary) and p (shadow file of the primary) are the same file"},
		"two": {func(c *Config) {
			c.Primary.Shadows, c.Mirror.Image, c.Mirror.Shadows = []string{"s"}, "m", []string{"s"}
		}, "s (shadow file of the primary) and s (shadow file of mirror 1) are the same file"},
		"unformatted": {func(c *Config) {
			c.Primary.ImageMode, c.Workload.Cylinders, c.Workload.FirstCylinder = "read-only", 3, 1
		}, "read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			x := Default()
			x.Primary.Image = "p"
			c.change(&x)
			require.ErrorContains(t, x.Check(), c.want)
		})
	}
	x := Default()
	x.Primary.Image = filepath.Join(t.TempDir(), "absent")
	require.NoError(t, x.Check())
	require.ErrorIs(t, x.CheckImages(), os.ErrNotExist)
	dir := t.TempDir()
	for device, want := range map[string]string{
		"3350": "workload on a 3350-1: its control unit knows no define extent",
		"2311": "workload on a 2311-1: its control unit knows no define extent",
	} {
		x.Primary.Image = created(t, filepath.Join(dir, device), device, 2, image.CreateOptions{})
		require.ErrorContains(t, x.CheckImages(), want)
		y := Default()
		y.Model = device
		require.ErrorContains(t, y.CheckImages(), want)
		require.ErrorContains(t, (&run{config: &y, opts: Options{Log: hclog.NewNullLogger()}}).build(), want)
	}
	x.Primary.Image = created(t, filepath.Join(dir, "3390"), "3390", 2, image.CreateOptions{})
	require.NoError(t, x.CheckImages())
	x.Primary.Shadows = []string{filepath.Join(dir, "none")}
	require.ErrorIs(t, x.CheckImages(), os.ErrNotExist)
	x.Primary.Shadows = []string{created(t, filepath.Join(dir, "image"), "3390", 2, image.CreateOptions{})}
	require.ErrorContains(t, x.CheckImages(), "is no shadow file")
}
