package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrChanged says that a file changed while it was in use.
var ErrChanged = errors.New("changed while it was in use")

// Stamp is the state of a file at one moment. Comparing it with a later one shows
// whether the file has changed. The zero value stands for something that has no such
// state, and never changes.
type Stamp struct {
	info fs.FileInfo
}

// StampOf returns the state of the file at path. For anything but a regular file,
// such as a pipe, it returns the zero value.
func StampOf(path string) Stamp {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Stamp{}
	}
	return Stamp{info}
}

// StampOfOpen returns the state of an open file.
func StampOfOpen(f interface{ Stat() (fs.FileInfo, error) }) Stamp {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return Stamp{}
	}
	return Stamp{info}
}

// Changed returns an error that says how the file differs from its earlier state:
// another file under its name, another size, another time of change; nil when it
// does not. The error begins with name and wraps ErrChanged.
func (s Stamp) Changed(name string, now Stamp) error {
	switch {
	case s.info == nil || now.info == nil:
		return nil
	case !os.SameFile(s.info, now.info):
		return fmt.Errorf("%s: %w: another file has taken its place", name, ErrChanged)
	case s.info.Size() != now.info.Size():
		return fmt.Errorf("%s: %w: it had %d bytes and has %d", name, ErrChanged, s.info.Size(), now.info.Size())
	case !s.info.ModTime().Equal(now.info.ModTime()):
		return fmt.Errorf("%s: %w: it was written to", name, ErrChanged)
	}
	return nil
}
