package report

// Run is what one policy did with one workload. Names in JSON are stable: a
// field is added, never renamed or given another unit. Units are in the names;
// MB is 1,000,000 bytes; times are virtual unless the name says wall.
type Run struct {
	// Policy is the name of the policy at the start of the run.
	Policy   string   `json:"policy"`
	Modules  []Module `json:"modules"`
	Workload Workload `json:"workload"`
	Seed     uint64   `json:"seed"`

	ReadLatency  LatencySummary `json:"read_latency"`
	WriteLatency LatencySummary `json:"write_latency"`
	FlushLatency LatencySummary `json:"flush_latency"`
	Throughput   Throughput     `json:"throughput"`

	// MirrorLinkBytes is what went over the links to all mirrors, control
	// traffic included.
	MirrorLinkBytes int64      `json:"mirror_link_bytes"`
	DataAtRisk      DataAtRisk `json:"data_at_risk"`
	WasmCalls       WasmCalls  `json:"wasm_calls"`
	Traps           int64      `json:"traps"`
	Violations      int64      `json:"violations"`
	Swaps           []Swap     `json:"swaps,omitempty"`
	// Synchronisations are in the order in which they were begun.
	Synchronisations []Synchronisation `json:"synchronisations,omitempty"`
	Mirrors          []Mirror          `json:"mirrors,omitempty"`
	Checks           []Check           `json:"checks"`

	VirtualS float64 `json:"virtual_s"`
	// EventLogHash is 16 hexadecimal digits; equal inputs give equal hashes.
	EventLogHash string `json:"event_log_hash"`
	// WallS is how long the run took. It is the one figure that differs from
	// run to run.
	WallS float64 `json:"wall_s"`

	// Versus compares the run with the first of its report; nil for the first.
	Versus *Versus `json:"versus,omitempty"`
}

// OK says whether every check holds.
func (r *Run) OK() bool {
	for _, c := range r.Checks {
		if !c.OK {
			return false
		}
	}
	return true
}

// Module is a detour in a slot.
type Module struct {
	// Slot is frontend, backend or poststatus.
	Slot string `json:"slot"`
	Name string `json:"name"`
	// SHA256 is of the module's bytes, in hexadecimal; empty for one that is
	// linked into the program.
	SHA256 string `json:"sha256,omitempty"`
	// Records are what it has recorded, as its manifest declares them.
	Records []Record `json:"records,omitempty"`
}

// Record is what a detour has recorded under one name, over the run. Sum and Max
// are in Unit.
type Record struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	Count uint64 `json:"count"`
	Sum   uint64 `json:"sum"`
	Max   uint64 `json:"max"`
}

// Workload is what the run was given.
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

// LatencySummary is the latencies of a class of I/Os, in microseconds.
type LatencySummary struct {
	Count  int64   `json:"count"`
	MeanUS float64 `json:"mean_us"`
	P50US  float64 `json:"p50_us"`
	P95US  float64 `json:"p95_us"`
	P99US  float64 `json:"p99_us"`
	P999US float64 `json:"p99_9_us"`
	MaxUS  float64 `json:"max_us"`
	// Outside counts latencies beyond the range of the histogram.
	Outside int64 `json:"outside,omitempty"`
}

// Throughput is over the virtual time of the run.
type Throughput struct {
	RequestsPerS float64 `json:"requests_per_s"`
	MBPerS       float64 `json:"mb_per_s"`
}

// DataAtRisk is the most that was acknowledged to the application but absent
// from a mirror. The three maxima need not be of the same moment.
type DataAtRisk struct {
	MaxIOs   int64   `json:"max_ios"`
	MaxBytes int64   `json:"max_bytes"`
	MaxS     float64 `json:"max_s"`
}

// WasmCalls is how often detours were called.
type WasmCalls struct {
	Total int64 `json:"total"`
	// PerIO is Total over the requests of the workload.
	PerIO float64     `json:"per_io"`
	Slots []SlotCalls `json:"slots"`
}

// SlotCalls is how often one slot's detours were called.
type SlotCalls struct {
	Slot  string  `json:"slot"`
	Calls int64   `json:"calls"`
	PerIO float64 `json:"per_io"`
}

// NewWasmCalls works the shares out from calls by slot and the number of
// requests in the workload. It fills in PerIO of the slots it is given.
func NewWasmCalls(requests int64, slots []SlotCalls) WasmCalls {
	c := WasmCalls{Slots: slots}
	for i := range slots {
		c.Total += slots[i].Calls
		slots[i].PerIO = ratio(float64(slots[i].Calls), float64(requests))
	}
	c.PerIO = ratio(float64(c.Total), float64(requests))
	return c
}

// NewThroughput works out the throughput of so many requests and bytes in so
// many virtual seconds; 0 where no time has passed.
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
	// InFlight is how many I/Os finished on the generation before.
	InFlight int64 `json:"in_flight"`
}

// Synchronisation is a mirror that was made identical to its primary (FIG. 2).
type Synchronisation struct {
	Mirror string  `json:"mirror"`
	BegunS float64 `json:"begun_s"`
	// EndedS is 0 for one that has not ended.
	EndedS float64 `json:"ended_s"`
	// Rounds is how many copies were made, Tracks how many tracks they have
	// copied together.
	Rounds int   `json:"rounds"`
	Tracks int64 `json:"tracks"`
	// HeldS is for how long writes were held for the last copy.
	HeldS float64 `json:"held_s"`
	Error string  `json:"error,omitempty"`
}

// Mirror is the state of a mirror at the end.
type Mirror struct {
	Name            string `json:"name"`
	State           string `json:"state"`
	OutOfSyncTracks int64  `json:"out_of_sync_tracks"`
}

// Check is one of the checks at the end of a run.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail says what was compared, or what was wrong with which I/O or track.
	Detail string `json:"detail,omitempty"`
}

// Versus is the paired comparison of a run with a baseline, I/O by I/O.
// Positive differences mean that the run was slower than the baseline.
type Versus struct {
	Baseline string     `json:"baseline"`
	Reads    Difference `json:"reads"`
	Writes   Difference `json:"writes"`
}
