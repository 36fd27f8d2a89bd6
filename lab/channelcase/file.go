package channelcase

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Limits of a file of cases.
const (
	MaxFileBytes  = 256 << 20
	MaxCases      = 100_000
	MaxSuites     = 256
	MaxOperations = 1024 // operations of a case
	MaxAreas      = 4096 // areas of storage, to fill or to show, in a case
	MaxTracks     = 1024 // tracks to show, in a case
)

// StorageSize is the main storage of the machine that cases run on, in bytes:
// addresses 0 to 3FFFFF.
const StorageSize = 4 << 20

// File is a file of cases that has been checked.
type File struct {
	// Volumes describes by suite the volume that the cases of the suite need, by the
	// command of the Hercules package that makes it: see ParseVolume.
	Volumes map[string]string `json:"volumes"`
	// Arch is "esa390" or "z" by suite. Both run alike here: a program asks for the
	// additions of "z" by bits of the operation-request block (ORB) that "esa390" does
	// not use.
	Arch map[string]string `json:"arch,omitempty"`
	// Cases lists the cases in the order in which they run.
	Cases []Case `json:"cases"`
}

// Case is a channel program with its expected outcome. Storage addresses are in
// hexadecimal.
type Case struct {
	ID    string `json:"id"`
	Suite string `json:"suite"`
	Order int    `json:"order"` // place within the suite: lower ones run first
	Name  string `json:"name,omitempty"`
	// Source names the origin of the expectation.
	Source string `json:"source,omitempty"`
	// Mem has the bytes to put into main storage before the start, by address.
	Mem map[string]string `json:"mem"`
	// CPA is the channel-program address, ORB1 the second word of the ORB; when it is
	// empty channel.ORBDefaultControl is used.
	CPA  string `json:"cpa"`
	ORB1 string `json:"orb1,omitempty"`
	// Ops lists the operations, in order: see Operations. Without any they are ssch,
	// wait and sense.
	Ops []string `json:"ops,omitempty"`
	// CSense turns concurrent sense on.
	CSense bool    `json:"csense,omitempty"`
	Dump   []Area  `json:"dump,omitempty"`
	Tracks []Track `json:"tracks,omitempty"`
	// Ignore names the parts of Expect that are not compared: see Ignorable.
	Ignore []string `json:"ignore,omitempty"`
	Expect Outcome  `json:"expect"`

	program uint32
	control uint32
	memory  []content
	steps   []step
	areas   []area
}

// Area is a stretch of main storage: in JSON, an array of the address and a
// length in bytes.
type Area struct {
	Address string
	Length  int
}

// UnmarshalJSON reads [address, length].
func (a *Area) UnmarshalJSON(p []byte) error {
	var pair []json.RawMessage
	err := json.Unmarshal(p, &pair)
	if err == nil && len(pair) != 2 {
		err = fmt.Errorf("%d elements", len(pair))
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(pair[0], &a.Address), json.Unmarshal(pair[1], &a.Length))
	}
	if err != nil {
		return fmt.Errorf("area %.40q: want [\"address\", length]: %w", p, err)
	}
	return nil
}

// MarshalJSON writes [address, length].
func (a Area) MarshalJSON() ([]byte, error) { return json.Marshal([]any{a.Address, a.Length}) }

// Track holds the cylinder and the head of a track.
type Track [2]int

// UnmarshalJSON reads [cylinder, head]. An array of another length, which the
// decoder would cut or fill, is an error.
func (t *Track) UnmarshalJSON(p []byte) error {
	var pair []int
	err := json.Unmarshal(p, &pair)
	if err == nil && len(pair) != 2 {
		err = fmt.Errorf("%d elements", len(pair))
	}
	if err != nil {
		return fmt.Errorf("track %.40q: want [cylinder, head]: %w", p, err)
	}
	*t = Track(pair)
	return nil
}

// String returns "cylinder/head", the key in Outcome.Tracks.
func (t Track) String() string { return fmt.Sprintf("%d/%d", t[0], t[1]) }

type area struct {
	name string // the address as the case spells it
	at   machine.Address
	size int
}

type content struct {
	at    machine.Address
	bytes []byte
}

// Parse reads a file of cases and checks all of it, so that running it cannot fail
// because of its content. An unknown field is an error: a misspelled expectation
// would expect nothing.
func Parse(text []byte) (*File, error) {
	f := new(File)
	if err := json.Unmarshal(text, f); err != nil { // first, because its errors have offsets
		return nil, jsonError(text, err)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(new(File)); err != nil {
		return nil, fmt.Errorf("file of cases: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return f, nil
}

// jsonError adds the line to an error of the decoder.
func jsonError(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(-1)
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	if at < 0 || at > int64(len(text)) {
		return fmt.Errorf("no file of cases: %w", err)
	}
	return fmt.Errorf("line %d: no file of cases: %w", lineAt(text, at), err)
}

// lineAt returns the number of the line of the byte at an offset.
func lineAt(text []byte, at int64) int {
	return 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
}

func (f *File) check() error {
	if len(f.Cases) == 0 {
		return errors.New("no cases: want an object with \"volumes\" and \"cases\"")
	}
	if len(f.Cases) > MaxCases || len(f.Volumes) > MaxSuites {
		return fmt.Errorf("%d cases, %d suites: at most %d and %d", len(f.Cases), len(f.Volumes), MaxCases, MaxSuites)
	}
	for _, suite := range sorted(f.Volumes) {
		if _, err := ParseVolume(f.Volumes[suite]); err != nil {
			return fmt.Errorf("suite %q: %w", suite, err)
		}
	}
	for _, suite := range sorted(f.Arch) {
		if a := f.Arch[suite]; a != "esa390" && a != "z" {
			return fmt.Errorf("suite %q: arch %q: want esa390 or z", suite, a)
		}
	}
	seen := make(map[string]bool, len(f.Cases))
	for i := range f.Cases {
		c := &f.Cases[i]
		switch {
		case c.ID == "":
			return fmt.Errorf("case %d: has no id", i+1)
		case seen[c.ID]:
			return fmt.Errorf("case %s: there is another one of that id", c.ID)
		}
		seen[c.ID] = true
		if err := c.check(); err != nil {
			return fmt.Errorf("case %s: %w", c.ID, err)
		}
	}
	slices.SortStableFunc(f.Cases, func(a, b Case) int {
		return cmp.Or(cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.Order, b.Order))
	})
	return nil
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// check decodes the hexadecimal texts of the case.
func (c *Case) check() error {
	if n := len(c.Mem) + len(c.Dump); n > MaxAreas {
		return fmt.Errorf("%d areas of storage: at most %d", n, MaxAreas)
	}
	if len(c.Ops) > MaxOperations || len(c.Tracks) > MaxTracks {
		return fmt.Errorf("%d operations, %d tracks: at most %d and %d", len(c.Ops), len(c.Tracks), MaxOperations, MaxTracks)
	}
	for _, at := range sorted(c.Mem) {
		m, err := parseContent(at, c.Mem[at])
		if err != nil {
			return fmt.Errorf("mem: %w", err)
		}
		c.memory = append(c.memory, m)
	}
	for _, d := range c.Dump {
		at, err := parseAddress(d.Address, d.Length)
		if err != nil {
			return fmt.Errorf("dump: %w", err)
		}
		c.areas = append(c.areas, area{d.Address, at, d.Length})
	}
	program, err := parseWord("cpa", c.CPA)
	if err != nil {
		return err
	}
	c.program, c.control = program, channel.ORBDefaultControl
	if c.ORB1 != "" {
		if c.control, err = parseWord("orb1", c.ORB1); err != nil {
			return err
		}
	}
	for _, t := range c.Tracks {
		if t[0] < 0 || t[1] < 0 {
			return fmt.Errorf("tracks: %v: want cylinder and head", t)
		}
	}
	for _, w := range c.Ignore {
		if !slices.Contains(Ignorable(), w) {
			return fmt.Errorf("ignore: %q: want one of %v", w, Ignorable())
		}
	}
	ops := c.Ops
	if len(ops) == 0 {
		ops = []string{"ssch", "wait", "sense"}
	}
	for _, text := range ops {
		s, err := parseStep(text)
		if err != nil {
			return fmt.Errorf("ops: %w", err)
		}
		c.steps = append(c.steps, s)
	}
	return c.Expect.check()
}

func parseWord(what, text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("%s %q: want up to eight hexadecimal digits", what, text)
	}
	return uint32(n), nil
}

// parseAddress reads an address of size bytes of main storage.
func parseAddress(text string, size int) (machine.Address, error) {
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil || size < 0 || size > StorageSize || n > StorageSize-uint64(size) {
		return 0, fmt.Errorf("%d bytes at %q: want a hexadecimal address, and all of it below %X", size, text, StorageSize)
	}
	return machine.Address(n), nil
}

func parseContent(at, text string) (content, error) {
	p, err := hex.DecodeString(text)
	if err != nil {
		return content{}, fmt.Errorf("bytes at %s: %w", at, err)
	}
	a, err := parseAddress(at, len(p))
	return content{a, p}, err
}
