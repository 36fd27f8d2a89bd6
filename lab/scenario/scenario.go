package scenario

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"

	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/names/shelf"
)

// Limits of a scenario.
const (
	// MaxFile is the largest size of a scenario's file in bytes.
	MaxFile = 256 << 10
	// MaxActions is the largest number of actions, MaxIOs the largest number of I/Os
	// that they ask for.
	MaxActions = 256
	MaxIOs     = 10_000
)

// ErrUnknown says that a name is neither a scenario of the project nor a file.
var ErrUnknown = errors.New("unknown scenario")

// Scenario is a list of actions on a machine, with the expected results.
type Scenario struct {
	Name    string `yaml:"name"`
	Summary string `yaml:"summary,omitempty"`
	// Machine holds settings of an experiment that describe its machine; keys that are
	// left out have the values of Base.
	Machine map[string]any `yaml:"machine,omitempty"`
	// Policy is the policy in force at the beginning: a name or a file.
	Policy string `yaml:"policy"`
	// Settings override those of the policy's detours, by slot.
	Settings Settings `yaml:"settings,omitempty"`
	// Play lists the actions.
	Play []Action `yaml:"play"`
	// Expect lists the expected results, besides the end-of-run checks and the
	// completion codes that the actions name.
	Expect Expect `yaml:"expect,omitempty"`

	// Source is the path of the file, or "built-in".
	Source string `yaml:"-"`

	stage *description.Experiment // the machine
}

// Settings are settings of detours by slot and name.
type Settings struct {
	FrontEnd   map[string]any `yaml:"front-end,omitempty"`
	BackEnd    map[string]any `yaml:"back-end,omitempty"`
	PostStatus map[string]any `yaml:"post-status,omitempty"`
}

// Base returns the default machine of scenarios: a small volume and a mirror 50 km
// away.
func Base() experiment.Config {
	c := experiment.Default()
	c.Model = "3390-1"
	for _, p := range []*experiment.Place{&c.Primary, &c.Mirror} {
		p.Aliases, p.CacheTracks, p.HitRatio, p.Arms = 3, 1024, 1, 1
	}
	c.Workload = experiment.Workload{Speed: 1}
	c.Policies = nil
	return c
}

//go:embed scenarios/*.yaml
var builtin embed.FS

var documents = shelf.Shelf{FS: builtin, Dir: "scenarios", Kind: "scenario", Unknown: ErrUnknown, MaxFile: MaxFile}

// Names returns the names of the project's scenarios, in alphabetical order.
func Names() []string { return documents.Names() }

// Load returns the project's scenario of that name, or reads the file of that name
// when it looks like a path.
func Load(name string) (*Scenario, error) {
	text, source, err := documents.Read(name)
	if err != nil {
		return nil, err
	}
	return Parse(text, source)
}

// Parse reads and checks a scenario. Unknown keys are errors.
func Parse(text []byte, source string) (*Scenario, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	s := &Scenario{Source: source}
	if err := d.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("scenario %s: is empty: want name, policy and play", source)
		}
		return nil, fmt.Errorf("scenario %s: %w", source, err)
	}
	c := Base()
	m, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: &c, TagName: "koanf", ErrorUnused: true, DecodeHook: mapstructure.StringToTimeDurationHookFunc()})
	if err == nil {
		err = m.Decode(s.Machine)
	}
	if err != nil {
		return nil, fmt.Errorf("scenario %s: machine: %s", source, strings.Join(strings.Fields(err.Error()), " "))
	}
	return s, s.check(&c)
}

func (s *Scenario) check(c *experiment.Config) error {
	switch {
	case s.Name == "":
		return fmt.Errorf("scenario %s: has no name", s.Source)
	case s.Policy == "":
		return fmt.Errorf("scenario %s: names no policy", s.Name)
	case len(s.Play) == 0 || len(s.Play) > MaxActions:
		return fmt.Errorf("scenario %s: %d actions: want 1 to %d", s.Name, len(s.Play), MaxActions)
	}
	c.Name = s.Name
	if s.Expect.Lost != 0 {
		c.Expect.LostWrites = true
	}
	var err error
	if s.stage, err = c.ParseStage(); err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	s.stage.Traffic.Name = s.Name // the name of the workload in reports
	machine := &s.stage.Machine
	ios := 0
	for i := range s.Play {
		n, err := s.Play[i].check(machine, ios)
		if err != nil {
			return fmt.Errorf("scenario %s: action %d: %w", s.Name, i+1, err)
		}
		if ios += n; ios > MaxIOs {
			return fmt.Errorf("scenario %s: more than %d I/Os", s.Name, MaxIOs)
		}
	}
	if err := s.Expect.check(len(machine.Mirrors) * machine.Pairs); err != nil {
		return fmt.Errorf("scenario %s: expect: %w", s.Name, err)
	}
	return nil
}

// IOs returns the number of I/Os that the scenario asks for.
func (s *Scenario) IOs() int {
	n := 0
	for i := range s.Play {
		n += s.Play[i].ios()
	}
	return n
}
