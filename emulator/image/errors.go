package image

import (
	"errors"
	"fmt"

	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
)

// ErrDamaged is the error that every DamageError matches with errors.Is.
var ErrDamaged = errors.New("image is damaged")

// ErrFull says that an image has no room for a track: a compressed image with
// 32-bit offsets ends at 4 GiB.
var ErrFull = errors.New("image is full")

// ErrInUse says that a compressed file of a volume carries the OPENED bit: a
// program that does not lock, such as Hercules, is changing it, or its last user
// did not close it. If two programs write to it at once, they destroy it.
var ErrInUse = errors.New("is in use, or was not closed (OPENED bit)")

// inUse adds to ErrInUse the names of the programs that have the file open, as far
// as they can be found.
func inUse(path string) error {
	if users := files.Users(path); len(users) > 0 {
		return fmt.Errorf("%s: %w: open in %s", path, ErrInUse, files.Names(users))
	}
	return fmt.Errorf("%s: %w: want no program to have it open, and the volume checked", path, ErrInUse)
}

// DamageError names a place at which an image is not valid, and the valid value.
type DamageError struct {
	// File is the path of the file that holds the damage.
	File string
	// Offset is the offset of the damage in File, in bytes.
	Offset int64
	// Unit is "track" or "block group" when the damage is in one, else empty.
	Unit string
	// Number is the number of the track (cylinder*heads + head) or block group.
	Number int
	// What names the fault and the valid value, in words.
	What string
	// Err is the error of a decoder, or nil.
	Err error
}

func (e *DamageError) Error() string {
	where := fmt.Sprintf("%s, offset %#x", e.File, e.Offset)
	if e.Unit != "" {
		where += fmt.Sprintf(", %s %d", e.Unit, e.Number)
	}
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", where, e.What, e.Err)
	}
	return where + ": " + e.What
}

// Unwrap returns ErrDamaged, the decoder's error, and for damage in a track or
// block group media.ErrTrack, which devices present as a data check.
func (e *DamageError) Unwrap() []error {
	all := []error{ErrDamaged}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	if e.Unit != "" {
		all = append(all, media.ErrTrack)
	}
	return all
}

// damage makes a DamageError that belongs to no track.
func damage(file string, offset int64, format string, args ...any) error {
	return &DamageError{File: file, Offset: offset, What: fmt.Sprintf(format, args...)}
}
