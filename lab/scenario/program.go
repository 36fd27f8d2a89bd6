package scenario

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/lab/description"
)

// Program is a channel program and the volume on which it is run.
type Program struct {
	// On names the volume: "primary" or "mirrorN", for another pair than the first
	// "pair2.primary" and so on.
	On   string `yaml:"on"`
	CCWs []CCW  `yaml:"ccws"`
	// Code is the completion code with which it must end, by default 7F (normal end).
	Code Code `yaml:"code,omitempty"`

	pair, place int
	built       []access.CCW
}

// CCW is a channel-command word in a file. Command chaining need not be given: every
// CCW gets its flag except the last one, transfers in channel, and those with data
// chaining.
type CCW struct {
	Command Code `yaml:"command"`
	// Flags lists names of flags: cd, sli, skip, pci, ida, s, mida; "end" ends the
	// chain there. With ida the data area is reached through a list of indirect data
	// addresses.
	Flags []string `yaml:"flags,omitempty"`
	// Count is the count, by default the length of the data.
	Count int `yaml:"count,omitempty"`
	// Data is the content of the data area at the beginning.
	Data Bytes `yaml:"data,omitempty"`
	// At is the place of the data area, for a CCW without one of its own: "ccw 3" is
	// CCW number 3 of the program (from 1), "data 3 + 8" byte 8 of its data area.
	At string `yaml:"at,omitempty"`
	// Gives is the expected content of the data area at the end.
	Gives Bytes `yaml:"gives,omitempty"`
	// Note explains the CCW to a reader.
	Note string `yaml:"note,omitempty"`
}

// Bytes are bytes in hexadecimal digits, with blanks anywhere between them; XX*N
// stands for a byte N times.
type Bytes []byte

// UnmarshalYAML reads bytes.
func (b *Bytes) UnmarshalYAML(n *yaml.Node) error {
	for _, word := range strings.Fields(n.Value) {
		digits, times, repeated := strings.Cut(word, "*")
		p, err := hex.DecodeString(digits)
		k := 1
		if repeated && err == nil {
			k, err = strconv.Atoi(times)
		}
		if err != nil || k < 1 || k*len(p) > access.MaxProgramData {
			return fmt.Errorf("line %d: data %q: want pairs of hexadecimal digits, or XX*N", n.Line, word)
		}
		for range k {
			*b = append(*b, p...)
		}
	}
	return nil
}

var flagNames = map[string]channel.Flags{
	"cd": arch.FlagCD, "sli": arch.FlagSLI, "skip": arch.FlagSkip, "pci": arch.FlagPCI,
	"ida": arch.FlagIDA, "s": arch.FlagS, "mida": arch.FlagMIDA, "end": 0,
}

func (p *Program) check(m *description.Machine) (err error) {
	if p.pair, p.place, err = place(p.On, m.Pairs, len(m.Mirrors)); err != nil {
		return err
	}
	p.built = p.built[:0]
	for i := range p.CCWs {
		c, err := p.CCWs[i].build(i == len(p.CCWs)-1)
		if err != nil {
			return fmt.Errorf("CCW %d: %w", i+1, err)
		}
		if c.At != nil && c.At.CCW >= len(p.CCWs) {
			return fmt.Errorf("CCW %d: at %q: there are %d CCWs", i+1, p.CCWs[i].At, len(p.CCWs))
		}
		p.built = append(p.built, c)
	}
	return nil
}

func (c *CCW) build(last bool) (access.CCW, error) {
	w := access.CCW{Command: byte(c.Command), Count: c.Count, Data: c.Data}
	chained := !last && w.Command != arch.CommandTransfer
	for _, name := range c.Flags {
		f, ok := flagNames[name]
		if !ok {
			return w, fmt.Errorf("flag %q: want one of cd, sli, skip, pci, ida, s, mida, end", name)
		}
		w.Flags |= f
		chained = chained && name != "end" && name != "cd"
	}
	if chained {
		w.Flags |= arch.FlagCC
	}
	if len(c.Gives) > max(c.Count, len(c.Data)) {
		return w, fmt.Errorf("gives %d bytes: the data area has %d", len(c.Gives), max(c.Count, len(c.Data)))
	}
	if c.At == "" {
		return w, nil
	}
	at, err := spot(c.At)
	w.At = at
	return w, err
}

// spot reads "ccw N" or "data N", with or without "+ M".
func spot(text string) (*access.Spot, error) {
	what, offset, plus := strings.Cut(text, "+")
	kind, number, _ := strings.Cut(strings.TrimSpace(what), " ")
	n, err := strconv.Atoi(strings.TrimSpace(number))
	m := 0
	if plus && err == nil {
		m, err = strconv.Atoi(strings.TrimSpace(offset))
	}
	if err != nil || n < 1 || m < 0 || kind != "ccw" && kind != "data" {
		return nil, fmt.Errorf(`at %q: want "ccw N" or "data N", with "+ BYTES" or not`, text)
	}
	return &access.Spot{CCW: n - 1, Data: kind == "data", Offset: m}, nil
}
