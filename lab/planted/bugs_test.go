package planted

// load is a workload in which requests for the same blocks meet.
const load = "--generate --gen-rate 4000 --gen-reads 0.5 --gen-skew 1 --limit 6000 --quiet "

// bugs are the planted bugs.
var bugs = []bug{
	{"completed-never", finder{run: "run sync " + load}, `check "completed once" FAILED: 100 of 6000 requests completed`},
	{"completed-twice", finder{run: "run sync " + load}, `check "completed once" FAILED: .*1 twice`},
	{"interval-half", finder{test: "lab/report ^TestCompareCoverage$"}, `Max difference between`},
	{"latency-nine-tenths", finder{test: "lab/experiment ^TestLatenciesAreThoseOfTheClock$"}, `mean latency in µs`},
}
