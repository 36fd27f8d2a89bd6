package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/settings"
	"github.com/iosrun/iosrun/lab/workload"
	"github.com/iosrun/iosrun/trace"
)

// flagKeys maps flags to the settings that they set.
var flagKeys = map[string]string{
	"seed":       "seed",
	"processors": "processors",
	"model":      "model",
	"size":       "size",
	"pairs":      "pairs",
	"stripe":     "workload.stripe",
	"patience":   "patience",
	"km":         "mirror.kilometres",
	"link":       "mirror.link",
	"megabytes":  "mirror.megabytes",
	"aliases":    "aliases", // sets both sides: see flagSettings
	"trace":      "workload.trace",
	"format":     "workload.format",
	"speed":      "workload.speed",
	"limit":      "workload.limit",
	"skip-bad":   "workload.skip-bad",
	"time-unit":  "workload.time-unit",
	"swap":       "swaps",
	"fault":      "faults",
	"standing":   "mirror.standing",
	"strict":     "strict",
	"native":     "native",

	"expect-failures": "expect.failed-requests",
	"expect-lost":     "expect.lost-writes",

	"primary-image":  "primary.image",
	"mirror-image":   "mirror.image",
	"image-mode":     "image-mode", // sets both sides: see flagSettings
	ignoreOpened:     ignoreOpened, // sets both sides: see flagSettings
	"sync-rate":      "synchronise.tracks-per-second",
	"first-cylinder": "workload.first-cylinder",
	"trace-device":   "workload.trace-device",
	"cylinders":      "workload.cylinders",
}

// notSettings lists environment variables with the prefix that are not an
// experiment's settings.
var notSettings = []string{"IOSRUN_PLUGIN_DIR", "IOSRUN_LOG_LEVEL", "IOSRUN_TRACES"}

// addExperimentFlags adds the flags that describe an experiment.
func addExperimentFlags(f *pflag.FlagSet) {
	d := experiment.Default()
	f.StringP("experiment", "e", "", "YAML file that describes the experiment; flags override it")
	f.Uint64("seed", d.Seed, "seed of every pseudo-random draw")
	f.Int("processors", d.Processors, "processors of the host computer")
	f.String("model", d.Model, "device type of the primary and its mirrors, such as 3390-9 or 9336-20")
	f.Int64("size", 0, "size of each volume in cylinders, or in blocks of 512 bytes where the device has fixed blocks (0: the model's own)")
	f.Float64("km", d.Mirror.Kilometres, "length of the link to the mirrors in kilometres")
	f.String("link", d.Mirror.Link, "type of the link to the mirrors: escon, ficon, or ficon-2, -4, -8, -16, -32")
	f.Float64("megabytes", d.Mirror.Megabytes, "speed of the link to the mirrors in megabytes a second (0: the type's own)")
	f.String("primary-image", "", "image file that is the primary volume; its geometry takes the place of --model, and the mirrors are synchronised first")
	f.String("mirror-image", "", "image file that is the mirror")
	f.String("image-mode", "", "mode of image files: "+strings.Join(description.ImageModes(), ", ")+" (default "+description.ImageModes()[0]+", which leaves the files as they are)")
	f.Bool(ignoreOpened, false, "write to image files although they were not closed (OPENED bit), or other programs have them open")
	f.Int("first-cylinder", 0, "first cylinder of a CKD volume that requests use, with --cylinders (0: cylinder 1; cylinder 0 has the label)")
	f.Int("cylinders", 0, "number of cylinders that requests use; they are formatted for it, which erases their data (0: the whole volume, as it is)")
	f.Int("mirrors", 1, "number of mirrors of a primary")
	f.Int("pairs", 1, "number of primaries of the application, each with mirrors of its own; they are one consistency group")
	f.Int("stripe", 0, fmt.Sprintf("KiB of the workload's volume on a primary before the next ones lie on the next (0: %d)", description.DefaultStripe))
	f.Duration("patience", 0, fmt.Sprintf("longest time that an application waits for mirrors, from the end of its primary I/O on (0s: %v)", time.Duration(mirror.Patience)))
	f.Int("sync-rate", 0, `largest number of tracks a second that the fault action "synchronise" copies while writes go on (0: no limit)`)
	f.Int("aliases", d.Primary.Aliases, "number of alias units of each volume")
	f.String("trace", d.Workload.Trace, "bundled trace ("+strings.Join(trace.BundledNames(), ", ")+") or file or pipe (-: standard input), plain or packed with gzip, zstd, bzip2 or xz")
	f.String("format", "", "layout of the trace: "+strings.Join(trace.Formats(), ", ")+" (default: found from its content)")
	f.String("time-unit", "", "unit of the trace's times: "+strings.Join(trace.TimeUnits(), ", ")+" (default: the layout's own)")
	f.String("trace-device", "", "name in the trace of the device whose requests are played (default: the trace has only one)")
	f.Float64("speed", d.Workload.Speed, "factor by which the trace is played faster")
	f.Int64("limit", 0, "number of reads and writes after which the workload ends (0: no limit)")
	f.Int64("skip-bad", 0, "number of bad rows of the trace that are tolerated")
	f.Bool("generate", false, "make requests up instead of playing a trace; the --gen flags describe them")
	g := workload.DefaultGenerator()
	f.Int64("gen-count", 100_000, "number of requests to make up")
	f.Float64("gen-rate", g.Rate, "arrivals a second")
	f.Float64("gen-reads", g.ReadShare, "share of reads, 0 to 1")
	f.Float64("gen-skew", g.Skew, "exponent of the Zipf distribution of addresses; 0: uniform")
	f.String("gen-pattern", string(g.Pattern), "random or sequential")
	f.Int64("gen-bytes", 4096, "size of a request")
	f.StringArray("swap", nil, `change the policy at a virtual time while I/O runs: TIME=POLICY, such as "30s=constant-copy"`)
	f.StringArray("fault", nil, `make a fault happen at a virtual time: TIME=PLACE:ACTION, such as "30s=mirror1:link-down" or "30s=pair2.primary:fail" (actions: link-down, link-up, fail, gone, not-responding, restore, synchronise)`)
	f.Bool("standing", false, "join mirror I/Os to a chain that stands suspended on the mirror, instead of starting each")
	f.Bool("expect-lost", false, "acknowledged writes that are lost are expected: they are counted, and no check fails for them")
	f.Bool("expect-failures", false, "requests that fail are expected: they are counted, and no check fails for them")
	f.Bool("strict", false, "a check fails when an intent of a detour was refused, or a call of it ended abnormally or gave an invalid response")
	f.Bool("native", false, "link the shipped detours into the host instead of running modules (for comparison)")
}

// configOf returns a command's settings of an experiment: defaults, then the
// experiment file, then the environment, then the flags. They are not checked yet,
// because the policies may still be missing: they are nil when no source names any.
func configOf(c *cobra.Command) (*experiment.Config, error) {
	if err := checkFlags(c.Flags()); err != nil {
		return nil, err
	}
	s, err := settings.New()
	if err != nil {
		return nil, err
	}
	if path, _ := c.Flags().GetString("experiment"); path != "" {
		if err := s.File(path); err != nil {
			return nil, usage(err)
		}
		if err := reads(c, "the experiment", path); err != nil {
			return nil, err
		}
	}
	if err := s.Environment(os.Environ(), notSettings...); err != nil {
		return nil, usage(err)
	}
	if err := s.Put(flagSettings(c.Flags())); err != nil {
		return nil, err
	}
	cfg, err := s.Config()
	return cfg, usage(err)
}

// flagSettings returns the settings that were given as flags, and the flag of each.
func flagSettings(f *pflag.FlagSet) (m map[string]any, from map[string]string) {
	m, from = make(map[string]any), make(map[string]string)
	f.Visit(func(f *pflag.Flag) {
		key, ok := flagKeys[f.Name]
		if !ok {
			return
		}
		from[key] = "--" + f.Name
		if s, ok := f.Value.(pflag.SliceValue); ok {
			m[key] = s.GetSlice()
			return
		}
		m[key] = f.Value.String()
	})
	if a, ok := m["aliases"]; ok {
		delete(m, "aliases")
		m["primary.aliases"], m["mirror.aliases"] = a, a
		from["primary.aliases"], from["mirror.aliases"] = "--aliases", "--aliases"
	}
	if mode, ok := m["image-mode"]; ok {
		delete(m, "image-mode")
		m["primary.image-mode"], m["mirror.image-mode"] = mode, mode
		from["primary.image-mode"], from["mirror.image-mode"] = "--image-mode", "--image-mode"
	}
	if ignore, ok := m[ignoreOpened]; ok {
		delete(m, ignoreOpened)
		m["primary."+ignoreOpened], m["mirror."+ignoreOpened] = ignore, ignore
	}
	if f.Changed("mirrors") {
		n, _ := f.GetInt("mirrors")
		places := make([]any, max(n, 0))
		for i := range places {
			places[i] = map[string]any{}
		}
		m["mirrors"] = places
		from["mirrors"] = "--mirrors"
	}
	if made, _ := f.GetBool("generate"); made {
		m["workload.trace"], m["workload.format"], m["workload.skip-bad"] = "", "", 0
		m["workload.time-unit"], m["workload.trace-device"] = "", ""
		m["workload.generator"] = generatorFlags(f)
		from["workload.generator"] = "--generate"
		for name, key := range generatorKeys {
			if f.Changed(name) {
				from["workload.generator."+key] = "--" + name
			}
		}
	}
	return m, from
}

// generatorKeys maps flags to the settings of a generator that they set.
var generatorKeys = map[string]string{
	"gen-count": "count", "gen-rate": "rate", "gen-reads": "read_share", "gen-skew": "skew", "gen-pattern": "pattern", "gen-bytes": "sizes",
}

func generatorFlags(f *pflag.FlagSet) map[string]any {
	count, _ := f.GetInt64("gen-count")
	rate, _ := f.GetFloat64("gen-rate")
	reads, _ := f.GetFloat64("gen-reads")
	skew, _ := f.GetFloat64("gen-skew")
	pattern, _ := f.GetString("gen-pattern")
	size, _ := f.GetInt64("gen-bytes")
	return map[string]any{
		"count": count, "rate": rate, "read_share": reads, "skew": skew, "pattern": pattern,
		"sizes": []any{map[string]any{"bytes": size, "weight": 1}},
	}
}

// logger returns the command's logger.
func logger(c *cobra.Command) (hclog.Logger, error) {
	f := c.Flags().Lookup("log-level")
	text := f.Value.String()
	if env := os.Getenv("IOSRUN_LOG_LEVEL"); env != "" && !f.Changed {
		text = env
	}
	level := hclog.LevelFromString(text)
	if level == hclog.NoLevel {
		return nil, usage(fmt.Errorf("log level %q: want trace, debug, info, warn, error or off", text))
	}
	return hclog.New(&hclog.LoggerOptions{Name: "iosrun", Level: level, Output: c.ErrOrStderr()}), nil
}
