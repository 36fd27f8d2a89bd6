package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrChanged says that a file changed while it was in use.
var ErrChanged = errors.New("changed while it was in use")

// Stamp is the state of a file at one moment, by which it is seen later whether
// it has changed. The zero value stands for something that cannot be looked at
// and never changes.
type Stamp struct {
	info fs.FileInfo
}

// StampOf gives the state of the file at path. What is no regular file, such as a
// pipe, has none.
func StampOf(path string) Stamp {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Stamp{}
	}
	return Stamp{info}
}

// StampOfOpen gives the state of an open file.
func StampOfOpen(f interface{ Stat() (fs.FileInfo, error) }) Stamp {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return Stamp{}
	}
	return Stamp{info}
}

// Changed says how the file differs from its earlier state: another file under
// its name, another size, another time of change. name stands in the error, which
// wraps ErrChanged.
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
