package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// ErrSameFile says that one file was named for two purposes that exclude each
// other.
var ErrSameFile = errors.New("are the same file")

// access classifies how a file is used.
type access uint8

const (
	reads  access = iota // others may read it too
	owns                 // read for one purpose alone
	writes               // written to, or replaced
)

// Uses collects the files that a command uses, each with its purpose, and refuses a
// file that would be written and also used in another way. Two names stand for the
// same file when the operating system says so, whatever the names: hard links,
// symbolic links, paths that are spelled differently, bind mounts. Terminals and
// /dev/null may be used any number of times.
//
// The zero value is ready for use, and so is a nil pointer, which refuses
// nothing. It may be used by several goroutines.
type Uses struct {
	mu  sync.Mutex
	all []use
}

type use struct {
	name    string // the path that the user gave
	purpose string
	access  access
	id      identity
}

// Reads notes that the file is read for a purpose, such as "the trace". Any number
// of purposes may read a file.
func (u *Uses) Reads(path, purpose string) error { return u.add(path, purpose, reads) }

// Owns notes that the file is read for a purpose that no other purpose of the
// command may share, such as the image of one volume.
func (u *Uses) Owns(path, purpose string) error { return u.add(path, purpose, owns) }

// Writes notes that the file is changed or replaced for a purpose. It need not
// exist.
func (u *Uses) Writes(path, purpose string) error { return u.add(path, purpose, writes) }

// Stream notes that an open file, such as standard output, is read or written. It
// ignores a nil file.
func (u *Uses) Stream(f *os.File, name string, written bool) error {
	if u == nil || f == nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil // closed: nothing reads from it or writes to it
	}
	a := reads
	if written {
		a = writes
	}
	return u.put(use{name, "", a, identity{info: info}})
}

func (u *Uses) add(path, purpose string, a access) error {
	if u == nil || path == "" {
		return nil
	}
	return u.put(use{path, purpose, a, identityOf(path)})
}

func (u *Uses) put(n use) error {
	if n.id.shareable() {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, o := range u.all {
		if (o.access != reads || n.access != reads) && o.id.same(n.id) {
			return clash(o, n)
		}
	}
	u.all = append(u.all, n)
	return nil
}

// clash returns the error about two uses that exclude each other. It names an output
// first, because that is easier to change.
func clash(a, b use) error {
	if a.access != writes && b.access == writes {
		a, b = b, a
	}
	want := "want two files"
	if a.access == writes && b.access != writes {
		want = "want another file to write to"
	}
	return fmt.Errorf("%v and %v %w: %s", a, b, ErrSameFile, want)
}

func (u use) String() string {
	if u.purpose == "" {
		return u.name
	}
	return fmt.Sprintf("%s (%s)", u.name, u.purpose)
}

// identity identifies a file for the operating system, or the place in a folder of a
// file that does not exist yet.
type identity struct {
	info   fs.FileInfo // data of the file, or of the folder that will hold it
	base   string      // the name in the folder; empty where the file exists
	linked string      // the cleaned path, where not even the folder exists
}

func identityOf(path string) identity {
	if info, err := os.Stat(path); err == nil {
		return identity{info: info}
	}
	if to, err := os.Readlink(path); err == nil { // a link to nothing
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	if info, err := os.Stat(filepath.Dir(path)); err == nil {
		return identity{info: info, base: filepath.Base(path)}
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return identity{linked: filepath.Clean(path)}
}

func (i identity) same(j identity) bool {
	if i.info == nil || j.info == nil {
		return i.info == nil && j.info == nil && i.linked == j.linked
	}
	return sameName(i.base, j.base) && os.SameFile(i.info, j.info)
}

// sameName compares names of files that do not exist, as the usual file systems
// of the operating system do.
func sameName(a, b string) bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return strings.EqualFold(a, b)
	}
	return a == b
}

// shareable reports whether a file can be read and written at the same time without
// harm, such as a terminal.
func (i identity) shareable() bool {
	return i.info != nil && i.base == "" && i.info.Mode()&fs.ModeCharDevice != 0
}

// Same reports whether two paths lead to one file. It reports false when one of them
// leads to no file.
func Same(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}
