package channelcase

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/media"
)

func parseFile(t *testing.T, path string) *File {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := Parse(text)
	require.NoError(t, err)
	return f
}

// checkAll runs every case of a file and holds it against what it expects.
func checkAll(t *testing.T, f *File) int {
	n := 0
	require.NoError(t, f.Run(context.Background(), Options{}, func(r Result) error {
		n++
		for _, d := range r.Case.Check(&r.Outcome) {
			assert.Fail(t, "differs", "%s: %v", r.Case.ID, d)
		}
		return nil
	}))
	return n
}

// The cases of testdata/channel.json are what two levels of another emulator
// agree on.
func TestChannelCases(t *testing.T) {
	assert.Equal(t, 61, checkAll(t, parseFile(t, "testdata/channel.json")))
}

// The cases of testdata/linux.json are programs as Linux's device driver and the
// access methods of MVS build them; each names the source of what it expects.
func TestDriverCases(t *testing.T) {
	f := parseFile(t, "testdata/linux.json")
	assert.Equal(t, 36, checkAll(t, f))
	for i := range f.Cases {
		assert.NotEmpty(t, f.Cases[i].Source, f.Cases[i].ID)
	}
}

// What a check must find: every part of an outcome that is changed.
func TestCheckFindsDifferences(t *testing.T) {
	f := parseFile(t, "testdata/channel.json")
	flip := func(text string, at int) string {
		const digits = "0123456789abcdef"
		return text[:at] + string(digits[strings.IndexByte(digits, text[at])^1]) + text[at+1:]
	}
	changed := 0
	require.NoError(t, f.Run(context.Background(), Options{}, func(r Result) error {
		if r.Case.Ignore != nil {
			return nil
		}
		require.Empty(t, r.Case.Check(&r.Outcome))
		try := func(what string, change func(*Outcome)) {
			text, err := json.Marshal(r.Outcome)
			require.NoError(t, err)
			var o Outcome
			require.NoError(t, json.Unmarshal(text, &o))
			change(&o)
			assert.NotEmpty(t, r.Case.Check(&o), "%s: %s", r.Case.ID, what)
			changed++
		}
		try("cc", func(o *Outcome) { o.CC[len(o.CC)-1] += "1" })
		if len(r.Outcome.IRB) > 0 {
			for at := range 24 {
				try("scsw", func(o *Outcome) { o.IRB[0].SCSW = flip(o.IRB[0].SCSW, at) })
			}
			try("irb", func(o *Outcome) { o.IRB = o.IRB[1:] })
		}
		if r.Outcome.Sense != "" {
			try("sense", func(o *Outcome) { o.Sense = flip(o.Sense, 17) })
		}
		for at := range r.Case.Expect.Dump {
			try("dump", func(o *Outcome) { o.Dump[at] = flip(o.Dump[at], len(o.Dump[at])-1) })
		}
		for at := range r.Case.Expect.Tracks {
			try("track", func(o *Outcome) {
				k := o.Tracks[at]
				k.Records[0].Data = flip(k.Records[0].Data, 0)
			})
			try("track", func(o *Outcome) { delete(o.Tracks, at) })
		}
		return nil
	}))
	assert.Greater(t, changed, 1000)
}

// small is a file of one case on a small volume.
func small(change func(map[string]any)) string {
	c := map[string]any{
		"id": "x", "suite": "s", "order": 0, "name": "x", "cpa": "10000",
		"mem": map[string]any{"10000": "0300000000000000"}, "expect": map[string]any{},
	}
	f := map[string]any{"volumes": map[string]any{"s": "dasdinit -lfs s.dsk 3390 VOL001 2"}, "cases": []any{c}}
	if change != nil {
		change(c)
		if v, ok := c["volume"]; ok {
			f["volumes"] = map[string]any{"s": v}
		}
		if c["nothing"] != nil {
			f["cases"] = []any{}
		}
		if c["again"] != nil {
			f["cases"] = []any{c, c}
		}
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func one(t *testing.T, change func(map[string]any)) Outcome {
	t.Helper()
	f, err := Parse([]byte(small(change)))
	require.NoError(t, err)
	var out Outcome
	require.NoError(t, f.Run(context.Background(), Options{}, func(r Result) error { out = r.Outcome; return nil }))
	return out
}

func TestParseRefuses(t *testing.T) {
	for want, change := range map[string]func(map[string]any){
		"no cases":                   func(c map[string]any) { c["nothing"] = true },
		"another one of that id":     func(c map[string]any) { c["again"] = true },
		"has no id":                  func(c map[string]any) { c["id"] = "" },
		"want dasdinit":              func(c map[string]any) { c["volume"] = "rm -rf /" },
		"option -z":                  func(c map[string]any) { c["volume"] = "dasdinit -z s 3390 VOL001 2" },
		"device type":                func(c map[string]any) { c["volume"] = "dasdinit s 3391 VOL001 2" },
		"want a number of cylinders": func(c map[string]any) { c["volume"] = "dasdinit s 3390 VOL001 0" },
		"1 words":                    func(c map[string]any) { c["volume"] = "dasdinit s" },
		"volume serial":              func(c map[string]any) { c["volume"] = "dasdinit s 3390 toolong1 2" },
		"cpa":                        func(c map[string]any) { c["cpa"] = "1000000000" },
		"orb1":                       func(c map[string]any) { c["orb1"] = "G" },
		"mem":                        func(c map[string]any) { c["mem"] = map[string]any{"3FFFFF": "0000"} },
		"odd length":                 func(c map[string]any) { c["mem"] = map[string]any{"0": "000"} },
		"dump":                       func(c map[string]any) { c["dump"] = []any{[]any{"0", -1}} },
		"want [\"address\", length]": func(c map[string]any) { c["dump"] = []any{[]any{"0"}} },
		"want [cylinder, head]":      func(c map[string]any) { c["tracks"] = []any{[]int{1}} },
		"tracks: -1/0":               func(c map[string]any) { c["tracks"] = []any{[]int{-1, 0}} },
		"ignore":                     func(c map[string]any) { c["ignore"] = []string{"weather"} },
		"want one of ssch":           func(c map[string]any) { c["ops"] = []string{"fly"} },
		"takes no argument":          func(c map[string]any) { c["ops"] = []string{"ssch:1"} },
		"want spin:N":                func(c map[string]any) { c["ops"] = []string{"spin:forever"} },
		"storage key is one byte":    func(c map[string]any) { c["ops"] = []string{"sske:0=1122"} },
		"want 12 bytes":              func(c map[string]any) { c["expect"] = map[string]any{"irb": []any{map[string]any{"scsw": "00"}}} },
	} {
		t.Run(want, func(t *testing.T) {
			_, err := Parse([]byte(small(change)))
			require.Error(t, err)
			assert.Contains(t, err.Error(), strings.ReplaceAll(want, `\"`, `"`))
		})
	}
	_, err := Parse([]byte("{\n\"cases\": [}"))
	require.ErrorContains(t, err, "line 2")
}

func TestOperations(t *testing.T) {
	o := one(t, func(c map[string]any) {
		c["ops"] = []string{"stsch", "tpi", "ssch", "xsch", "ssch", "spin:10000", "tpi", "ssch", "tsch", "tsch", "rsch", "poke:20000=FF", "ssch2:20001", "wait", "subch:7", "ssch", "stsch"}
		c["dump"] = []any{[]any{"20000", 2}}
	})
	assert.Equal(t, []string{
		"msch=0", "stsch=0", "tpi=0", "ssch=0", "xsch=0", "ssch=0", "tpi=1", "ssch=1", "tsch1=0", "tsch1=1", "rsch=2", "ssch2=0", "tsch=0", "ssch=3", "stsch=3",
	}, o.CC)
	assert.Equal(t, "000100001234567800000000", o.Interruption)
	assert.Equal(t, "20 PROGCHK", o.IRB[2].ChannelStatus, "a program that does not begin on a doubleword")
	assert.Equal(t, "ff00", o.Dump["20000"])
	o = one(t, func(c map[string]any) { c["orb1"] = "0080FF02" })
	assert.Equal(t, []string{"msch=0", "ssch=operand exception"}, o.CC)
}

// A program that is suspended, resumed, and interrupts in between.
func TestIntermediateStatus(t *testing.T) {
	o := one(t, func(c map[string]any) {
		c["orb1"] = "0880FF00"
		c["mem"] = map[string]any{"10000": "0348000000000000" + "0302000000000000"}
		c["ops"] = []string{"ssch", "wait", "wait", "poke:10009=00", "rsch", "wait"}
	})
	assert.Equal(t, []string{"msch=0", "ssch=0", "tsch=0", "tsch=0", "rsch=0", "tsch=0"}, o.CC)
	assert.Equal(t, "088040c9", o.IRB[0].SCSW[:8], "program-controlled interruption")
	assert.Equal(t, "08804029", o.IRB[1].SCSW[:8], "suspended")
	assert.Equal(t, "0c000000", o.IRB[2].SCSW[16:], "ended")
}

// A case that does not end, or of which a track cannot be shown, is an error of its
// own: the cases behind it run, on the volume as it is.
func TestOneCaseFails(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long, on one goroutine")
	}
	path := filepath.Join(t.TempDir(), "a.dsk")
	g, err := media.ForType(0x90, 3, 15, 56832)
	require.NoError(t, err)
	require.NoError(t, image.Create(path, g, image.Content{Serial: "ORC001"}, image.CreateOptions{}))
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	const header, home = 512, 5
	copy(p[header+7*56832+home:], bytes.Repeat([]byte{0xFF}, 8)) // track 0/7 ends where record zero should be
	require.NoError(t, os.WriteFile(path, p, 0o600))
	f, err := Parse([]byte(`{"cases": [
		{"id": "good", "suite": "s", "order": 0, "cpa": "10000", "mem": {"10000": "0320000000000000"}, "expect": {"cc": ["msch=0", "ssch=0", "tsch=0"]}},
		{"id": "endless", "suite": "s", "order": 1, "cpa": "10000", "mem": {"10000": "03400000000000000800000000010000"}},
		{"id": "no end", "suite": "s", "order": 2, "cpa": "10000", "mem": {"10000": "03400000000000000800000000010000"}, "ops": ["ssch"]},
		{"id": "track", "suite": "s", "order": 3, "cpa": "10000", "mem": {"10000": "0320000000000000"}, "tracks": [[0, 7], [0, 0], [2, 99]], "dump": [["10000", 2]]},
		{"id": "last", "suite": "s", "order": 4, "cpa": "10000", "mem": {"10000": "0320000000000000"}, "tracks": [[0, 0]], "expect": {"cc": ["msch=0", "ssch=0", "tsch=0"]}}
	], "volumes": {}}`))
	require.NoError(t, err)
	failed := map[string]string{}
	var order []string
	err = f.Run(context.Background(), Options{Images: map[string]string{"s": path}}, func(r Result) error {
		order = append(order, r.Case.ID)
		if r.Err != nil {
			failed[r.Case.ID] = r.Err.Error()
		}
		switch r.Case.ID {
		case "good", "last":
			assert.Empty(t, r.Case.Check(&r.Outcome), r.Case.ID)
		case "track":
			assert.Equal(t, "0320", r.Outcome.Dump["10000"])
			assert.Contains(t, r.Outcome.Tracks, "0/0", "the tracks that can be shown")
		}
		return nil
	})
	assert.Equal(t, []string{"good", "endless", "no end", "track", "last"}, order)
	require.Len(t, failed, 2)
	assert.Contains(t, failed["endless"], "case endless: the channel program has not ended after 128 events")
	assert.Contains(t, failed["track"], "case track: track 0/7: ")
	assert.Contains(t, failed["track"], "; track 2/99: the volume has 3 cylinders of 15 heads")
	require.ErrorContains(t, err, failed["endless"])
	require.ErrorContains(t, err, failed["track"])
	var e *CaseError
	require.ErrorAs(t, err, &e)
}

// A program without end is an error, and the next case is not hurt.
func TestEndlessProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long, on one goroutine")
	}
	f, err := Parse([]byte(small(func(c map[string]any) {
		c["mem"] = map[string]any{"10000": "0340000000000000" + "0800000000010000"}
	})))
	require.NoError(t, err)
	err = f.Run(context.Background(), Options{}, func(Result) error { return nil })
	require.ErrorContains(t, err, "does not seem to end")
	o := one(t, func(c map[string]any) {
		c["mem"] = map[string]any{"10000": "0340000000000000" + "0800000000010000"}
		c["ops"] = []string{"ssch", "spin:1000000", "hsch", "wait"}
	})
	assert.Equal(t, []string{"msch=0", "ssch=0", "hsch=0", "tsch=0"}, o.CC)
}

func TestRunOptions(t *testing.T) {
	f := parseFile(t, "testdata/channel.json")
	var ids []string
	collect := func(r Result) error {
		ids = append(ids, r.Case.ID)
		assert.Empty(t, r.Case.Check(&r.Outcome))
		return nil
	}
	// The last case of a suite in which cases build on each other.
	require.NoError(t, f.Run(context.Background(), Options{Cases: []string{"W08"}}, collect))
	assert.Equal(t, []string{"W08"}, ids)

	path := filepath.Join(t.TempDir(), "a.dsk")
	g, err := media.ForType(0x90, 10, 15, 56832)
	require.NoError(t, err)
	require.NoError(t, image.Create(path, g, image.Content{Serial: "ORC001"}, image.CreateOptions{}))
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	o := Options{Images: map[string]string{"w": path}, Cases: []string{"W01", "W08"}}
	require.NoError(t, f.Run(context.Background(), o, collect))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(before, after), "the image stays as it is")
	o.Write = true
	require.NoError(t, f.Run(context.Background(), o, collect))
	after, err = os.ReadFile(path)
	require.NoError(t, err)
	assert.False(t, bytes.Equal(before, after), "the cases wrote")

	assert.ErrorContains(t, f.Run(context.Background(), Options{Cases: []string{"Q"}}, collect), "no case has this id")
	assert.ErrorContains(t, f.Run(context.Background(), Options{Images: map[string]string{"q": path}}, collect), "no case is of it")
	delete(f.Volumes, "a")
	assert.ErrorContains(t, f.Run(context.Background(), Options{}, collect), "has no volume")
	stop := errors.New("stop")
	assert.ErrorIs(t, f.Run(context.Background(), Options{Cases: []string{"W01"}}, func(Result) error { return stop }), stop)
}

// FuzzParse: whatever a file says, it is refused or its cases run to an end.
func FuzzParse(f *testing.F) {
	f.Add(small(nil))
	f.Add(small(func(c map[string]any) {
		c["ops"] = []string{"ssch", "tsch", "hsch", "csch", "xsch", "stsch", "tpi", "sske:0=F8", "disable", "wait"}
		c["tracks"] = []any{[]int{0, 0}, []int{1, 14}}
		c["dump"] = []any{[]any{"3F0000", 16}}
		c["csense"] = true
	}))
	f.Add(small(func(c map[string]any) { c["volume"] = "dasdinit -lfs f 3370 FBA001 2000" }))
	f.Add(`{"cases":[{"id":"a"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			t.Skip()
		}
		file, err := Parse([]byte(text))
		if err != nil || len(file.Cases) > 8 {
			return
		}
		for _, v := range file.Volumes {
			if w, err := ParseVolume(v); err != nil || w.Geometry.Tracks() > 1<<16 {
				return
			}
		}
		_ = file.Run(context.Background(), Options{}, func(r Result) error {
			r.Case.Check(&r.Outcome)
			_, err := json.Marshal(r.Outcome)
			return err
		})
	})
}
