package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadAll reads a file, or a pipe until its writers have closed it, into memory:
// at most limit bytes. kind, such as "policy", and the path stand in errors.
//
// Whatever is named, reading ends: a folder, a device and a socket are not opened,
// what holds more than the limit is given up there, and a file that another
// program changes meanwhile is an error that wraps ErrChanged. Only a pipe into
// which nobody writes is waited for.
func ReadAll(path, kind string, limit int64) ([]byte, error) {
	i := input{kind + " " + path, limit, true}
	f, err := i.open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return i.readAll(f)
}

// ReadAllFrom reads what is open already, such as standard input, as ReadAll
// does. A reader that is no file of the system is read up to the limit.
func ReadAllFrom(r io.Reader, name, kind string, limit int64) ([]byte, error) {
	i := input{kind + " " + name, limit, true}
	if f, ok := r.(*os.File); ok {
		info, err := f.Stat()
		if err != nil {
			return nil, i.wrong(err)
		}
		if err := i.check(info); err != nil {
			return nil, err
		}
	}
	return i.readAll(r)
}

// OpenStream opens a file or a pipe that is read from its beginning to its end
// and may be of any length; folders, devices and sockets are refused as ReadAll
// refuses them. It waits for the first writer of a pipe. name, such as "trace
// standard input", stands in errors.
func OpenStream(path, name string) (*os.File, error) {
	return input{name, 0, true}.open(path, os.O_RDONLY)
}

// OpenFile opens a file that exists, to be read or written at any place of it:
// flag is os.O_RDONLY or os.O_RDWR. Everything but a regular file is refused, and
// never waited for.
func OpenFile(path, kind string, flag int) (*os.File, error) {
	return input{kind + " " + path, 0, false}.open(path, flag)
}

// input is a file that a user has named, and what it is to be.
type input struct {
	name  string // with the kind in front
	limit int64  // in bytes; 0 is none
	pipe  bool   // a pipe will do
}

// want says what would be right.
func (i input) want() string {
	s := "want a file"
	if i.pipe {
		s += " or a pipe"
	}
	if i.limit > 0 {
		s += fmt.Sprintf(" of at most %d bytes", i.limit)
	}
	return s
}

// refuse says what is wrong, and what would be right.
func (i input) refuse(format string, args ...any) error {
	return fmt.Errorf("%s: %s: %s", i.name, fmt.Sprintf(format, args...), i.want())
}

// wrong makes an error of the system's that names the input once.
func (i input) wrong(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", i.name, err)
}

// check refuses what a file is not to be.
func (i input) check(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		if n := info.Size(); i.limit > 0 && n > i.limit {
			return i.refuse("has %d bytes", n)
		}
		return nil
	case mode&fs.ModeNamedPipe != 0:
		if !i.pipe {
			return i.refuse("is a pipe")
		}
		return nil
	case mode.IsDir():
		return i.refuse("is a folder")
	case mode&fs.ModeDevice != 0:
		return i.refuse("is a device")
	case mode&fs.ModeSocket != 0:
		return i.refuse("is a socket")
	default:
		return i.refuse("is of the type %v", mode.Type())
	}
}

// open looks before it opens: opening a device may do something to it, and opening
// a pipe waits. It looks again then, as the name may have got another file.
func (i input) open(path string, flag int) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, i.wrong(err)
	}
	if err := i.check(info); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, i.wrong(err)
	}
	if info, err = f.Stat(); err != nil {
		err = i.wrong(err)
	} else {
		err = i.check(info)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// readAll reads up to the limit, and sees whether that was all.
func (i input) readAll(r io.Reader) ([]byte, error) {
	var before Stamp
	f, isFile := r.(interface{ Stat() (fs.FileInfo, error) })
	if isFile {
		before = StampOfOpen(f)
	}
	p, err := io.ReadAll(io.LimitReader(r, i.limit+1))
	if err != nil {
		return nil, i.wrong(err)
	}
	if int64(len(p)) > i.limit {
		return nil, i.refuse("has more than %d bytes", i.limit)
	}
	if isFile {
		if err := before.Changed(i.name, StampOfOpen(f)); err != nil {
			return nil, fmt.Errorf("%w: want one that nobody writes to", err)
		}
	}
	return p, nil
}
