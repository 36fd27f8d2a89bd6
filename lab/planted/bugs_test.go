package planted

// load is a workload in which requests for the same blocks meet.
const load = "--generate --gen-rate 4000 --gen-reads 0.5 --gen-skew 1 --limit 6000 --quiet "

// bugs are the planted bugs.
var bugs = []bug{
	{"completed-never", finder{run: "run sync " + load}, `check "completed once" FAILED: 100 of 6000 requests completed`},
	{"completed-twice", finder{run: "run sync " + load}, `check "completed once" FAILED: .*1 twice`},
	{"interval-half", finder{test: "lab/report ^TestCompareCoverage$"}, `Max difference between`},
	{"latency-nine-tenths", finder{test: "lab/experiment ^TestLatenciesAreThoseOfTheClock$"}, `mean latency of the report in µs`},
	{"lost-writes-not-counted-at-promotion", finder{test: "lab/experiment ^TestLostWritesAreExact$"}, `actual  : int64\(0\)`},
	{"one-round-trip", finder{test: "emulator/dasd ^TestRoundTrips$"}, `FAIL: TestRoundTrips`},
	{"overlapping-writes-out-of-order", finder{test: "lab/experiment TestReadsAreCurrent/sync$"}, `right was unit \d+ of write`},
	{"reads-from-mirror-behind", finder{test: "lab/experiment TestReadsAreCurrent/reads_from_mirrors_to"}, `right was unit \d+ of write`},
	{"record-read-for-another", finder{run: "run sync " + load}, `check "reads current" FAILED: .*right was`},
	{"same-content-a-request", finder{run: "run sync " + load}, `check "reads current" FAILED: `},
	{"same-content-for-all", finder{run: "run sync " + load}, `check "reads current" FAILED: .*stores the content of write 1: want that of write 2, its own`},
	{"stale-mirror-promoted", finder{test: "lab/experiment TestLostWrites/stale_mirror_not_promoted"}, `\d+ acknowledged writes \(.*\) lost`},
	{"write-a-track-too-far-on-both", finder{run: "run sync " + load}, `check "reads current" FAILED: .*right was`},
	{"write-lost-on-both", finder{run: "run sync " + load}, `check "reads current" FAILED: .*right was unit \d+ of write`},
}
