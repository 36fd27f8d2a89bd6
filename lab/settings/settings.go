package settings

import (
	"fmt"
	"maps"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"

	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/workload"
)

// Settings holds the settings of an experiment while they are gathered. Later values
// replace earlier ones.
type Settings struct {
	values  *koanf.Koanf
	keys    keys
	origins origins
}

// New returns the default settings. They have no policies, so that the caller can
// see whether any were named.
func New() (*Settings, error) {
	s := &Settings{values: koanf.New("."), keys: settingKeys(), origins: make(origins)}
	if err := s.values.Load(structs.Provider(experiment.Default(), "koanf"), nil); err != nil {
		return nil, err
	}
	s.values.Delete("policies")
	return s, nil
}

// File adds the settings of an experiment file.
func (s *Settings) File(path string) error {
	values, err := experimentFile(path, s.keys, s.origins)
	if err != nil {
		return err
	}
	own := koanf.New(".")
	if err := own.Load(confmap.Provider(values, ""), nil); err != nil {
		return err
	}
	if own.Exists("workload.generator") {
		if err := s.generatorDefaults(); err != nil {
			return err
		}
		if !own.Exists("workload.trace") {
			_ = own.Set("workload.trace", "")
		}
	}
	if err := s.values.Merge(own); err != nil {
		return fmt.Errorf("experiment %s: %w", path, err)
	}
	return nil
}

// Environment adds the settings of environment variables, each "NAME=value" as in
// os.Environ. A variable with the prefix that belongs to no setting is an error,
// unless others has its name.
func (s *Settings) Environment(variables []string, others ...string) error {
	values, err := environment(s.keys, s.origins, variables, others)
	if err != nil {
		return err
	}
	return s.values.Load(confmap.Provider(values, "."), nil)
}

// Put adds values by their keys. origins holds the place where a key, or a part of
// one, was given, for errors. A list replaces a whole list.
func (s *Settings) Put(values map[string]any, origins map[string]string) error {
	if _, made := values["workload.generator"]; made && !s.values.Exists("workload.generator.rate") {
		if err := s.generatorDefaults(); err != nil {
			return err
		}
	}
	for key, v := range values {
		if _, is := v.([]any); is { // origins of entries that the new list does not have
			maps.DeleteFunc(s.origins, func(at, _ string) bool { return strings.HasPrefix(at, key+".") })
		}
	}
	maps.Copy(s.origins, origins)
	return s.values.Load(confmap.Provider(values, "."), nil)
}

// Config returns the settings as an experiment's configuration. They are not
// checked.
func (s *Settings) Config() (*experiment.Config, error) {
	c := &experiment.Config{Origin: s.origins.of}
	if err := decode(s.values.Raw(), c); err != nil {
		return nil, fmt.Errorf("settings: %w", decodeText(err))
	}
	return c, nil
}

// generatorDefaults adds the default settings of an experiment's generator.
func (s *Settings) generatorDefaults() error {
	own := koanf.New(".")
	if err := own.Load(structs.Provider(workload.DefaultGenerator(), "koanf"), nil); err != nil {
		return err
	}
	// The experiment gives the seed and the volume's size; the user must give the
	// duration.
	own.Delete("duration")
	own.Delete("seed")
	own.Delete("volume_bytes")
	return s.values.MergeAt(own, "workload.generator")
}

// CheckVariables refuses an environment variable of the program's, of those given as
// NAME=VALUE, that is too long to be meant.
func CheckVariables(variables []string) error {
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, Prefix) && len(value) > MaxVariable {
			return fmt.Errorf("environment: %s: has %d bytes: want at most %d", name, len(value), MaxVariable)
		}
	}
	return nil
}
