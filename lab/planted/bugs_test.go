package planted

// load is a workload in which requests for the same blocks meet.
const load = "--generate --gen-rate 4000 --gen-reads 0.5 --gen-skew 1 --limit 6000 --quiet "

// watched has an observer watch such a workload; in failing the mirror fails in the
// middle of it.
const (
	watched = "--observe " + load
	failing = watched + "--gen-bytes 65536 --fault 500ms=mirror1:fail"
)

// careless is a policy that promotes a mirror that lacks writes.
const careless = "./lab/experiment/testdata/policies/careless.yaml "

// inWorlds plays the worlds of the first seeds.
const inWorlds = "world --count 60"

// bugs are the planted bugs.
var bugs = []bug{
	{"bytes-at-risk-halved", finder{run: "run constant-copy " + watched}, `check "observed risk" FAILED: .*the account says at most \d+ bytes at risk at a time, seen were \d+ bytes`},
	{"completed-never", finder{run: "run sync " + load}, `check "completed once" FAILED: 100 of 6000 requests completed`},
	{"completed-twice", finder{run: "run sync " + load}, `check "completed once" FAILED: .*1 twice`},
	{"completion-before-the-mirror", finder{run: "run sync " + watched}, `check "durability" FAILED: \d+ completions earlier than the policy declares`},
	{"failed-mirror-write-not-marked", finder{run: "run sync " + failing}, `check "observed marks" FAILED: at .* differs .*want a mark, found none`},
	{"failure-taken-for-good", finder{run: "run sync " + failing}, `check "observed marks" FAILED: at .* differs .*want a mark, found none`},
	{"forgotten-mark", finder{run: "run sync " + failing}, `check "observed marks" FAILED: at .* differs .*want a mark, found none`},
	{"interval-half", finder{test: "lab/report ^TestCompareCoverage$"}, `Max difference between`},
	{"last-copy-without-marks", finder{run: inWorlds}, `seed \d+ FAILED: .*iosrun world --seed \d+`},
	{"latency-nine-tenths", finder{test: "lab/experiment ^TestLatenciesAreThoseOfTheClock$"}, `mean latency of the report in µs`},
	{"lost-writes-not-counted-at-promotion", finder{test: "lab/experiment ^TestLostWritesAreExact$"}, `actual  : int64\(0\)`},
	{"marks-lost-at-promotion", finder{run: "run " + careless + watched + "--fault 500ms=primary:gone --expect-lost --expect-failures"}, `check "observed marks" FAILED: at .* differs .*want a mark, found none`},
	{"marks-lost-of-a-range", finder{run: "run sync " + failing}, `check "observed marks" FAILED: at .* differs .*want a mark, found none`},
	{"mirror-write-done-when-begun", finder{run: "run sync " + watched}, `check "observed durability" FAILED: .*of which the account counts 0: I/O \d+ at cylinder .*told at`},
	{"mirror-write-dropped-in-a-thousand", finder{run: "run sync " + watched}, `check "observed durability" FAILED: .*of which the account counts 0: I/O \d+ at cylinder .*does not have it`},
	{"one-round-trip", finder{test: "emulator/dasd ^TestRoundTrips$"}, `FAIL: TestRoundTrips`},
	{"overlapping-writes-out-of-order", finder{test: "lab/experiment TestReadsAreCurrent/sync$"}, `right was unit \d+ of write`},
	{"reads-from-mirror-behind", finder{test: "lab/experiment TestReadsAreCurrent/reads_from_mirrors_to"}, `right was unit \d+ of write`},
	{"record-read-for-another", finder{run: "run sync " + load}, `check "reads current" FAILED: .*right was`},
	{"same-content-a-request", finder{run: "run sync " + load}, `check "reads current" FAILED: `},
	{"same-content-for-all", finder{run: "run sync " + load}, `check "reads current" FAILED: .*stores the content of write 1: want that of write 2, its own`},
	{"stale-mirror-promoted", finder{test: "lab/experiment TestLostWrites/stale_mirror_not_promoted"}, `\d+ acknowledged writes \(.*\) lost`},
	{"synchronisation-forgets-what-is-under-way", finder{test: "lab/experiment ^TestObserverAgrees$"}, `observed risk: .*lacks \d+ writes, of which applications were told; the account says \d+ \(one of them is I/O`},
	{"synchronisation-skips-formatted-tracks", finder{run: inWorlds}, `seed \d+ FAILED: .*iosrun world --seed \d+`},
	{"time-at-risk-halved", finder{run: "run constant-copy " + watched}, `check "observed risk" FAILED: .*the account says that a write was at risk for at most`},
	{"write-a-track-too-far-on-both", finder{run: "run sync " + load}, `check "reads current" FAILED: .*right was`},
	{"write-lost-on-both", finder{run: "run sync " + load}, `check "reads current" FAILED: .*right was unit \d+ of write`},
}
