package description

import (
	"fmt"
	"strings"
	"time"

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
}

// origin tells where the settings of an experiment come from, for errors.
type origin struct {
	experiment string
	of         func(key string) string // as Config.Origin
}

func (c *Config) origin() origin { return origin{c.Name, c.Origin} }

// wrong gives an error about the setting of a key.
func (o origin) wrong(key string, err error) error {
	if at := o.about(key, err); at != err {
		return at
	}
	return o.named(err)
}

// about adds to an error that says what it is about where the key was set.
func (o origin) about(key string, err error) error {
	if o.of != nil {
		if at := o.of(key); at != "" {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return err
}

// named adds the experiment's name to an error.
func (o origin) named(err error) error { return fmt.Errorf("experiment %s: %w", o.experiment, err) }

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
	// TimeUnit is the unit of the trace's times, one of trace.TimeUnits; empty is
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

// placeKey is the key of a place: the primary, what holds for every mirror, and
// each mirror of the list.
func (c *Config) placeKey(i int) string {
	if i < 2 {
		return [...]string{"primary", "mirror"}[i]
	}
	return fmt.Sprintf("mirrors.%d", i-2)
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
