package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/files"
)

// codeCache keeps compiled code in a folder that processes may share. Its code is
// executed without a check by the compiler, so every entry is checked when it is
// read: it holds a checksum over its content, over the module that was compiled, and
// over the compiler's name for the code. An entry that fails the check is removed.
// An entry is written whole or not at all.
//
// The checksum protects against damage, not against malice. Anybody who may write to
// the folder can choose the code that runs, so a folder or entry that others may
// write to is not used.
type codeCache struct {
	root *os.Root
	dir  string
	log  hclog.Logger

	mu     sync.Mutex
	failed bool // a write has failed: no more entries are written
}

// codeEntry is the compiled code of a module, as the compiler stores it.
type codeEntry struct {
	// edition is the compiler's name for its version and the machine, and key its name
	// for the module and the features of the processor.
	edition, key string
	code         []byte
}

const (
	entryMagic = "iosrun compiled code 1\n"
	// maxEntry bounds an entry, in bytes, and maxEntryName the names in it.
	maxEntry     = 512 << 20
	maxEntryName = 200
	// entryTemporary begins the names of entries that are being written. One older
	// than staleTemporary is assumed to be left from a crash.
	entryTemporary = ".writing-"
	staleTemporary = time.Hour
)

// openCodeCache opens the cache in a folder, and makes the folder if it is missing.
func openCodeCache(dir string, log hclog.Logger) (*codeCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	c := &codeCache{root: root, dir: dir, log: log}
	info, err := root.Stat(".")
	if err == nil {
		err = files.CheckPrivate(dir, info)
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return c, nil
}

func (c *codeCache) close() error {
	if c == nil {
		return nil
	}
	return c.root.Close()
}

// find returns the entries of a module that an edition of the compiler can use. It
// removes entries that fail the check.
func (c *codeCache) find(module [sha256.Size]byte, edition string) []codeEntry {
	if c == nil {
		return nil
	}
	list, err := fs.ReadDir(c.root.FS(), ".")
	if err != nil {
		c.log.Warn("cache of compiled code cannot be read", "folder", c.dir, "error", err)
		return nil
	}
	prefix := hex.EncodeToString(module[:]) + "."
	var found []codeEntry
	for _, f := range list {
		if strings.HasPrefix(f.Name(), entryTemporary) {
			c.sweep(f)
			continue
		}
		if !strings.HasPrefix(f.Name(), prefix) {
			continue
		}
		e, err := c.read(f.Name(), module)
		switch {
		case errors.Is(err, fs.ErrNotExist): // another process has removed it
		case err != nil:
			c.remove(f.Name(), err)
		case e.edition == edition:
			found = append(found, e)
		}
	}
	return found
}

// read reads an entry and checks it.
func (c *codeCache) read(name string, module [sha256.Size]byte) (codeEntry, error) {
	// Only a regular file is opened: opening a pipe, for instance, might wait for
	// ever.
	if info, err := c.root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return codeEntry{}, errors.Join(err, errNoFile)
	}
	f, err := c.root.Open(name)
	if err != nil {
		return codeEntry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return codeEntry{}, err
	case !info.Mode().IsRegular():
		return codeEntry{}, errNoFile
	case info.Size() > maxEntry:
		return codeEntry{}, fmt.Errorf("is %d bytes, at most %d are an entry", info.Size(), maxEntry)
	}
	if err := files.CheckPrivate(name, info); err != nil {
		return codeEntry{}, err
	}
	p := make([]byte, info.Size())
	if _, err := io.ReadFull(f, p); err != nil {
		return codeEntry{}, err
	}
	return decodeEntry(p, module)
}

var (
	errNoFile = errors.New("is no file")
	errEntry  = errors.New("is no entry of this version")
	errSum    = errors.New("is damaged, or belongs to another module: its checksum does not match")
)

// decodeEntry takes an entry apart and checks it. An entry consists of the magic,
// the checksum, the edition and the key, each of these two with its length in front,
// and the code up to the end.
func decodeEntry(p []byte, module [sha256.Size]byte) (codeEntry, error) {
	p, ok := bytes.CutPrefix(p, []byte(entryMagic))
	if !ok || len(p) < sha256.Size {
		return codeEntry{}, errEntry
	}
	sum, rest := p[:sha256.Size], p[sha256.Size:]
	if want := entrySum(module, rest); !bytes.Equal(sum, want[:]) {
		return codeEntry{}, errSum
	}
	var e codeEntry
	for _, name := range []*string{&e.edition, &e.key} {
		if len(rest) < 4 {
			return codeEntry{}, errEntry
		}
		n := binary.LittleEndian.Uint32(rest)
		rest = rest[4:]
		if n == 0 || n > maxEntryName || int(n) > len(rest) || !filepath.IsLocal(string(rest[:n])) {
			return codeEntry{}, errEntry
		}
		*name, rest = string(rest[:n]), rest[n:]
	}
	e.code = rest
	return e, nil
}

func (e codeEntry) encode(module [sha256.Size]byte) []byte {
	const start = len(entryMagic) + sha256.Size
	p := make([]byte, start, start+4+len(e.edition)+4+len(e.key)+len(e.code))
	copy(p, entryMagic)
	for _, name := range []string{e.edition, e.key} {
		p = binary.LittleEndian.AppendUint32(p, uint32(len(name)))
		p = append(p, name...)
	}
	p = append(p, e.code...)
	sum := entrySum(module, p[start:])
	copy(p[len(entryMagic):], sum[:])
	return p
}

// entrySum returns the checksum of an entry for one module.
func entrySum(module [sha256.Size]byte, rest []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(entryMagic))
	h.Write(module[:])
	h.Write(rest)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

// keep writes an entry. A failure is not returned: it is logged once, and nothing is
// written any more.
func (c *codeCache) keep(module [sha256.Size]byte, e codeEntry) {
	if c == nil || len(e.code) > maxEntry || len(e.edition) > maxEntryName || len(e.key) > maxEntryName {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed {
		return
	}
	if err := c.write(module, e); err != nil {
		c.fail(err)
	}
}

// workplace makes an empty temporary folder for a compiler. It lies below the cache,
// where a later process removes the remains of one that was killed, or, when the
// cache cannot be written, among the system's temporary files.
func (c *codeCache) workplace() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.failed {
		dir, err := os.MkdirTemp(c.dir, entryTemporary)
		if err == nil {
			return dir, nil
		}
		c.fail(err)
	}
	return os.MkdirTemp("", "iosrun-code-")
}

// unwritable notes that a compiler could not write below the cache.
func (c *codeCache) unwritable(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.failed {
		c.fail(err)
	}
}

// fail notes that nothing more can be written, with a warning. The caller has the
// lock.
func (c *codeCache) fail(err error) {
	c.failed = true
	c.log.Warn("cache of compiled code cannot be written: modules are compiled each time", "folder", c.dir, "error", err)
}

func (c *codeCache) write(module [sha256.Size]byte, e codeEntry) (err error) {
	// Another version of the compiler, or another processor, has an entry of its
	// own.
	place := sha256.Sum256([]byte(e.edition + "\x00" + e.key))
	name := hex.EncodeToString(module[:]) + "." + hex.EncodeToString(place[:8])
	temp := fmt.Sprintf("%s%016x", entryTemporary, rand.Uint64())
	f, err := c.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = c.root.Remove(temp)
		}
	}()
	if _, err = f.Write(e.encode(module)); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return c.root.Rename(temp, name)
}

// remove removes an invalid entry and logs the reason.
func (c *codeCache) remove(name string, why error) {
	c.log.Warn("entry of the cache of compiled code is removed, its module is compiled again", "folder", c.dir, "entry", name, "error", why)
	if err := c.root.RemoveAll(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.log.Warn("entry of the cache of compiled code cannot be removed", "folder", c.dir, "entry", name, "error", err)
	}
}

// discard removes the entries of a module that passed the checks but that the
// compiler could not use.
func (c *codeCache) discard(module [sha256.Size]byte, why error) {
	if c == nil {
		return
	}
	list, _ := fs.Glob(c.root.FS(), hex.EncodeToString(module[:])+".*")
	for _, name := range list {
		c.remove(name, why)
	}
}

// sweep removes a temporary file that a crash has left.
func (c *codeCache) sweep(f fs.DirEntry) {
	if info, err := f.Info(); err == nil && time.Since(info.ModTime()) > staleTemporary {
		_ = c.root.RemoveAll(f.Name())
	}
}
