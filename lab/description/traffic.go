package description

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/lab/workload"
	"github.com/iosrun/iosrun/names/suggest"
	"github.com/iosrun/iosrun/trace"
)

// Traffic is the source of the requests of a workload: a trace or a generator.
type Traffic struct {
	// Name is the workload's name in reports.
	Name string
	// Generator makes the requests; nil stands for a trace.
	Generator *workload.GeneratorConfig
	// Speed is the factor by which the requests arrive faster.
	Speed float64
	// Limit is the largest number of reads and writes; 0 stands for no limit.
	Limit int64

	trace   string // name of a bundled trace or a file
	bundled bool
	options trace.Options
	seed    uint64 // seed of a generator that has none of its own
	// input is the trace, after CheckWorkload has opened it.
	input *trace.Input
}

// parse describes the traffic, and reports the first setting that is invalid for any
// machine.
func (w *Workload) parse(t *Traffic) *setting {
	if err := workload.CheckSpeed(w.Speed); err != nil {
		return &setting{"workload.speed", fmt.Errorf("workload.speed is %w", err)}
	}
	t.Generator, t.Speed, t.Limit, t.trace, t.bundled = w.Generator, w.Speed, w.Limit, w.Trace, slices.Contains(trace.BundledNames(), w.Trace)
	t.options = trace.Options{Device: w.TraceDevice, SkipBad: w.SkipBad}
	var err error
	if t.options.Format, err = trace.ParseFormat(w.Format); err != nil {
		return &setting{"workload.format", err}
	}
	if t.options.TimeUnit, err = trace.ParseTimeUnit(w.TimeUnit); err != nil {
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

// extent returns the part of the volumes that the requests use. Cylinder 0 has the
// label: requests with cylinders of their own begin at 1.
func (w *Workload) extent() Extent {
	kib := w.Stripe
	if kib == 0 {
		kib = DefaultStripe
	}
	return Extent{FirstCylinder: max(1, w.FirstCylinder), Cylinders: w.Cylinders, StripeBlocks: int64(kib) << 10 / program.BlockSize}
}

// name returns the workload's name in reports.
func (w *Workload) name() string {
	if w.Generator != nil {
		return "generated"
	}
	if w.Trace == "-" {
		return "standard input"
	}
	return w.Trace
}

// File returns the path of the file that the requests are read from; it is empty for
// a bundled trace, a generator and standard input.
func (t *Traffic) File() string {
	if t.Generator != nil || t.bundled || t.trace == "-" {
		return ""
	}
	return t.trace
}

// Open opens the workload from its beginning, for volumes that have volumeBytes
// bytes together. recorded is nil when a generator makes the requests; closing the
// source closes it, too.
func (t *Traffic) Open(volumeBytes int64) (source trace.Source, recorded *trace.Trace, err error) {
	if source, err = t.open(volumeBytes); err != nil {
		return nil, nil, err
	}
	recorded, _ = source.(*trace.Trace)
	if t.Speed != 1 {
		if source, err = workload.Speedup(source, t.Speed); err != nil {
			return nil, nil, err
		}
	}
	if t.Limit != 0 {
		if source, err = workload.Limit(source, t.Limit); err != nil {
			return nil, nil, err
		}
	}
	return source, recorded, nil
}

// open opens the workload at its own speed and without a limit. 0 volume bytes
// stand for a size that is not known yet.
func (t *Traffic) open(volumeBytes int64) (trace.Source, error) {
	if t.Generator != nil {
		g := *t.Generator
		if volumeBytes == 0 {
			volumeBytes = workload.DefaultGenerator().VolumeBytes
		}
		if g.VolumeBytes == 0 || g.VolumeBytes > volumeBytes {
			g.VolumeBytes = volumeBytes
		}
		if g.Seed == 0 {
			g.Seed = t.seed
		}
		return workload.NewGenerator(g)
	}
	o := t.options
	o.VolumeBytes = volumeBytes
	switch {
	case t.bundled:
		return trace.Bundled(t.trace, o)
	case t.input != nil:
		return t.input.Trace(o)
	}
	return trace.Open(t.trace, o)
}

// CheckWorkload opens the workload and closes it again, so that errors in it are
// found before anything runs. Data that it has read from a pipe is kept for the
// runs, until Close.
func (x *Experiment) CheckWorkload() error {
	t := &x.Traffic
	key := "workload.trace"
	if t.Generator != nil {
		key = "workload.generator"
	} else if t.input == nil && !t.bundled {
		in, err := trace.OpenInput(t.trace)
		if err != nil {
			return x.origin.wrong(key, fmt.Errorf("%w%s", err, t.perhaps(err)))
		}
		t.input = in
	}
	size, err := x.workloadBytes()
	if err != nil {
		return err
	}
	source, err := t.open(size)
	if err != nil {
		if bad := (*workload.GeneratorError)(nil); errors.As(err, &bad) {
			key += "." + bad.Key
		}
		return x.origin.wrong(key, err)
	}
	return source.Close()
}

// Close releases the data that CheckWorkload has kept. Runs must have ended.
func (x *Experiment) Close() error {
	t := &x.Traffic
	if t.input == nil {
		return nil
	}
	err := t.input.Close()
	t.input = nil
	return err
}

// workloadBytes returns the size in bytes of the volumes as the workload sees them,
// or 0 when volumes in files, which are not open yet, decide.
func (x *Experiment) workloadBytes() (int64, error) {
	m := &x.Machine
	if m.InFiles() {
		return 0, nil
	}
	if err := TakesBlocks(m.Geometry); err != nil {
		return 0, x.origin.wrong("model", err)
	}
	layout, err := x.Extent.Layout(m.Geometry)
	if err != nil {
		key := "workload.cylinders"
		if x.Extent.Cylinders == 0 { // the whole of a volume that is too small
			key = "size"
		}
		return 0, x.origin.wrong(key, err)
	}
	stripe := x.Extent.StripeBlocks
	if m.Pairs == 1 { // a single volume is used to its end
		stripe = 1
	}
	return layout.Blocks() / stripe * stripe * int64(m.Pairs) * program.BlockSize, nil
}

// perhaps returns the end of an error about a missing file, for a name that looks
// like a trace that comes with the program.
func (t *Traffic) perhaps(err error) string {
	if !errors.Is(err, fs.ErrNotExist) || strings.ContainsAny(t.trace, `./\`) {
		return ""
	}
	return "; bundled are " + strings.Join(trace.BundledNames(), " and ") + suggest.DidYouMean(t.trace, trace.BundledNames())
}
