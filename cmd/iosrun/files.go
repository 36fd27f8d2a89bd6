package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/files"
)

// commandFiles are the files that a command uses. An output that lands on one of
// them is refused before anything is written.
type commandFiles struct {
	files.Uses
	// standard is the writer of an output whose name is "-"; it is nil when there is
	// none.
	standard io.Writer
}

// commandFilesKey is the key of a command's files in its context.
type commandFilesKey struct{}

// withFiles adds a commandFiles to a command's context. When standard output and
// standard error are files they count as written to.
func withFiles(ctx context.Context, out, errOut io.Writer) context.Context {
	u := &commandFiles{}
	o, _ := out.(*os.File)
	e, _ := errOut.(*os.File)
	_ = u.Stream(o, "standard output", true)
	_ = u.Stream(e, standardErrorName, true) // often the same as standard output, which does no harm
	return context.WithValue(ctx, commandFilesKey{}, u)
}

const standardErrorName = "standard error"

// standardErrorClashes reports whether an error says that standard error is a file
// that the command uses for something else: the error must not be written there.
func standardErrorClashes(err error) bool {
	return errors.Is(err, files.ErrSameFile) && strings.HasPrefix(err.Error(), standardErrorName+" and ")
}

// beside returns the terminal, if there is one, for messages that cannot go to
// standard error, and a function that closes it.
func beside() (io.Writer, func()) {
	f, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return io.Discard, func() {}
	}
	return f, func() { _ = f.Close() }
}

// filesOf returns the files that a command uses.
func filesOf(c *cobra.Command) *commandFiles {
	if u, ok := c.Context().Value(commandFilesKey{}).(*commandFiles); ok {
		return u
	}
	return &commandFiles{}
}

// standardOutput reports whether an output's name stands for standard output.
func standardOutput(name string) bool {
	switch name {
	case "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		return true
	}
	return false
}

// standardError reports whether an output's name stands for standard error.
func standardError(name string) bool {
	switch name {
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		return true
	}
	return false
}

// output returns the file that a flag names for an output, empty if none, after
// checking that it can be written. With "-" the output goes to standard output, and
// the command's text for people goes to standard error.
func output(c *cobra.Command, flag string) (string, error) {
	name, _ := c.Flags().GetString(flag)
	u := filesOf(c)
	switch {
	case name == "" && !c.Flags().Changed(flag):
		return "", nil
	case standardOutput(name):
		if u.standard != nil {
			return "", usage(fmt.Errorf("--%s %s: another output goes to standard output already: want a file for one of them", flag, name))
		}
		u.standard = c.OutOrStdout()
		c.SetOut(c.ErrOrStderr())
		return "-", nil
	case standardError(name):
		return name, nil
	}
	if err := files.CheckWritable(name); err != nil {
		return "", usage(err)
	}
	return name, usage(u.Writes(name, "output of --"+flag))
}

// writeOutput writes an output to the name that the function output returned.
func writeOutput(c *cobra.Command, name string, write func(io.Writer) error) error {
	var w io.Writer
	switch {
	case name == "-":
		w = filesOf(c).standard
	case standardError(name):
		w = c.ErrOrStderr()
	default:
		return interruptionOf(c).protect(func() error { return files.Write(name, write) })
	}
	b := bufio.NewWriter(w)
	return errors.Join(write(b), b.Flush())
}

// reads notes that a command reads files, each for the purpose.
func reads(c *cobra.Command, purpose string, paths ...string) error {
	return each(filesOf(c).Reads, purpose, paths)
}

// owns notes that a command reads the files of a volume and must use them for no
// other purpose.
func owns(c *cobra.Command, purpose string, paths ...string) error {
	return each(filesOf(c).Owns, purpose, paths)
}

// writes notes that a command changes or replaces files.
func writes(c *cobra.Command, purpose string, paths ...string) error {
	return each(filesOf(c).Writes, purpose, paths)
}

// changes notes that a command changes or replaces the files of an image. It refuses
// a file that another program has open for writing, unless the flag ignore-opened is
// set: Hercules sets the OPENED bit at its first change only, and plain images have
// none.
func changes(c *cobra.Command, purpose string, paths ...string) error {
	if err := writes(c, purpose, paths...); err != nil {
		return err
	}
	return unopened(c, paths...)
}

// unopened looks for programs that have an image open for writing.
func unopened(c *cobra.Command, paths ...string) error {
	if ignore, _ := c.Flags().GetBool(ignoreOpened); ignore {
		return nil
	}
	for _, p := range paths {
		if by := files.Writers(p); len(by) > 0 {
			return usage(fmt.Errorf("%s: is open for writing in %s: want that to end first, or --%s", p, files.Names(by), ignoreOpened))
		}
	}
	return nil
}

func each(use func(path, purpose string) error, purpose string, paths []string) error {
	for _, p := range paths {
		if err := use(p, purpose); err != nil {
			return usage(err)
		}
	}
	return nil
}

// ignoreOpened is the name of the flag that opens an image whose OPENED bit is on.
const ignoreOpened = "ignore-opened"

func addIgnoreOpened(c *cobra.Command) {
	c.Flags().Bool(ignoreOpened, false, "write to an image although it was not closed (its OPENED bit is on), or another program has it open")
}

// untried reports whether an error says that a file must not be touched now, so that
// nothing was tried.
func untried(err error) bool {
	return errors.Is(err, files.ErrSameFile) || errors.Is(err, files.ErrLocked) || errors.Is(err, image.ErrInUse)
}

// advice returns a hint about a way around an error, or an empty string.
func advice(err error) string {
	if errors.Is(err, image.ErrInUse) {
		return "A program that is killed leaves the OPENED bit on. Where none has the image open any more, check it with\n\"iosrun volume verify\", and give --" + ignoreOpened + "."
	}
	return ""
}
