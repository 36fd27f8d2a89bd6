package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/iosrun/iosrun/lab/catalog/shipped"
	"github.com/iosrun/iosrun/lab/suggest"
)

// Suffix is the file extension of a module.
const Suffix = ".wasm"

var (
	// ErrNotBuilt says that the folder of built modules lacks one.
	ErrNotBuilt = errors.New("is not built")
	// ErrUnknown says that a reference is neither a shipped module nor a file nor
	// a folder.
	ErrUnknown = errors.New("unknown module")
)

// Shipped are the names of the project's own modules and the folders of their
// main packages in the source tree.
var names = []string{
	"backend/standard",
	"frontend/adaptive",
	"frontend/audit",
	"frontend/constantcopy",
	"frontend/passthrough",
	"frontend/readselect",
	"frontend/standard",
	"poststatus/audit",
	"poststatus/constantcopy",
	"poststatus/standard",
}

// Shipped lists the names of the shipped modules.
func Shipped() []string { return slices.Clone(names) }

// SourceFolder is where the main package of a shipped module lies, relative to
// the root of the source tree.
func SourceFolder(name string) string {
	return filepath.Join("plugins", filepath.FromSlash(name), "wasm")
}

// Catalog finds modules. Its methods may be called from several goroutines.
type Catalog struct {
	// Dir is a folder of built modules, which take the place of those that the
	// program carries; a module's file is its name with the suffix. Empty is the
	// program's own.
	Dir string
	// BuildCache is the folder for modules built from source; empty is the user's
	// cache folder.
	BuildCache string
	// Uses, if not nil, is told of the files that modules are read or built from.
	Uses *files.Uses
}

// Entry is a shipped module as it stands.
type Entry struct {
	Name string `json:"name"`
	// File that holds the module; empty for one that the program carries.
	File string `json:"file,omitempty"`
	// Built says that the module is there.
	Built bool `json:"built"`
}

// List says which shipped modules there are.
func (c *Catalog) List() []Entry {
	var l []Entry
	for _, n := range names {
		e := Entry{Name: n, Built: true}
		if c.Dir != "" {
			e.File = c.file(n)
			_, err := os.Stat(e.File)
			e.Built = err == nil
		}
		l = append(l, e)
	}
	return l
}

func (c *Catalog) file(name string) string {
	return filepath.Join(c.Dir, filepath.FromSlash(name)+Suffix)
}

// Module finds a module and reads it; nothing of it runs. A Go source folder is
// built first, with the Go toolchain.
func (c *Catalog) Module(ctx context.Context, ref string) (*host.Module, error) {
	if _, ours := slices.BinarySearch(names, ref); ours && c.Dir == "" {
		return embedded(ref)
	}
	path, err := c.locate(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := c.Uses.Reads(path, "a module"); err != nil {
		return nil, err
	}
	return host.Open(path)
}

// embedded gives a module that the program carries.
func embedded(name string) (*host.Module, error) {
	set, err := shipped.Embedded()
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", name, err)
	}
	code, ok := set.Module(name)
	if !ok {
		return nil, fmt.Errorf("module %s: %w into this program: run \"make plugins\"", name, ErrNotBuilt)
	}
	m, err := host.Inspect(code)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", name, err)
	}
	return m, nil
}

func (c *Catalog) locate(ctx context.Context, ref string) (string, error) {
	if _, ours := slices.BinarySearch(names, ref); ours {
		path := c.file(ref)
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("module %s: %w (no %s): \"iosrun plugin build --shipped\" builds into the folder of --plugin-dir; without that flag the program's own modules are used", ref, ErrNotBuilt, path)
		}
		return path, nil
	}
	info, err := os.Stat(ref)
	switch {
	case err != nil && (strings.HasSuffix(ref, Suffix) || strings.HasPrefix(ref, ".") || filepath.IsAbs(ref)):
		return ref, nil // opening it says what is wrong
	case err != nil:
		return "", fmt.Errorf("module %q: %w: want one of %s, a %s file, or a folder of Go source%s", ref, ErrUnknown, strings.Join(names, ", "), Suffix, suggest.DidYouMean(ref, names))
	case info.IsDir():
		path, err := build.Build(ctx, ref, c.BuildCache, c.Uses)
		if err != nil {
			return "", fmt.Errorf("module %s: %w", ref, err)
		}
		return path, nil
	}
	return ref, nil
}
