package image

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
)

// lockFormats are a volume of each kind of file.
var lockFormats = []CreateOptions{
	{Format: FormatCKD}, {Format: FormatCKD, SplitBytes: 1 << 20}, {Format: FormatCCKD, Compression: Zlib}, {Format: FormatCCKD, Wide: true},
	{Format: FormatFBA}, {Format: FormatCFBA, Compression: Zlib},
}

func made(t *testing.T, dir string, o CreateOptions) string {
	t.Helper()
	path, g := filepath.Join(dir, "volume"), small(t)
	if o.Format.FBA() {
		var err error
		g, err = media.ForBlocks(700)
		require.NoError(t, err)
	}
	o.NoSync = true
	require.NoError(t, Create(path, g, Content{Serial: "LOCKED"}, o))
	return path
}

// TestLocks opens a volume twice, in all modes: readers do not exclude each other,
// a writer excludes everybody, and what is refused leaves the files as they are.
func TestLocks(t *testing.T) {
	t.Parallel()
	modes := []media.Mode{media.ReadOnly, media.CopyOnWrite, media.ReadWrite}
	for k, o := range lockFormats {
		t.Run(fmt.Sprintf("%d %s", k, o.Format), func(t *testing.T) {
			path := made(t, t.TempDir(), o)
			for _, first := range modes {
				for _, second := range modes {
					v, err := Open(path, first, Options{})
					require.NoError(t, err)
					before := contents(t, v)
					w, err := Open(path, second, Options{IgnoreOpened: true})
					if first != media.ReadWrite && second != media.ReadWrite {
						require.NoError(t, err)
						require.NoError(t, w.Close())
					} else {
						require.ErrorIs(t, err, files.ErrLocked)
						if runtime.GOOS == "linux" {
							require.ErrorContains(t, err, "this program itself")
						}
					}
					require.Equal(t, before, contents(t, v))
					require.NoError(t, v.Close())
				}
			}
			// Every part of a split image is locked.
			v, err := Open(path, media.ReadWrite, Options{})
			require.NoError(t, err)
			for _, f := range v.Info().Files {
				g, err := os.Open(f.Path)
				require.NoError(t, err)
				require.ErrorIs(t, files.Lock(g, files.Shared), files.ErrLocked)
				require.NoError(t, g.Close())
			}
			require.NoError(t, v.Close())
		})
	}
}

// TestOpenedBit looks at the OPENED bit over the life of a compressed image: it is
// on while the image is open for writing, and an image that was not changed is
// what it was before.
func TestOpenedBit(t *testing.T) {
	t.Parallel()
	for k, o := range lockFormats {
		if !o.Format.Compressed() {
			continue
		}
		t.Run(fmt.Sprintf("%d %s", k, o.Format), func(t *testing.T) {
			path := made(t, t.TempDir(), o)
			opened := func() bool {
				f, err := os.Open(path)
				require.NoError(t, err)
				defer f.Close()
				return checkOpened(f, path) != nil
			}
			before := content(t, path)
			for _, mode := range []media.Mode{media.ReadOnly, media.CopyOnWrite, media.ReadWrite} {
				v, err := Open(path, mode, Options{})
				require.NoError(t, err)
				require.Equal(t, mode == media.ReadWrite, opened())
				require.NoError(t, v.Flush())
				require.Equal(t, mode == media.ReadWrite, opened())
				require.NoError(t, v.Close())
				require.False(t, opened())
				require.Equal(t, before, content(t, path))
			}
			// One that is left is refused for writing, and to be read.
			v, err := Open(path, media.ReadWrite, Options{})
			require.NoError(t, err)
			storeOf(v).abandon()
			require.True(t, opened())
			left := content(t, path)
			_, err = Open(path, media.ReadWrite, Options{})
			require.ErrorIs(t, err, ErrInUse)
			require.Equal(t, left, content(t, path))
			for _, mode := range []media.Mode{media.ReadOnly, media.CopyOnWrite} {
				v, err := Open(path, mode, Options{})
				require.NoError(t, err)
				require.NoError(t, v.Close())
			}
			err = Create(path, v.Geometry(), Content{Serial: "OTHER1"}, CreateOptions{Format: o.Format, Replace: true, NoSync: true})
			require.ErrorIs(t, err, ErrInUse)
			require.Equal(t, left, content(t, path))
			v, err = Open(path, media.ReadWrite, Options{IgnoreOpened: true})
			require.NoError(t, err)
			require.NoError(t, v.Close())
			require.False(t, opened())
			v, err = Open(path, media.ReadWrite, Options{})
			require.NoError(t, err)
			require.Empty(t, v.Info().Notes)
			require.NoError(t, v.Close())
		})
	}
}

// helped is set in the environment of the test binary that holds a volume open.
const helped = "IOSRUN_TEST_HOLD"

// TestHold is no test: it is the other program of TestOtherProgram.
func TestHold(t *testing.T) {
	path := os.Getenv(helped)
	if path == "" {
		t.Skip("runs as another program only")
	}
	v, err := OpenCKD(path, media.ReadWrite, Options{})
	require.NoError(t, err)
	_, err = v.Update(3)
	require.NoError(t, err)
	require.NoError(t, v.Flush())
	fmt.Println("held")
	time.Sleep(time.Hour)
}

// TestOtherProgram kills a program that has an image open for writing. While it
// lives, its number is in the error; then the bit tells of it.
func TestOtherProgram(t *testing.T) {
	t.Parallel()
	path := made(t, t.TempDir(), CreateOptions{Format: FormatCCKD})
	c := exec.Command(os.Args[0], "-test.run", "^TestHold$")
	c.Env = append(os.Environ(), helped+"="+path)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "held\n", line)
	for _, mode := range []media.Mode{media.ReadOnly, media.CopyOnWrite, media.ReadWrite} {
		_, err := Open(path, mode, Options{IgnoreOpened: true})
		require.ErrorIs(t, err, files.ErrLocked)
		if runtime.GOOS == "linux" {
			require.ErrorContains(t, err, fmt.Sprintf("(process %d)", c.Process.Pid))
			require.ErrorContains(t, err, "is being changed by")
		}
	}
	require.NoError(t, c.Process.Kill())
	_ = c.Wait()
	_, err = Open(path, media.ReadWrite, Options{})
	require.ErrorIs(t, err, ErrInUse)
	require.ErrorContains(t, err, "the volume checked")
	v, err := Open(path, media.ReadWrite, Options{IgnoreOpened: true})
	require.NoError(t, err)
	require.NoError(t, v.Close())
	checkCompressed(t, "-3", path)
}

// A program that does not lock and has an image with the bit open is named.
func TestOpenedByAProgram(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the system does not show who has a file open")
	}
	path := made(t, t.TempDir(), CreateOptions{Format: FormatCCKD})
	v, err := Open(path, media.ReadWrite, Options{})
	require.NoError(t, err)
	storeOf(v).abandon()
	c := exec.Command("sleep", "3600")
	c.Stdin, err = os.Open(path)
	require.NoError(t, err)
	require.NoError(t, c.Start())
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	_, err = Open(path, media.ReadWrite, Options{})
	require.ErrorIs(t, err, ErrInUse)
	require.ErrorContains(t, err, fmt.Sprintf("open in sleep (process %d)", c.Process.Pid))
}

// otherNames gives other names of a file: a hard link, a symbolic link, and two
// other ways to spell its path.
func otherNames(t *testing.T, path string) []string {
	t.Helper()
	dir := filepath.Join(filepath.Dir(path), "names")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	hard, soft := filepath.Join(dir, "hard"), filepath.Join(dir, "soft")
	os.Remove(hard)
	os.Remove(soft)
	require.NoError(t, os.Link(path, hard))
	require.NoError(t, os.Symlink(path, soft))
	return []string{path, hard, soft, filepath.Dir(path) + "/./" + filepath.Base(path), dir + "/../" + filepath.Base(path)}
}

// TestOneFileTwice names a file twice in one volume, under all its names.
func TestOneFileTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := made(t, dir, CreateOptions{Format: FormatCCKD})
	shadow := filepath.Join(dir, "shadow")
	require.NoError(t, CreateShadow(shadow, path, nil, CreateOptions{NoSync: true}))
	v, err := OpenCKD(path, media.ReadWrite, Options{Shadows: []string{shadow}})
	require.NoError(t, err)
	updateTracks(t, rand.New(rand.NewPCG(1, 1)), true, v)
	require.NoError(t, v.Close())
	want := allUnits(t, path, []string{shadow})
	base, top := content(t, path), content(t, shadow)
	for _, again := range otherNames(t, shadow) {
		shadows := []string{shadow, again}
		for _, mode := range []media.Mode{media.ReadOnly, media.CopyOnWrite, media.ReadWrite} {
			_, err := Open(path, mode, Options{Shadows: shadows})
			require.ErrorIs(t, err, files.ErrSameFile, again)
			require.ErrorContains(t, err, again)
		}
		_, err := MergeShadow(path, shadows, MergeOptions{})
		require.ErrorIs(t, err, files.ErrSameFile, again)
		_, err = MergeShadow(path, []string{shadow, again, shadow}, MergeOptions{})
		require.ErrorIs(t, err, files.ErrSameFile, again)
	}
	for _, again := range otherNames(t, path) {
		_, err := MergeShadow(path, []string{again}, MergeOptions{})
		require.ErrorIs(t, err, files.ErrSameFile, again)
	}
	require.Equal(t, base, content(t, path))
	require.Equal(t, top, content(t, shadow))
	require.Equal(t, want, allUnits(t, path, []string{shadow}))
}

// TestMergeLocks merges while another opening reads one of the files.
func TestMergeLocks(t *testing.T) {
	t.Parallel()
	path, shadows, want := layered(t, t.TempDir(), CreateOptions{Format: FormatCCKD})
	for n, under := range [][]string{{}, shadows[:1], shadows} {
		v, err := Open(path, media.ReadOnly, Options{Shadows: under})
		require.NoError(t, err)
		_, err = MergeShadow(path, shadows, MergeOptions{NoSync: true, Keep: true})
		if n == 0 { // the image under what is merged is only read
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, files.ErrLocked)
		}
		require.NoError(t, v.Close())
		require.Equal(t, want, allUnits(t, path, shadows))
	}
	v, err := Open(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	_, err = MergeShadow(path, shadows[:1], MergeOptions{NoSync: true})
	require.ErrorIs(t, err, files.ErrLocked)
	require.NoError(t, v.Close())
	require.FileExists(t, shadows[0])
}

// TestReplaced gives the name of an open volume to another file, and removes it.
func TestReplaced(t *testing.T) {
	t.Parallel()
	for k, o := range lockFormats {
		t.Run(fmt.Sprintf("%d %s", k, o.Format), func(t *testing.T) {
			dir := t.TempDir()
			path, err := FirstFile(made(t, dir, o))
			require.NoError(t, err)
			for _, replace := range []bool{true, false} {
				whole := content(t, path)
				v, err := Open(path, media.ReadWrite, Options{})
				require.NoError(t, err)
				require.NoError(t, os.Rename(path, filepath.Join(dir, "moved")))
				if replace {
					require.NoError(t, os.WriteFile(path, whole, 0o600))
				}
				err = v.Close()
				require.ErrorIs(t, err, files.ErrChanged)
				require.ErrorContains(t, err, path)
				require.NoError(t, os.WriteFile(path, whole, 0o600))
			}
		})
	}
}

// TestChangedWhileRead has a program that does not lock write to a file that is
// being read.
func TestChangedWhileRead(t *testing.T) {
	t.Parallel()
	for k, o := range lockFormats {
		for _, mode := range []media.Mode{media.ReadOnly, media.CopyOnWrite} {
			path, err := FirstFile(made(t, t.TempDir(), o))
			require.NoError(t, err)
			v, err := Open(path, mode, Options{})
			require.NoError(t, err)
			later := time.Now().Add(time.Minute)
			require.NoError(t, os.Chtimes(path, later, later))
			require.ErrorIs(t, v.Close(), files.ErrChanged, k)
		}
	}
}

// TestReplace makes images over others: what is in use stays, links stay links,
// and permissions are kept.
func TestReplace(t *testing.T) {
	t.Parallel()
	for k, o := range lockFormats {
		t.Run(fmt.Sprintf("%d %s", k, o.Format), func(t *testing.T) {
			dir := t.TempDir()
			path := made(t, dir, o)
			first, err := FirstFile(path)
			require.NoError(t, err)
			o.Replace, o.NoSync = true, true
			v, err := Open(path, media.ReadOnly, Options{})
			require.NoError(t, err)
			g, before := v.Geometry(), contents(t, v)
			err = Create(path, g, Content{Serial: "SECOND"}, o)
			require.ErrorIs(t, err, files.ErrLocked)
			require.Equal(t, before, contents(t, v))
			require.NoError(t, v.Close())

			require.NoError(t, os.Chmod(first, 0o640))
			moved := filepath.Join(dir, "elsewhere")
			require.NoError(t, os.Rename(first, moved))
			require.NoError(t, os.Symlink("elsewhere", first))
			require.NoError(t, Create(path, g, Content{Serial: "SECOND"}, o))
			info, err := os.Lstat(first)
			require.NoError(t, err)
			require.NotZero(t, info.Mode()&os.ModeSymlink)
			info, err = os.Stat(moved)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			for _, e := range entries {
				require.False(t, strings.HasSuffix(e.Name(), ".old") || strings.Contains(e.Name(), ".new"), e.Name())
			}
		})
	}
	require.ErrorContains(t, Create(os.DevNull, small(t), Content{Serial: "DEVICE"}, CreateOptions{Replace: true}), "no regular file")
}

// TestReplaceFails lets the naming of one of several files fail: the old ones are
// there again.
func TestReplaceFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := CreateOptions{Format: FormatCKD, SplitBytes: 1 << 20, NoSync: true}
	path := made(t, dir, o)
	v, err := Open(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	before, list := contents(t, v), v.Info().Files
	require.NoError(t, v.Close())
	require.Greater(t, len(list), 2)
	// The place for what is put aside is taken.
	taken := list[1].Path + ".old"
	require.NoError(t, os.WriteFile(taken, nil, 0o600))
	o.Replace = true
	require.ErrorContains(t, Create(path, v.Geometry(), Content{Serial: "SECOND"}, o), taken)
	require.NoError(t, os.Remove(taken))
	v, err = Open(path, media.ReadOnly, Options{})
	require.NoError(t, err)
	require.Equal(t, before, contents(t, v))
	require.NoError(t, v.Close())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, len(list))
}

// A file that appears while a volume is made under its name is not replaced.
func TestAppears(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "volume")
	b, err := NewBuilder(path, small(t), CreateOptions{Format: FormatCCKD, NoSync: true})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte("theirs"), 0o600))
	require.ErrorIs(t, b.Commit(), ErrExists)
	require.Equal(t, "theirs", string(content(t, path)))
}

// TestFilesOfAVolume lists files by their names.
func TestFilesOfAVolume(t *testing.T) {
	t.Parallel()
	for _, o := range lockFormats {
		path := made(t, t.TempDir(), o)
		v, err := Open(path, media.ReadOnly, Options{})
		require.NoError(t, err)
		var want []string
		for _, f := range v.Info().Files {
			want = append(want, f.Path)
		}
		require.NoError(t, v.Close())
		require.Equal(t, append(want, "shadow"), Files(path, []string{"shadow"}))
	}
	require.Equal(t, []string{"absent"}, Files("absent", nil))
	require.Equal(t, []string{"a.b", "a_1.b"}, NewFiles("a.b", CreateOptions{SplitBytes: 1})[:2])
	require.Equal(t, []string{"a.b"}, NewFiles("a.b", CreateOptions{}))
}
