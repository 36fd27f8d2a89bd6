package trace

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed bundled/*.events.csv.gz
var bundle embed.FS

const bundleSuffix = ".events.csv.gz"

// BundledNames returns the names of the traces that come with the program, in
// alphabetical order. bundled/README.md describes them.
func BundledNames() []string {
	entries, err := bundle.ReadDir("bundled")
	if err != nil {
		return nil // the folder is part of the program
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), bundleSuffix))
	}
	return names
}

// Bundled opens a trace that comes with the program.
func Bundled(name string, options Options) (*Trace, error) {
	f, err := bundle.Open("bundled/" + name + bundleSuffix)
	if err != nil || strings.Contains(name, "/") {
		return nil, fmt.Errorf("bundled trace %q: want %s", name, oneOf(BundledNames()))
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("bundled trace %q: %w", name, err)
	}
	t, err := New(name, f, options)
	if err != nil {
		return nil, err
	}
	t.total = info.Size()
	return t, nil
}
