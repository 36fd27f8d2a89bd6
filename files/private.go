package files

import (
	"fmt"
	"io/fs"
	"os"
)

// othersWrite are the permissions with which users other than the owner may change a
// file or the content of a folder.
const othersWrite fs.FileMode = 0o022

// CheckPrivate returns an error when the content of a file or folder cannot be
// trusted: it belongs to another user, or others may write to it. The error begins
// with name. On an operating system without such permissions it returns nil.
func CheckPrivate(name string, info fs.FileInfo) error {
	uid, known := owner(info)
	if !known {
		return nil
	}
	if me := os.Geteuid(); uid != me && uid != 0 {
		return fmt.Errorf("%s: belongs to user %d: want one of user %d or of the system", name, uid, me)
	}
	if mode := info.Mode(); mode.Perm()&othersWrite != 0 {
		return fmt.Errorf("%s: others than its owner may write to it (permissions %v): want %v", name, mode.Perm(), mode.Perm()&^othersWrite)
	}
	return nil
}
