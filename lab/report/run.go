package report

import (
	"slices"

	"github.com/iosrun/iosrun/trace/histogram"
)

// Run holds the results of one policy on one workload. Names in JSON are stable:
// fields are added, but never renamed or given another unit. Units are in the names;
// MB is 1,000,000 bytes; times are virtual unless the name says wall.
type Run struct {
	// Policy is the name of the policy at the start of the run.
	Policy   string   `json:"policy"`
	Modules  []Module `json:"modules"`
	Workload Workload `json:"workload"`
	// Trace holds the findings about the trace; it is nil for made-up requests.
	Trace *Trace `json:"trace,omitempty"`
	Seed  uint64 `json:"seed"`

	ReadLatency  histogram.Summary `json:"read_latency"`
	WriteLatency histogram.Summary `json:"write_latency"`
	Throughput   Throughput        `json:"throughput"`
	// Failed counts the requests that ended with an error. They are not part of
	// latencies and throughput.
	Failed Failed `json:"failed_requests"`

	// MirrorLinkBytes is the number of bytes that went over the links to all mirrors,
	// control traffic included.
	MirrorLinkBytes int64      `json:"mirror_link_bytes"`
	DataAtRisk      DataAtRisk `json:"data_at_risk"`
	WasmCalls       WasmCalls  `json:"wasm_calls"`
	// LostWrites is the number of acknowledged writes that are on no volume that their
	// pair reads from any more, because of a promotion or because the primary cannot
	// be read; LostBytes is the number of their bytes that are lost.
	LostWrites int64 `json:"lost_writes"`
	LostBytes  int64 `json:"lost_bytes"`
	// Traps counts calls of detours that ended abnormally, InvalidResponses those
	// whose response did not pass the host's check.
	Traps            int64 `json:"traps"`
	InvalidResponses int64 `json:"invalid_responses"`
	// Exhausted is the number of traps of calls that used up their fuel or their
	// stack.
	Exhausted  int64 `json:"exhausted,omitempty"`
	Violations int64 `json:"violations"`
	// DetourFaults has a row for each detour with a refused intent, or with a call
	// without a valid response; the detours of swaps are among them.
	DetourFaults []DetourFault `json:"detour_faults,omitempty"`
	Swaps        []Swap        `json:"swaps,omitempty"`
	// Synchronisations lists the synchronisations in the order in which they were
	// begun.
	Synchronisations []Synchronisation `json:"synchronisations,omitempty"`
	// Promotions lists promotions carried out or refused, in the order in which they
	// were asked for.
	Promotions []Promotion `json:"promotions,omitempty"`
	Mirrors    []Mirror    `json:"mirrors,omitempty"`
	Checks     []Check     `json:"checks"`
	// Interrupted says that the run ended before its workload: the figures are of the
	// part that was played, and there are no checks.
	Interrupted bool `json:"interrupted,omitempty"`

	VirtualS float64 `json:"virtual_s"`
	// EventLogHash is 16 hexadecimal digits; equal inputs give equal hashes.
	EventLogHash string `json:"event_log_hash"`
	// WallS is the real time of the run in seconds. It is the only figure that differs
	// from run to run.
	WallS float64 `json:"wall_s"`

	// Versus compares the run with the first of its report; nil for the first.
	Versus *Versus `json:"versus,omitempty"`
}

// OK reports whether the checks were made and none has failed.
func (r *Run) OK() bool { return !r.Interrupted && !slices.ContainsFunc(r.Checks, Check.Failed) }

// Failed counts the requests that ended with an error, by class and completion code.
type Failed struct {
	Reads  int64 `json:"reads"`
	Writes int64 `json:"writes"`
	// Codes has a row for each completion code of such requests, separately for reads
	// and writes.
	Codes []FailedCode `json:"codes,omitempty"`
}

// Total returns the number of failed requests.
func (f *Failed) Total() int64 { return f.Reads + f.Writes }

// FailedCode counts the requests that ended with one completion code.
type FailedCode struct {
	// Class is "read" or "write".
	Class string `json:"class"`
	// Code is the completion code (IOSCOD), two hexadecimal digits, and Meaning its
	// meaning in words.
	Code    string `json:"code"`
	Meaning string `json:"meaning"`
	Count   int64  `json:"count"`
}

// DetourFault counts the refused intents and failed calls of one detour for as long
// as it stood on its slot.
type DetourFault struct {
	// Policy is the policy that put it there.
	Policy string `json:"policy"`
	// Slot names the hook, as abi.HookTable has it for reports.
	Slot string `json:"slot"`
	Name string `json:"name"`
	// Traps and Invalid count its calls without a valid response: those that ended
	// abnormally, and those whose response did not pass the check. FirstError is the
	// error of the first of them.
	Traps      int64  `json:"traps"`
	Invalid    int64  `json:"invalid_responses"`
	FirstError string `json:"first_error,omitempty"`
	// Overruled counts the times that the host went on with an I/O that the detour
	// would have kept.
	Overruled int64 `json:"overruled,omitempty"`
	// Refused counts its intents that the host did not carry out.
	Refused []RefusedIntents `json:"refused_intents,omitempty"`
	// PassedOver says when the host stopped calling it; it is nil for a detour that
	// was called to the end.
	PassedOver *PassedOver `json:"passed_over,omitempty"`
}

// RefusedIntents counts the refusals of one kind of intent for one reason.
type RefusedIntents struct {
	Intent string `json:"intent"`
	Reason string `json:"reason"`
	Count  int64  `json:"count"`
}

// PassedOver describes the moment at which the host stopped calling a detour,
// because too many calls gave no valid response or it kept too many requests.
type PassedOver struct {
	AtS float64 `json:"at_s"`
	// Failures is the number of its calls without a valid response until then, and
	// Kept the number of requests that it did not let go in time.
	Failures int64 `json:"failures"`
	Kept     int64 `json:"kept,omitempty"`
}

// RefusedIntents returns the number of intents that the host did not carry out.
func (r *Run) RefusedIntents() int64 {
	var n int64
	for i := range r.DetourFaults {
		for _, k := range r.DetourFaults[i].Refused {
			n += k.Count
		}
	}
	return n
}

// PassedOver returns the number of detours that were not called any more.
func (r *Run) PassedOver() int64 {
	var n int64
	for i := range r.DetourFaults {
		if r.DetourFaults[i].PassedOver != nil {
			n++
		}
	}
	return n
}

// Module is a detour in a slot.
type Module struct {
	// Slot names the hook, as abi.HookTable has it for reports.
	Slot string `json:"slot"`
	Name string `json:"name"`
	// SHA256 is the hash of the module's bytes, in hexadecimal; it is empty for a
	// detour that is linked into the program.
	SHA256 string `json:"sha256,omitempty"`
	// Records holds the records of the detour, in the order of its manifest.
	Records []Record `json:"records,omitempty"`
}

// Record sums up the values that a detour has recorded under one name during the
// run. Sum and Max are in Unit.
type Record struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	Count uint64 `json:"count"`
	Sum   uint64 `json:"sum"`
	Max   uint64 `json:"max"`
}

// Workload describes the requests of the run.
type Workload struct {
	Name        string `json:"name"`
	Requests    int64  `json:"requests"`
	Reads       int64  `json:"reads"`
	Writes      int64  `json:"writes"`
	Flushes     int64  `json:"flushes"`
	Trims       int64  `json:"trims"`
	ReadBytes   int64  `json:"read_bytes"`
	WriteBytes  int64  `json:"write_bytes"`
	SkippedRows int64  `json:"skipped_rows"`
}

// Throughput is the rate of the requests that ended well, over the virtual time of
// the run.
type Throughput struct {
	RequestsPerS float64 `json:"requests_per_s"`
	MBPerS       float64 `json:"mb_per_s"`
}

// DataAtRisk holds the maxima of data that was acknowledged to the application but
// absent from a mirror. The three maxima need not be of the same moment.
type DataAtRisk struct {
	MaxIOs   int64   `json:"max_ios"`
	MaxBytes int64   `json:"max_bytes"`
	MaxS     float64 `json:"max_s"`
}

// WasmCalls counts the calls of detours.
type WasmCalls struct {
	Total int64 `json:"total"`
	// PerIO is Total divided by the number of requests of the workload.
	PerIO float64     `json:"per_io"`
	Slots []SlotCalls `json:"slots"`
}

// SlotCalls counts the calls of one slot's detours.
type SlotCalls struct {
	Slot  string  `json:"slot"`
	Calls int64   `json:"calls"`
	PerIO float64 `json:"per_io"`
}

// NewWasmCalls computes the totals and ratios from the calls by slot and the number
// of requests in the workload. It fills in PerIO of the slots that it is given.
func NewWasmCalls(requests int64, slots []SlotCalls) WasmCalls {
	c := WasmCalls{Slots: slots}
	for i := range slots {
		c.Total += slots[i].Calls
		slots[i].PerIO = ratio(float64(slots[i].Calls), float64(requests))
	}
	c.PerIO = ratio(float64(c.Total), float64(requests))
	return c
}

// NewThroughput computes the throughput from the numbers of requests, bytes and
// virtual seconds; it is 0 when no time has passed.
func NewThroughput(requests, bytes int64, virtualS float64) Throughput {
	return Throughput{ratio(float64(requests), virtualS), ratio(float64(bytes)/1e6, virtualS)}
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Swap is a policy installed while I/O ran.
type Swap struct {
	AtS    float64 `json:"at_s"`
	Policy string  `json:"policy"`
	// InFlight is the number of I/Os that finished with the earlier detours.
	InFlight int64 `json:"in_flight"`
}

// Synchronisation is a mirror that was made identical to its primary (FIG. 2).
type Synchronisation struct {
	Mirror string  `json:"mirror"`
	BegunS float64 `json:"begun_s"`
	// EndedS is the virtual time of the end in seconds; it is 0 for a synchronisation
	// that has not ended.
	EndedS float64 `json:"ended_s"`
	// Rounds is the number of copies that were made, Tracks the number of tracks that
	// they have copied together.
	Rounds int   `json:"rounds"`
	Tracks int64 `json:"tracks"`
	// HeldS is the time in seconds for which writes were held for the last copy.
	HeldS float64 `json:"held_s"`
	Error string  `json:"error,omitempty"`
}

// Promotion describes the attempts to let a mirror take its primary's place.
type Promotion struct {
	AtS    float64 `json:"at_s"`
	Mirror string  `json:"mirror"`
	// Tracks is the number of tracks on which it had missed acknowledged writes.
	// LackedWrites and LackedBytes count the acknowledged writes that it did not have,
	// by the host's account; those on their way to it may have arrived since.
	Tracks       int64 `json:"tracks"`
	LackedWrites int64 `json:"lacked_writes"`
	LackedBytes  int64 `json:"lacked_bytes"`
	// Refused is the number of times that the host refused it because of that; 0 for a
	// promotion that was carried out.
	Refused int64 `json:"refused,omitempty"`
}

// Mirror is the state of a mirror at the end.
type Mirror struct {
	Name string `json:"name"`
	// State is one of the MirrorStates.
	State           string `json:"state"`
	OutOfSyncTracks int64  `json:"out_of_sync_tracks"`
	// Tracks is the number of tracks that the mirror has.
	Tracks int64 `json:"tracks"`
}

// The states of a mirror. One that follows its primary is in sync only when it has
// every track.
const (
	MirrorInSync        = "in sync"
	MirrorInSyncBut     = "in sync but for some tracks"
	MirrorOutOfSync     = "out of sync" // it follows, but no track is known to be the same
	MirrorSynchronising = "synchronising"
	MirrorDissociated   = "dissociated"
	MirrorFailed        = "failed"
)

// Check is one of the checks at the end of a run.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Nothing says that there was nothing to check. The check is then neither OK nor
	// failed.
	Nothing bool `json:"nothing_to_check,omitempty"`
	// Allowed says that the property does not hold, but that the experiment or the
	// policy allows it. The check is then OK.
	Allowed bool `json:"allowed,omitempty"`
	// Detail says what was compared, or which I/O or track was wrong and how.
	Detail string `json:"detail,omitempty"`
}

// Failed reports whether the property does not hold and this is not allowed.
func (c Check) Failed() bool { return !c.OK && !c.Nothing }

// NothingToCheck returns a check that had nothing to check; why says for which
// reason.
func NothingToCheck(name, why string) Check { return Check{Name: name, Nothing: true, Detail: why} }

// Versus is the paired comparison of a run with a baseline, I/O by I/O.
// Positive differences mean that the run was slower than the baseline.
type Versus struct {
	Baseline string     `json:"baseline"`
	Reads    Difference `json:"reads"`
	Writes   Difference `json:"writes"`
}
