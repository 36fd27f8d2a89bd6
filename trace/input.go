package trace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/iosrun/iosrun/files"
)

// MaxSpool is the largest number of bytes of a pipe that are kept for further
// readers: 64 GiB.
const MaxSpool = 64 << 30

// Input is the file or pipe of a trace. A file is opened for each reader. A pipe can
// be read only once, so its data is kept in a temporary file, and each reader gets
// it from the beginning. It is safe for several goroutines.
type Input struct {
	name  string
	path  string
	size  int64  // size of a file; 0 when it is not known
	spool *spool // nil for a file
}

// OpenInput opens a file or a pipe; "-" is standard input. The caller must close the
// Input, after its readers.
func OpenInput(path string) (*Input, error) {
	in := &Input{name: path, path: path}
	if path == "-" {
		in.name, in.path = "standard input", "/dev/stdin"
	}
	f, err := files.OpenStream(in.path, "trace "+in.name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		if info.Mode().IsRegular() {
			in.size, err = info.Size(), f.Close()
		} else {
			in.spool, err = newSpool(f)
		}
	}
	if err != nil {
		_ = f.Close() // the first error matters more
		return nil, in.wrong(err)
	}
	return in, nil
}

// wrong returns err with the name of the input, which it then has once.
func (in *Input) wrong(err error) error {
	return fmt.Errorf("trace %s: %w", in.name, unwrapPath(err))
}

// Trace opens the trace from its beginning. The caller must close it.
func (in *Input) Trace(options Options) (*Trace, error) {
	var r io.Reader
	if in.spool != nil {
		r = &spoolReader{s: in.spool}
	} else {
		f, err := files.OpenStream(in.path, "trace "+in.name)
		if err != nil {
			return nil, err
		}
		r = f
	}
	t, err := New(in.name, r, options)
	if err != nil {
		if c, ok := r.(io.Closer); ok {
			_ = c.Close()
		}
		return nil, err
	}
	t.total = in.size
	return t, nil
}

// Close closes a pipe and removes its temporary file. A second Close does nothing.
func (in *Input) Close() error {
	if in.spool == nil {
		return nil
	}
	return in.spool.close()
}

// spool keeps the data that has been read from a pipe.
type spool struct {
	mu     sync.Mutex
	source *os.File
	kept   *os.File
	n      int64 // bytes in kept
	limit  int64
	err    error // error that ended reading the source
	closed bool
}

func newSpool(source *os.File) (*spool, error) {
	kept, err := os.CreateTemp("", "iosrun-trace-")
	if err != nil {
		return nil, fmt.Errorf("temporary file for a pipe: %w", err)
	}
	// Without a name the file vanishes when the program ends, in whatever way. On
	// systems where an open file cannot be removed, close removes it.
	_ = os.Remove(kept.Name())
	return &spool{source: source, kept: kept, limit: MaxSpool}, nil
}

// readAt reads the data at off; data that nobody has read yet comes from the pipe.
func (s *spool) readAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, os.ErrClosed
	case off < s.n:
		return s.kept.ReadAt(p[:min(int64(len(p)), s.n-off)], off)
	case s.err != nil:
		return 0, s.err
	case s.n == s.limit:
		return 0, fmt.Errorf("pipe of more than %d bytes, the most that are kept: want a file", s.limit)
	}
	n, err := s.source.Read(p[:min(int64(len(p)), s.limit-s.n)])
	if n > 0 {
		if _, werr := s.kept.WriteAt(p[:n], s.n); werr != nil {
			return 0, fmt.Errorf("temporary file for a pipe: %w", unwrapPath(werr))
		}
		s.n += int64(n)
	}
	if err != nil && err != io.EOF {
		err = unwrapPath(err)
	}
	s.err = err
	return n, err
}

func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	_ = os.Remove(s.kept.Name())
	return errors.Join(s.source.Close(), s.kept.Close())
}

// spoolReader is one reader's place in a spool.
type spoolReader struct {
	s   *spool
	off int64
}

func (r *spoolReader) Read(p []byte) (int, error) {
	n, err := r.s.readAt(p, r.off)
	r.off += int64(n)
	return n, err
}

// unwrapPath drops the path from an error that names it already.
func unwrapPath(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
