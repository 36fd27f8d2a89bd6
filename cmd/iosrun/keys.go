package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"go.yaml.in/yaml/v3"

	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/lab/suggest"
)

const (
	// maxExperiment is the most bytes of an experiment file.
	maxExperiment = 1 << 20
	// maxVariable is the most bytes of the value of an environment variable.
	maxVariable = 4096
)

// keys are the settings of an experiment: the type of each by its key, such as
// workload.speed. An entry of a list has "*" for its number.
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

// within are the names of the keys directly in a group, "" for all of them.
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

// origins say where a setting was given, by its key: a line of a file, a variable
// or a flag.
type origins map[string]string

// of is where a key was given, or what it is a part of.
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

// experimentFile reads an experiment file. Every key and every value of it is
// checked where it stands.
func experimentFile(path string, k keys, o origins) (map[string]any, error) {
	text, err := files.ReadAll(path, "experiment", maxExperiment)
	if err != nil {
		return nil, err
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := d.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("experiment %s: is empty: want keys such as workload and policies", path)
		}
		return nil, fmt.Errorf("experiment %s: %w", path, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("experiment %s: holds more than one document", path)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("experiment %s line %d: want keys with their values, such as \"seed: 1\"", path, root.Line)
	}
	var values map[string]any
	if err := root.Decode(&values); err != nil { // a key that is there twice, an alias of itself
		return nil, fmt.Errorf("experiment %s: %w", path, err)
	}
	w := &walk{keys: k, origins: o, path: path}
	if err := w.group(root, "", ""); err != nil {
		return nil, err
	}
	return values, nil
}

// walk goes through an experiment file.
type walk struct {
	keys    keys
	origins origins
	path    string
}

func (w *walk) at(n *yaml.Node) string { return fmt.Sprintf("experiment %s line %d", w.path, n.Line) }

// group checks the keys of a group. key is the group's own as it stands in the
// file, such as mirrors.0, and pattern as the table of keys has it, such as
// mirrors.*.
func (w *walk) group(n *yaml.Node, key, pattern string) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], resolved(n.Content[i+1])
		if name.Tag == "!!merge" {
			from := []*yaml.Node{value}
			if value.Kind == yaml.SequenceNode {
				from = value.Content
			}
			for _, m := range from {
				if err := w.group(resolved(m), key, pattern); err != nil {
					return err
				}
			}
			continue
		}
		full, known := inGroup(key, name.Value), inGroup(pattern, name.Value)
		t, ok := w.keys[known]
		if !ok || strings.ContainsAny(name.Value, ".*") {
			all := w.keys.within(pattern)
			return fmt.Errorf("%s: key %q is unknown: want one of %s%s", w.at(name), full, strings.Join(all, ", "), suggest.DidYouMean(name.Value, all))
		}
		if err := w.value(name, value, t, full, known); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) value(name, n *yaml.Node, t reflect.Type, key, pattern string) error {
	switch {
	case n.Tag == "!!null":
		return fmt.Errorf("%s: %s has no value", w.at(name), key)
	case t.Kind() == reflect.Struct:
		if n.Kind != yaml.MappingNode {
			return fmt.Errorf("%s: %s is %q: want keys with their values: %s", w.at(n), key, n.Value, strings.Join(w.keys.within(pattern), ", "))
		}
		if t == reflect.TypeFor[experiment.Workload]() || strings.Contains(key, ".") {
			w.origins[key] = w.at(name)
		}
		return w.group(n, key, pattern)
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		if n.Kind != yaml.SequenceNode {
			return fmt.Errorf("%s: %s: want a list, with a \"-\" in front of each entry", w.at(n), key)
		}
		w.origins[key] = w.at(name)
		for i, entry := range n.Content {
			if err := w.value(entry, resolved(entry), t.Elem(), fmt.Sprintf("%s.%d", key, i), pattern+".*"); err != nil {
				return err
			}
		}
		return nil
	}
	var value any
	if err := n.Decode(&value); err != nil {
		return fmt.Errorf("%s: %s: %w", w.at(n), key, err)
	}
	w.origins[key] = w.at(name)
	if err := fits(value, t); err != nil {
		return fmt.Errorf("%s: %s: %w", w.at(n), key, err)
	}
	return nil
}

func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func inGroup(group, name string) string {
	if group == "" {
		return name
	}
	return group + "." + name
}

// checkVariables refuses a variable of the program's that is too long to be meant.
func checkVariables(variables []string) error {
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, envPrefix) && len(value) > maxVariable {
			return fmt.Errorf("environment: %s: has %d bytes: want at most %d", name, len(value), maxVariable)
		}
	}
	return nil
}

// environment are the settings that variables give, by their key.
func environment(k keys, o origins, variables []string) (map[string]any, error) {
	names := make(map[string]string, len(k))
	for key := range k {
		if !strings.Contains(key, "*") {
			names[variable(key)] = key
		}
	}
	found := make(map[string]any)
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, envPrefix) || notSettings[name] {
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

// variable is the name of a key's variable.
func variable(key string) string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "__").Replace(key))
}

// fits reports a value that is not of a setting's type.
func fits(value any, t reflect.Type) error {
	into := reflect.New(t)
	return decodeText(decodeSettings(value, into.Interface()))
}

// decodeSettings puts settings into what is there for them, a pointer.
func decodeSettings(from, into any) error {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: into, TagName: "koanf", ErrorUnused: true, WeaklyTypedInput: true, DecodeHook: settingHook(),
	})
	if err != nil {
		return err
	}
	return d.Decode(from)
}

// settingHook makes values of text and refuses those that a setting would hold as
// another value.
func settingHook() mapstructure.DecodeHookFunc {
	return mapstructure.ComposeDecodeHookFunc(mapstructure.DecodeHookFuncType(exactly), mapstructure.StringToSliceHookFunc(","))
}

// exactly is the value as a setting of that type holds it: a number with a part is
// no whole number, one that is too large is not cut off, and a number alone is no
// time.
func exactly(_, to reflect.Type, value any) (any, error) {
	text, isText := value.(string)
	text = strings.TrimSpace(text)
	from := reflect.ValueOf(value)
	switch {
	case to == reflect.TypeFor[time.Duration]():
		if _, is := value.(time.Duration); is {
			return value, nil
		}
		if !isText {
			return nil, fmt.Errorf("%v: want a time with its unit, such as 5s or 200ms", value)
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("%q: want a time with its unit, such as 5s or 200ms", text)
		}
		return d, nil
	case to.Kind() == reflect.Bool:
		if b, err := strconv.ParseBool(text); isText && err == nil {
			return b, nil
		}
		if from.Kind() != reflect.Bool {
			return nil, fmt.Errorf("%s: want true or false", quotedValue(value))
		}
	case from.Kind() == reflect.Bool && to.Kind() != reflect.Interface:
		return nil, fmt.Errorf("%v: want %s", value, kindText(to))
	case to.Kind() == reflect.Float64:
		if isText {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, fmt.Errorf("%q: want a number", text)
			}
			return f, nil
		}
	case reflect.New(to).Elem().CanInt() || reflect.New(to).Elem().CanUint():
		return whole(to, value)
	}
	return value, nil
}

// whole is a value as a whole number of a type.
func whole(to reflect.Type, value any) (any, error) {
	wrong := fmt.Errorf("%s: want %s", quotedValue(value), kindText(to))
	from, target := reflect.ValueOf(value), reflect.New(to).Elem()
	var i int64
	var u uint64
	switch {
	case from.CanInt():
		i, u = from.Int(), uint64(max(0, from.Int()))
	case from.CanUint():
		u = from.Uint()
		if i = int64(min(u, math.MaxInt64)); target.CanInt() && u > math.MaxInt64 {
			return nil, wrong
		}
	case from.CanFloat():
		f := from.Float()
		if f != math.Trunc(f) || !(math.Abs(f) < 1<<53) { // every whole number is exact below
			return nil, wrong
		}
		i, u = int64(f), uint64(max(0, f))
	case from.Kind() == reflect.String:
		var err error
		if text := strings.TrimSpace(from.String()); target.CanInt() {
			i, err = strconv.ParseInt(text, 10, 64)
		} else {
			u, err = strconv.ParseUint(text, 10, 64)
			i = int64(min(u, math.MaxInt64))
		}
		if err != nil {
			return nil, wrong
		}
	default:
		return value, nil // the decoder says what is wrong
	}
	if target.CanInt() {
		if target.OverflowInt(i) {
			return nil, wrong
		}
		return i, nil
	}
	if i < 0 || target.OverflowUint(u) {
		return nil, wrong
	}
	return u, nil
}

func quotedValue(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(value)
}

// kindText is what values of a type are.
func kindText(t reflect.Type) string {
	v := reflect.New(t).Elem()
	switch {
	case t.Kind() == reflect.Bool:
		return "true or false"
	case v.CanFloat():
		return "a number"
	case v.CanInt():
		return "a whole number"
	case v.CanUint():
		return fmt.Sprintf("a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	case t.Kind() == reflect.Slice:
		return "a list"
	}
	return "a text"
}

// decodeText makes the decoder's error one line, without its name for what it
// decodes where there is none.
func decodeText(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.Join(decodeTexts(err), "; "))
}

func decodeTexts(err error) []string {
	if named, ok := err.(*mapstructure.DecodeError); ok {
		texts := decodeTexts(named.Unwrap())
		if named.Name() != "" {
			texts[0] = named.Name() + ": " + texts[0]
		}
		return texts
	}
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return []string{strings.TrimSpace(err.Error())}
	}
	var texts []string
	for _, e := range many.Unwrap() {
		texts = append(texts, decodeTexts(e)...)
	}
	return texts
}
