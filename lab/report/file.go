package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile writes a file whole or not at all: write's output goes to a
// temporary file in the same folder, which then takes the path's place. After
// an error the folder is as before. A path that is a symbolic link stays one;
// a device or pipe is written to as it is.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	target, info, err := resolve(path)
	if err != nil {
		return err
	}
	if info != nil && !info.Mode().IsRegular() {
		return writeThrough(path, target, write)
	}
	f, err := os.CreateTemp(filepath.Dir(target), temporaryName(target))
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
	mode := fs.FileMode(0o644)
	if info != nil {
		mode = info.Mode().Perm()
	}
	if err := errors.Join(f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return pathError(path, err)
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return pathError(path, err)
	}
	return nil
}

// CheckWritable says why WriteFile would fail on the path, or nil, so that a
// long run need not end in that error. It leaves nothing behind.
func CheckWritable(path string) error {
	target, info, err := resolve(path)
	if err != nil {
		return err
	}
	if info != nil {
		f, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return pathError(path, err)
		}
		if err := f.Close(); err != nil {
			return pathError(path, err)
		}
		if !info.Mode().IsRegular() {
			return nil
		}
	}
	f, err := os.CreateTemp(filepath.Dir(target), temporaryName(target))
	if err != nil {
		return pathError(path, err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return pathError(path, err)
	}
	return nil
}

// resolve follows symbolic links and looks at what is there; info is nil where
// there is nothing yet.
func resolve(path string) (target string, info fs.FileInfo, err error) {
	if path == "" {
		return "", nil, errors.New("output file: the path is empty: want a file name")
	}
	target = path
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

func temporaryName(target string) string {
	const most = 100 // leaves room below the 255 bytes of common file systems
	base := filepath.Base(target)
	return "." + base[:min(len(base), most)] + ".*.tmp"
}

func writeThrough(path, target string, write func(io.Writer) error) error {
	f, err := os.OpenFile(target, os.O_WRONLY, 0)
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

// pathError names the path that was asked for, not the temporary file's.
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
