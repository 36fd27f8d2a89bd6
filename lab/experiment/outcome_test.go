package experiment

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/lab/report"
)

// short is a workload of n made-up requests on a small volume, half of them
// reads, over some n/1000 seconds.
func short(n int64) Config {
	c := Default()
	c.Native, c.Model = true, "3390-1"
	c.Primary.Aliases, c.Mirror.Aliases = 15, 15
	g := generator(n)
	g.Rate, g.ReadShare = 1000, 0.5
	c.Workload = Workload{Speed: 1, Generator: &g}
	return c
}

// TestFailedRequestsCountForNothingElse: what failed is in no latency, no rate
// and no pair, is reported by class and code, and fails a check unless it is
// expected.
func TestFailedRequestsCountForNothingElse(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := short(2000)
	c.Policies = []string{"sync", "none"}
	c.Faults = []string{"1s=primary:gone"}
	for _, expected := range []bool{false, true} {
		c.Expect.FailedRequests = expected
		c.Expect.LostWrites = true // what none has not mirrored is gone with the primary
		p, err := Prepare(t.Context(), c, l)
		require.NoError(t, err)
		ended := [2]map[uint8]int64{{}, {}}
		bytes := int64(0)
		good := int64(0)
		var runs []*Result
		for i := range c.Policies {
			res, err := p.Run(t.Context(), i, Options{Completed: func(_ int64, write bool, code uint8, _ machine.Time) {
				if i == 1 {
					k := 0
					if write {
						k = 1
					}
					ended[k][code]++
					if code == 0x7F {
						good++
						bytes += 4096
					}
				}
			}})
			require.NoError(t, err)
			runs = append(runs, res)
		}
		assert.Zero(t, runs[0].Report.Failed.Total(), "a mirror takes the primary's place")
		assert.True(t, check(t, runs[0].Report, "no request failed").OK)
		r := runs[1].Report
		reads, writes := ended[0][0x51], ended[1][0x51]
		require.NotZero(t, reads)
		require.NotZero(t, writes)
		assert.Equal(t, report.Failed{Reads: reads, Writes: writes, Codes: []report.FailedCode{
			{Class: "read", Code: "51", Meaning: "no path, or no answer", Count: reads},
			{Class: "write", Code: "51", Meaning: "no path, or no answer", Count: writes},
		}}, r.Failed)
		assert.Equal(t, ended[0][0x7F], r.ReadLatency.Count)
		assert.Equal(t, ended[1][0x7F], r.WriteLatency.Count)
		rate := r.Throughput.RequestsPerS
		assert.InDelta(t, float64(bytes)/1e6*rate/float64(good), r.Throughput.MBPerS, 1e-9)
		assert.InDelta(t, float64(good)/float64(good+reads+writes), rate/runs[0].Report.Throughput.RequestsPerS, 0.01)

		v, err := Versus(runs[0], runs[1], 1)
		require.NoError(t, err)
		assert.Equal(t, &report.LeftOut{Pairs: reads, Run: reads}, v.Reads.LeftOut)
		assert.Equal(t, &report.LeftOut{Pairs: writes, Run: writes}, v.Writes.LeftOut)
		assert.Equal(t, r.ReadLatency.Count, v.Reads.Count)

		k := check(t, r, "no request failed")
		assert.Equal(t, expected, k.OK)
		assert.Contains(t, k.Detail, "reads: no path, or no answer")
		assert.Equal(t, expected, r.OK(), "%v", r.Checks)
	}
}

// TestEventsAfterTheEnd: a fault or swap for which nothing is left does not
// happen, is named, and changes no figure; one while a mirror still lags behind
// the last request does happen.
func TestEventsAfterTheEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := short(500)
	c.Faults = []string{"100ms=mirror1:link-down", "200ms=mirror1:link-up", "40s=mirror1:gone"}
	c.Swaps = []string{"50s=sync"}
	r := execute(t, c, l, "none")
	k := check(t, r, "all events happened")
	assert.True(t, k.Failed())
	assert.Contains(t, k.Detail, "fault 40s=mirror1:gone, swap 50s=sync")
	assert.Contains(t, k.Detail, "the last request ended at ")
	assert.NotContains(t, k.Detail, "link")
	assert.Empty(t, r.Swaps)
	assert.Less(t, r.VirtualS, 0.65, "not 50 s")
	assert.Less(t, r.DataAtRisk.MaxS, 0.65)

	c.Faults, c.Swaps = c.Faults[:2], nil
	assert.True(t, check(t, execute(t, c, l, "none"), "all events happened").OK)

	// The mirror of a constant copy over a slow link is at work for long after the
	// last request.
	c.Faults, c.Mirror.Megabytes = []string{"700ms=mirror1:link-down"}, 1
	r = execute(t, c, l, "constant-copy")
	assert.True(t, check(t, r, "all events happened").OK)
	assert.Positive(t, r.Mirrors[0].OutOfSyncTracks)
}

// TestSynchronisationThatCannotBegin is one that has failed.
func TestSynchronisationThatCannotBegin(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	c := short(3000)
	c.Synchronise = Synchronise{Full: true, TracksPerSecond: 20_000}
	c.Faults = []string{"1s=mirror1:synchronise", "1100ms=mirror1:synchronise"}
	r := execute(t, c, loader(t), "sync")
	k := check(t, r, "synchronised")
	assert.True(t, k.Failed())
	assert.Equal(t, "mirror 1 from 1.1s: is being synchronised already; expect.failed-synchronisations allows it", k.Detail)
	require.Len(t, r.Synchronisations, 2)
	assert.Empty(t, r.Synchronisations[0].Error)
	assert.Equal(t, "is being synchronised already", r.Synchronisations[1].Error)
}

func TestNothingPlayed(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	dir := t.TempDir()
	header := "us,op,offset,length,flags,response_us\n"
	for name, text := range map[string]string{"header": header, "flushes": header + "0,flush,0,0,-,1\n5,flush,0,0,-,1\n", "bad": header + "rubbish\n"} {
		c := short(1)
		c.Workload = Workload{Speed: 1, Trace: filepath.Join(dir, name+".csv"), SkipBad: 1}
		require.NoError(t, os.WriteFile(c.Workload.Trace, []byte(text), 0o600))
		c.Policies = []string{"none"}
		p, err := Prepare(t.Context(), c, l)
		require.NoError(t, err)
		_, err = p.Run(t.Context(), 0, Options{})
		require.ErrorIs(t, err, ErrNothingPlayed, name)
		assert.ErrorContains(t, err, c.Workload.Trace)
	}
}

// TestChecksOfNothing: a check that had nothing to look at is not ok.
func TestChecksOfNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := short(300)
	c.Workload.Generator.ReadShare = 1
	r := execute(t, c, l, "consistency-group")
	for _, name := range []string{"durability", "point in time"} {
		assert.True(t, check(t, r, name).Nothing, "%s of reads", name)
		assert.False(t, check(t, r, name).OK)
	}
	assert.True(t, r.OK())
	assert.True(t, check(t, execute(t, c, l, "none"), "detours in charge").Nothing)

	c = short(300)
	c.Faults = []string{"0s=mirror1:gone"}
	r = execute(t, c, l, "sync")
	k := check(t, r, "durability")
	assert.True(t, k.Nothing, "the primary alone had every write: %s", k.Detail)
	c.Faults = []string{"100ms=mirror1:gone"}
	k = check(t, execute(t, c, l, "sync"), "durability")
	assert.True(t, k.OK)
	assert.Contains(t, k.Detail, "while no mirror was in sync")

	p, err := Prepare(t.Context(), func() Config { c := short(1); c.Policies = []string{"sync"}; return c }(), l)
	require.NoError(t, err)
	s, err := p.Stage(t.Context(), 0, Options{})
	require.NoError(t, err)
	defer s.Close()
	s.Pair(1).Mirrors()[0].MarkAll()
	res, err := s.Result()
	require.NoError(t, err)
	k = check(t, res.Report, "mirrors equal")
	assert.True(t, k.Nothing, "every track is marked")
	assert.Contains(t, k.Detail, "every track is marked")
	assert.True(t, check(t, res.Report, "completed once").Nothing)
	assert.Equal(t, report.MirrorOutOfSync, MirrorState(s.Pair(1).Mirrors()[0]))
}

// TestStateOfAMirror: one that follows and lacks tracks is not simply in sync.
func TestStateOfAMirror(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	l := loader(t)
	c := short(300)
	r := execute(t, c, l, "none")
	assert.Equal(t, report.MirrorInSyncBut, r.Mirrors[0].State)
	assert.EqualValues(t, 1113*15, r.Mirrors[0].Tracks)
	assert.Equal(t, report.MirrorInSync, execute(t, c, l, "sync").Mirrors[0].State)
	c.Faults = []string{"100ms=mirror1:gone"}
	assert.Equal(t, report.MirrorDissociated, execute(t, c, l, "sync").Mirrors[0].State)
}

// TestFaultsOfDetours: the report has them by policy and slot; one that is passed
// over fails a check, the others only where the experiment is strict.
func TestFaultsOfDetours(t *testing.T) {
	good := &hooks.Attachment{Name: "good"}
	refused := &hooks.Attachment{Name: "refused", Counters: hooks.Counters{Refused: 3}}
	refused.Refusals[abi.IntentPromote][hooks.NoSuchMirror] = 2
	refused.Refusals[abi.IntentMirror][hooks.Program] = 1
	failing := &hooks.Attachment{Name: "failing", Counters: hooks.Counters{Traps: 1, Invalid: 2}, FirstFailure: errors.New("out of memory")}
	over := &hooks.Attachment{Name: "over", Counters: hooks.Counters{Invalid: 16}, FirstFailure: errors.New("unknown intent"), Disabled: true,
		PassedOver: hooks.PassedOver{At: int64(1500 * time.Millisecond), Failures: 16}}
	on := func(strict bool, front ...*hooks.Attachment) *run {
		return &run{config: &Config{Strict: strict}, installed: []installation{
			{"first", [hooks.Slots][]*hooks.Attachment{front, {good}}}, {"later", [hooks.Slots][]*hooks.Attachment{hooks.SRBEP: {good}}},
		}}
	}
	assert.Equal(t, []report.DetourFault{
		{Policy: "first", Slot: "frontend", Name: "refused", Refused: []report.RefusedIntents{
			{Intent: "mirror", Reason: "the channel program or the recipe does not allow it", Count: 1},
			{Intent: "promote", Reason: "the pair has no such mirror", Count: 2},
		}},
		{Policy: "first", Slot: "frontend", Name: "failing", Traps: 1, Invalid: 2, FirstError: "out of memory"},
		{Policy: "first", Slot: "frontend", Name: "over", Invalid: 16, FirstError: "unknown intent", PassedOver: &report.PassedOver{AtS: 1.5, Failures: 16}},
	}, on(false, refused, failing, over).detourFaults())

	for _, c := range []struct {
		front          []*hooks.Attachment
		charge, strict bool
		want           string
	}{
		{nil, true, true, ""},
		{[]*hooks.Attachment{refused}, true, false, "front-end refused of first: 2 promote intents refused: the pair has no such mirror"},
		{[]*hooks.Attachment{failing}, true, false, "1 calls ended abnormally, 2 responses did not pass the check; the first: out of memory"},
		{[]*hooks.Attachment{over}, false, false, "16 responses did not pass"},
	} {
		r := on(true, c.front...)
		assert.Equal(t, c.charge, r.inCharge().OK)
		k := r.withoutFault()
		assert.Equal(t, c.strict, k.OK)
		assert.Contains(t, k.Detail, c.want)
		names := func(r *run) (all []string) {
			for _, k := range r.runChecks() {
				all = append(all, k.Name)
			}
			return all
		}
		assert.Contains(t, names(r), "no detour at fault")
		assert.NotContains(t, names(on(false, c.front...)), "no detour at fault")
	}
	assert.Contains(t, on(false, over).inCharge().Detail, "over of first was passed over from 1.5s on, after 16 calls without an answer; the first: unknown intent")
}
