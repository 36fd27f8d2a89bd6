package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host/wasm"
)

const (
	// MaxMemoryPages is the largest maximum that a detour's memory may declare:
	// 64 MiB.
	MaxMemoryPages = 1024
	// MaxTableElements is the largest maximum that a detour's table may declare.
	MaxTableElements = 1 << 20
)

// ErrRefused says that the host does not run a module.
var ErrRefused = errors.New("refused")

// Severity is the importance of a finding.
type Severity uint8

// The severities.
const (
	Note    Severity = iota // a fact that a reader of the report wants
	Warning                 // works, but probably not as meant
	Error                   // the module is refused
)

func (s Severity) String() string { return [...]string{"note", "warning", "error"}[s] }

// Finding is one line of a report.
type Finding struct {
	Severity Severity
	Offset   int    // offset in the module of the byte that it is about
	Text     string // one line, without control characters whatever the module's names have
}

func (f Finding) String() string { return fmt.Sprintf("%-7s %#08x  %s", f.Severity, f.Offset, f.Text) }

// Report holds the findings of Verify, in the order in which it looked.
type Report struct {
	Name     string // name of the module
	Findings []Finding
}

// String returns a text with one line for each finding.
func (r *Report) String() string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(f.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Err is nil when the module may run. Otherwise it wraps ErrRefused and its
// text has every finding of severity Error.
func (r *Report) Err() error {
	var texts []string
	for _, f := range r.Findings {
		if f.Severity == Error {
			texts = append(texts, fmt.Sprintf("%s (byte %#x)", f.Text, f.Offset))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %s", r.Name, ErrRefused, strings.Join(texts, "; "))
}

func (r *Report) add(s Severity, offset int, format string, a ...any) {
	r.Findings = append(r.Findings, Finding{s, offset, abi.Visible(fmt.Sprintf(format, a...))})
}

// Verify checks the module against the contract and against the capabilities that a
// policy has granted it. It runs nothing.
func Verify(m *Module, granted abi.Capability) *Report {
	r := &Report{Name: m.Name()}
	r.manifest(m, granted)
	r.imports(m, granted)
	r.exports(m)
	r.limits(m.Wasm)
	r.Findings = append(r.Findings, m.misplaced()...)
	r.customs(m.Wasm)
	return r
}

func (r *Report) manifest(m *Module, granted abi.Capability) {
	if m.Manifest == nil {
		r.add(Error, m.ManifestOffset, "%v", m.ManifestErr)
		return
	}
	n := m.Manifest
	r.add(Note, m.ManifestOffset, "manifest: %s %s, abi %s, hooks %s", n.Name, n.Version, n.ABI, strings.Join(n.Hooks, ", "))
	for i := range n.Records {
		r.add(Note, m.ManifestOffset, "record %d: %s (%s)", i, n.Records[i].Name, n.Records[i].Unit)
	}
	wants, err := n.Wants()
	if err != nil {
		r.add(Error, m.ManifestOffset, "%v", err)
	}
	if missing := wants &^ granted; missing != 0 {
		r.add(Error, m.ManifestOffset, "wants %s, which is not granted: granted is %s", list(missing), list(granted))
	}
}

func list(c abi.Capability) string {
	if c == 0 {
		return "nothing"
	}
	return strings.Join(c.Names(), ", ")
}

func (r *Report) imports(m *Module, granted abi.Capability) {
	for _, i := range m.Wasm.Imports {
		if i.Kind != wasm.KindFunc {
			r.add(Error, i.Offset, "import %s.%s is a %s: a detour imports functions alone", i.Module, i.Name, i.Kind)
			continue
		}
		f := findHostFunction(i.Module, i.Name)
		if f == nil {
			r.add(Error, i.Offset, "import %s.%s is not offered: the host has %s.%s and the functions of %s that SPEC.md lists",
				i.Module, i.Name, abi.HostModule, chainRead, wasiModule)
			continue
		}
		if t := m.Wasm.Types[i.Type]; !t.Equal(f.signature()) {
			r.add(Error, i.Offset, "import %s.%s has the signature %s: want %s", i.Module, i.Name, t, f.signature())
		}
		if missing := f.needs &^ granted; missing != 0 {
			r.add(Error, i.Offset, "import %s.%s needs the capability %s, which is not granted", i.Module, i.Name, list(missing))
		}
	}
}

// initializeExport is the function that a module's language wants to be called
// before any other (a WASI reactor).
const initializeExport = "_initialize"

var (
	hookSignature   = wasm.FuncType{}
	markerSignature = wasm.FuncType{Results: []wasm.ValueType{wasm.I32}}
)

func (r *Report) exports(m *Module) {
	if r.function(m.Wasm, abi.MarkerExport, markerSignature) == absent {
		r.add(Error, 0, "does not export %s, the marker of ABI major version %d%s", abi.MarkerExport, abi.Major, otherMarker(m.Wasm))
	}
	r.function(m.Wasm, initializeExport, hookSignature)
	if e, ok := m.Wasm.Export("_start"); ok {
		r.add(Warning, e.Offset, "exports _start, which is never called: a detour is a library (a WASI reactor, for Go -buildmode=c-shared)")
	}
	for h := abi.Hook(0); h < abi.Hooks; h++ {
		named := m.Manifest != nil && m.Manifest.Implements(h)
		found := r.function(m.Wasm, h.Export(), hookSignature)
		e, _ := m.Wasm.Export(h.Export())
		switch {
		case named && found == absent:
			r.add(Error, m.ManifestOffset, "manifest names the hook %s, which is not exported", h.Export())
		case !named && found != absent && m.Manifest != nil:
			r.add(Warning, e.Offset, "exports %s, which its manifest does not name: it is never called", h.Export())
		case named && found == present:
			r.add(Note, e.Offset, "hook %s", h.Export())
		}
	}
}

type finding uint8

const (
	absent finding = iota
	wrong
	present
)

// function looks for an exported function with a signature, and reports one that
// has another.
func (r *Report) function(w *wasm.Module, name string, want wasm.FuncType) finding {
	e, ok := w.Export(name)
	if !ok {
		return absent
	}
	if e.Kind != wasm.KindFunc {
		r.add(Error, e.Offset, "export %s is a %s: want a function %s", name, e.Kind, want)
		return wrong
	}
	if t, _ := w.FunctionType(e.Index); !t.Equal(want) {
		r.add(Error, e.Offset, "export %s has the signature %s: want %s", name, t, want)
		return wrong
	}
	return present
}

// otherMarker returns the end of an error text that names the module's other major
// version, or an empty string when the module has no marker of any version.
func otherMarker(w *wasm.Module) string {
	for _, e := range w.Exports {
		if v, ok := strings.CutPrefix(e.Name, markerPrefix); ok && e.Kind == wasm.KindFunc {
			return fmt.Sprintf(": it is of major version %s", v)
		}
	}
	return ""
}

const markerPrefix = "iosrun_abi_"

func (r *Report) limits(w *wasm.Module) {
	switch n := len(w.Memories); {
	case n == 1:
		r.memory(w.Memories[0])
	default:
		r.add(Error, 0, "has %d memories of its own: want 1", n)
	}
	for _, t := range w.Tables {
		switch {
		case !t.HasMax:
			r.add(Error, t.Offset, "table has no maximum: declare one of at most %d elements", MaxTableElements)
		case t.Max > MaxTableElements:
			r.add(Error, t.Offset, "table of up to %d elements: at most %d", t.Max, MaxTableElements)
		}
	}
}

func (r *Report) memory(l wasm.Limits) {
	switch {
	case l.Shared:
		r.add(Error, l.Offset, "memory is shared: a detour has no threads")
	case !l.HasMax:
		r.add(Error, l.Offset, "memory has no maximum: declare one of at most %d pages of 64 KiB", MaxMemoryPages)
	case l.Max > MaxMemoryPages:
		r.add(Error, l.Offset, "memory of up to %d pages of 64 KiB: at most %d", l.Max, MaxMemoryPages)
	default:
		r.add(Note, l.Offset, "memory: %d to %d pages of 64 KiB", l.Min, l.Max)
	}
}

// customs reports custom sections whose names claim to be the project's own but that
// this version does not know: they would be ignored without anybody noticing.
func (r *Report) customs(w *wasm.Module) {
	manifests := 0
	for _, c := range w.Customs {
		switch {
		case c.Name == abi.ManifestSection:
			if manifests++; manifests > 1 {
				r.add(Error, c.Offset, "custom section %s is there twice", c.Name)
			}
		case strings.HasPrefix(c.Name, customPrefix):
			r.add(Error, c.Offset, "custom section %q is unknown to ABI %d.%d", c.Name, abi.Major, abi.Minor)
		}
	}
}

const customPrefix = "iosrun."
