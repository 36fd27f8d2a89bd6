package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
)

// MaxModule is the most bytes of a module file.
const MaxModule = 64 << 20

// Suffix is that of module files.
const Suffix = ".wasm"

var (
	// ErrNotBuilt says that a shipped module has not been built yet.
	ErrNotBuilt = errors.New("is not built")
	// ErrUnknown says that a reference is neither a shipped module nor a file nor
	// a folder.
	ErrUnknown = errors.New("unknown module")
)

// Shipped are the names of the project's own modules and the folders of their
// main packages in the source tree.
var shipped = []string{
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
func Shipped() []string { return append([]string(nil), shipped...) }

// SourceFolder is where the main package of a shipped module lies, relative to
// the root of the source tree.
func SourceFolder(name string) string {
	return filepath.Join("plugins", filepath.FromSlash(name), "wasm")
}

// Catalog finds modules. Its methods may be called from several goroutines.
type Catalog struct {
	// Dir is the folder of built shipped modules; a module's file is its name with
	// the suffix.
	Dir string
	// BuildCache is the folder for modules built from source; empty is the user's
	// cache folder.
	BuildCache string
}

// DefaultDir is where shipped modules are looked for when nothing else is said:
// the folder "plugins" beside the running program.
func DefaultDir() string {
	exe, err := os.Executable()
	if err != nil {
		return "plugins"
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	return filepath.Join(filepath.Dir(exe), "plugins")
}

// Entry is a shipped module as it stands.
type Entry struct {
	Name  string `json:"name"`
	File  string `json:"file"`
	Built bool   `json:"built"`
}

// List says which shipped modules are built.
func (c *Catalog) List() []Entry {
	var l []Entry
	for _, n := range shipped {
		e := Entry{Name: n, File: c.file(n)}
		_, err := os.Stat(e.File)
		e.Built = err == nil
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
	path, err := c.locate(ctx, ref)
	if err != nil {
		return nil, err
	}
	return read(path)
}

func (c *Catalog) locate(ctx context.Context, ref string) (string, error) {
	if i := sort.SearchStrings(shipped, ref); i < len(shipped) && shipped[i] == ref {
		path := c.file(ref)
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("module %s: %w (no %s): run \"make plugins\", or name the folder of built modules with --plugin-dir", ref, ErrNotBuilt, path)
		}
		return path, nil
	}
	info, err := os.Stat(ref)
	switch {
	case err != nil && (strings.HasSuffix(ref, Suffix) || strings.HasPrefix(ref, ".") || filepath.IsAbs(ref)):
		return "", fmt.Errorf("module: %w", err)
	case err != nil:
		return "", fmt.Errorf("module %q: %w: want one of %s, a %s file, or a folder of Go source", ref, ErrUnknown, strings.Join(shipped, ", "), Suffix)
	case info.IsDir():
		path, err := build.Build(ctx, ref, c.BuildCache)
		if err != nil {
			return "", fmt.Errorf("module %s: %w", ref, err)
		}
		return path, nil
	}
	return ref, nil
}

func read(path string) (*host.Module, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("module: %w", err)
	}
	if info.Size() > MaxModule {
		return nil, fmt.Errorf("module %s: %d bytes: at most %d", path, info.Size(), MaxModule)
	}
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("module: %w", err)
	}
	m, err := host.Inspect(code)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", path, err)
	}
	return m, nil
}
