package settings

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/names/suggest"
)

// Prefix begins the names of environment variables with settings:
// IOSRUN_WORKLOAD_TRACE is the setting workload.trace, IOSRUN_WORKLOAD_SKIP__BAD is
// workload.skip-bad.
const Prefix = "IOSRUN_"

// keys maps the key of each setting of an experiment, such as workload.speed, to its
// type. An entry of a list has "*" instead of its number.
type keys map[string]reflect.Type

func settingKeys() keys {
	k := make(keys)
	k.add(reflect.TypeFor[experiment.Config](), "")
	return k
}

func (k keys) add(t reflect.Type, prefix string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, tagged := f.Tag.Lookup("koanf")
		if !tagged || name == "-" {
			continue
		}
		of := f.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		k[prefix+name] = of
		switch {
		case of.Kind() == reflect.Struct:
			k.add(of, prefix+name+".")
		case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct:
			k[prefix+name+".*"] = of.Elem()
			k.add(of.Elem(), prefix+name+".*.")
		}
	}
}

// within returns the names of the keys directly in a group; "" is the group of all
// keys.
func (k keys) within(group string) []string {
	if group != "" {
		group += "."
	}
	var names []string
	for key := range k {
		if name, ok := strings.CutPrefix(key, group); ok && !strings.Contains(name, ".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// origins holds the place where a setting was given, by its key: a line of a file, a
// variable or a flag.
type origins map[string]string

// of returns the place where a key, or a group that contains it, was given.
func (o origins) of(key string) string {
	for {
		if at, ok := o[key]; ok {
			return at
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return ""
		}
		key = key[:i]
	}
}

// environment returns the settings given by environment variables, by their keys.
func environment(k keys, o origins, variables, others []string) (map[string]any, error) {
	names := make(map[string]string, len(k))
	for key := range k {
		if !strings.Contains(key, "*") {
			names[variable(key)] = key
		}
	}
	found := make(map[string]any)
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, Prefix) || slices.Contains(others, name) {
			continue
		}
		key, ok := names[name]
		if !ok {
			return nil, fmt.Errorf("environment: %s is no setting's variable%s", name, suggest.DidYouMean(name, slices.Sorted(maps.Keys(names))))
		}
		if t := k[key]; t.Kind() == reflect.Struct || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct {
			return nil, fmt.Errorf("environment: %s: a variable sets a single value: want an experiment file for %s", name, key)
		}
		if err := fits(value, k[key]); err != nil {
			return nil, fmt.Errorf("environment: %s: %w", name, err)
		}
		found[key] = value
		o[key] = "environment: " + name
	}
	return found, nil
}

// variable returns the name of a key's environment variable.
func variable(key string) string {
	return Prefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "__").Replace(key))
}
