package image

import (
	"io"
	"io/fs"
	"os"
)

// file is what a volume needs of a file.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
	Truncate(size int64) error
}

// store is where the units of a volume are: its tracks, or its groups of
// blocks. A store checks what it reads.
type store interface {
	// read reads unit n into p, which is as long as the largest unit, and gives
	// the unit's length.
	read(n int, p []byte) (int, error)
	// write stores unit n.
	write(n int, unit []byte) error
	// sync makes what was written durable.
	sync() error
	// relax leaves it to the operating system when what is written becomes
	// durable: sync does not wait for it any more.
	relax()
	// close syncs what was written and closes the files.
	close() error
	// abandon closes the files and leaves what was not synced to its fate.
	abandon()
	describe(*Info)
}

// createMode is the permission of new files, before the umask.
const createMode = 0o644

// open opens path for reading, and for writing too when writable.
func (o *Options) open(path string, writable bool) (file, error) {
	flag := os.O_RDONLY
	if writable {
		flag = os.O_RDWR
	}
	f, err := os.OpenFile(path, flag, 0)
	switch {
	case err != nil:
		return nil, err
	case o.wrap != nil:
		return o.wrap(path, f), nil
	}
	return f, nil
}
