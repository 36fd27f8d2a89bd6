package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/iosrun/iosrun/files"
)

// file is the set of methods that a volume needs of a file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

// store holds the units of a volume: its tracks, or its groups of blocks. A store
// checks the units that it reads.
type store interface {
	// read reads unit n into p, which is as long as the largest unit, and returns the
	// unit's length.
	read(n int, p []byte) (int, error)
	// write stores unit n.
	write(n int, unit []byte) error
	// begin notes in the file, if the format has a place for it, that it is open for
	// writing. If that note is there already, the file was not closed or is in use,
	// and begin returns ErrInUse unless ignore is set.
	begin(ignore bool) error
	// sync makes everything that was written durable.
	sync() error
	// relax lets the operating system decide when written data become durable: sync
	// does not wait for it any more.
	relax()
	// close syncs the written data and closes the files.
	close() error
	// abandon closes the files without a sync.
	abandon()
	describe(*Info)
}

// createMode is the permission of new files, before the umask.
const createMode = 0o644

// handle is an open file of a volume, locked.
type handle struct {
	*os.File
	path     string
	writable bool
	stamp    files.Stamp
}

// Close closes the file. It returns an error if the file has lost its name
// meanwhile, because everything written to it is lost, or if another program
// changed it, because the data read from it come from different moments.
func (h *handle) Close() error {
	var changed error
	if h.writable {
		changed = h.lost()
	} else {
		changed = h.stamp.Changed(h.path, files.StampOfOpen(h.File))
	}
	files.Unlock(h.File)
	return errors.Join(changed, h.File.Close())
}

func (h *handle) lost() error {
	is, err := h.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(h.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w: it was removed, and what was written to it with it", h.path, files.ErrChanged)
	case err != nil:
		return err
	case !os.SameFile(is, named):
		return fmt.Errorf("%s: %w: another file has taken its place, and what was written is lost", h.path, files.ErrChanged)
	}
	return nil
}

// locking chooses the lock that an opening takes on a file.
type locking func(path string, writable bool) (kind files.LockKind, take bool)

// lockAll locks each file as its use requires.
func lockAll(_ string, writable bool) (files.LockKind, bool) {
	if writable {
		return files.Exclusive, true
	}
	return files.Shared, true
}

// maximumReopens is the largest number of attempts to open a file under whose name
// another one appears each time.
const maximumReopens = 10

// open opens path for reading, and if writable is set for writing too, and locks
// it. A file that the opening has opened already, even under another name, is
// refused.
func (o *Options) open(path string, writable bool) (file, error) {
	flag := os.O_RDONLY
	if writable {
		flag = os.O_RDWR
	}
	for range maximumReopens {
		f, err := files.OpenFile(path, "image", flag)
		if err != nil {
			return nil, err
		}
		current, err := o.claim(f, path, writable)
		if err != nil || !current {
			files.Unlock(f)
			f.Close()
		}
		switch {
		case err != nil:
			return nil, err
		case !current:
			continue
		}
		h := &handle{File: f, path: path, writable: writable, stamp: files.StampOfOpen(f)}
		if o.wrap != nil {
			return o.wrap(path, h), nil
		}
		return h, nil
	}
	return nil, fmt.Errorf("%s: other files take its place all the time", path)
}

// claim locks a file that was opened, and reports whether it still has its name:
// before it was locked, another one may have taken its place.
func (o *Options) claim(f *os.File, path string, writable bool) (current bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if o.opened != nil {
		for _, s := range *o.opened {
			if os.SameFile(s.info, info) {
				return false, fmt.Errorf("%s and %s, two files of one volume, %w: want each file once", s.path, path, files.ErrSameFile)
			}
		}
	}
	lock := o.lock
	if lock == nil {
		lock = lockAll
	}
	if kind, take := lock(path, writable); take {
		if err := files.Lock(f, kind); err != nil {
			return false, err
		}
	}
	named, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	if !os.SameFile(info, named) {
		return false, nil
	}
	if o.opened != nil {
		*o.opened = append(*o.opened, openedFile{path, info})
	}
	return true, nil
}

// openedFile is a file that an opening has opened.
type openedFile struct {
	path string
	info fs.FileInfo
}
