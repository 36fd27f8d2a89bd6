package channelcase

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

// Volume describes the volume that a command of Hercules' dasdinit makes.
type Volume struct {
	Geometry *media.Geometry
	Serial   string // empty for a raw volume
}

// ParseVolume reads a command such as "dasdinit -lfs NAME TYPE SERIAL SIZE": SIZE is
// a number of cylinders or blocks, by default the full size of the type. The option
// -lfs (one file) has no meaning here, -a adds the alternate cylinders, and -r makes
// a volume without label, for which SERIAL is absent.
func ParseVolume(command string) (Volume, error) {
	var v Volume
	fail := func(format string, args ...any) (Volume, error) {
		return Volume{}, fmt.Errorf("volume %q: %s", command, fmt.Sprintf(format, args...))
	}
	words := strings.Fields(command)
	if len(words) == 0 || words[0] != "dasdinit" {
		return fail("want dasdinit [-lfs] [-a] [-r] NAME TYPE SERIAL [SIZE]")
	}
	words = words[1:]
	raw, alternates := false, false
	for ; len(words) > 0 && strings.HasPrefix(words[0], "-"); words = words[1:] {
		switch words[0] {
		case "-lfs":
		case "-r":
			raw = true
		case "-a":
			alternates = true
		default:
			return fail("option %s: want -lfs, -a or -r", words[0])
		}
	}
	fixed := 3 // name, type, serial
	if raw {
		fixed = 2
	}
	if len(words) < fixed || len(words) > fixed+1 {
		return fail("%d words behind the options: want %d or %d", len(words), fixed, fixed+1)
	}
	g, err := media.Lookup(words[1])
	if err != nil {
		return fail("%v", err)
	}
	if !raw {
		v.Serial = words[2]
	}
	v.Geometry = g
	switch {
	case len(words) > fixed:
		n, err := strconv.ParseInt(words[fixed], 10, 32)
		if err != nil || n < 1 {
			return fail("size %q: want a number of cylinders or blocks", words[fixed])
		}
		if g.FBA() {
			v.Geometry, err = g.ResizeBlocks(n)
		} else {
			v.Geometry, err = g.Resize(int(n))
		}
		if err != nil {
			return fail("%v", err)
		}
	case alternates && !g.FBA():
		if v.Geometry, err = g.Resize(g.Cylinders + g.Alternates); err != nil {
			return fail("%v", err)
		}
	}
	if _, err := v.medium(); err != nil {
		return fail("%v", err)
	}
	return v, nil
}

// medium is one of media.CKD and media.FBA.
type medium struct {
	ckd media.CKD
	fba media.FBA
}

func (m medium) close() error {
	if m.fba != nil {
		return m.fba.Close()
	}
	return m.ckd.Close()
}

// owner is the owner that dasdinit writes into a label, with its blanks.
const owner = "    HERCULES"

// medium makes the volume in memory.
func (v Volume) medium() (m medium, err error) {
	l := media.Label{Serial: v.Serial, Owner: owner}
	if v.Geometry.FBA() {
		f, err := media.NewMemoryFBA(v.Geometry)
		if err == nil && v.Serial != "" {
			err = media.InitFBA(f, l)
		}
		return medium{fba: f}, err
	}
	c, err := media.NewMemoryCKD(v.Geometry, 0, 0)
	if err == nil && v.Serial != "" {
		err = media.InitCKD(c, l)
	}
	return medium{ckd: c}, err
}

// open opens an image.
func open(path string, o Options) (medium, error) {
	mode := media.CopyOnWrite
	if o.Write {
		mode = media.ReadWrite
	}
	v, err := image.Open(path, mode, image.Options{IgnoreOpened: o.IgnoreOpened})
	if err != nil {
		return medium{}, err
	}
	switch v := v.(type) {
	case *image.CKD:
		return medium{ckd: v}, nil
	case *image.FBA:
		return medium{fba: v}, nil
	}
	return medium{}, fmt.Errorf("%s: neither tracks nor blocks", path)
}
