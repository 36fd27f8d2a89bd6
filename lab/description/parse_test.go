package description

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/machine"
	volumes "github.com/iosrun/iosrun/lab/volume"
	"github.com/iosrun/iosrun/lab/workload"
)

func TestConfigRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*Config)
		want string
	}{
		{"no policies", func(c *Config) { c.Policies = nil }, "names no policies"},
		{"too many mirrors", func(c *Config) { c.Mirrors = make([]Place, 9) }, "at most 8"},
		{"speed", func(c *Config) { c.Workload.Speed = 0 }, "want more than 0"},
		{"no workload", func(c *Config) { c.Workload.Trace = "" }, "neither a trace nor a generator"},
		{"two workloads", func(c *Config) { g := workload.DefaultGenerator(); c.Workload.Generator = &g }, "both a trace"},
		{"layout of a generator", func(c *Config) {
			g := workload.DefaultGenerator()
			c.Workload.Trace, c.Workload.Generator, c.Workload.Format = "", &g, "msr"
		}, "workload.format msr is about a trace"},
		{"bad rows of a generator", func(c *Config) {
			g := workload.DefaultGenerator()
			c.Workload.Trace, c.Workload.Generator, c.Workload.SkipBad = "", &g, 3
		}, "workload.skip-bad 3 is about a trace"},
		{"standing on the primary", func(c *Config) { c.Primary.Standing = true }, "primary.standing: it is on a mirror"},
		{"identification of the primary", func(c *Config) { c.Primary.CFWID = 7 }, "primary.cfwid is 7: the primary's is 1"},
		{"mode of no image", func(c *Config) { c.Mirror.ImageMode = "read-write" }, "image mode read-write: no volume is in an image file"},
		{"cache of no image", func(c *Config) { c.Mirrors = []Place{{ImageCache: 1 << 20}} }, "image cache of 1048576 bytes: no volume is in an image file"},
		{"model", func(c *Config) { c.Model = "3391" }, "3391"},
		{"link", func(c *Config) { c.Mirror.Link = "rope" }, "rope"},
		{"primary beside itself", func(c *Config) { c.Primary.SameSubsystem = true }, "it is a mirror that can be"},
		{"two identifications", func(c *Config) { c.Mirror.SameSubsystem, c.Mirror.CFWID = true, 7 }, "CFWID 7 in the primary's subsystem"},
		{"distance", func(c *Config) { c.Mirror.Kilometres = -1 }, "-1 kilometres"},
		{"aliases", func(c *Config) { c.Primary.Aliases = 256 }, "256 aliases"},
		{"fault", func(c *Config) { c.Faults = []string{"1s=mirror1:explode"} }, "want TIME=PLACE:ACTION"},
		{"fault elsewhere", func(c *Config) { c.Faults = []string{"1s=mirror2:fail"} }, "there are 1 mirrors"},
		{"fault on no pair", func(c *Config) { c.Faults = []string{"1s=pair2.mirror1:fail"} }, "there are 1 pairs"},
		{"pairs", func(c *Config) { c.Pairs = 17 }, "17 pairs: want 1 to 16"},
		{"units", func(c *Config) { c.Pairs, c.Mirrors = 16, make([]Place, 3) }, "16 pairs with their aliases are 8192 units: at most 4096"},
		{"stripe", func(c *Config) { c.Workload.Stripe = 6 }, "workload.stripe is 6 KiB: want a multiple of 4"},
		{"patience", func(c *Config) { c.Patience = -1 }, "patience is -1ns"},
		{"throttle", func(c *Config) { c.Synchronise.TracksPerSecond = -1 }, "synchronise.tracks-per-second is -1"},
		{"streams", func(c *Config) { c.Synchronise.Streams = 65 }, "synchronise.streams is 65"},
		{"images of pairs", func(c *Config) { c.Pairs, c.Primary.Image = 2, "x" }, "want one pair"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Default()
			c.do(&d)
			require.ErrorContains(t, d.Check(), c.want)
		})
	}
}

func TestParse(t *testing.T) {
	s, err := ParseSwap("30s=constant-copy")
	require.NoError(t, err)
	assert.Equal(t, Swap{30 * machine.Second, "constant-copy", "30s=constant-copy"}, s)
	for _, bad := range []string{"", "30s", "=x", "30s=", "-1s=x", "soon=x"} {
		_, err := ParseSwap(bad)
		assert.Error(t, err, bad)
	}
	f, err := ParseFault("1.5s=mirror2:link-down")
	require.NoError(t, err)
	assert.Equal(t, Fault{1500 * machine.Millisecond, 1, 2, LinkDown, "1.5s=mirror2:link-down"}, f)
	f, err = ParseFault("0s=pair3.primary:fail")
	require.NoError(t, err)
	assert.Equal(t, Fault{0, 3, 0, Fail, "0s=pair3.primary:fail"}, f)
	for _, bad := range []string{"", "1s=primary", "1s=mirror0:fail", "1s=mirrorx:fail", "1s=primary:synchronise", "1s=pair0.primary:fail", "1s=pair.mirror1:fail", "1s=pear2.mirror1:fail", "x=primary:fail"} {
		_, err := ParseFault(bad)
		assert.Error(t, err, bad)
	}
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
	check := func(c Config) error {
		x, err := c.Parse()
		require.NoError(t, err)
		return x.CheckImages()
	}
	dir := t.TempDir()
	created := func(name, device string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, volumes.Create(path, volumes.CreateOptions{Device: device, Cylinders: 2, Content: image.Content{Serial: "VOL001"}}))
		return path
	}
	x := Default()
	x.Primary.Image = filepath.Join(dir, "absent")
	require.ErrorIs(t, check(x), os.ErrNotExist)
	for device, want := range map[string]string{
		"3350": "workload on a 3350-1: its control unit knows no define extent",
		"2311": "workload on a 2311-1: its control unit knows no define extent",
	} {
		x.Primary.Image = created(device, device)
		require.ErrorContains(t, check(x), want)
		y := Default()
		y.Model = device
		require.ErrorContains(t, check(y), want)
	}
	x.Primary.Image = created("3390", "3390")
	require.NoError(t, check(x))
	x.Primary.Shadows = []string{filepath.Join(dir, "none")}
	require.ErrorIs(t, check(x), os.ErrNotExist)
	x.Primary.Shadows = []string{created("image", "3390")}
	require.ErrorContains(t, check(x), "is no shadow file")
}

// What a place leaves out of its timing is as in mirror.
func TestTimingIsInherited(t *testing.T) {
	c := Default()
	c.Mirror.Timing = Timing{DestageMegabytes: 300, Exchanges: 8}
	c.Mirrors = []Place{{}, {Timing: Timing{Exchanges: 4, Program: -1}}}
	p := c.places()
	assert.Equal(t, Timing{DestageMegabytes: 300, Exchanges: 8}, p[0].Timing)
	assert.Equal(t, Timing{DestageMegabytes: 300, Exchanges: 4, Program: -1}, p[1].Timing)
	c.Mirror.Link = "escon"
	x, err := c.Parse()
	require.NoError(t, err)
	assert.Equal(t, int64(300e6), x.Machine.Mirrors[1].Subsystem.Timing.DestageBytesPerSecond)
	assert.Equal(t, dasd.LinkConfig{Type: dasd.ESCON, Exchanges: 4, Kilometres: 50}, x.Machine.Mirrors[1].Link)
}

func TestTimingLimits(t *testing.T) {
	for message, timing := range map[string]Timing{
		"timing.program is -2ns: want -1ns (none), 0 (the default) or up to 1s":               {Program: -2},
		"timing.command is 2s: want -1ns (none), 0 (the default) or up to 1s":                 {Command: 2 * time.Second},
		"timing.stage-bytes is -2: want -1 (none), 0 (the default) or 1 up to 1048576":        {StageBytes: -2},
		"timing.nonvolatile-megabytes is -3: want -1 (none), 0 (the default) or 0.001 up to":  {NonVolatileMegabytes: -3},
		"timing.destage-megabytes is 2000000: want -1 (none), 0 (the default) or 0.001 up to": {DestageMegabytes: 2e6},
		"timing.exchanges is 257: want 0 (the link type's own) to 256":                        {Exchanges: 257},
		"timing.write-round-trips is -1: want 0 (the link type's own) to 16":                  {WriteRoundTrips: -1},
	} {
		c := Default()
		c.Mirror.Timing = timing
		require.ErrorContains(t, c.Check(), message)
	}
}
