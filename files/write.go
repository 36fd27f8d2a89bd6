package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Write writes a file whole or not at all: write's output goes to a temporary
// file in the same folder, which is made durable and then takes the path's place.
// After an error the folder is as before. The new file gets the permissions of the
// file that it replaces and, where the system allows it, the owner. A path that is a
// symbolic link stays one; a device, a pipe, and a file that was handed to the
// program open (/dev/fd/3) are written to directly, and so is a mount point, which
// cannot be replaced.
func Write(path string, write func(io.Writer) error) (err error) {
	target, info, err := resolve(path)
	if err != nil {
		return err
	}
	if info != nil && (!info.Mode().IsRegular() || handed(path)) {
		return writeThrough(path, target, write)
	}
	f, err := createTemporary(target)
	if err != nil {
		return pathError(path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err := buffered(f, write); err != nil {
		return fmt.Errorf("output file %s: %w", path, err)
	}
	if info != nil {
		handOn(f, info)
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			return pathError(path, err)
		}
	}
	if err := f.Sync(); err != nil {
		return pathError(path, err)
	}
	if err := f.Close(); err != nil {
		return pathError(path, err)
	}
	err = os.Rename(f.Name(), target)
	if errors.Is(err, syscall.EBUSY) && info != nil {
		if err = overwrite(target, f.Name()); err == nil {
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		return pathError(path, err)
	}
	if err := SyncFolder(filepath.Dir(target)); err != nil {
		return pathError(path, err)
	}
	return nil
}

// overwrite copies a file over one that cannot be replaced.
func overwrite(target, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// SyncFolder makes the names in a folder durable, if the system can.
func SyncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) { // the user may write to the folder but not read it
			return nil
		}
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// handed reports whether a path names an open file of the program, not a place in a
// folder.
func handed(path string) bool {
	for _, p := range []string{"/dev/fd/", "/proc/self/fd/", "/dev/std"} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// maximumTemporaries is the largest number of temporary names that are tried.
const maximumTemporaries = 1000

// createTemporary makes a file beside the target with the permissions of a new
// file.
func createTemporary(target string) (*os.File, error) {
	const most = 100 // leaves room below the 255 bytes of common file systems
	base := filepath.Base(target)
	for range maximumTemporaries {
		name := fmt.Sprintf(".%s.%08x.tmp", base[:min(len(base), most)], rand.Uint32())
		f, err := os.OpenFile(filepath.Join(filepath.Dir(target), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, newMode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, fmt.Errorf("%s: no free name for a temporary file", filepath.Dir(target))
}

// newMode is the permission of new files, before the umask.
const newMode = 0o666

// CheckWritable returns the error with which Write would fail on the path, or nil,
// so that a long run need not end in that error. It leaves nothing behind.
func CheckWritable(path string) error {
	target, info, err := resolve(path)
	if err != nil {
		return err
	}
	if info != nil {
		if info.Mode()&fs.ModeNamedPipe != 0 {
			return nil // opening it would wait for its reader, and closing it end the reader
		}
		f, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return pathError(path, err)
		}
		if err := f.Close(); err != nil {
			return pathError(path, err)
		}
		if !info.Mode().IsRegular() || handed(path) {
			return nil
		}
	}
	f, err := createTemporary(target)
	if err != nil {
		return pathError(path, err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return pathError(path, err)
	}
	return nil
}

// resolve follows symbolic links to the target; info is nil when the target does not
// exist yet.
func resolve(path string) (target string, info fs.FileInfo, err error) {
	if path == "" {
		return "", nil, errors.New("output file: the path is empty: want a file name")
	}
	target = path
	if handed(path) { // the open file may have no name any more
		if info, err = os.Stat(path); err != nil {
			return "", nil, pathError(path, err)
		}
		return path, info, nil
	}
	if followed, err := filepath.EvalSymlinks(path); err == nil {
		target = followed
	}
	info, err = os.Stat(target)
	switch {
	case err == nil && info.IsDir():
		return "", nil, fmt.Errorf("output file %s: is a folder: want a file", path)
	case err == nil:
		return target, info, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", nil, pathError(path, err)
	}
	if link, err := os.Lstat(path); err == nil && link.Mode()&fs.ModeSymlink != 0 {
		return "", nil, fmt.Errorf("output file %s: is a symbolic link to nothing: want a file or nothing", path)
	}
	folder := filepath.Dir(target)
	if info, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return "", nil, fmt.Errorf("output file %s: the folder %s does not exist: want one that does: %w", path, folder, fs.ErrNotExist)
	} else if err == nil && !info.IsDir() {
		return "", nil, fmt.Errorf("output file %s: %s is not a folder", path, folder)
	}
	return target, nil, nil
}

func writeThrough(path, target string, write func(io.Writer) error) error {
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return pathError(path, err)
	}
	if err := errors.Join(buffered(f, write), f.Close()); err != nil {
		return fmt.Errorf("output file %s: %w", path, err)
	}
	return nil
}

func buffered(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriter(f)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// pathError changes an error to name the path that was asked for, not that of the
// temporary file.
func pathError(path string, err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return fmt.Errorf("output file %s: %w", path, err)
}
