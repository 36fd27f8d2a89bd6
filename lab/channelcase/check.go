package channelcase

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// Ignorable returns the names that Case.Ignore may have: parts of the outcome, or of
// a subchannel-status word (SCSW).
func Ignorable() []string {
	return []string{
		"cc", "irb", "sense", "schib", "interruption", "dump", "tracks", "ecw", "esw",
		"scsw", "ccw_addr", "unit_status", "channel_status", "IL", "residual", "status",
	}
}

// Difference is a part of an outcome that differs from the expectation.
type Difference struct {
	What string `json:"what"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

// String describes the difference in one line.
func (d Difference) String() string {
	return fmt.Sprintf("%s: want %s, got %s", d.What, orNone(d.Want), orNone(d.Got))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Check compares an outcome with the expectation of the case, except for the parts
// that the case ignores.
func (c *Case) Check(got *Outcome) []Difference {
	k := checker{c: c}
	want := &c.Expect
	if want.CC != nil && !k.ignored("cc") {
		k.list("cc", want.CC, got.CC)
	}
	if want.IRB != nil && !k.ignored("irb") {
		k.irbs(want.IRB, got.IRB)
	}
	k.text("sense", want.Sense, got.Sense)
	k.text("schib", want.SCHIB, got.SCHIB)
	k.text("interruption", want.Interruption, got.Interruption)
	for _, at := range sorted(want.Dump) {
		if !k.ignored("dump") {
			k.bytes("storage at "+at, want.Dump[at], got.Dump[at])
		}
	}
	for _, at := range sorted(want.Tracks) {
		if k.ignored("tracks") {
			break
		}
		track, ok := got.Tracks[at]
		if !ok {
			k.add("track "+at, "shown", "not among the tracks to show")
			continue
		}
		k.track(at, want.Tracks[at], track)
	}
	return k.found
}

type checker struct {
	c     *Case
	found []Difference
}

func (k *checker) ignored(what string) bool { return slices.Contains(k.c.Ignore, what) }

func (k *checker) add(what, want, got string) {
	k.found = append(k.found, Difference{what, want, got})
}

// text compares a part as text. An empty want means that the part does not matter.
func (k *checker) text(what, want, got string) {
	if want != "" && !k.ignored(what) {
		k.bytes(what, want, got)
	}
}

func (k *checker) list(what string, want, got []string) {
	if !slices.Equal(want, got) {
		k.add(what, fmt.Sprint(want), fmt.Sprint(got))
	}
}

func (k *checker) irbs(want, got []IRB) {
	if len(want) != len(got) {
		k.add("irb", fmt.Sprintf("%d of them", len(want)), fmt.Sprintf("%d of them", len(got)))
		return
	}
	for i := range want {
		what := "scsw"
		if len(want) > 1 {
			what = fmt.Sprintf("scsw %d", i+1)
		}
		if w, g := k.blur(want[i].SCSW), k.blur(got[i].SCSW); w != g {
			k.add(what, want[i].SCSW, got[i].SCSW)
		}
		k.text("ecw", want[i].ECW, got[i].ECW)
	}
}

// blur sets the ignored parts of an SCSW to zero.
func (k *checker) blur(text string) string {
	p, err := hex.DecodeString(text)
	if err != nil || len(p) != channel.SCSWSize {
		return text
	}
	for _, part := range []struct {
		name string
		at   []byte
	}{
		{"scsw", p}, {"status", p[2:4]}, {"ccw_addr", p[4:8]}, {"unit_status", p[8:9]},
		{"channel_status", p[9:10]}, {"residual", p[10:12]},
	} {
		if k.ignored(part.name) {
			clear(part.at)
		}
	}
	if k.ignored("IL") {
		p[9] &^= byte(arch.IncorrectLength)
	}
	return hex.EncodeToString(p)
}

func (k *checker) track(at string, want, got TrackContent) {
	what := "track " + at
	k.bytes(what+" home address", want.HA, got.HA)
	if len(want.Records) != len(got.Records) {
		k.add(what, fmt.Sprintf("%d records", len(want.Records)), fmt.Sprintf("%d records", len(got.Records)))
	}
	for i := range min(len(want.Records), len(got.Records)) {
		w, g := want.Records[i], got.Records[i]
		record := fmt.Sprintf("%s record %d", what, i)
		k.bytes(record+" count", w.Count, g.Count)
		k.bytes(record+" key", w.Key, g.Key)
		k.bytes(record+" data", w.Data, g.Data)
	}
	if want.Used != 0 && want.Used != got.Used {
		k.add(what, fmt.Sprintf("end mark at %d", want.Used), fmt.Sprintf("end mark at %d", got.Used))
	}
}

// shownBytes is the number of bytes that are shown of differing bytes, from the
// first different one on.
const shownBytes = 16

// bytes compares bytes in hexadecimal and shows where they differ.
func (k *checker) bytes(what, want, got string) {
	w, err := hex.DecodeString(want)
	g, err2 := hex.DecodeString(got)
	if err != nil || err2 != nil {
		if want != got {
			k.add(what, want, got)
		}
		return
	}
	if slices.Equal(w, g) {
		return
	}
	i := 0
	for i < min(len(w), len(g)) && w[i] == g[i] {
		i++
	}
	cut := func(p []byte) string { return hex.EncodeToString(p[i:min(len(p), i+shownBytes)]) }
	switch {
	case len(w) != len(g):
		what = fmt.Sprintf("%s (%d bytes, not %d), from byte %d", what, len(g), len(w), i)
	case len(w) > shownBytes:
		what = fmt.Sprintf("%s, from byte %d", what, i)
	default:
		i = 0
	}
	k.add(what, cut(w), cut(g))
}
