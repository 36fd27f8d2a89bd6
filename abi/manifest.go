package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ManifestSection is the name of the custom section that holds the manifest,
// as JSON.
const ManifestSection = "iosrun.manifest"

// MaxName is the largest length of a detour's name in characters.
const MaxName = 64

// MaxManifest is the largest size of a manifest in bytes.
const MaxManifest = 64 << 10

// Manifest is a module's description of itself. The host reads it before anything
// runs.
type Manifest struct {
	// Name is the detour's name in policies and logs: lower-case letters, digits, '-'
	// and '/'.
	Name string `json:"name"`
	// Version is the detour's own version. The host only shows it.
	Version string `json:"version"`
	// ABI is the version of the contract as "major.minor".
	ABI string `json:"abi"`
	// Hooks lists the hooks that the detour implements, by the names of their exports.
	Hooks []string `json:"hooks"`
	// Capabilities lists the capabilities that it cannot work without.
	Capabilities []string `json:"capabilities,omitempty"`
	// Settings lists the settings, in the order in which the frame holds them.
	Settings []Setting `json:"settings,omitempty"`
	// Records lists the records, in the order in which IntentRecord numbers them
	// (since 1.1).
	Records []RecordRow `json:"records,omitempty"`
	// Summary describes the detour in one line, for lists.
	Summary string `json:"summary,omitempty"`
}

// MaxUnit is the largest size of a record's unit in bytes.
const MaxUnit = 16

// RecordRow declares one record of a detour: a count, a sum and a largest value
// that the host keeps and the run's report shows.
type RecordRow struct {
	Name    string `json:"name"`
	Summary string `json:"summary,omitempty"`
	// Unit is the unit of the values, a short text such as "bytes" or "µs".
	Unit string `json:"unit"`
}

// Setting describes one setting of a detour. Its value is a whole number. Where
// Names is not empty a policy gives one of these names, the value is the index in
// Names, and Check sets Min and Max to fit.
type Setting struct {
	Name    string   `json:"name"`
	Summary string   `json:"summary,omitempty"`
	Default int64    `json:"default"`
	Min     int64    `json:"min"`
	Max     int64    `json:"max"`
	Names   []string `json:"names,omitempty"`
}

// ParseManifest reads and checks a manifest. Unknown keys are errors.
func ParseManifest(p []byte) (*Manifest, error) {
	if len(p) > MaxManifest {
		return nil, fmt.Errorf("manifest: %d bytes: at most %d", len(p), MaxManifest)
	}
	d := json.NewDecoder(bytes.NewReader(p))
	d.DisallowUnknownFields()
	m := new(Manifest)
	if err := d.Decode(m); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("manifest: is empty: want a JSON object")
		}
		return nil, fmt.Errorf("manifest: not a JSON object of the known keys: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("manifest: has text behind its JSON object")
	}
	if key := duplicateKey(p); key != "" {
		return nil, fmt.Errorf("manifest: key %q is there twice: readers would disagree on which one counts", key)
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	return m, nil
}

// duplicateKey finds a key that an object of a JSON text has twice; empty when
// there is none. The text is valid.
func duplicateKey(p []byte) string {
	type level struct {
		keys  map[string]bool // nil in an array
		value bool            // the next token is a value
	}
	var open []level
	for d := json.NewDecoder(bytes.NewReader(p)); ; {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		last := len(open) - 1
		switch t {
		case json.Delim('}'), json.Delim(']'):
			open = open[:last]
			continue
		}
		if last >= 0 && open[last].keys != nil && !open[last].value {
			key := strings.ToLower(t.(string)) // the decoder folds the case
			if open[last].keys[key] {
				return t.(string)
			}
			open[last].keys[key], open[last].value = true, true
			continue
		}
		if last >= 0 {
			open[last].value = false
		}
		switch t {
		case json.Delim('{'):
			open = append(open, level{keys: make(map[string]bool)})
		case json.Delim('['):
			open = append(open, level{})
		}
	}
}

// Check reports the first thing that is wrong with the manifest.
func (m *Manifest) Check() error {
	if !nameOK(m.Name) {
		return fmt.Errorf("manifest: name %q: want 1 to %d of a-z, 0-9, '-' and '/', a letter or digit first", m.Name, MaxName)
	}
	if !Printable(m.Version) || !Printable(m.Summary) {
		return fmt.Errorf("manifest of %s: version %q and summary %q: want one line each without control characters", m.Name, m.Version, m.Summary)
	}
	major, minor, ok := parseVersion(m.ABI)
	if !ok {
		return fmt.Errorf("manifest of %s: abi %q: want \"major.minor\", this host speaks %d.%d", m.Name, m.ABI, Major, Minor)
	}
	if major != Major {
		return fmt.Errorf("manifest of %s: abi %q: major version %d, this host speaks %d", m.Name, m.ABI, major, Major)
	}
	if minor > Minor {
		return fmt.Errorf("manifest of %s: abi %q: minor version %d, this host speaks up to %d", m.Name, m.ABI, minor, Minor)
	}
	if len(m.Hooks) == 0 {
		return fmt.Errorf("manifest of %s: names no hooks: want some of front_end, back_end, post_status", m.Name)
	}
	for _, h := range m.Hooks {
		if _, ok := ParseHook(h); !ok {
			return fmt.Errorf("manifest of %s: hook %q is unknown: want front_end, back_end or post_status", m.Name, h)
		}
	}
	if _, err := m.Wants(); err != nil {
		return fmt.Errorf("manifest of %s: %w", m.Name, err)
	}
	if len(m.Settings) > MaxSettings {
		return fmt.Errorf("manifest of %s: %d settings: at most %d", m.Name, len(m.Settings), MaxSettings)
	}
	seen := make(map[string]bool, len(m.Settings))
	for i := range m.Settings {
		s := &m.Settings[i]
		if len(s.Names) != 0 {
			s.Min, s.Max = 0, int64(len(s.Names)-1)
		}
		for k, n := range s.Names {
			if !nameOK(n) || slices.Contains(s.Names[:k], n) {
				return fmt.Errorf("manifest of %s: setting %s: name %q of a value is not of a-z, 0-9, '-' and '/', or is there twice", m.Name, s.Name, n)
			}
		}
		switch {
		case !nameOK(s.Name):
			return fmt.Errorf("manifest of %s: setting %d: name %q: want 1 to %d of a-z, 0-9, '-' and '/', a letter or digit first", m.Name, i, s.Name, MaxName)
		case seen[s.Name]:
			return fmt.Errorf("manifest of %s: setting %q is there twice", m.Name, s.Name)
		case !Printable(s.Summary):
			return fmt.Errorf("manifest of %s: setting %s: summary %q: want one line without control characters", m.Name, s.Name, s.Summary)
		case s.Min > s.Max || s.Default < s.Min || s.Default > s.Max:
			return fmt.Errorf("manifest of %s: setting %s: default %d is not within %d to %d", m.Name, s.Name, s.Default, s.Min, s.Max)
		}
		seen[s.Name] = true
	}
	return m.checkRecords(minor)
}

// recordsSince is the minor version from which on a manifest may declare records.
const recordsSince = 1

func (m *Manifest) checkRecords(minor uint64) error {
	if len(m.Records) == 0 {
		return nil
	}
	if minor < recordsSince {
		return fmt.Errorf("manifest of %s: abi %q: declares records, which need %d.%d or later", m.Name, m.ABI, Major, recordsSince)
	}
	if len(m.Records) > MaxRecords {
		return fmt.Errorf("manifest of %s: %d records: at most %d", m.Name, len(m.Records), MaxRecords)
	}
	seen := make(map[string]bool, len(m.Records))
	for i := range m.Records {
		r := &m.Records[i]
		switch {
		case !nameOK(r.Name):
			return fmt.Errorf("manifest of %s: record %d: name %q: want 1 to %d of a-z, 0-9, '-' and '/', a letter or digit first", m.Name, i, r.Name, MaxName)
		case seen[r.Name]:
			return fmt.Errorf("manifest of %s: record %q is there twice", m.Name, r.Name)
		case !Printable(r.Summary):
			return fmt.Errorf("manifest of %s: record %s: summary %q: want one line without control characters", m.Name, r.Name, r.Summary)
		case r.Unit == "" || len(r.Unit) > MaxUnit || !Printable(r.Unit):
			return fmt.Errorf("manifest of %s: record %s: unit %q: want 1 to %d bytes without control characters", m.Name, r.Name, r.Unit, MaxUnit)
		}
		seen[r.Name] = true
	}
	return nil
}

// nameOK is written out because a compiled expression would be set up in every
// guest at its start, which links this package but reads no manifest.
func nameOK(name string) bool {
	if len(name) < 1 || len(name) > MaxName || name[0] == '/' || name[0] == '-' {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '/':
		default:
			return false
		}
	}
	return true
}

// parseVersion reads "major.minor".
func parseVersion(text string) (major, minor uint64, ok bool) {
	a, b, ok := strings.Cut(text, ".")
	if !ok {
		return 0, 0, false
	}
	major, errA := strconv.ParseUint(a, 10, 16)
	minor, errB := strconv.ParseUint(b, 10, 16)
	return major, minor, errA == nil && errB == nil
}

// Wants returns the mask of the capabilities that the manifest asks for. The error
// names one that does not exist.
func (m *Manifest) Wants() (Capability, error) {
	var c Capability
	for _, n := range m.Capabilities {
		b, err := ParseCapability(n)
		if err != nil {
			return 0, err
		}
		c |= b
	}
	return c, nil
}

// Implements reports whether the manifest names the hook.
func (m *Manifest) Implements(h Hook) bool {
	for _, n := range m.Hooks {
		if n == h.Export() {
			return true
		}
	}
	return false
}

// ParseHook returns the hook whose export has that name, and whether there is one.
func ParseHook(name string) (Hook, bool) {
	for h := Hook(0); h < Hooks; h++ {
		if h.Export() == name {
			return h, true
		}
	}
	return 0, false
}
