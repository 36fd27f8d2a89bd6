package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// failingRuns are two runs of which the second fails requests, has a detour
// passed over and a mirror that lacks tracks.
func failingRuns() []Run {
	runs := sampleRuns()[:2]
	f := &runs[1]
	f.Policy, f.Swaps = "rejecting", nil
	f.ReadLatency.Count = 0
	f.WriteLatency.Count = 60343 - 2000
	f.Failed = Failed{Reads: 38002, Writes: 2000, Codes: []FailedCode{
		{"read", "51", "no path, or no answer", 38002}, {"write", "51", "no path, or no answer", 1900}, {"write", "44", "rejected by a detour", 100},
	}}
	f.Versus = &Versus{
		Baseline: "sync",
		Reads:    Difference{LeftOut: &LeftOut{38002, 0, 38002}},
		Writes:   Difference{Count: 58343, Blocks: 233, MeanUS: -611.5, Interval: &Interval{-633.25, 590, 0.95}, LeftOut: &LeftOut{2000, 0, 2000}},
	}
	f.DetourFaults = []DetourFault{
		{Policy: "rejecting", Slot: "frontend", Name: "mine/reject", Traps: 2, Invalid: 14, FirstError: "out of memory", PassedOver: &PassedOver{AtS: 1.25, Failures: 16}},
		{Policy: "later", Slot: "poststatus", Name: "mine/post", Refused: []RefusedIntents{{"promote", "the pair has no such mirror", 1200}, {"fail", "the I/O is not at the point for it", 1}}},
	}
	f.Mirrors = []Mirror{{"mirror 1", MirrorInSyncBut, 1234, 60105}, {"mirror 2", MirrorOutOfSync, 60105, 60105}, {"mirror 3", MirrorInSyncBut, 1, 60105}}
	f.Checks = []Check{NothingToCheck("completed once", "no request was made"), {Name: "durability", OK: true}, {Name: "no request failed", Detail: "40,002 of 98,345 requests failed"}}
	return runs
}

func TestFailuresGolden(t *testing.T) {
	runs := failingRuns()
	golden(t, "failures.txt", tableOf(t, runs, TableOptions{Width: 140}))
	assert.EqualValues(t, 1201, runs[1].RefusedIntents())
	assert.EqualValues(t, 1, runs[1].PassedOver())
	assert.False(t, runs[1].OK())

	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, runs))
	golden(t, "failures.json", b.String())
	got, err := ReadJSON(&b)
	require.NoError(t, err)
	assert.Equal(t, runs, got.Runs)
}

// TestFailuresAreNoWin: each difference between figures of which requests are
// missing has the mark, on whichever side they failed, and none else has.
func TestFailuresAreNoWin(t *testing.T) {
	row := func(text, label string) string {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(strings.TrimSpace(line), label) {
				return strings.TrimRight(line, "\n")
			}
		}
		require.Fail(t, "no such row", "%s in %s", label, text)
		return ""
	}
	runs := sampleRuns()[:2]
	assert.NotContains(t, tableOf(t, runs, TableOptions{}), "!")
	for side := range runs {
		failed := sampleRuns()[:2]
		failed[side].Failed = Failed{Writes: 3, Codes: []FailedCode{{"write", "41", "permanent error", 3}}}
		text := tableOf(t, failed, TableOptions{})
		for _, label := range []string{"write p50", "write p99.9", "write mean", "requests/s", "MB/s", "mirror link"} {
			assert.True(t, strings.HasSuffix(row(text, label), "!"), row(text, label))
		}
		for _, label := range []string{"read p50", "read mean", "Wasm calls"} {
			assert.NotContains(t, row(text, label), "!")
		}
		assert.Contains(t, text, "!: not of the same requests: 0 reads and 3 writes of "+failed[side].Policy+" failed")
	}
}

func TestCheckOfNothing(t *testing.T) {
	nothing, bad, good := NothingToCheck("a", "there was nothing"), Check{Name: "b"}, Check{Name: "c", OK: true}
	assert.False(t, nothing.OK, "who only reads ok must not take it for one")
	assert.False(t, nothing.Failed())
	assert.True(t, bad.Failed())
	assert.False(t, good.Failed())
	assert.True(t, (&Run{Checks: []Check{nothing, good}}).OK())
	assert.False(t, (&Run{Checks: []Check{nothing, bad}}).OK())
}

func TestPercentilesOfFewAreMarked(t *testing.T) {
	runs := sampleRuns()[:1]
	runs[0].ReadLatency.Count = 10
	text := tableOf(t, runs, TableOptions{})
	assert.Equal(t, 3, strings.Count(text, tooFew), "p95, p99 and p99.9 of ten reads")
}

func TestLatenciesBeyondTheHistogramAreSaid(t *testing.T) {
	runs := sampleRuns()[:1]
	assert.NotContains(t, tableOf(t, runs, TableOptions{}), "longer than")
	runs[0].WriteLatency.Outside = 1234
	assert.Contains(t, tableOf(t, runs, TableOptions{}), "sync: 1,234 latencies are longer than 1h0m0s and count as that in the percentiles\n")
}

func TestMirrorStates(t *testing.T) {
	for _, c := range []struct {
		mirrors       []Mirror
		state, tracks string
	}{
		{nil, "", ""},
		{[]Mirror{{"", MirrorInSync, 0, 9}}, "in sync", "0"},
		{[]Mirror{{"", MirrorInSyncBut, 1, 9}}, "in sync but for 1 track", "1"},
		{[]Mirror{{"", MirrorOutOfSync, 9, 9}}, "out of sync", "all 9"},
		{[]Mirror{{"", MirrorInSyncBut, 7, 9}}, "in sync but for 7 tracks", "7"},
		{[]Mirror{{"", MirrorInSyncBut, 7, 9}, {"", MirrorInSyncBut, 1, 9}, {"", MirrorOutOfSync, 9, 9}}, "2 in sync but for some tracks, 1 out of sync", "7 + 1 + all 9"},
		{[]Mirror{{"", MirrorDissociated, 9, 9}, {"", MirrorInSync, 0, 9}}, "1 dissociated, 1 in sync", "all 9 + 0"},
		{[]Mirror{{"", MirrorInSync, 0, 9}, {"", MirrorInSync, 0, 9}}, "in sync", "0 + 0"},
		{make([]Mirror, 5), "", "0"},
	} {
		r := &Run{Mirrors: c.mirrors}
		assert.Equal(t, c.state, mirrorStates(r))
		assert.Equal(t, c.tracks, outOfSync(r))
	}
}

func TestAllowedIsNotOK(t *testing.T) {
	runs := sampleRuns()[:1]
	runs[0].Checks = []Check{{Name: "nothing lost", OK: true, Allowed: true, Detail: "3 acknowledged writes lost, as the experiment expects"}}
	assert.Regexp(t, `(?m)^ nothing lost +allowed$`, tableOf(t, runs, TableOptions{}))
	assert.False(t, runs[0].Checks[0].Failed())
}

func TestJSONOfAnInterruptedComparison(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, sampleRuns()[:1], "constant-copy"))
	r, err := ReadJSON(&b)
	require.NoError(t, err)
	assert.True(t, r.Interrupted)
	assert.Equal(t, []string{"constant-copy"}, r.NotBegun)
}
