package experiment

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/intercept"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/checks"
	"github.com/iosrun/iosrun/lab/player"
	"github.com/iosrun/iosrun/lab/report"
	"github.com/iosrun/iosrun/trace"
)

func seconds(t machine.Time) float64 { return float64(t) / float64(machine.Second) }

// result returns the result of the finished run and the observations at its end.
// These are nil for a run that was interrupted, because it has no end.
func (r *run) result() (*Result, *checks.Seen, error) {
	m := &r.measured
	out := &m.res.Report
	seen, err := r.fill(out)
	if err != nil {
		return nil, nil, err
	}
	out.ReadLatency, out.WriteLatency = m.reads.Summary(), m.writes.Summary()
	out.WallS = time.Since(m.begun).Seconds()
	m.res.Transitions = r.rig.Intercept.Transitions()
	return &m.res, seen, nil
}

// fill fills a report from the rig, the player and the checks.
func (r *run) fill(out *report.Run) (seen *checks.Seen, err error) {
	out.Policy, out.Seed = r.policy.Policy.Name, r.x.Machine.Seed
	r.ofPlayer(out)
	r.ofRig(out)
	out.Checks = []report.Check{}
	if !out.Interrupted {
		if seen, err = r.witness.Look(); err != nil {
			return nil, err
		}
		out.Checks = append(seen.OfMachine(), r.witness.Observed(&out.DataAtRisk)...)
	}
	lost := r.witness.Lost()
	out.LostWrites, out.LostBytes = lost.Writes, lost.Bytes
	out.VirtualS = seconds(r.player.Until())
	out.EventLogHash = fmt.Sprintf("%016x", r.rig.Machine.Clock.Hash())
	return seen, nil
}

// ofPlayer fills in the figures of the player.
func (r *run) ofPlayer(out *report.Run) {
	n := r.player.Tally()
	out.Workload = report.Workload{
		Name: r.x.Traffic.Name, Requests: n.Issued, Reads: n.Reads, Writes: n.Writes, ReadBytes: n.ReadBytes, WriteBytes: n.WriteBytes,
		Flushes: n.Flushes, Trims: n.Trims,
	}
	if t := r.player.Trace(); t != nil {
		out.Workload.SkippedRows, _ = t.Bad()
		out.Trace = traceRead(t.Findings())
	}
	out.Failed = checks.Failed(&n.Failed)
	out.Throughput = report.NewThroughput(n.Ended-out.Failed.Total(), n.GoodBytes, seconds(n.LastEnd-n.FirstAt))
	for _, s := range r.player.Swapped() {
		out.Swaps = append(out.Swaps, report.Swap{AtS: seconds(s.At), Policy: s.Policy, InFlight: s.InFlight})
	}
	out.Synchronisations = synchronised(r.player.Copies)
}

// ofRig fills in the figures of the machine and the states of its mirrors.
func (r *run) ofRig(out *report.Run) {
	for s := range r.policy.Detours {
		for i, d := range r.policy.Detours[s] {
			m := report.Module{Slot: checks.SlotNames[s], Name: d.Module.Manifest.Name}
			if !r.x.Machine.Native {
				m.SHA256 = hex.EncodeToString(d.Module.SHA256[:])
			}
			for _, k := range r.rig.Installed()[0].Sequences[s][i].Records {
				m.Records = append(m.Records, report.Record(k))
			}
			out.Modules = append(out.Modules, m)
		}
	}
	n := r.rig.Intercept.Counts()
	var slots []report.SlotCalls
	for s, c := range n.Calls {
		slots = append(slots, report.SlotCalls{Slot: checks.SlotNames[s], Calls: int64(c)})
	}
	out.WasmCalls = report.NewWasmCalls(r.player.Tally().Issued, slots)
	out.Traps, out.InvalidResponses, out.Violations = int64(n.Traps), int64(n.Invalid), int64(n.Violations)
	out.DetourFaults = checks.DetourFaults(r.rig.Installed())
	out.Exhausted = int64(n.Exhausted)
	for i := range r.rig.Pairs {
		p := &r.rig.Pairs[i]
		for place := 1; place < p.Places(); place++ {
			l := p.At(place).Link.Stats()
			out.MirrorLinkBytes += int64(l.BytesOut + l.BytesIn)
		}
	}
	for _, m := range r.rig.Mirrors() {
		k := m.Risk(r.player.Until())
		out.DataAtRisk.MaxIOs = max(out.DataAtRisk.MaxIOs, int64(k.MaxIOs))
		out.DataAtRisk.MaxBytes = max(out.DataAtRisk.MaxBytes, int64(k.MaxBytes))
		out.DataAtRisk.MaxS = max(out.DataAtRisk.MaxS, seconds(k.MaxAge))
		out.Mirrors = append(out.Mirrors, report.Mirror{
			Name: m.Name, State: MirrorState(m.Mirror), OutOfSyncTracks: int64(m.OutOfSync()), Tracks: int64(m.Pair().Geometry().Tracks),
		})
	}
	for _, p := range r.rig.Intercept.Promotions() {
		out.Promotions = append(out.Promotions, report.Promotion{
			AtS: seconds(p.At), Mirror: r.rig.MirrorName(int(p.Pair), p.Mirror), Tracks: int64(p.Tracks),
			LackedWrites: int64(p.Writes), LackedBytes: int64(p.Bytes), Refused: int64(p.Refused),
		})
	}
}

// synchronised returns the report's rows about synchronisations.
func synchronised(c *player.Copies) (all []report.Synchronisation) {
	for _, k := range c.All() {
		p := k.Progress()
		s := report.Synchronisation{
			Mirror: k.Mirror, BegunS: seconds(k.Begun), EndedS: seconds(k.Ended), Rounds: p.Round, Tracks: int64(p.Copied), HeldS: seconds(p.HeldFor),
		}
		if k.Err != nil {
			s.Error = k.Err.Error()
		}
		all = append(all, s)
	}
	return all
}

// stateNames holds the names of those states of a mirror that need no further look.
var stateNames = [...]string{
	abi.MirrorNone: "none", abi.MirrorSynchronising: report.MirrorSynchronising,
	abi.MirrorSuspended: report.MirrorDissociated, abi.MirrorFailed: report.MirrorFailed,
}

// MirrorState returns the state of a mirror, one of the states of report.Mirror. A
// mirror that follows its primary is in sync only when no track is marked.
func MirrorState(m *intercept.Mirror) string {
	switch n := m.OutOfSync(); {
	case m.State != abi.MirrorInSync:
		return stateNames[m.State]
	case n == 0:
		return report.MirrorInSync
	case n == int(m.Pair().Geometry().Tracks):
		return report.MirrorOutOfSync
	}
	return report.MirrorInSyncBut
}

// traceRead returns the findings about a trace in the form of a report.
func traceRead(f trace.Findings) *report.Trace {
	t := &report.Trace{
		Layout: string(f.Layout), Packing: f.Packing, Device: f.Device, Rows: f.Rows, OtherDevices: f.OtherDevices,
		Reordered: f.Reordered, ReorderedByUS: float64(f.ReorderedBy.Nanoseconds()) / 1e3,
		Padding: f.Padding, Behind: f.Behind, Notes: f.Notes,
	}
	for _, r := range f.Reasons {
		t.Skipped = append(t.Skipped, report.SkippedRow{Row: r.Row, Problem: r.Problem})
	}
	for _, n := range f.NotPlayed {
		t.NotPlayed = append(t.NotPlayed, report.NotPlayed{Name: n.Name, Count: n.Count})
	}
	return t
}
