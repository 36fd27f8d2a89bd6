package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/host/wasm"
)

const (
	// ManifestFile is the name of the manifest in a detour's folder.
	ManifestFile = "manifest.json"
	// MemoryPages is the largest size that a module's memory can grow to, in pages of
	// 64 KiB: 16 MiB. Go's linker declares no maximum, and its runtime takes the first
	// 4 MiB at its start.
	MemoryPages = 256
)

var (
	// ErrNoToolchain says that there is no Go toolchain to build with.
	ErrNoToolchain = errors.New(`needs the Go toolchain: no "go" command in PATH`)
	// ErrNoManifest says that a folder has no manifest.
	ErrNoManifest = errors.New("no " + ManifestFile + " beside its main package")
	// ErrSource says that a detour cannot be built from a folder, because its source
	// is missing or incomplete.
	ErrSource = errors.New("no source of a detour")
	// ErrCompile says that the toolchain refused the source. The error's text holds
	// the toolchain's output.
	ErrCompile = errors.New("does not compile")
)

// flags are the options of go build. Paths and the state of a repository stay out of
// the module so that the same source gives the same bytes wherever it lies. Function
// names stay in: they make a trap's report readable, for 2 % of the size.
var flags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-buildid=", "-buildmode=c-shared"}

// stopTime is the time that the toolchain has to end after a build is given up.
const stopTime = 500 * time.Millisecond

// Build builds the detour in the folder dir, which holds a main package and a
// manifest, and returns the path of the module. The module lies in the folder cache,
// or in the user's cache folder where cache is empty; a module that was built there
// from the same sources, manifest and toolchain, and is whole, is used again. The
// same input gives the same bytes. Build may be called from several goroutines and
// processes at once.
//
// uses, if not nil, is told of the files that the module is made from, and of the
// module in the cache. When it refuses one, the build ends with its error before
// anything is compiled.
func Build(ctx context.Context, dir, cache string, uses *files.Uses) (string, error) {
	path, err := build(ctx, dir, cache, uses)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", dir, err)
	}
	return path, nil
}

func build(ctx context.Context, dir, cache string, uses *files.Uses) (string, error) {
	text, manifest, err := readManifest(dir)
	if err != nil {
		return "", sourceError{err}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if cache == "" {
		if cache, err = DefaultCache(); err != nil {
			return "", err
		}
	}
	g, err := toolchain(dir)
	if err != nil {
		return "", err
	}
	if err := uses.Reads(filepath.Join(dir, ManifestFile), "a manifest"); err != nil {
		return "", err
	}
	key, err := g.key(ctx, text, uses)
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, strings.ReplaceAll(manifest.Name, "/", "-")+"-"+key+".wasm")
	if err := uses.Reads(path, "a module in the cache"); err != nil {
		return "", err
	}
	if err := openCache(cache); err != nil {
		return "", fmt.Errorf("module cache: %w", err)
	}
	if whole(path) {
		return path, nil
	}
	tmp, err := os.MkdirTemp(cache, ".build-")
	if err != nil {
		return "", fmt.Errorf("module cache: %w", err)
	}
	defer os.RemoveAll(tmp)
	raw := filepath.Join(tmp, "raw.wasm")
	if _, err := g.run(ctx, append(append([]string{"build"}, flags...), "-o", raw, ".")...); err != nil {
		return "", err
	}
	module, err := files.ReadAll(raw, "module", wasm.MaxSize)
	if err != nil {
		return "", err
	}
	if module, err = Stamp(module, text); err != nil {
		return "", err
	}
	if err := keep(path, module, tmp); err != nil {
		return "", fmt.Errorf("module cache: %w", err)
	}
	return path, nil
}

// Stamp makes a detour of a compiler's output: it gives the memory a maximum of
// MemoryPages if it has none, and puts the manifest into its custom section. It
// returns a new module and leaves the arguments alone.
func Stamp(module, manifest []byte) ([]byte, error) {
	return wasm.Rewrite(module, wasm.Edit{MemoryMax: MemoryPages, Section: abi.ManifestSection, Data: manifest})
}

// DefaultCache returns the folder that keeps modules when the caller names none.
func DefaultCache() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("module cache: %w: name a folder for it", err)
	}
	return filepath.Join(base, "iosrun", "modules"), nil
}

// sourceError is ErrSource with the cause.
type sourceError struct{ error }

func (e sourceError) Is(target error) bool { return target == ErrSource }

func (e sourceError) Unwrap() error { return e.error }

func readManifest(dir string) ([]byte, *abi.Manifest, error) {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, nil, err
	case !info.IsDir():
		return nil, nil, errors.New("is not a folder: want one with a main package and " + ManifestFile)
	}
	text, err := files.ReadAll(filepath.Join(dir, ManifestFile), "manifest", abi.MaxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, ErrNoManifest
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := abi.ParseManifest(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	return text, m, nil
}

// command runs the Go toolchain in one folder.
type command struct {
	path, dir string
	env       []string
}

func toolchain(dir string) (*command, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return nil, ErrNoToolchain
	}
	env := append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "PWD="+dir)
	return &command{path: path, dir: dir, env: env}, nil
}

// run runs the toolchain and returns its standard output. When it fails the error
// holds its standard error.
func (g *command) run(ctx context.Context, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, g.path, args...)
	c.Dir, c.Env = g.dir, g.env
	// When it is interrupted the toolchain removes its own temporary files. Processes
	// that it has started may hold its output open for longer than that takes.
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = stopTime
	var said strings.Builder
	c.Stderr = &said
	out, err := c.Output()
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if text := strings.TrimSpace(said.String()); text != "" {
		return nil, fmt.Errorf("%w:\n%s", ErrCompile, text)
	}
	return nil, fmt.Errorf("go %s: %w", args[0], err)
}

// Toolchain returns the version of the Go toolchain that builds in the folder dir,
// such as "go1.26.8".
func Toolchain(ctx context.Context, dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	g, err := toolchain(abs)
	if err != nil {
		return "", err
	}
	out, err := g.run(ctx, "env", "GOVERSION")
	return strings.TrimSpace(string(out)), err
}
