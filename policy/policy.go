package policy

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/names/shelf"
	"github.com/iosrun/iosrun/names/suggest"
)

// MaxFile is the largest size of a policy file in bytes.
const MaxFile = 64 << 10

// ErrUnknown says that a name is neither a shipped policy nor a file.
var ErrUnknown = errors.New("unknown policy")

// Policy lists the detours on the slots, and the properties of mirroring that they
// give.
type Policy struct {
	Name    string `yaml:"name" json:"name"`
	Summary string `yaml:"summary" json:"summary"`
	// Durability says which devices have a write when its completion is reported:
	// "primary", or "mirrors" for the primary and every mirror that is in sync.
	Durability string `yaml:"durability" json:"durability"`
	// Copies is the number of mirrors in sync that must have a write under the
	// durability "mirrors"; 0, or more than there are, means all of them.
	Copies int `yaml:"copies,omitempty" json:"copies,omitempty"`
	// Consistency is empty or "group". With "group" the mirrors of all the
	// application's pairs are cut off together, so that they keep the state of one
	// point in time (M4).
	Consistency string `yaml:"consistency,omitempty" json:"consistency,omitempty"`
	// StalePromotion is empty or Allow. With Allow a mirror may be promoted although
	// the host knows that it lacks acknowledged writes, which are then lost; otherwise
	// the host refuses.
	StalePromotion string `yaml:"stale-promotion,omitempty" json:"stale_promotion,omitempty"`
	// Slots lists the detours, by slot; a slot without an entry leads to its
	// conventional target, the I/O supervisor's own routine.
	Slots Slots `yaml:"slots" json:"slots"`

	// Source is the file that the policy was read from, or shelf.BuiltIn.
	Source string `yaml:"-" json:"source"`
}

// Allow is the word of a policy that allows what the host refuses otherwise.
const Allow = "allow"

// Slots lists the detours of the three slots, in the order of their calls, by the
// name of the hook.
type Slots struct {
	FrontEnd   []Detour `yaml:"front-end,omitempty" json:"front_end,omitempty"`
	BackEnd    []Detour `yaml:"back-end,omitempty" json:"back_end,omitempty"`
	PostStatus []Detour `yaml:"post-status,omitempty" json:"post_status,omitempty"`
}

// Detour is one module on a slot.
type Detour struct {
	// Module is the name of a shipped module, a .wasm file or a Go source folder;
	// a path is relative to the policy file.
	Module string `yaml:"module" json:"module"`
	// Settings holds the settings by name: whole numbers, truth values, or names that
	// the module's manifest declares.
	Settings map[string]any `yaml:"settings,omitempty" json:"settings,omitempty"`
	// Grants lists the capabilities that the module gets.
	Grants []string `yaml:"grants,omitempty" json:"grants,omitempty"`
	// Containment says how an I/O goes on when a call ends abnormally: "bypass" (the
	// default), "fail-io" or "suspend-mirroring".
	Containment string `yaml:"containment,omitempty" json:"containment,omitempty"`
}

// Sequence returns the detours of a slot, first to last.
func (p *Policy) Sequence(s hooks.Slot) []Detour {
	switch s {
	case hooks.DDTSIO:
		return p.Slots.FrontEnd
	case hooks.ReturnAddress:
		return p.Slots.BackEnd
	}
	return p.Slots.PostStatus
}

// Granted returns the mask of the capabilities granted to the detour.
func (d *Detour) Granted() (abi.Capability, error) { return ParseGrants(d.Grants) }

// ParseGrants returns the mask of the named capabilities.
func ParseGrants(names []string) (abi.Capability, error) {
	var c abi.Capability
	for _, n := range names {
		b, err := abi.ParseCapability(n)
		if err != nil {
			return 0, err
		}
		c |= b
	}
	return c, nil
}

// Rule returns the detour's containment rule.
func (d *Detour) Rule() (hooks.Containment, error) {
	if d.Containment == "" {
		return hooks.Bypass, nil
	}
	return hooks.ParseContainment(d.Containment)
}

//go:embed builtin/*.yaml
var builtin embed.FS

var documents = shelf.Shelf{FS: builtin, Dir: "builtin", Kind: "policy", Unknown: ErrUnknown, MaxFile: MaxFile}

// Names returns the names of the shipped policies, in alphabetical order.
func Names() []string { return documents.Names() }

// Load returns the shipped policy of that name, or reads the file of that name when
// it looks like a path (has a separator, or ends in .yaml or .yml).
func Load(name string) (*Policy, error) {
	text, source, err := documents.Read(name)
	if err != nil {
		return nil, err
	}
	return Parse(text, source)
}

// Shipped returns the shipped policies, in the order of their names.
func Shipped() ([]*Policy, error) {
	var all []*Policy
	for _, n := range Names() {
		p, err := Load(n)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

var policyName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Parse reads and checks a policy. Unknown keys are errors.
func Parse(text []byte, source string) (*Policy, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	p := &Policy{Source: source}
	if err := d.Decode(p); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("policy %s: is empty: want name, durability and slots", source)
		}
		return nil, decodeError(source, err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("policy %s: holds more than one document", source)
	}
	p.Source = source
	return p, p.check()
}

func (p *Policy) check() error {
	if !policyName.MatchString(p.Name) {
		return fmt.Errorf("policy %s: name %q: want 1 to 32 of a-z, 0-9 and '-'", p.Source, p.Name)
	}
	if p.Durability != "primary" && p.Durability != "mirrors" {
		return fmt.Errorf(`policy %s: durability %q: want "primary" or "mirrors"`, p.label(), p.Durability)
	}
	switch {
	case !abi.Printable(p.Summary):
		return fmt.Errorf("policy %s: summary %q: want one line without control characters", p.label(), p.Summary)
	case p.Copies < 0 || p.Copies > abi.MaxMirrors:
		return fmt.Errorf("policy %s: copies %d: want 1 to %d, or 0 for every mirror", p.label(), p.Copies, abi.MaxMirrors)
	case p.Copies != 0 && p.Durability != "mirrors":
		return fmt.Errorf(`policy %s: copies %d: only with durability "mirrors"`, p.label(), p.Copies)
	case p.Consistency != "" && p.Consistency != "group":
		return fmt.Errorf(`policy %s: consistency %q: want "group", or none`, p.label(), p.Consistency)
	case p.StalePromotion != "" && p.StalePromotion != Allow:
		return fmt.Errorf(`policy %s: stale-promotion %q: want %q, or none`, p.label(), p.StalePromotion, Allow)
	}
	for s := hooks.Slot(0); s < hooks.Slots; s++ {
		sequence := p.Sequence(s)
		if len(sequence) > hooks.MaxDetours {
			return fmt.Errorf("policy %s: %d detours on %s: at most %d", p.label(), len(sequence), s.Hook(), hooks.MaxDetours)
		}
		for i := range sequence {
			c := &sequence[i]
			if c.Module == "" {
				return fmt.Errorf("policy %s: detour %d on %s: names no module", p.label(), i+1, s.Hook())
			}
			if _, err := c.Granted(); err != nil {
				return fmt.Errorf("policy %s: %s on %s: %w", p.label(), c.Module, s.Hook(), err)
			}
			if _, err := c.Rule(); err != nil {
				return fmt.Errorf("policy %s: %s on %s: %w", p.label(), c.Module, s.Hook(), err)
			}
		}
	}
	return nil
}

// label names the policy in messages: by its file, where it was read from one.
func (p *Policy) label() string {
	if p.Source == shelf.BuiltIn {
		return p.Name
	}
	return p.Source
}

// unknownKey matches the decoder's error about a key that it does not know.
var unknownKey = regexp.MustCompile(`line (\d+): field (.*) not found in type policy\.(\w+)`)

// decodeError returns an error of the decoder in the words of the policy file.
func decodeError(source string, err error) error {
	if m := unknownKey.FindStringSubmatch(err.Error()); m != nil {
		known := keysOf(map[string]reflect.Type{
			"Policy": reflect.TypeFor[Policy](), "Slots": reflect.TypeFor[Slots](), "Detour": reflect.TypeFor[Detour](),
		}[m[3]])
		return fmt.Errorf("policy %s line %s: unknown key %q: want one of %s%s", source, m[1], m[2], strings.Join(known, ", "), suggest.DidYouMean(m[2], known))
	}
	text := strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")
	return fmt.Errorf("policy %s: %s", source, strings.TrimPrefix(text, "unmarshal errors: "))
}

// keysOf lists the keys of a part of a policy file.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// Path returns the path of a detour's module. It is relative to the policy file when
// the policy was read from one and the module is not a name.
func (p *Policy) Path(d *Detour) string {
	m := d.Module
	if p.Source == shelf.BuiltIn || filepath.IsAbs(m) || !strings.HasPrefix(m, ".") {
		return m
	}
	return filepath.Join(filepath.Dir(p.Source), m)
}
