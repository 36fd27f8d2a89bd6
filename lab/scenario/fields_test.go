package scenario_test

import (
	"context"
	"fmt"
	"math/bits"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/policy/catalog"
)

// flagTypes are the types of the frame whose bits have meanings of their own, and
// the bits that this version defines.
var flagTypes = map[reflect.Type]uint64{
	reflect.TypeFor[abi.FlagTable]():   uint64(abi.FlagsKnown),
	reflect.TypeFor[abi.HeadFlags]():   uint64(abi.Disabled | abi.Tracing),
	reflect.TypeFor[abi.MirrorFlags](): uint64(abi.MirrorHasSuspendedChain | abi.MirrorTracksInSync | abi.MirrorWasSynchronising | abi.MirrorLabelRead),
	reflect.TypeFor[abi.ChainFlags]():  uint64(abi.ChainTruncated),
}

// frameWords is the size of a frame in words.
const frameWords = unsafe.Sizeof(abi.Frame{}) / 8

// everything collects what frames and reports have shown.
type everything struct {
	frame  abi.Frame // the frames' bits together
	report map[string]bool
}

func (e *everything) see(f *abi.Frame) {
	to, from := (*[frameWords]uint64)(unsafe.Pointer(&e.frame)), (*[frameWords]uint64)(unsafe.Pointer(f))
	for i, w := range from {
		to[i] |= w
	}
}

// zeroes lists the fields of the frame that were zero in every frame, and the flags
// that were never set.
func zeroes(v reflect.Value, path string) (missing []string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "_" {
				missing = append(missing, zeroes(v.Field(i), path+"."+f.Name)...)
			}
		}
		return missing
	case reflect.Array: // a field of an element is seen where it is so in any of them
		for i := range v.Len() {
			of := zeroes(v.Index(i), path+"[]")
			if i == 0 {
				missing = of
				continue
			}
			missing = slices.DeleteFunc(missing, func(p string) bool { return !slices.Contains(of, p) })
		}
		return missing
	}
	got := uint64(0)
	if v.CanUint() {
		got = v.Uint()
	} else {
		got = uint64(v.Int())
	}
	known, flags := flagTypes[v.Type()]
	if !flags {
		if got == 0 {
			missing = append(missing, path)
		}
		return missing
	}
	for left := known &^ got; left != 0; left &= left - 1 {
		missing = append(missing, fmt.Sprintf("%s, flag %#x", path, 1<<bits.TrailingZeros64(left)))
	}
	return missing
}

// leaves calls f for every leaf of a type as JSON has it, with its path; v, where it
// is valid, is a value of the type.
func leaves(t reflect.Type, v reflect.Value, path string, f func(path string, v reflect.Value)) {
	switch t.Kind() {
	case reflect.Pointer:
		if v.IsValid() && !v.IsNil() {
			v = v.Elem()
		} else {
			v = reflect.Value{}
		}
		leaves(t.Elem(), v, path, f)
	case reflect.Slice:
		leaves(t.Elem(), reflect.Value{}, path+"[]", f)
		for i := 0; v.IsValid() && i < v.Len(); i++ {
			leaves(t.Elem(), v.Index(i), path+"[]", f)
		}
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			of := reflect.Value{}
			if v.IsValid() {
				of = v.Field(i)
			}
			leaves(t.Field(i).Type, of, path+"."+name, f)
		}
	default:
		f(path, v)
	}
}

func (e *everything) seeReport(r *report.Run) {
	leaves(reflect.TypeFor[report.Run](), reflect.ValueOf(r).Elem(), "", func(path string, v reflect.Value) {
		e.report[path] = e.report[path] || v.IsValid() && !v.IsZero()
	})
}

// TestScenariosReachEveryField: over all scenarios together, those that ship and
// those beside this test, every field of the frame and of the report takes a value
// other than zero, reserved ones apart. A field that is always zero tells nobody
// anything, and a new one is found by itself.
func TestScenariosReachEveryField(t *testing.T) {
	if testing.Short() {
		t.Skip("plays every scenario, one after the other: see TestSideBySide")
	}
	l := modules(t)
	e := &everything{report: make(map[string]bool)}
	own, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	play := func(name, policy string, expected bool) *experiment.Result {
		s, err := scenario.Load(name)
		require.NoError(t, err)
		if policy != "" {
			s.Policy = policy
		}
		r, err := s.Run(t.Context(), l, scenario.Options{Frames: e.see})
		require.NoError(t, err, name)
		if expected {
			require.Empty(t, r.Wrong, name)
		}
		e.seeReport(&r.Run.Report)
		return r.Run
	}
	for _, name := range append(scenario.Names(), own...) {
		if !strings.HasSuffix(name, "policy.yaml") && name != "testdata/failing.yaml" {
			play(name, "", true)
		}
	}
	// A comparison is one of two policies on what a scenario does.
	base := play("testdata/traced.yaml", "", true)
	compare := func(base, other *experiment.Result) {
		other.Report.Versus, err = experiment.Versus(base, other, 1)
		require.NoError(t, err)
		e.seeReport(&other.Report)
	}
	for _, policy := range []string{"none", "read-select"} {
		compare(base, play("testdata/traced.yaml", policy, false))
	}
	failing, served := play("testdata/failing.yaml", "", false), play("testdata/failing.yaml", "read-select", false)
	compare(failing, served)
	compare(served, failing)
	e.seeReport(interrupted(t, l))
	for _, r := range traces(t, l) {
		e.seeReport(r)
	}
	for _, path := range zeroes(reflect.ValueOf(e.frame), "Frame") {
		t.Errorf("%s was zero in every frame", path)
	}
	for path, seen := range e.report {
		if !seen {
			t.Errorf("report%s was zero in every run", path)
		}
	}
}

// interrupted is the report of a run that is ended before its workload is.
func interrupted(t *testing.T, l *catalog.Loader) *report.Run {
	c := experiment.Default()
	c.Policies = []string{"none"}
	p, err := experiment.Prepare(t.Context(), c, l)
	require.NoError(t, err)
	ctx, end := context.WithCancel(t.Context())
	r, err := p.Run(ctx, 0, experiment.Options{Completed: func(number int64, _ bool, _ uint8, _ machine.Time) {
		if number == 1000 {
			end()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	return &r.Report
}

// traces are the reports of runs of recorded traces that have something about them.
func traces(t *testing.T, l *catalog.Loader) (all []*report.Run) {
	files, err := filepath.Glob("../../trace/testdata/cases/*.*")
	require.NoError(t, err)
	for _, file := range append(files, "testdata/devices.csv") {
		c := experiment.Default()
		c.Policies = []string{"none"}
		c.Workload.Trace, c.Workload.SkipBad = file, 1000
		for range 2 { // again with the device that the first row is of
			p, err := experiment.Prepare(t.Context(), c, l)
			require.NoError(t, err)
			r, err := p.Run(t.Context(), 0, experiment.Options{})
			if err != nil {
				break // it is no trace, or has nothing to be played
			}
			all = append(all, &r.Report)
			c.Workload.TraceDevice = r.Report.Trace.Device
		}
	}
	return all
}
