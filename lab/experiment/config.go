package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/lab/suggest"
	"github.com/iosrun/iosrun/lab/workload"
)

// Limits of an experiment.
const (
	// MaxPolicies is the most policies that one comparison takes.
	MaxPolicies = 16
	// MaxPairs is the most pairs of a primary and its mirrors.
	MaxPairs = 16
	// MaxSwaps is the most policy swaps in a run, MaxFaults the most faults.
	MaxSwaps  = 64
	MaxFaults = 256
)

// Config is an experiment. The koanf tags are the keys of experiment files and,
// in upper case with '_' for '.', of the environment.
type Config struct {
	Name string `koanf:"name" json:"name"`
	// Seed is what every pseudo-random draw of the run comes from.
	Seed uint64 `koanf:"seed" json:"seed"`
	// Processors is how many processors the host computer has.
	Processors int `koanf:"processors" json:"processors"`
	// Model is the device type of the primaries and their mirrors.
	Model string `koanf:"model" json:"model"`
	// Size is the size of each volume: cylinders, or blocks of 512 bytes where the
	// device has fixed blocks. 0 is the model's own. Volumes in image files have
	// theirs.
	Size int64 `koanf:"size" json:"size,omitempty"`
	// Pairs is how many primaries the application has, each with mirrors of its
	// own: one consistency group. 0 is 1.
	Pairs int `koanf:"pairs" json:"pairs,omitempty"`
	// Primary is the place of each primary volume.
	Primary Place `koanf:"primary" json:"primary"`
	// Mirror is what holds for every mirror that does not say otherwise.
	Mirror Place `koanf:"mirror" json:"mirror"`
	// Mirrors are the places of a primary's mirrors; what an entry leaves out is as in
	// Mirror. Without entries there is one mirror.
	Mirrors []Place `koanf:"mirrors" json:"mirrors,omitempty"`
	// Workload is what is played.
	Workload Workload `koanf:"workload" json:"workload"`
	// Policies are the policies to run: names or files.
	Policies []string `koanf:"policies" json:"policies"`
	// Swaps change the policy while I/O runs, each as "TIME=POLICY".
	Swaps []string `koanf:"swaps" json:"swaps,omitempty"`
	// Faults happen to volumes and links while I/O runs, each as
	// "TIME=PLACE:ACTION".
	Faults []string `koanf:"faults" json:"faults,omitempty"`
	// Synchronise is how the action "synchronise" of a fault is done.
	Synchronise Synchronise `koanf:"synchronise" json:"synchronise"`
	// Patience is the longest time that an application waits for mirrors, in all, from
	// the end of its primary I/O on (M2); 0 is mirror.Patience.
	Patience time.Duration `koanf:"patience" json:"patience,omitempty"`
	// Expect says what may go wrong without a check failing.
	Expect Expect `koanf:"expect" json:"expect,omitzero"`
	// Strict has a check fail when the host refused an intent of a detour, or a call
	// of a detour gave no answer, even if nothing came of it.
	Strict bool `koanf:"strict" json:"strict,omitempty"`
	// Native runs the shipped detours linked into the host instead of as modules.
	Native bool `koanf:"native" json:"native,omitempty"`

	// Origin, if not nil, says where the setting of a key was given, such as a file
	// and its line; empty for one that was not. It stands in errors.
	Origin func(key string) string `koanf:"-" json:"-"`

	// input is the workload's trace, once it has been looked at.
	input *workload.Input
}

// wrong is an error about the setting of a key.
func (c *Config) wrong(key string, err error) error {
	if at := c.about(key, err); at != err {
		return at
	}
	return fmt.Errorf("experiment %s: %w", c.Name, err)
}

// about names where a key was set in an error that says what it is about.
func (c *Config) about(key string, err error) error {
	if c.Origin != nil {
		if at := c.Origin(key); at != "" {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return err
}

// setting is what is wrong with one setting.
type setting struct {
	key string
	err error
}

// unfit says what is wrong with the setting of a key. The text follows the key.
func unfit(key, format string, args ...any) *setting {
	return &setting{key, fmt.Errorf(key+" "+format, args...)}
}

// Expect says what the experiment expects to go wrong. It is counted and
// reported all the same.
type Expect struct {
	// FailedRequests are requests of the application that end with an error.
	FailedRequests bool `koanf:"failed-requests" json:"failed_requests,omitempty"`
	// FailedSynchronisations are synchronisations that end with an error or cannot
	// be begun.
	FailedSynchronisations bool `koanf:"failed-synchronisations" json:"failed_synchronisations,omitempty"`
	// LostWrites are writes that were acknowledged and are on no volume that their pair
	// reads from.
	LostWrites bool `koanf:"lost-writes" json:"lost_writes,omitempty"`
}

// Place is where a volume stands: its link and its alias units.
type Place struct {
	// Link is the type of the channel link: "ficon", "escon" or one of the other
	// names that dasd.ParseLinkType knows.
	Link string `koanf:"link" json:"link"`
	// Kilometres is the length of the link.
	Kilometres float64 `koanf:"kilometres" json:"kilometres"`
	// Megabytes is the link's speed in megabytes a second; 0 is the type's own.
	Megabytes float64 `koanf:"megabytes" json:"megabytes,omitempty"`
	// Aliases is how many alias units the volume has beside its base unit.
	Aliases int `koanf:"aliases" json:"aliases"`
	// Standing has mirror I/Os joined to a suspended chain that stands on the
	// mirror's unit, in place of a STARTIO each (mirrors only).
	Standing bool `koanf:"standing" json:"standing,omitempty"`
	// SameSubsystem has the volume in the primary's storage subsystem, whose cache
	// and cache-fast-write identification it shares (mirrors only).
	SameSubsystem bool `koanf:"same-subsystem" json:"same_subsystem,omitempty"`
	// CacheTracks is how many tracks the control unit's cache holds.
	CacheTracks int `koanf:"cache-tracks" json:"cache_tracks,omitempty"`
	// HitRatio, 0 to 1, is the chance that a track to be read is in the cache; 0
	// leaves it to what has been read and written before.
	HitRatio float64 `koanf:"hit-ratio" json:"hit_ratio,omitempty"`
	// CFWID is the cache-fast-write identification of the storage subsystem; 0 is
	// one of its own (mirrors only: the primary's is 1).
	CFWID uint16 `koanf:"cfwid" json:"cfwid,omitempty"`
	// Arms is how many arms the volume's tracks are spread over.
	Arms int `koanf:"arms" json:"arms,omitempty"`
	// Timing changes figures of the service-time model.
	Timing Timing `koanf:"timing" json:"timing,omitzero"`
	// Image is the file that the volume is in; empty is memory. The geometry is
	// then the image's in place of the model's, and every mirror is synchronised
	// before the workload begins.
	Image string `koanf:"image" json:"image,omitempty"`
	// Shadows are the shadow files that lie on Image, the topmost last. Only the
	// topmost is ever written to.
	Shadows []string `koanf:"shadows" json:"shadows,omitempty"`
	// ImageMode is how the file is used: copy-on-write (as when it is empty), which
	// leaves the file as it is, read-write or read-only.
	ImageMode string `koanf:"image-mode" json:"image_mode,omitempty"`
	// IgnoreOpened writes to a compressed image although its OPENED bit is on: its
	// last user did not close it.
	IgnoreOpened bool `koanf:"ignore-opened" json:"ignore_opened,omitempty"`
	// ImageCache bounds the memory of cached tracks of the file, in bytes; 0 is
	// image.DefaultCacheBytes. Changes to a copy-on-write volume come on top.
	ImageCache int `koanf:"image-cache" json:"image_cache,omitempty"`
}

// Workload is a trace or a generator.
type Workload struct {
	// Trace is the name of a bundled trace or a file. Empty with a generator.
	Trace string `koanf:"trace" json:"trace,omitempty"`
	// Format is the file's; empty is found out from its content.
	Format string `koanf:"format" json:"format,omitempty"`
	// TimeUnit is the unit of the trace's times, one of workload.TimeUnits; empty is
	// the layout's own.
	TimeUnit string `koanf:"time-unit" json:"time_unit,omitempty"`
	// TraceDevice is the device whose requests are played, as the trace names it;
	// empty is the one of its first row, and another is an error.
	TraceDevice string `koanf:"trace-device" json:"trace_device,omitempty"`
	// Speed is the factor by which the trace is played faster.
	Speed float64 `koanf:"speed" json:"speed"`
	// FirstCylinder and Cylinders are where on a CKD volume the requests go. The
	// cylinders are formatted for them, which erases what was there. With 0
	// cylinders they go to the whole volume, which should be formatted in blocks of
	// 4096 bytes, as a volume in memory is. Cylinder 0 is the label's: with cylinders,
	// FirstCylinder 0 is 1.
	FirstCylinder int `koanf:"first-cylinder" json:"first_cylinder,omitempty"`
	Cylinders     int `koanf:"cylinders" json:"cylinders,omitempty"`
	// Stripe is how many KiB of the workload's volume lie on a primary before the
	// next ones lie on the next primary, where there are several; 0 is
	// DefaultStripe.
	Stripe int `koanf:"stripe" json:"stripe,omitempty"`
	// Limit ends the workload after so many reads and writes; 0 is no limit.
	Limit int64 `koanf:"limit" json:"limit,omitempty"`
	// SkipBad is how many bad rows of a trace are tolerated.
	SkipBad int64 `koanf:"skip-bad" json:"skip_bad,omitempty"`
	// Generator makes the requests when there is no trace.
	Generator *workload.GeneratorConfig `koanf:"generator" json:"generator,omitempty"`
}

// Default is the experiment that runs when nothing is said: the bundled trace of
// a database, a 3390 volume and its mirror 50 km away.
func Default() Config {
	return Config{
		Name: "demo", Seed: 1, Processors: 2, Model: "3390-54",
		Primary:  Place{Link: "ficon-8", Kilometres: 0.1, Aliases: 127, CacheTracks: 65536, HitRatio: 0.98, Arms: 16},
		Mirror:   Place{Link: "ficon-8", Kilometres: 50, Aliases: 127, CacheTracks: 65536, HitRatio: 0.98, Arms: 16},
		Workload: Workload{Trace: "pgbench", Speed: 1},
		Policies: []string{"sync", "constant-copy", "read-select"},
	}
}

// DefaultStripe is the stripe of a workload on several primaries, in KiB.
const DefaultStripe = 256

// pairs is how many pairs there are.
func (c *Config) pairs() int { return max(1, c.Pairs) }

// places are the mirrors' places with what they inherit.
func (c *Config) places() []Place {
	if len(c.Mirrors) == 0 {
		return []Place{c.Mirror}
	}
	all := make([]Place, len(c.Mirrors))
	for i, p := range c.Mirrors {
		all[i] = p.over(c.Mirror)
	}
	return all
}

func (p Place) over(base Place) Place {
	if p.Link == "" {
		p.Link = base.Link
	}
	if p.Kilometres == 0 {
		p.Kilometres = base.Kilometres
	}
	if p.Megabytes == 0 {
		p.Megabytes = base.Megabytes
	}
	if p.Aliases == 0 {
		p.Aliases = base.Aliases
	}
	p.Standing = p.Standing || base.Standing
	p.SameSubsystem = p.SameSubsystem || base.SameSubsystem
	if p.CFWID == 0 {
		p.CFWID = base.CFWID
	}
	if p.CacheTracks == 0 {
		p.CacheTracks = base.CacheTracks
	}
	if p.HitRatio == 0 {
		p.HitRatio = base.HitRatio
	}
	if p.Arms == 0 {
		p.Arms = base.Arms
	}
	p.Timing = p.Timing.over(base.Timing)
	if p.Image == "" {
		p.Image = base.Image
		if len(p.Shadows) == 0 {
			p.Shadows = base.Shadows
		}
	}
	if p.ImageMode == "" {
		p.ImageMode = base.ImageMode
	}
	p.IgnoreOpened = p.IgnoreOpened || base.IgnoreOpened
	if p.ImageCache == 0 {
		p.ImageCache = base.ImageCache
	}
	return p
}

// Check reports the first thing that is wrong with the experiment.
func (c *Config) Check() error {
	w := &c.Workload
	var bad *setting
	switch {
	case len(c.Policies) == 0:
		return fmt.Errorf("experiment %s: names no policies", c.Name)
	case len(c.Policies) > MaxPolicies:
		bad = unfit("policies", "has %d policies: at most %d", len(c.Policies), MaxPolicies)
	case len(c.Swaps) > MaxSwaps:
		bad = unfit("swaps", "has %d swaps: at most %d", len(c.Swaps), MaxSwaps)
	case len(c.Faults) > MaxFaults:
		bad = unfit("faults", "has %d faults: at most %d", len(c.Faults), MaxFaults)
	case w.Trace == "" && w.Generator == nil:
		return fmt.Errorf("experiment %s: workload names neither a trace nor a generator", c.Name)
	case w.Trace != "" && w.Generator != nil:
		bad = &setting{"workload.generator", fmt.Errorf("workload names both a trace (%s) and a generator", w.Trace)}
	case w.Limit < 0:
		bad = unfit("workload.limit", "is %d: want 0 (no limit) or more", w.Limit)
	case w.SkipBad < 0:
		bad = unfit("workload.skip-bad", "is %d: want 0 or more", w.SkipBad)
	}
	if bad == nil {
		bad = w.check()
	}
	if bad != nil {
		return c.wrong(bad.key, bad.err)
	}
	if err := c.CheckMachine(); err != nil {
		return err
	}
	if bad := c.checkIdle(); bad != nil {
		return c.wrong(bad.key, bad.err)
	}
	if err := c.checkImages(); err != nil {
		return fmt.Errorf("experiment %s: %w", c.Name, err)
	}
	if _, err := c.faultsOf(); err != nil {
		return c.wrong("faults", err)
	}
	for _, text := range c.Swaps {
		if _, err := ParseSwap(text); err != nil {
			return c.wrong("swaps", err)
		}
	}
	return nil
}

// check reports the first setting that is wrong whatever the machine is.
func (w *Workload) check() *setting {
	if err := workload.CheckSpeed(w.Speed); err != nil {
		return &setting{"workload.speed", fmt.Errorf("workload.speed is %w", err)}
	}
	if _, err := workload.ParseFormat(w.Format); err != nil {
		return &setting{"workload.format", err}
	}
	if _, err := workload.ParseTimeUnit(w.TimeUnit); err != nil {
		return &setting{"workload.time-unit", err}
	}
	if w.FirstCylinder < 0 || w.Cylinders < 0 || w.FirstCylinder > 0 && w.Cylinders == 0 {
		key := "workload.first-cylinder"
		if w.Cylinders < 0 {
			key = "workload.cylinders"
		}
		return &setting{key, fmt.Errorf("workload of %d cylinders from %d on: want none, cylinders alone, or both", w.Cylinders, w.FirstCylinder)}
	}
	if w.Generator == nil {
		return nil
	}
	for _, k := range []struct {
		key, value string
	}{
		{"workload.format", w.Format}, {"workload.skip-bad", strings.TrimPrefix(strconv.FormatInt(w.SkipBad, 10), "0")},
		{"workload.time-unit", w.TimeUnit}, {"workload.trace-device", w.TraceDevice},
	} {
		if k.value != "" {
			return unfit(k.key, "%s is about a trace, and a generator makes the requests", k.value)
		}
	}
	return nil
}

// CheckMachine reports the first thing that is wrong with the machine that the
// experiment describes, whatever is played on it.
func (c *Config) CheckMachine() error {
	if bad := c.checkMachine(); bad != nil {
		return c.wrong(bad.key, bad.err)
	}
	return nil
}

func (c *Config) checkMachine() *setting {
	if c.Processors < 1 || c.Processors > machine.MaxProcessors {
		return unfit("processors", "is %d: want 1 to %d", c.Processors, machine.MaxProcessors)
	}
	if c.Pairs < 0 || c.Pairs > MaxPairs {
		return &setting{"pairs", fmt.Errorf("%d pairs: want 1 to %d", c.Pairs, MaxPairs)}
	}
	if k := c.Workload.Stripe; k < 0 || k > maxStripe || k%(program.BlockSize>>10) != 0 {
		return unfit("workload.stripe", "is %d KiB: want a multiple of %d up to %d", k, program.BlockSize>>10, maxStripe)
	}
	if len(c.Mirrors) > abi.MaxMirrors {
		return &setting{"mirrors", fmt.Errorf("%d mirrors: at most %d", len(c.Mirrors), abi.MaxMirrors)}
	}
	g, err := media.Lookup(c.Model)
	if err != nil {
		return &setting{"model", fmt.Errorf("%w%s", err, suggest.DidYouMean(c.Model, modelNames()))}
	}
	if err := c.checkSize(g); err != nil {
		return &setting{"size", err}
	}
	if bad := c.Synchronise.check(); bad != nil {
		return bad
	}
	if c.Patience < 0 || c.Patience > workload.MaxSpan.Duration() {
		return unfit("patience", "is %v: want 0 (%v) to %v", c.Patience, time.Duration(mirror.Patience), workload.MaxSpan.Duration())
	}
	if c.Primary.SameSubsystem {
		return &setting{"primary.same-subsystem", errors.New("primary.same-subsystem: it is a mirror that can be in the primary's subsystem")}
	}
	if c.Primary.Standing {
		return &setting{"primary.standing", errors.New("primary.standing: it is on a mirror that a chain stands")}
	}
	if c.Primary.CFWID > 1 {
		return unfit("primary.cfwid", "is %d: the primary's is 1", c.Primary.CFWID)
	}
	places := []Place{c.Primary, c.Mirror}
	if len(c.Mirrors) > 0 {
		places = append(places, c.places()...)
	}
	units := c.pairs() * (1 + c.Primary.Aliases)
	for i, p := range places {
		if bad := p.check(); bad != nil {
			return &setting{c.placeKey(i) + "." + bad.key, bad.err}
		}
		if p.SameSubsystem && p.CFWID > 1 {
			return &setting{c.placeKey(i) + ".cfwid", fmt.Errorf("mirror of CFWID %d in the primary's subsystem, whose CFWID is 1: want one or the other", p.CFWID)}
		}
		if i > 1 || i == 1 && len(c.Mirrors) == 0 {
			units += c.pairs() * (1 + p.Aliases)
		}
	}
	if units > ios.MaxUnits {
		return &setting{"pairs", fmt.Errorf("%d pairs with their aliases are %d units: at most %d; want fewer aliases", c.pairs(), units, ios.MaxUnits)}
	}
	return nil
}

// placeKey is the key of a place: the primary, what holds for every mirror, and
// each mirror of the list.
func (c *Config) placeKey(i int) string {
	if i < 2 {
		return [...]string{"primary", "mirror"}[i]
	}
	return fmt.Sprintf("mirrors.%d", i-2)
}

// checkSize reports a size that volumes of the device g cannot have.
func (c *Config) checkSize(g *media.Geometry) error {
	if c.Size < 0 || c.Size > media.MaxBlocks {
		return fmt.Errorf("size is %d: want 0 (the model's own) or the number of cylinders, or of blocks of a fixed-block device", c.Size)
	}
	if c.Size != 0 && c.images() {
		return fmt.Errorf("size is %d, but volumes in image files have sizes of their own", c.Size)
	}
	if _, err := c.sized(g); err != nil {
		return fmt.Errorf("size is %d: %w", c.Size, err)
	}
	return nil
}

// geometry is the geometry of volumes in memory.
func (c *Config) geometry() (*media.Geometry, error) {
	g, err := media.Lookup(c.Model)
	if err != nil {
		return nil, err
	}
	return c.sized(g)
}

// sized gives the device g the size of the experiment's volumes.
func (c *Config) sized(g *media.Geometry) (*media.Geometry, error) {
	switch {
	case c.Size == 0:
		return g, nil
	case g.FBA():
		return g.ResizeBlocks(c.Size)
	}
	return g.Resize(int(c.Size))
}

// modelNames are the names of the device types, with and without a model.
func modelNames() []string {
	var names []string
	for _, g := range media.Models() {
		names = append(names, g.Name, fmt.Sprintf("%04x", g.Type))
	}
	return names
}

// maxStripe is the longest stripe in KiB: 1 GiB.
const maxStripe = 1 << 20

// MaxKilometres is the longest link: once around the earth.
const MaxKilometres = 40_000

// check reports the first setting of a place that is wrong, by its key within the
// place.
func (p *Place) check() *setting {
	say := func(key, format string, args ...any) *setting { return &setting{key, fmt.Errorf(format, args...)} }
	if _, err := dasd.ParseLinkType(p.Link); err != nil {
		return say("link", "%w%s", err, suggest.DidYouMean(p.Link, dasd.LinkNames()))
	}
	if err := p.Timing.check(); err != nil {
		return err
	}
	switch {
	case !(p.Kilometres >= 0 && p.Kilometres <= MaxKilometres):
		return say("kilometres", "link of %v kilometres: want 0 to %d", p.Kilometres, MaxKilometres)
	case !(p.Megabytes == 0 || p.Megabytes >= minMegabytes && p.Megabytes <= maxMegabytes):
		return say("megabytes", "link of %v megabytes a second: want 0 (the type's own), or %v to %v", p.Megabytes, minMegabytes, maxMegabytes)
	case p.CacheTracks < 0 || p.CacheTracks > dasd.MaxCacheTracks:
		return say("cache-tracks", "cache of %d tracks: want 0 to %d", p.CacheTracks, dasd.MaxCacheTracks)
	case !(p.HitRatio >= 0 && p.HitRatio <= 1):
		return say("hit-ratio", "hit ratio of %v: want 0 to 1", p.HitRatio)
	case p.ImageCache < 0:
		return say("image-cache", "image cache of %d bytes: want 0 or more", p.ImageCache)
	case p.Arms < 0 || p.Arms > dasd.MaxArms:
		return say("arms", "%d arms: want 0 to %d", p.Arms, dasd.MaxArms)
	case p.Aliases < 0 || p.Aliases > 255:
		return say("aliases", "%d aliases: want 0 to 255", p.Aliases)
	}
	return nil
}

// Swap is a change of policy while I/O runs.
type Swap struct {
	At     time.Duration
	Policy string
}

// ParseSwap reads "TIME=POLICY", such as "30s=constant-copy".
func ParseSwap(text string) (Swap, error) {
	for i := range text {
		if text[i] != '=' {
			continue
		}
		at, err := time.ParseDuration(text[:i])
		if err != nil || at < 0 || text[i+1:] == "" {
			break
		}
		if at > workload.MaxSpan.Duration() {
			return Swap{}, fmt.Errorf("swap %q: its time is above %v", text, workload.MaxSpan.Duration())
		}
		return Swap{at, text[i+1:]}, nil
	}
	return Swap{}, fmt.Errorf("swap %q: want TIME=POLICY, such as 30s=constant-copy", text)
}

// Describe says in a line or two what is run.
func (c *Config) Describe() string {
	d := fmt.Sprintf("%s on a %s, %d aliases", c.Workload.name(), c.Model, c.Primary.Aliases)
	if n := c.pairs(); n > 1 {
		d = fmt.Sprintf("%s on %d %ss, %d aliases each", c.Workload.name(), n, c.Model, c.Primary.Aliases)
	}
	if c.Primary.Image != "" {
		d = fmt.Sprintf("%s on %s, %d aliases", c.Workload.name(), c.Primary.Image, c.Primary.Aliases)
	}
	if c.Workload.Speed != 1 {
		d += fmt.Sprintf(", %gx speed", c.Workload.Speed)
	}
	for _, p := range c.places() {
		d += fmt.Sprintf("; mirror %g km away over %s", p.Kilometres, strings.ToUpper(p.Link))
	}
	return d + fmt.Sprintf("; seed %d", c.Seed)
}

// CheckWorkload opens the workload and closes it again, so that what is wrong
// with it is known before anything runs. What it has read of a pipe is kept for the
// runs, until Close.
func (c *Config) CheckWorkload() error {
	w := &c.Workload
	key := "workload.trace"
	if w.Generator != nil {
		key = "workload.generator"
	} else if c.input == nil && !w.bundled() {
		in, err := workload.OpenInput(w.Trace)
		if err != nil {
			return c.wrong(key, fmt.Errorf("%w%s", err, w.perhaps(err)))
		}
		c.input = in
	}
	size, err := c.workloadBytes()
	if err != nil {
		return err
	}
	source, err := w.open(c.input, size, c.Seed)
	if err != nil {
		if bad := (*workload.GeneratorError)(nil); errors.As(err, &bad) {
			key += "." + bad.Key
		}
		return c.wrong(key, err)
	}
	return source.Close()
}

// Close gives up what CheckWorkload has kept. Runs must have ended.
func (c *Config) Close() error {
	if c.input == nil {
		return nil
	}
	err := c.input.Close()
	c.input = nil
	return err
}

// workloadBytes is the size of the volumes as the workload sees them; 0 where
// volumes in files, which are not open yet, decide.
func (c *Config) workloadBytes() (int64, error) {
	if c.images() {
		return 0, nil
	}
	g, err := c.geometry()
	if err != nil {
		return 0, c.wrong("model", err)
	}
	if err := takesBlocks(g); err != nil {
		return 0, c.wrong("model", err)
	}
	layout, err := c.Workload.layout(g)
	if err != nil {
		return 0, c.wrong("workload.cylinders", err)
	}
	return layout.Blocks() / c.stripeBlocks() * c.stripeBlocks() * int64(c.pairs()) * program.BlockSize, nil
}

// stripeBlocks is the stripe in blocks; 1 where there is one pair, whose volume is
// used to its end.
func (c *Config) stripeBlocks() int64 {
	if c.pairs() == 1 {
		return 1
	}
	return int64(c.Workload.stripe()) << 10 / program.BlockSize
}

// stripe is how many KiB lie on a primary before the next ones lie on the next.
func (w *Workload) stripe() int {
	if w.Stripe == 0 {
		return DefaultStripe
	}
	return w.Stripe
}

// bundled says whether the trace is one that comes with the program.
func (w *Workload) bundled() bool { return slices.Contains(workload.BundledNames(), w.Trace) }

// perhaps is the end of an error about a file that is not there, where it looks
// like the name of a trace that comes with the program.
func (w *Workload) perhaps(err error) string {
	if !errors.Is(err, fs.ErrNotExist) || strings.ContainsAny(w.Trace, `./\`) {
		return ""
	}
	return "; bundled are " + strings.Join(workload.BundledNames(), " and ") + suggest.DidYouMean(w.Trace, workload.BundledNames())
}
