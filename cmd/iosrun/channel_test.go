package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const channelCases = "../../lab/channelcase/testdata/channel.json"

func TestChannelRunChecks(t *testing.T) {
	for file, want := range map[string]string{channelCases: "61 cases, 0 differ\n", "../../lab/channelcase/testdata/linux.json": "36 cases, 0 differ\n"} {
		o := iosrun(t, nil, "channel", "run", file, "--check")
		assert.Equal(t, 0, o.code, o.err)
		assert.Equal(t, want, o.out)
	}
}

// What Hercules gives where the emulator once differed; in X3 Hercules 3.13 is wrong
// by the manual, which is said.
func TestChannelRunNamesDeviations(t *testing.T) {
	const file = "../../lab/channelcase/testdata/differ.json"
	o := iosrun(t, nil, "channel", "run", file, "--check")
	assert.Equal(t, 0, o.code, o.err)
	assert.Contains(t, o.out, "X3: deviates from Hercules as documented: write data in a domain of several records: \"When more than one update write command is required")
	assert.True(t, strings.HasSuffix(o.out, "\n5 cases, 0 differ, 1 deviate from Hercules as documented\n"), o.out)
	o = iosrun(t, nil, "channel", "run", file, "--check", "--json", "--case", "X3")
	require.Equal(t, 0, o.code, o.err)
	var all []caseOutput
	require.NoError(t, json.Unmarshal([]byte(o.out), &all))
	assert.Equal(t, "write data in a domain of several records", all[0].Deviation)
	assert.NotEmpty(t, all[0].Differences)

	// A difference that is another one still is.
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for from, to := range map[string]string{
		`"scsw": "00804017000100200e000000"`: `"scsw": "00804017000100180e000000"`, // X3, no command further
		`0180000200000000000000000`:          `0180000100000000000000000`,          // X3, a domain of one record
		`ff388001337000`:                     `ff388001337001`,
	} {
		bad := filepath.Join(t.TempDir(), "bad.json")
		changed := strings.Replace(string(text), from, to, 1)
		require.NotEqual(t, string(text), changed)
		require.NoError(t, os.WriteFile(bad, []byte(changed), 0o600))
		o = iosrun(t, nil, "channel", "run", bad, "--check")
		assert.Equal(t, 1, o.code, "%s: %s", from, o.out)
		assert.Contains(t, o.out, "5 cases, 1 differ")
	}
}

// A case that does not end leaves the others alone.
func TestChannelRunGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cases.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"volumes": {"s": "dasdinit a 3390 A 3"}, "cases": [
		{"id": "endless", "suite": "s", "order": 0, "cpa": "10000", "mem": {"10000": "03400000000000000800000000010000"}},
		{"id": "good", "suite": "s", "order": 1, "cpa": "10000", "mem": {"10000": "0320000000000000"}, "expect": {"cc": ["msch=0", "ssch=0", "tsch=0"]}}]}`), 0o600))
	o := iosrun(t, nil, "channel", "run", file, "--check")
	assert.Equal(t, 1, o.code)
	assert.Equal(t, "2 cases, 0 differ, 1 cannot be compared\n", o.out)
	assert.Contains(t, o.err, "case endless: the channel program has not ended")
	assert.Contains(t, o.err, "1 of 2 cases did not come to their end or cannot be shown")
	o = iosrun(t, nil, "channel", "run", file, "--json")
	assert.Equal(t, 1, o.code)
	var all []caseOutput
	require.NoError(t, json.Unmarshal([]byte(o.out), &all))
	require.Len(t, all, 2)
	assert.Contains(t, all[0].Error, "case endless")
	assert.Equal(t, []string{"msch=0", "ssch=0", "tsch=0"}, all[1].Outcome.CC)
}

func TestChannelRunFindsDifferences(t *testing.T) {
	text, err := os.ReadFile(channelCases)
	require.NoError(t, err)
	bad := filepath.Join(t.TempDir(), "bad.json")
	changed := strings.Replace(string(text), `"scsw": "00804007000100200c000000"`, `"scsw": "00804007000100200c000001"`, 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(bad, []byte(changed), 0o600))
	o := iosrun(t, nil, "channel", "run", bad, "--check")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.out, "A01: scsw: want 00804007000100200c000001, got 00804007000100200c000000\n61 cases, 1 differ\n")
	assert.Contains(t, o.err, "1 of 61 cases differ")
	o = iosrun(t, nil, "channel", "run", bad)
	assert.Equal(t, 0, o.code, "without --check nothing is compared")
}

func TestChannelRunShows(t *testing.T) {
	o := iosrun(t, nil, "channel", "run", channelCases, "--case", "A01", "--case", "W01")
	require.Equal(t, 0, o.code, o.err)
	for _, want := range []string{"A01: seek", "msch=0 ssch=0 tsch=0", "00804007000100200c000000", "20000", "e5d6d3f1", "home address 0000010000"} {
		assert.Contains(t, o.out, want)
	}
	o = iosrun(t, nil, "channel", "run", channelCases, "--case", "L06", "--json", "--check")
	require.Equal(t, 0, o.code, o.err)
	var all []caseOutput
	require.NoError(t, json.Unmarshal([]byte(o.out), &all))
	require.Len(t, all, 1)
	assert.Equal(t, "L06", all[0].ID)
	assert.True(t, strings.HasPrefix(all[0].Outcome.Sense, "0004"))
}

// A volume that dasdinit made stands in for the one that the file describes.
func TestChannelRunOnAnImage(t *testing.T) {
	dir := t.TempDir()
	hercules(t, dir, "dasdinit", "-lfs", "a.dsk", "3390", "ORC001", "10")
	path := filepath.Join(dir, "a.dsk")
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, suite := range []string{"a", "w", "l"} {
		o := iosrun(t, nil, "channel", "run", channelCases, "--check", "--volume", suite+"="+path)
		assert.Equal(t, 0, o.code, "%s%s", o.out, o.err)
	}
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, string(before) == string(after), "the image stays as it is")
	o := iosrun(t, nil, "channel", "run", channelCases, "--check", "--write", "--volume", "w="+path)
	assert.Equal(t, 0, o.code, "%s%s", o.out, o.err)
	after, err = os.ReadFile(path)
	require.NoError(t, err)
	require.False(t, string(before) == string(after))
}

func TestChannelRunRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "accepts 1 arg"},
		{[]string{filepath.Join(dir, "absent.json")}, 2, "absent.json"},
		{[]string{write("text.json", "this is text")}, 2, "line 1"},
		{[]string{write("empty.json", "{}")}, 2, "no cases"},
		{[]string{write("op.json", `{"volumes":{"a":"dasdinit a 3390 A00001 1"},"cases":[{"id":"x","suite":"a","cpa":"0","ops":["fly"]}]}`)}, 2, "want one of ssch"},
		{[]string{write("none.json", `{"cases":[{"id":"x","suite":"a","cpa":"0"}]}`)}, 2, "has no volume"},
		{[]string{write("loop.json", `{"volumes":{"a":"dasdinit a 3390 A00001 1"},"cases":[{"id":"x","suite":"a","cpa":"1000","mem":{"1000":"03400000000000000800000000001000"}}]}`)}, 1, "does not seem to end"},
		{[]string{channelCases, "--case", "Q99"}, 2, "Q99"},
		{[]string{channelCases, "--volume", "a"}, 2, "want SUITE=FILE"},
		{[]string{channelCases, "--volume", "a=" + filepath.Join(dir, "no.dsk")}, 2, "no.dsk"},
		{[]string{channelCases, "--volume", "q=" + channelCases}, 2, "no case is of it"},
		{[]string{channelCases, "--write"}, 2, "--volume"},
	} {
		o := iosrun(t, nil, append([]string{"channel", "run"}, c.args...)...)
		assert.Equal(t, c.code, o.code, "%v: %s", c.args, o.err)
		assert.Contains(t, o.err, c.want, c.args)
		assert.True(t, strings.HasPrefix(o.err, "iosrun: "), o.err)
	}
}
