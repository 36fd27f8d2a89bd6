package image

import "os"

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

// openFile opens path for reading, and for writing too when writable.
func openFile(path string, writable bool) (*os.File, error) {
	if writable {
		return os.OpenFile(path, os.O_RDWR, 0)
	}
	return os.Open(path)
}
