package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/iosrun/iosrun/host/wasm"
	"github.com/iosrun/iosrun/names/suggest"
	"github.com/iosrun/iosrun/policy/catalog/shipped"
)

// Suffix is the file extension of a module.
const Suffix = ".wasm"

var (
	// ErrNotBuilt says that a module is missing in the folder of built modules.
	ErrNotBuilt = errors.New("is not built")
	// ErrUnknown says that a reference is neither a shipped module nor a file nor
	// a folder.
	ErrUnknown = errors.New("unknown module")
)

// names are the names of the project's own modules and the folders of their
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

// Shipped returns the names of the shipped modules.
func Shipped() []string { return slices.Clone(names) }

// SourceFolder returns the folder of a shipped module's main package, relative to
// the root of the source tree.
func SourceFolder(name string) string {
	return filepath.Join("plugins", filepath.FromSlash(name), "wasm")
}

// Catalog finds modules. Its methods may be called from several goroutines.
type Catalog struct {
	// Dir is a folder of built modules, which take the place of those that the program
	// carries; a module's file is its name with the suffix. When Dir is empty the
	// program's own modules are used.
	Dir string
	// BuildCache is the folder for modules built from source. When it is empty the
	// user's cache folder is used.
	BuildCache string
	// Uses, if not nil, is told of the files that modules are read or built from.
	Uses *files.Uses
}

// Entry describes a shipped module.
type Entry struct {
	Name string `json:"name"`
	// File is the path of the module's file; it is empty for a module that the program
	// carries.
	File string `json:"file,omitempty"`
	// Built says that the module exists.
	Built bool `json:"built"`
}

// List returns an entry for each shipped module.
func (c *Catalog) List() []Entry {
	var l []Entry
	for _, n := range names {
		e := Entry{Name: n, Built: true}
		if c.Dir != "" {
			e.File = c.File(n)
			_, err := os.Stat(e.File)
			e.Built = err == nil
		}
		l = append(l, e)
	}
	return l
}

// File returns the path of a shipped module in the folder of built modules.
func (c *Catalog) File(name string) string {
	return filepath.Join(c.Dir, filepath.FromSlash(name)+Suffix)
}

// Build builds a module from a folder of Go source and returns the path of its file
// in the cache. An unchanged folder is not built again.
func (c *Catalog) Build(ctx context.Context, folder string) (path string, err error) {
	return build.Build(ctx, folder, c.BuildCache, c.Uses)
}

// BuildArchive builds the shipped modules from the source tree into an archive. It
// leaves an archive that holds the same modules already as it is; written says
// whether it wrote one.
func (c *Catalog) BuildArchive(ctx context.Context, source, archive string) (written bool, err error) {
	modules := make(map[string][]byte)
	for _, n := range names {
		path, err := c.Build(ctx, filepath.Join(source, SourceFolder(n)))
		if err != nil {
			return false, err
		}
		if modules[n], err = files.ReadAll(path, "module", wasm.MaxSize); err != nil {
			return false, err
		}
	}
	toolchain, err := build.Toolchain(ctx, source)
	if err != nil {
		return false, err
	}
	if old, err := readArchive(archive); err == nil {
		if set, err := shipped.Unpack(old); err == nil && set.Holds(toolchain, modules) {
			return false, nil
		}
	}
	packed, err := shipped.Pack(toolchain, modules)
	if err != nil {
		return false, err
	}
	return true, files.Write(archive, func(w io.Writer) error { _, err := w.Write(packed); return err })
}

// readArchive reads an archive that may be there. A pipe, in which there is none,
// is written to alone.
func readArchive(path string) ([]byte, error) {
	f, err := files.OpenFile(path, "archive", os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return files.ReadAllFrom(f, path, "archive", shipped.MaxArchive)
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

// embedded returns a module that the program carries.
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
		path := c.File(ref)
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
		path, err := c.Build(ctx, ref)
		if err != nil {
			return "", fmt.Errorf("module %s: %w", ref, err)
		}
		return path, nil
	}
	return ref, nil
}
