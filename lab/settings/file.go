package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/lab/experiment"
	"github.com/iosrun/iosrun/names/suggest"
)

const (
	// MaxFile is the largest size of an experiment file in bytes.
	MaxFile = 1 << 20
	// MaxVariable is the largest size of the value of an environment variable in bytes.
	MaxVariable = 4096
)

// experimentFile reads an experiment file. Errors about keys and values name their
// lines.
func experimentFile(path string, k keys, o origins) (map[string]any, error) {
	text, err := files.ReadAll(path, "experiment", MaxFile)
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
	if err := root.Decode(&values); err != nil { // a key that occurs twice, an alias of itself
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

// group checks the keys of a group. key is the key of the group in the file, such as
// mirrors.0, and pattern its key in the table of keys, such as mirrors.*.
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
