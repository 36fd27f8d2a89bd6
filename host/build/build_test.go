package build_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func needsGo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the Go toolchain")
	}
}

// copyOf copies the folder of a detour into another place of this module, where
// its imports are found.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to, err := os.MkdirTemp("testdata", "copy-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(to) })
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

func TestBuild(t *testing.T) {
	needsGo(t)
	cache := t.TempDir()
	ctx := context.Background()
	path, err := build.Build(ctx, "testdata/plain", cache, nil)
	require.NoError(t, err)
	assert.Equal(t, cache, filepath.Dir(path))
	assert.True(t, strings.HasPrefix(filepath.Base(path), "test-plain-"), path)
	code, err := os.ReadFile(path)
	require.NoError(t, err)

	t.Run("the module is a detour", func(t *testing.T) {
		m, err := host.Inspect(code)
		require.NoError(t, err)
		require.NoError(t, host.Verify(m, 0).Err())
		assert.Equal(t, uint32(build.MemoryPages), m.Wasm.Memories[0].Max)
		r, err := host.NewRuntime(ctx, host.RuntimeConfig{})
		require.NoError(t, err)
		defer func() { require.NoError(t, r.Close(ctx)) }()
		c, err := r.Load(ctx, m)
		require.NoError(t, err)
		i, err := c.Instantiate(ctx, host.InstanceConfig{})
		require.NoError(t, err)
		require.NoError(t, host.Rehearse(i))
		f := i.Frame()
		f.Head.Flags = abi.Tracing
		require.NoError(t, i.Call(abi.FrontEnd))
		assert.Equal(t, uint16(1), f.Response.Steps)
		assert.Equal(t, uint16(100), f.Response.Step[0])
	})
	t.Run("built once", func(t *testing.T) {
		before, err := os.Stat(path)
		require.NoError(t, err)
		again, err := build.Build(ctx, "testdata/plain", cache, nil)
		require.NoError(t, err)
		assert.Equal(t, path, again)
		after, err := os.Stat(path)
		require.NoError(t, err)
		assert.True(t, os.SameFile(before, after))
		assert.Equal(t, before.ModTime(), after.ModTime())
	})
	t.Run("the same input gives the same bytes", func(t *testing.T) {
		other, err := build.Build(ctx, "testdata/plain", t.TempDir(), nil)
		require.NoError(t, err)
		assert.Equal(t, filepath.Base(path), filepath.Base(other))
		bytes2, err := os.ReadFile(other)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(code, bytes2))
	})
	t.Run("another manifest or source is another module", func(t *testing.T) {
		dir := copyOf(t, "testdata/plain")
		manifest := filepath.Join(dir, build.ManifestFile)
		require.NoError(t, os.WriteFile(manifest, []byte(`{"name":"test/plain","version":"2","abi":"1.0","hooks":["front_end"]}`), 0o644))
		second, err := build.Build(ctx, dir, cache, nil)
		require.NoError(t, err)
		assert.NotEqual(t, path, second)
		source := filepath.Join(dir, "main.go")
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(source, bytes.Replace(text, []byte("Took(100)"), []byte("Took(106)"), 1), 0o644))
		third, err := build.Build(ctx, dir, cache, nil)
		require.NoError(t, err)
		assert.NotEqual(t, second, third)
	})
	t.Run("nothing else is left in the cache", func(t *testing.T) {
		entries, err := os.ReadDir(cache)
		require.NoError(t, err)
		for _, e := range entries {
			assert.True(t, strings.HasSuffix(e.Name(), ".wasm") || strings.HasSuffix(e.Name(), ".wasm.sum"), e.Name())
		}
	})
}

// TestBuildDamaged damages a module in the cache, or puts something else in its
// place: it is not taken for whole.
func TestBuildDamaged(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.wasm")
	sound := bytes.Repeat([]byte("module"), 1000)
	flipped := func(at int) []byte {
		p := bytes.Clone(sound)
		p[at] ^= 1
		return p
	}
	require.False(t, build.Whole(path))
	for name, do := range map[string]func() error{
		"empty":               func() error { return os.Truncate(path, 0) },
		"cut":                 func() error { return os.Truncate(path, int64(len(sound)/2)) },
		"flipped":             func() error { return os.WriteFile(path, flipped(len(sound)/2), 0o600) },
		"flipped at the end":  func() error { return os.WriteFile(path, flipped(len(sound)-1), 0o600) },
		"longer":              func() error { return os.WriteFile(path, append(bytes.Clone(sound), 0), 0o600) },
		"a folder":            func() error { return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "in"), 0o700)) },
		"a link":              func() error { return errors.Join(os.Remove(path), os.Symlink("nothing", path)) },
		"no sum":              func() error { return os.Remove(path + ".sum") },
		"sum cut":             func() error { return os.Truncate(path+".sum", 10) },
		"sum empty":           func() error { return os.Truncate(path+".sum", 0) },
		"sum a folder":        func() error { return errors.Join(os.Remove(path+".sum"), os.MkdirAll(path+".sum", 0o700)) },
		"others may write it": func() error { return os.Chmod(path, 0o666) },
	} {
		require.NoError(t, build.Keep(path, sound, dir), name)
		require.True(t, build.Whole(path), name)
		require.NoError(t, do(), name)
		require.False(t, build.Whole(path), name)
	}
	require.NoError(t, build.Keep(path, sound, dir))
	require.True(t, build.Whole(path))
}

// TestBuildAgain builds what is damaged in the cache again, and refuses a cache
// that others may write to.
func TestBuildAgain(t *testing.T) {
	needsGo(t)
	cache := t.TempDir()
	ctx := context.Background()
	path, err := build.Build(ctx, "testdata/plain", cache, nil)
	require.NoError(t, err)
	sound, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, do := range map[string]func() error{
		"cut":      func() error { return os.Truncate(path, int64(len(sound)/2)) },
		"a folder": func() error { return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "in"), 0o700)) },
	} {
		require.NoError(t, do(), name)
		again, err := build.Build(ctx, "testdata/plain", cache, nil)
		require.NoError(t, err, name)
		require.Equal(t, path, again, name)
		got, err := os.ReadFile(path)
		require.NoError(t, err, name)
		require.True(t, bytes.Equal(sound, got), name)
	}
	require.NoError(t, os.Chmod(cache, 0o777))
	_, err = build.Build(ctx, "testdata/plain", cache, nil)
	require.ErrorContains(t, err, "others than its owner may write to it")
}

// TestBuildUses tells of the files that a module is made from.
func TestBuildUses(t *testing.T) {
	needsGo(t)
	for _, name := range []string{"main.go", build.ManifestFile} {
		var uses files.Uses
		require.NoError(t, uses.Writes(filepath.Join("testdata", "plain", name), "--output"))
		_, err := build.Build(context.Background(), "testdata/plain", t.TempDir(), &uses)
		require.ErrorIs(t, err, files.ErrSameFile, name)
	}
}

func TestBuildAtOnce(t *testing.T) {
	needsGo(t)
	cache := t.TempDir()
	var wait sync.WaitGroup
	var paths [4]string
	var errs [4]error
	for n := range paths {
		wait.Go(func() { paths[n], errs[n] = build.Build(context.Background(), "testdata/plain", cache, nil) })
	}
	wait.Wait()
	for n := range paths {
		require.NoError(t, errs[n])
		assert.Equal(t, paths[0], paths[n])
	}
}

func TestBuildErrors(t *testing.T) {
	needsGo(t)
	ctx := context.Background()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	badManifest := copyOf(t, "testdata/plain")
	require.NoError(t, os.WriteFile(filepath.Join(badManifest, build.ManifestFile), []byte(`{"name":"x","hook":[]}`), 0o644))
	noSource := t.TempDir()
	require.NoError(t, os.CopyFS(noSource, os.DirFS("testdata/plain")))
	require.NoError(t, os.Remove(filepath.Join(noSource, "main.go")))
	for _, c := range []struct {
		name, dir string
		ctx       context.Context
		is        error
		want      string
	}{
		{"no folder", "testdata/none", ctx, os.ErrNotExist, "build testdata/none: stat"},
		{"a file", "testdata/plain/main.go", ctx, nil, "is not a folder"},
		{"no manifest", "testdata/bare", ctx, build.ErrNoManifest, "build testdata/bare: no manifest.json beside its main package"},
		{"bad manifest", badManifest, ctx, nil, "manifest.json: manifest: not a JSON object of the known keys"},
		{"does not compile", "testdata/broken", ctx, build.ErrCompile, "main.go:3:15: undefined: undefinedFunction"},
		{"not a main package", "testdata/library", ctx, nil, `holds package "library": want a main package`},
		{"no source", noSource, ctx, build.ErrCompile, "go"},
		{"cancelled", "testdata/plain", cancelled, context.Canceled, "context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := build.Build(c.ctx, c.dir, t.TempDir(), nil)
			require.ErrorContains(t, err, c.want)
			if c.is != nil {
				assert.ErrorIs(t, err, c.is)
			}
		})
	}
	t.Run("cache that is a file", func(t *testing.T) {
		_, err := build.Build(ctx, "testdata/plain", "testdata/plain/main.go", nil)
		assert.ErrorContains(t, err, "module cache")
	})
	t.Run("no toolchain", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := build.Build(ctx, "testdata/plain", t.TempDir(), nil)
		assert.ErrorIs(t, err, build.ErrNoToolchain)
	})
}

func TestStamp(t *testing.T) {
	_, err := build.Stamp([]byte("no module"), nil)
	assert.ErrorContains(t, err, "not a WebAssembly module")
}
