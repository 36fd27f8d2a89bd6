package description

import (
	"fmt"
	"strings"
	"time"

	"github.com/iosrun/iosrun/lab/workload"
)

// Limits of an experiment.
const (
	// MaxPolicies is the largest number of policies in one comparison.
	MaxPolicies = 16
	// MaxPairs is the largest number of pairs. A pair is a primary, a device whose
	// writes are mirrored, with its mirrors.
	MaxPairs = 16
	// MaxSwaps and MaxFaults are the largest numbers of policy swaps and of faults in
	// a run.
	MaxSwaps  = 64
	MaxFaults = 256
)

// Config holds the settings of an experiment. The koanf tags are the keys of
// experiment files and, in upper case with '_' for '.', of the environment.
type Config struct {
	Name string `koanf:"name" json:"name"`
	// Seed is the seed of all pseudo-random numbers of the run.
	Seed uint64 `koanf:"seed" json:"seed"`
	// Processors is the number of processors of the host computer.
	Processors int `koanf:"processors" json:"processors"`
	// Model is the device type of the primaries and their mirrors.
	Model string `koanf:"model" json:"model"`
	// Size is the size of each volume in cylinders, or in blocks of 512 bytes when the
	// device has fixed blocks. 0 stands for the model's own size. Volumes in image
	// files have the size of the image.
	Size int64 `koanf:"size" json:"size,omitempty"`
	// Pairs is the number of primaries of the application, each with mirrors of its
	// own; together they are one consistency group. 0 stands for 1.
	Pairs int `koanf:"pairs" json:"pairs,omitempty"`
	// Primary describes the place of each primary volume: its link, its storage
	// subsystem and its file.
	Primary Place `koanf:"primary" json:"primary"`
	// Mirror holds the defaults for the places of all mirrors.
	Mirror Place `koanf:"mirror" json:"mirror"`
	// Mirrors lists the places of a primary's mirrors; fields that an entry leaves out
	// are taken from Mirror. Without entries there is one mirror.
	Mirrors []Place `koanf:"mirrors" json:"mirrors,omitempty"`
	// Workload describes the requests that are played.
	Workload Workload `koanf:"workload" json:"workload"`
	// Policies lists the policies to run, by name or file.
	Policies []string `koanf:"policies" json:"policies"`
	// Swaps lists changes of the policy while I/O runs, each as "TIME=POLICY".
	Swaps []string `koanf:"swaps" json:"swaps,omitempty"`
	// Faults lists faults of volumes and links while I/O runs, each as
	// "TIME=PLACE:ACTION".
	Faults []string `koanf:"faults" json:"faults,omitempty"`
	// Synchronise holds the options of the action "synchronise" of a fault.
	Synchronise Synchronise `koanf:"synchronise" json:"synchronise"`
	// Patience is the longest time that an application waits for mirrors, in all, from
	// the end of its primary I/O on (M2); 0 stands for mirror.Patience.
	Patience time.Duration `koanf:"patience" json:"patience,omitempty"`
	// Expect lists the kinds of failures that do not make a check fail.
	Expect Expect `koanf:"expect" json:"expect,omitzero"`
	// Strict makes a check fail when the host refused an intent of a detour, or a call
	// of a detour gave no valid response, even if this had no consequence.
	Strict bool `koanf:"strict" json:"strict,omitempty"`
	// Native runs the shipped detours linked into the host instead of as modules.
	Native bool `koanf:"native" json:"native,omitempty"`

	// Origin, if not nil, returns the place where the setting of a key was given, such
	// as a file and its line, or an empty string for a setting that was not given.
	// Errors contain it.
	Origin func(key string) string `koanf:"-" json:"-"`
}

// origin knows the places where the settings of an experiment were given, for
// errors.
type origin struct {
	experiment string
	of         func(key string) string // as Config.Origin
}

func (c *Config) origin() origin { return origin{c.Name, c.Origin} }

// wrong returns an error about the setting of a key.
func (o origin) wrong(key string, err error) error {
	if at := o.about(key, err); at != err {
		return at
	}
	return o.named(err)
}

// about adds the place where the key was set to an error that already names its
// subject.
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

// setting is an error about one setting.
type setting struct {
	key string
	err error
}

// unfit makes an error about the setting of a key. The text follows the key.
func unfit(key, format string, args ...any) *setting {
	return &setting{key, fmt.Errorf(key+" "+format, args...)}
}

// Expect lists the kinds of failures that an experiment expects. They are still
// counted and reported.
type Expect struct {
	// FailedRequests expects requests of the application that end with an error.
	FailedRequests bool `koanf:"failed-requests" json:"failed_requests,omitempty"`
	// FailedSynchronisations expects synchronisations that end with an error or cannot
	// be begun.
	FailedSynchronisations bool `koanf:"failed-synchronisations" json:"failed_synchronisations,omitempty"`
	// LostWrites expects writes that were acknowledged and are on no volume that their
	// pair reads from.
	LostWrites bool `koanf:"lost-writes" json:"lost_writes,omitempty"`
}

// Place describes the surroundings of a volume: its link, its storage subsystem and
// its file.
type Place struct {
	// Link is the type of the channel link: "ficon", "escon" or one of the other
	// names that dasd.ParseLinkType knows.
	Link string `koanf:"link" json:"link"`
	// Kilometres is the length of the link.
	Kilometres float64 `koanf:"kilometres" json:"kilometres"`
	// Megabytes is the link's speed in megabytes a second; 0 stands for the type's
	// own.
	Megabytes float64 `koanf:"megabytes" json:"megabytes,omitempty"`
	// Aliases is the number of alias units, which take further I/Os to the same
	// volume, not counting the base unit.
	Aliases int `koanf:"aliases" json:"aliases"`
	// Standing says that mirror I/Os are joined to a suspended chain that stands on
	// the mirror's unit, instead of being started one by one (mirrors only).
	Standing bool `koanf:"standing" json:"standing,omitempty"`
	// SameSubsystem puts the volume into the primary's storage subsystem, whose cache
	// and cache-fast-write identification it shares (mirrors only).
	SameSubsystem bool `koanf:"same-subsystem" json:"same_subsystem,omitempty"`
	// CacheTracks is the size of the control unit's cache in tracks.
	CacheTracks int `koanf:"cache-tracks" json:"cache_tracks,omitempty"`
	// HitRatio, 0 to 1, is the probability that a track to be read is in the cache;
	// with 0 earlier reads and writes decide.
	HitRatio float64 `koanf:"hit-ratio" json:"hit_ratio,omitempty"`
	// CFWID is the cache-fast-write identification of the storage subsystem; 0 gives
	// it one of its own (mirrors only: the primary's is 1).
	CFWID uint16 `koanf:"cfwid" json:"cfwid,omitempty"`
	// Arms is the number of arms that the volume's tracks are spread over.
	Arms int `koanf:"arms" json:"arms,omitempty"`
	// Timing changes figures of the service-time model.
	Timing Timing `koanf:"timing" json:"timing,omitzero"`
	// Image is the path of the volume's file; when it is empty the volume is in
	// memory. With a file the geometry is the image's instead of the model's, and
	// every mirror is synchronised before the workload begins.
	Image string `koanf:"image" json:"image,omitempty"`
	// Shadows lists the shadow files, which hold changes to Image, the topmost last.
	// Only the topmost is ever written to.
	Shadows []string `koanf:"shadows" json:"shadows,omitempty"`
	// ImageMode is the mode in which the file is opened: copy-on-write (the default),
	// which leaves the file as it is, read-write or read-only.
	ImageMode string `koanf:"image-mode" json:"image_mode,omitempty"`
	// IgnoreOpened writes to a compressed image although its OPENED bit is on: its
	// last user did not close it.
	IgnoreOpened bool `koanf:"ignore-opened" json:"ignore_opened,omitempty"`
	// ImageCache limits the memory of cached tracks of the file, in bytes; 0 stands
	// for image.DefaultCacheBytes. Changes to a copy-on-write volume take memory in
	// addition.
	ImageCache int `koanf:"image-cache" json:"image_cache,omitempty"`
}

// Workload describes the requests of a run: a trace or a generator, and their place
// on the volumes.
type Workload struct {
	// Trace is the name of a bundled trace or a file. It is empty with a generator.
	Trace string `koanf:"trace" json:"trace,omitempty"`
	// Format is the layout of the file; when it is empty the layout is found from the
	// content.
	Format string `koanf:"format" json:"format,omitempty"`
	// TimeUnit is the unit of the trace's times, one of trace.TimeUnits; when it is
	// empty the layout's own is used.
	TimeUnit string `koanf:"time-unit" json:"time_unit,omitempty"`
	// TraceDevice is the name in the trace of the device whose requests are played.
	// When it is empty the device of the first row is played, and a row of another one
	// is an error.
	TraceDevice string `koanf:"trace-device" json:"trace_device,omitempty"`
	// Speed is the factor by which the trace is played faster.
	Speed float64 `koanf:"speed" json:"speed"`
	// FirstCylinder and Cylinders are the extent of a count-key-data (CKD) volume that
	// the requests use. It is formatted for them, which erases its data. With 0
	// cylinders the requests use the whole volume, which should be formatted in blocks
	// of 4096 bytes, as a volume in memory is. Cylinder 0 has the label: with
	// cylinders, FirstCylinder 0 means 1.
	FirstCylinder int `koanf:"first-cylinder" json:"first_cylinder,omitempty"`
	Cylinders     int `koanf:"cylinders" json:"cylinders,omitempty"`
	// Stripe is the size in KiB of the pieces in which the workload's volume is spread
	// over several primaries in turn; 0 stands for DefaultStripe.
	Stripe int `koanf:"stripe" json:"stripe,omitempty"`
	// Limit is the number of reads and writes after which the workload ends; 0 stands
	// for no limit.
	Limit int64 `koanf:"limit" json:"limit,omitempty"`
	// SkipBad is the number of bad rows of a trace that are tolerated.
	SkipBad int64 `koanf:"skip-bad" json:"skip_bad,omitempty"`
	// Generator makes the requests when there is no trace.
	Generator *workload.GeneratorConfig `koanf:"generator" json:"generator,omitempty"`
}

// Default returns the experiment that runs without any settings: the bundled trace
// of a database, a 3390 volume and its mirror 50 km away.
func Default() Config {
	return Config{
		Name: "demo", Seed: 1, Processors: 2, Model: "3390-54",
		Primary:  Place{Link: "ficon-8", Kilometres: 0.1, Aliases: 127, CacheTracks: 65536, HitRatio: 0.98, Arms: 16},
		Mirror:   Place{Link: "ficon-8", Kilometres: 50, Aliases: 127, CacheTracks: 65536, HitRatio: 0.98, Arms: 16},
		Workload: Workload{Trace: "pgbench", Speed: 1},
		Policies: []string{"sync", "constant-copy", "read-select"},
	}
}

// DefaultStripe is the default of Workload.Stripe, in KiB.
const DefaultStripe = 256

// pairs returns the number of pairs.
func (c *Config) pairs() int { return max(1, c.Pairs) }

// places returns the mirrors' places with the defaults filled in.
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

// placeKey returns the key of a place: of the primary, of the defaults for all
// mirrors, or of a mirror of the list.
func (c *Config) placeKey(i int) string {
	if i < 2 {
		return [...]string{"primary", "mirror"}[i]
	}
	return fmt.Sprintf("mirrors.%d", i-2)
}

// Describe sums up the experiment in a line or two.
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
