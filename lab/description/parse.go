package description

import (
	"errors"
	"fmt"
	"time"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/names/suggest"
	"github.com/iosrun/iosrun/trace"
)

// Check returns the error about the first invalid setting of the experiment, or nil.
func (c *Config) Check() error {
	_, err := c.Parse()
	return err
}

// Parse makes an experiment of the settings. The error is about the first invalid
// one, and says where it was given.
func (c *Config) Parse() (*Experiment, error) {
	x := c.begin()
	w := &c.Workload
	var bad *setting
	switch {
	case len(c.Policies) == 0:
		return nil, x.origin.named(errors.New("names no policies"))
	case len(c.Policies) > MaxPolicies:
		bad = unfit("policies", "has %d policies: at most %d", len(c.Policies), MaxPolicies)
	case len(c.Swaps) > MaxSwaps:
		bad = unfit("swaps", "has %d swaps: at most %d", len(c.Swaps), MaxSwaps)
	case len(c.Faults) > MaxFaults:
		bad = unfit("faults", "has %d faults: at most %d", len(c.Faults), MaxFaults)
	case w.Trace == "" && w.Generator == nil:
		return nil, x.origin.named(errors.New("workload names neither a trace nor a generator"))
	case w.Trace != "" && w.Generator != nil:
		bad = &setting{"workload.generator", fmt.Errorf("workload names both a trace (%s) and a generator", w.Trace)}
	case w.Limit < 0:
		bad = unfit("workload.limit", "is %d: want 0 (no limit) or more", w.Limit)
	case w.SkipBad < 0:
		bad = unfit("workload.skip-bad", "is %d: want 0 or more", w.SkipBad)
	default:
		bad = w.parse(&x.Traffic)
	}
	if bad == nil {
		bad = c.parseMachine(x)
	}
	if bad == nil {
		bad = c.checkIdle()
	}
	if bad != nil {
		return nil, x.origin.wrong(bad.key, bad.err)
	}
	if err := c.parseVolumes(x); err != nil {
		return nil, err
	}
	for _, text := range c.Faults {
		f, err := ParseFault(text)
		if err != nil {
			return nil, x.origin.wrong("faults", err)
		}
		if err := x.Machine.Has(f.Pair, f.Mirror); err != nil {
			return nil, x.origin.wrong("faults", fmt.Errorf("fault %q: %w", text, err))
		}
		x.Faults = append(x.Faults, f)
	}
	for _, text := range c.Swaps {
		s, err := ParseSwap(text)
		if err != nil {
			return nil, x.origin.wrong("swaps", err)
		}
		x.Swaps = append(x.Swaps, s)
	}
	return x, nil
}

// ParseStage makes an experiment of only the settings of its machine and its
// volumes: a stage on which a caller plays I/O of its own. It has no policies, swaps
// and faults, and its traffic has only a name.
func (c *Config) ParseStage() (*Experiment, error) {
	x := c.begin()
	if bad := c.parseMachine(x); bad != nil {
		return nil, x.origin.wrong(bad.key, bad.err)
	}
	return x, c.parseVolumes(x)
}

// parseVolumes describes the volumes that are in files, which have sizes of their own.
func (c *Config) parseVolumes(x *Experiment) error {
	if err := c.parseImages(x); err != nil {
		return x.origin.named(err)
	}
	if c.Size != 0 && x.Machine.InFiles() {
		bad := unfit("size", "is %d, but volumes in image files have sizes of their own", c.Size)
		return x.origin.wrong(bad.key, bad.err)
	}
	return nil
}

// begin copies the settings that need no parsing.
func (c *Config) begin() *Experiment {
	return &Experiment{
		Name: c.Name, Policies: c.Policies, Expect: c.Expect, Strict: c.Strict, origin: c.origin(),
		Traffic: Traffic{Name: c.Workload.name(), seed: c.Seed},
		Machine: Machine{Seed: c.Seed, Processors: c.Processors, Patience: machine.Time(c.Patience), Pairs: c.pairs(), Native: c.Native},
	}
}

// parseMachine describes the machine, its volumes except for their images, and the
// options of its work, and reports the first of these settings that is invalid.
func (c *Config) parseMachine(x *Experiment) *setting {
	m := &x.Machine
	if c.Processors < 1 || c.Processors > machine.MaxProcessors {
		return unfit("processors", "is %d: want 1 to %d", c.Processors, machine.MaxProcessors)
	}
	if c.Pairs < 0 || c.Pairs > MaxPairs {
		return &setting{"pairs", fmt.Errorf("%d pairs: want 1 to %d", c.Pairs, MaxPairs)}
	}
	if k := c.Workload.Stripe; k < 0 || k > maxStripe || k%(program.BlockSize>>10) != 0 {
		return unfit("workload.stripe", "is %d KiB: want a multiple of %d up to %d", k, program.BlockSize>>10, maxStripe)
	}
	x.Extent = c.Workload.extent()
	if len(c.Mirrors) > abi.MaxMirrors {
		return &setting{"mirrors", fmt.Errorf("%d mirrors: at most %d", len(c.Mirrors), abi.MaxMirrors)}
	}
	var err error
	if m.Geometry, err = media.Lookup(c.Model); err != nil {
		return &setting{"model", fmt.Errorf("%w%s", err, suggest.DidYouMean(c.Model, modelNames()))}
	}
	if m.Geometry, err = resized(m.Geometry, c.Size); err != nil {
		return &setting{"size", err}
	}
	if bad := c.Synchronise.check(); bad != nil {
		return bad
	}
	x.Synchronise = c.Synchronise.options()
	if c.Patience < 0 || c.Patience > trace.MaxSpan.Duration() {
		return unfit("patience", "is %v: want 0 (%v) to %v", c.Patience, time.Duration(mirror.Patience), trace.MaxSpan.Duration())
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
	return c.parsePlaces(m)
}

// resized returns the geometry with the size that an experiment asks for: in
// cylinders, or in blocks when it has fixed blocks; 0 leaves its own.
func resized(g *media.Geometry, size int64) (_ *media.Geometry, err error) {
	switch {
	case size < 0 || size > media.MaxBlocks:
		return nil, fmt.Errorf("size is %d: want 0 (the model's own) or the number of cylinders, or of blocks of a fixed-block device", size)
	case size == 0:
		return g, nil
	case g.FBA():
		g, err = g.ResizeBlocks(size)
	default:
		g, err = g.Resize(int(size))
	}
	if err != nil {
		return nil, fmt.Errorf("size is %d: %w", size, err)
	}
	return g, nil
}

// parsePlaces describes the volumes of a pair. It also checks the defaults for
// mirrors that no mirror uses.
func (c *Config) parsePlaces(m *Machine) *setting {
	places := []Place{c.Primary, c.Mirror}
	if len(c.Mirrors) > 0 {
		places = append(places, c.places()...)
	}
	units := 0
	for i, p := range places {
		v, bad := p.parse()
		if bad != nil {
			return &setting{c.placeKey(i) + "." + bad.key, bad.err}
		}
		if p.SameSubsystem && p.CFWID > 1 {
			return &setting{c.placeKey(i) + ".cfwid", fmt.Errorf("mirror of CFWID %d in the primary's subsystem, whose CFWID is 1: want one or the other", p.CFWID)}
		}
		switch {
		case i == 0:
			v.Subsystem.CFWID = 1
			m.Primary = v
		case i == 1 && len(c.Mirrors) > 0:
			continue
		default:
			if v.Subsystem.CFWID == 0 {
				v.Subsystem.CFWID = uint16(len(m.Mirrors) + 2)
			}
			m.Mirrors = append(m.Mirrors, v)
		}
		units += c.pairs() * (1 + p.Aliases)
	}
	if units > ios.MaxUnits {
		return &setting{"pairs", fmt.Errorf("%d pairs with their aliases are %d units: at most %d; want fewer aliases", c.pairs(), units, ios.MaxUnits)}
	}
	return nil
}

// modelNames returns the names of the device types, with and without a model.
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

// parse describes the volume at a place, except for its image, and reports the first
// setting that is invalid, by its key within the place.
func (p *Place) parse() (v Volume, bad *setting) {
	say := func(key, format string, args ...any) *setting { return &setting{key, fmt.Errorf(format, args...)} }
	kind, err := dasd.ParseLinkType(p.Link)
	if err != nil {
		return v, say("link", "%w%s", err, suggest.DidYouMean(p.Link, dasd.LinkNames()))
	}
	if bad := p.Timing.check(); bad != nil {
		return v, bad
	}
	switch {
	case !(p.Kilometres >= 0 && p.Kilometres <= MaxKilometres):
		bad = say("kilometres", "link of %v kilometres: want 0 to %d", p.Kilometres, MaxKilometres)
	case !(p.Megabytes == 0 || p.Megabytes >= minMegabytes && p.Megabytes <= maxMegabytes):
		bad = say("megabytes", "link of %v megabytes a second: want 0 (the type's own), or %v to %v", p.Megabytes, minMegabytes, maxMegabytes)
	case p.CacheTracks < 0 || p.CacheTracks > dasd.MaxCacheTracks:
		bad = say("cache-tracks", "cache of %d tracks: want 0 to %d", p.CacheTracks, dasd.MaxCacheTracks)
	case !(p.HitRatio >= 0 && p.HitRatio <= 1):
		bad = say("hit-ratio", "hit ratio of %v: want 0 to 1", p.HitRatio)
	case p.ImageCache < 0:
		bad = say("image-cache", "image cache of %d bytes: want 0 or more", p.ImageCache)
	case p.Arms < 0 || p.Arms > dasd.MaxArms:
		bad = say("arms", "%d arms: want 0 to %d", p.Arms, dasd.MaxArms)
	case p.Aliases < 0 || p.Aliases > 255:
		bad = say("aliases", "%d aliases: want 0 to 255", p.Aliases)
	}
	return Volume{
		Link:      p.link(kind),
		Subsystem: dasd.Config{CFWID: p.CFWID, CacheTracks: p.CacheTracks, Timing: p.subsystem()},
		Aliases:   p.Aliases, Standing: p.Standing, SameSubsystem: p.SameSubsystem,
	}, bad
}
