package files

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// holders finds the programs that have a lock on a file, in the system's list of
// locks.
func holders(f *os.File) []Holder {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	list, err := os.Open("/proc/locks")
	if err != nil {
		return nil
	}
	defer list.Close()
	var all []Holder
	for s := bufio.NewScanner(list); s.Scan(); {
		h, device, inode, ok := parseLock(s.Text())
		if !ok || !onFile(h.Process, info, device, inode) {
			continue
		}
		h.Program = program(h.Process)
		all = append(all, h)
	}
	return all
}

// parseLock reads a line of /proc/locks: "1: FLOCK ADVISORY WRITE 708 08:02:3145 0
// EOF". The line of a process that waits for a lock has "->" behind the number.
func parseLock(line string) (h Holder, device string, inode uint64, ok bool) {
	w := strings.Fields(line)
	if len(w) < 6 || w[1] != "FLOCK" {
		return Holder{}, "", 0, false
	}
	process, err := strconv.Atoi(w[4])
	i := strings.LastIndexByte(w[5], ':')
	if err != nil || process <= 0 || i < 0 {
		return Holder{}, "", 0, false
	}
	inode, err = strconv.ParseUint(w[5][i+1:], 10, 64)
	return Holder{Process: process, Changes: w[3] == "WRITE"}, w[5][:i], inode, err == nil
}

// onFile reports whether a lock on an inode of a device is a lock on the file. Some
// file systems show another device in the list than in a file's status; then the
// process must also have the file open.
func onFile(process int, info fs.FileInfo, device string, inode uint64) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok || s.Ino != inode {
		return false
	}
	dev := uint64(s.Dev) //nolint:unconvert // its type depends on the architecture
	major, minor := (dev>>8)&0xFFF|(dev>>32)&^0xFFF, dev&0xFF|(dev>>12)&^0xFF
	return device == fmt.Sprintf("%02x:%02x", major, minor) || hasOpen(process, info)
}

// hasOpen reports whether a process has a file open, as far as the user may see
// that.
func hasOpen(process int, info fs.FileInfo) bool { return len(opened(process, info)) > 0 }

// opened returns the file descriptors with which a process has a file open.
func opened(process int, info fs.FileInfo) []string {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", process))
	return slices.DeleteFunc(links, func(l string) bool {
		other, err := os.Stat(l)
		return err != nil || !os.SameFile(info, other)
	})
}

// forWriting reports whether the file behind a link such as /proc/7/fd/3 is open for
// writing.
func forWriting(link string) bool {
	text, err := os.ReadFile(strings.Replace(link, "/fd/", "/fdinfo/", 1))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if octal, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseUint(strings.TrimSpace(octal), 8, 64)
			return err == nil && flags&syscall.O_ACCMODE != syscall.O_RDONLY
		}
	}
	return false
}

func program(process int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", process))
	if err != nil {
		return ""
	}
	return clean(strings.TrimSpace(string(name)))
}

// clean makes a program's name, which the program may have chosen itself, fit for a
// message.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '?'
	}, name)
}

// Users finds the other programs that have a file open, as far as the system shows
// them: it shows at least those of the same user.
func Users(path string) []Holder {
	return others(path, func([]string) bool { return true })
}

// Writers finds the other programs that have a file open for writing and have not
// locked it, as far as the system shows them to the user.
func Writers(path string) []Holder {
	all := others(path, func(links []string) bool { return slices.ContainsFunc(links, forWriting) })
	if len(all) == 0 {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return all
	}
	defer f.Close()
	locked := holders(f)
	return slices.DeleteFunc(all, func(h Holder) bool {
		return slices.ContainsFunc(locked, func(l Holder) bool { return l.Process == h.Process })
	})
}

// others finds the other programs that have a file open in a way.
func others(path string, way func(links []string) bool) []Holder {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []Holder
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || n == os.Getpid() {
			continue
		}
		if links := opened(n, info); len(links) > 0 && way(links) {
			all = append(all, Holder{Process: n, Program: program(n)})
		}
	}
	return all
}
