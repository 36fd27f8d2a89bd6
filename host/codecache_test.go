package host_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
)

// answering is a guest whose front-end puts a number into the frame, so that one
// sees whose code runs.
func answering(n byte) []byte {
	return guest{body: []byte{opI32Const, 0, opI32Const, n, opDrop, opDrop}}.encode()
}

// cacheRig is a folder for compiled code.
type cacheRig struct {
	dir string
	log bytes.Buffer
}

// load loads a module through the cache, and calls it.
func (c *cacheRig) load(t testing.TB, code []byte) {
	t.Helper()
	ctx := context.Background()
	c.log.Reset()
	log := hclog.New(&hclog.LoggerOptions{Output: &c.log, Level: hclog.Warn, DisableTime: true})
	r, err := host.NewRuntime(ctx, host.RuntimeConfig{CacheDir: c.dir, Logger: log})
	require.NoError(t, err)
	compiled, err := r.Load(ctx, inspect(t, code))
	require.NoError(t, err)
	i, err := compiled.Instantiate(ctx, host.InstanceConfig{})
	require.NoError(t, err)
	require.NoError(t, i.Call(abi.FrontEnd))
	require.NoError(t, i.Close())
	require.NoError(t, r.Close(ctx))
}

// entries gives the files of the cache.
func (c *cacheRig) entries(t testing.TB) []string {
	t.Helper()
	list, err := os.ReadDir(c.dir)
	require.NoError(t, err)
	var names []string
	for _, f := range list {
		names = append(names, filepath.Join(c.dir, f.Name()))
	}
	return names
}

func contentOf(t testing.TB, path string) []byte {
	t.Helper()
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	return p
}

func TestCodeCache(t *testing.T) {
	c := &cacheRig{dir: filepath.Join(t.TempDir(), "deep", "code")}
	code := answering(1)
	c.load(t, code)
	require.Empty(t, c.log.String())
	files := c.entries(t)
	require.Len(t, files, 1)
	key := host.CodeDigest(inspect(t, code))
	assert.True(t, strings.HasPrefix(filepath.Base(files[0]), hex.EncodeToString(key[:])+"."))
	before, err := os.Stat(files[0])
	require.NoError(t, err)
	c.load(t, code)
	after, err := os.Stat(files[0])
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after), "used, not written again")
	c.load(t, answering(2))
	assert.Len(t, c.entries(t), 2)
	require.Empty(t, c.log.String())
}

// TestCodeCacheIsUsed puts the code of one module into the entry of another, with
// a sum that is right: what runs shows that the entry is used, and that nothing
// but the sum stands between.
func TestCodeCacheIsUsed(t *testing.T) {
	c := &cacheRig{dir: t.TempDir()}
	traps := guest{body: []byte{opUnreachable}}.encode()
	c.load(t, answering(1))
	entry := c.entries(t)[0]
	edition, key, _, err := host.DecodeEntry(contentOf(t, entry), host.CodeDigest(inspect(t, answering(1))))
	require.NoError(t, err)

	other := &cacheRig{dir: t.TempDir()}
	r, err := host.NewRuntime(context.Background(), host.RuntimeConfig{CacheDir: other.dir})
	require.NoError(t, err)
	_, err = r.Load(context.Background(), inspect(t, traps))
	require.NoError(t, err)
	require.NoError(t, r.Close(context.Background()))
	_, _, theirs, err := host.DecodeEntry(contentOf(t, other.entries(t)[0]), host.CodeDigest(inspect(t, traps)))
	require.NoError(t, err)

	m := inspect(t, answering(1))
	require.NoError(t, os.WriteFile(entry, host.EncodeEntry(host.CodeDigest(m), edition, key, theirs), 0o600))
	r, err = host.NewRuntime(context.Background(), host.RuntimeConfig{CacheDir: c.dir})
	require.NoError(t, err)
	compiled, err := r.Load(context.Background(), m)
	require.NoError(t, err)
	i, err := compiled.Instantiate(context.Background(), host.InstanceConfig{})
	require.NoError(t, err)
	var trap *host.TrapError
	require.ErrorAs(t, i.Call(abi.FrontEnd), &trap)
	require.NoError(t, i.Close())
	require.NoError(t, r.Close(context.Background()))
}

// TestCodeCacheDamaged damages an entry in every kind of place: it is removed,
// with a line in the log, and the module is compiled again.
func TestCodeCacheDamaged(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a module for each damage, one after the other")
	}
	c := &cacheRig{dir: t.TempDir()}
	code := answering(3)
	m := inspect(t, code)
	c.load(t, code)
	entry := c.entries(t)[0]
	sound := contentOf(t, entry)
	edition, key, kept, err := host.DecodeEntry(sound, host.CodeDigest(m))
	require.NoError(t, err)
	type damage struct {
		name string
		do   func() error
	}
	put := func(p []byte) func() error { return func() error { return os.WriteFile(entry, p, 0o600) } }
	all := []damage{
		{"empty", put(nil)},
		{"longer", put(append(bytes.Clone(sound), 0))},
		{"twice", put(append(bytes.Clone(sound), sound...))},
		{"text", put([]byte("damaged"))},
		{"a folder", func() error { return os.MkdirAll(filepath.Join(entry, "in", "it"), 0o700) }},
		{"a link", func() error {
			elsewhere := filepath.Join(t.TempDir(), "elsewhere")
			return errors.Join(os.WriteFile(elsewhere, sound, 0o600), os.Symlink(elsewhere, entry))
		}},
		{"of another module", put(host.EncodeEntry(host.CodeDigest(inspect(t, answering(4))), edition, key, kept))},
		{"its names lead out of the folder", put(host.EncodeEntry(host.CodeDigest(m), edition, "../../key", kept))},
		{"no names", put(host.EncodeEntry(host.CodeDigest(m), "", "", kept))},
		{"right sum, no code", put(host.EncodeEntry(host.CodeDigest(m), edition, key, nil))},
		{"right sum, half the code", put(host.EncodeEntry(host.CodeDigest(m), edition, key, kept[:len(kept)/2]))},
		{"right sum, other code", put(host.EncodeEntry(host.CodeDigest(m), edition, key, bytes.Repeat([]byte{0x5A}, len(kept))))},
		// No functions, no code, and a table that refers to it: wazero panics.
		{"right sum, code that the compiler does not survive", put(host.EncodeEntry(host.CodeDigest(m), edition, key, hollow(kept)))},
	}
	random := rand.New(rand.NewPCG(4, 4))
	places := []int{0, 10, 23, 24, 54, 55, 56, 58, 59, 60, len(sound) - 1, len(sound) - 4, len(sound) - len(kept), len(sound) - len(kept) + 6, len(sound) - len(kept) + 12}
	for range 60 {
		places = append(places, random.IntN(len(sound)))
	}
	for _, at := range places {
		p := bytes.Clone(sound)
		p[at] ^= 1 << random.IntN(8)
		all = append(all, damage{fmt.Sprintf("bit at %d", at), put(p)})
		if at < len(sound)-4 {
			p := bytes.Clone(sound)
			for i := range 4 {
				p[at+i] ^= 0xFF
			}
			all = append(all, damage{fmt.Sprintf("four bytes at %d", at), put(p)})
		}
		all = append(all, damage{fmt.Sprintf("cut at %d", at), put(sound[:at])})
	}
	for _, d := range all {
		require.NoError(t, os.RemoveAll(entry))
		require.NoError(t, d.do(), d.name)
		c.load(t, code)
		require.Contains(t, c.log.String(), "is removed, its module is compiled again", d.name)
		require.Contains(t, c.log.String(), filepath.Base(entry), d.name)
		if strings.Contains(d.name, "does not survive") {
			require.Contains(t, c.log.String(), "the compiler failed: runtime error")
		}
		_, _, again, err := host.DecodeEntry(contentOf(t, entry), host.CodeDigest(m))
		require.NoError(t, err, d.name)
		require.Len(t, again, len(kept), d.name)
		c.load(t, code)
		require.Empty(t, c.log.String(), d.name)
	}
}

// hollow gives compiled code as wazero keeps it without functions and code, but
// with a table of places in the code.
func hollow(kept []byte) []byte {
	version := int(kept[6])
	p := bytes.Clone(kept[:7+version])
	p = append(p, 0, 0, 0, 0)             // functions
	p = append(p, make([]byte, 8)...)     // bytes of code
	p = append(p, 1, 1, 0, 0, 0, 0, 0, 0) // a table follows
	return append(p, make([]byte, 64)...)
}

// TestCodeCacheOfOthers has entries and folders that others may write to.
func TestCodeCacheOfOthers(t *testing.T) {
	c := &cacheRig{dir: t.TempDir()}
	code := answering(5)
	c.load(t, code)
	entry := c.entries(t)[0]
	for _, mode := range []fs.FileMode{0o620, 0o602, 0o666} {
		require.NoError(t, os.Chmod(entry, mode))
		c.load(t, code)
		require.Contains(t, c.log.String(), "others than its owner may write to it")
		info, err := os.Stat(entry)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "made anew")
	}
	for _, mode := range []fs.FileMode{0o720, 0o702, 0o777} {
		require.NoError(t, os.Chmod(c.dir, mode))
		c.load(t, code)
		require.Contains(t, c.log.String(), "cache of compiled code cannot be used")
		require.Contains(t, c.log.String(), "others than its owner may write to it")
	}
	if os.Getuid() != 0 {
		return
	}
	require.NoError(t, os.Chmod(c.dir, 0o700))
	require.NoError(t, os.Chown(entry, 12345, -1))
	c.load(t, code)
	require.Contains(t, c.log.String(), "belongs to user 12345")
	require.NoError(t, os.Chown(c.dir, 12345, -1))
	c.load(t, code)
	require.Contains(t, c.log.String(), "cannot be used")
	require.Contains(t, c.log.String(), "belongs to user 12345")
}

// TestCodeCacheUnusable has folders that are none, are gone, or take nothing:
// modules are compiled, and there is one warning.
func TestCodeCacheUnusable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, path := range []string{file, filepath.Join(file, "in"), filepath.Join(dir, strings.Repeat("n", 300))} {
		c := &cacheRig{dir: path}
		c.load(t, answering(6))
		require.Contains(t, c.log.String(), "cache of compiled code cannot be used")
		require.Contains(t, c.log.String(), path)
		require.Equal(t, 1, strings.Count(c.log.String(), "\n"), c.log.String())
	}
	// The folder goes away while it is used.
	ctx := context.Background()
	var out bytes.Buffer
	gone := filepath.Join(dir, "gone")
	r, err := host.NewRuntime(ctx, host.RuntimeConfig{CacheDir: gone, Logger: hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Warn})})
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(gone))
	for n := range byte(3) {
		_, err = r.Load(ctx, inspect(t, answering(n)))
		require.NoError(t, err)
	}
	require.NoError(t, r.Close(ctx))
	require.Equal(t, 1, strings.Count(out.String(), "cannot be written"), out.String())
	// There is no place for the compiler's own files.
	c := &cacheRig{dir: t.TempDir()}
	t.Setenv("TMPDIR", filepath.Join(dir, "nothing"))
	c.load(t, answering(7))
	if os.Getuid() != 0 {
		require.NoError(t, os.Chmod(c.dir, 0o500))
		c.load(t, answering(8))
		require.Equal(t, 1, strings.Count(c.log.String(), "cannot be written"), c.log.String())
	}
}

// TestCodeCacheLeftovers leaves a file that a crash has left until it is old, and
// entries of another version of the compiler.
func TestCodeCacheLeftovers(t *testing.T) {
	temporary := t.TempDir()
	c := &cacheRig{dir: t.TempDir()}
	t.Setenv("TMPDIR", temporary)
	code := answering(9)
	m := inspect(t, code)
	key := host.CodeDigest(m)
	other := filepath.Join(c.dir, hex.EncodeToString(key[:])+".0000000000000000")
	require.NoError(t, os.WriteFile(other, host.EncodeEntry(host.CodeDigest(m), "wazero-v0.0.0", "key", []byte("code")), 0o600))
	fresh, old := filepath.Join(c.dir, ".writing-1"), filepath.Join(c.dir, ".writing-2")
	require.NoError(t, os.WriteFile(fresh, nil, 0o600))
	require.NoError(t, os.WriteFile(old, nil, 0o600))
	before := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(old, before, before))
	c.load(t, code)
	require.Empty(t, c.log.String())
	assert.FileExists(t, other)
	assert.FileExists(t, fresh)
	assert.NoFileExists(t, old)
	assert.Len(t, c.entries(t), 3)
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, left, "the compiler's own folder is removed")
}

// TestCodeCacheAtOnce has several runtimes use one folder, while somebody damages
// it.
func TestCodeCacheAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	errs := make(chan error, 100)
	for k := range 4 {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(uint64(k), 1))
			for n := range 12 {
				if k == 0 { // the one that damages
					list, _ := filepath.Glob(filepath.Join(dir, "*"))
					if len(list) > 0 {
						_ = os.Truncate(list[random.IntN(len(list))], int64(random.IntN(200)))
					}
					continue
				}
				errs <- func() error {
					ctx := context.Background()
					r, err := host.NewRuntime(ctx, host.RuntimeConfig{CacheDir: dir})
					if err != nil {
						return err
					}
					defer r.Close(ctx)
					m, err := host.Inspect(answering(byte(n % 3)))
					if err != nil {
						return err
					}
					c, err := r.Load(ctx, m)
					if err != nil {
						return err
					}
					i, err := c.Instantiate(ctx, host.InstanceConfig{})
					if err != nil {
						return err
					}
					return errors.Join(i.Call(abi.FrontEnd), i.Close())
				}()
			}
		})
	}
	wait.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
}

// TestGoCodeCacheDamaged damages the code of a Go guest, which takes eight
// megabytes: most of it is machine code.
func TestGoCodeCacheDamaged(t *testing.T) {
	code := builtGuest(t, "empty")
	c := &cacheRig{dir: t.TempDir()}
	c.load(t, code)
	entry := c.entries(t)[0]
	sound := contentOf(t, entry)
	for _, at := range []int{len(sound) / 3, len(sound) - 100} {
		p := bytes.Clone(sound)
		for i := range 4 {
			p[at+i] ^= 0xFF
		}
		require.NoError(t, os.WriteFile(entry, p, 0o600))
		c.load(t, code)
		require.Contains(t, c.log.String(), "is removed")
	}
	require.NoError(t, os.Truncate(entry, 5<<20))
	c.load(t, code)
	require.Contains(t, c.log.String(), "is removed")
}
