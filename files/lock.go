package files

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// LockKind is the kind of a lock: shared or exclusive.
type LockKind uint8

// The kinds of locks. Any number of programs may have a shared lock on a file, to
// read it; an exclusive one, to change it, excludes every other.
const (
	Shared LockKind = iota
	Exclusive
)

// ErrLocked says that a file is locked by another program, or by another part of
// this one.
var ErrLocked = errors.New("file is locked")

// LockedError says which file is locked and, if the system tells, by which programs.
type LockedError struct {
	// Path is the path of the file.
	Path string
	// Holders lists the programs that have the lock; it is empty when the system does
	// not tell.
	Holders []Holder
}

// Holder is a program that holds a lock, or has a file open.
type Holder struct {
	// Process is the process ID.
	Process int
	// Program is its name; it is empty when the system does not tell.
	Program string
	// Changes says that the lock is for changing the file.
	Changes bool
}

func (h Holder) String() string {
	switch {
	case h.Process == os.Getpid():
		return "this program itself"
	case h.Program == "":
		return fmt.Sprintf("process %d", h.Process)
	}
	return fmt.Sprintf("%s (process %d)", h.Program, h.Process)
}

// maximumShown is the largest number of holders that a message names.
const maximumShown = 3

// Names returns a list of holders for a message.
func Names(holders []Holder) string {
	var names []string
	for _, h := range holders {
		if len(names) == maximumShown {
			names = append(names, fmt.Sprintf("%d more", len(holders)-maximumShown))
			break
		}
		names = append(names, h.String())
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

func (e *LockedError) Error() string {
	if len(e.Holders) == 0 {
		return e.Path + ": is locked by another program: want it to end first"
	}
	does := "is being read by "
	for _, h := range e.Holders {
		if h.Changes {
			does = "is being changed by "
		}
	}
	return e.Path + ": " + does + Names(e.Holders) + ": want that to end first"
}

// Unwrap returns ErrLocked.
func (e *LockedError) Unwrap() error { return ErrLocked }

// maximumTries is the largest number of attempts to lock a file that is locked
// although no holder is found.
const maximumTries = 3

// Lock locks an open file and does not wait: when another program, or another
// opening of the file in this one, has a lock that excludes it, the error is a
// *LockedError. The lock lasts until Unlock or the end of the program. Programs that
// do not ask for locks are not stopped.
//
// On a file system without locks Lock does nothing and returns no error.
func Lock(f *os.File, kind LockKind) error {
	for try := 1; ; try++ {
		held, err := lock(f, kind)
		if err != nil {
			return fmt.Errorf("%s: lock: %w", f.Name(), err)
		}
		if !held {
			return nil
		}
		// A holder that is not found may have ended.
		if by := holders(f); len(by) > 0 || try == maximumTries {
			return &LockedError{f.Name(), by}
		}
	}
}

// Unlock gives up the lock on a file that is about to be closed. Closing alone
// does so too, but not while a program that was started at that moment has the
// file open still.
func Unlock(f *os.File) { unlock(f) }
