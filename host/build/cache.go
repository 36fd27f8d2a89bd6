package build

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"

	"github.com/iosrun/iosrun/files"
	"github.com/iosrun/iosrun/host/wasm"
)

// sumSuffix is the extension of the file beside a module in the cache that holds its
// checksum. A module's name identifies its sources, but does not show that the file
// is complete.
const sumSuffix = ".sum"

// maxSum is the most bytes of that file: the checksum in hexadecimal and an end of
// line.
const maxSum = 2*sha256.Size + 2

// openCache makes the folder of the cache if need be, and refuses one that others
// may write to.
func openCache(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	return files.CheckPrivate(dir, info)
}

// whole reports whether the module at path exists and has the checksum of its build.
// Anything at path that is not a regular file is removed.
func whole(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	if !info.Mode().IsRegular() {
		_ = os.RemoveAll(path)
		return false
	}
	if files.CheckPrivate(path, info) != nil {
		return false
	}
	if info, err := os.Lstat(path + sumSuffix); err != nil || !info.Mode().IsRegular() {
		_ = os.RemoveAll(path + sumSuffix)
		return false
	}
	sum, err := files.ReadAll(path+sumSuffix, "checksum", maxSum)
	if err != nil {
		return false
	}
	module, err := files.ReadAll(path, "module", wasm.MaxSize)
	return err == nil && bytes.Equal(bytes.TrimSpace(sum), sumOf(module))
}

func sumOf(module []byte) []byte {
	sum := sha256.Sum256(module)
	return []byte(hex.EncodeToString(sum[:]))
}

// keep puts a module into the cache, and then its checksum, each at once or not at
// all. They are made in the folder temp, which is on the same file system. A process
// that builds the same module at the same time writes the same bytes.
func keep(path string, module []byte, temp string) error {
	if err := place(path, module, temp); err != nil {
		return err
	}
	return place(path+sumSuffix, append(sumOf(module), '\n'), temp)
}

func place(path string, data []byte, temp string) error {
	f, err := os.OpenFile(filepath.Join(temp, "done"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
