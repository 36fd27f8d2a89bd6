package files

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockPlace is the byte that is locked. Locks of this system keep others from
// reading and writing the locked bytes, so it is a byte that no file reaches.
const lockPlace = 1<<63 - 2

func lock(f *os.File, kind LockKind) (held bool, err error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if kind == Exclusive {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, place())
	switch {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return true, nil
	case errors.Is(err, windows.ERROR_NOT_SUPPORTED), errors.Is(err, windows.ERROR_INVALID_FUNCTION), errors.Is(err, windows.ERROR_CALL_NOT_IMPLEMENTED):
		return false, nil
	}
	return false, err
}

func unlock(f *os.File) { _ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, place()) }

func place() *windows.Overlapped {
	return &windows.Overlapped{Offset: lockPlace & 0xFFFF_FFFF, OffsetHigh: lockPlace >> 32}
}
