package dasd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/iosrun/iosrun/emulator/machine"
)

// timingTable lists the figures of the service-time model that hold for all
// devices and links, with the values that the code has.
func timingTable() string {
	var t Timing
	t.fill()
	micro := func(d machine.Time) string { return fmt.Sprintf("%g us", float64(d)/1000) }
	rows := []struct{ figure, value, source, setting string }{
		{"control unit's time for a channel program", micro(t.Chain), "estimate: a hit of 4 KiB takes a tenth of a millisecond; a vendor says less than 1 ms", "`timing.program`"},
		{"control unit's time for a command", micro(t.Command), "estimate", "`timing.command`"},
		{"rate of the cache to the link", "the link's", "estimate: a cache is faster than any link", "none"},
		{"least read on a miss, from the record on (CKD)", fmt.Sprintf("1/%d of the longest record", stageShare), "estimate: a control unit stages more than the record", "`timing.stage-bytes`"},
		{"tracks brought in by a sequential read that misses", fmt.Sprint(1 + sequentialTracks), "estimate; the further ones take no time", "none"},
		{"cache", fmt.Sprintf("%d tracks", DefaultCacheTracks), "estimate", "`cache-tracks`"},
		{"chance of a read hit", "98 %; in the model itself: as the cache has it", "estimate", "`hit-ratio`"},
		{"arms of a volume", fmt.Sprintf("16; in the model itself: %d", t.Arms), "estimate: a rank of drives", "`arms`"},
		{"non-volatile storage for fast writes", fmt.Sprintf("%d MB", t.NonVolatileBytes/1e6), "estimate: the order of a 3990's", "`timing.nonvolatile-megabytes`"},
		{"rate at which it empties (destage)", fmt.Sprintf("%d MB/s", t.DestageBytesPerSecond/1e6), "estimate: above the fastest link, so that a stream of writes goes at the speed of its link; the arms take no time for it", "`timing.destage-megabytes`"},
		{"light in fibre, one way", micro(PropagationPerKilometre) + " a kilometre", "vendors: 1 ms for 200 km", "`kilometres`"},
		{"angle at which a disk begins", "drawn for each arm", "from `seed`, the device's number and the arm", "`seed`"},
	}
	var b strings.Builder
	fmt.Fprintln(&b, "| figure | value | source | setting |\n|---|---|---|---|")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.figure, r.value, r.source, r.setting)
	}
	return b.String()
}

func linkTable() string {
	var b strings.Builder
	fmt.Fprintln(&b, "| `link` | MB/s | exchanges | round trips of a program that reads, that writes | and of each command | protocol's time for a command | full rate up to, half at |\n|---|---|---|---|---|---|---|")
	for t := range linkTypes {
		f := &links[t]
		fmt.Fprintf(&b, "| `%s` | %d | %d | %d, %d | %d | %g us | %g km, %g km |\n", f.name, f.bytesPerSecond/1e6, f.exchanges,
			f.perRead, f.perWrite, f.perCommand, float64(f.command)/1000, f.droop, f.droop+f.droopHalf)
	}
	return b.String()
}

// mechanicsSources say where the figures of a device type are from; unsourced is
// for all others.
var mechanicsSources = map[uint16]string{
	0x3390: "rotation: CERN; seeks and rate recalled",
	0x3380: "rotation: CERN, twice the average latency; seeks and rate recalled",
	0x3350: "average seek, rotation, rate: IBM; shortest seek recalled",
	0x3370: "average seek, rate: IBM; rotation and shortest seek recalled",
	0x3310: "average seek, rotation, rate: IBM; shortest seek recalled",
}

const unsourced = "recalled from the device's summary, unsourced"

func mechanicsTable(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| device | revolution | seek to the next cylinder, average | rate | source |\n|---|---|---|---|---|")
	sourced := 0
	for i := range moving {
		m := &moving[i]
		source := unsourced
		if s := mechanicsSources[m.device]; s != "" {
			source = s
			sourced++
		}
		name := fmt.Sprintf("%04X", m.device)
		if i == len(moving)-1 {
			name += " and others"
		}
		ms := func(d machine.Time) float64 { return float64(d) / 1e6 }
		fmt.Fprintf(&b, "| %s | %g ms | %g ms, %g ms | %.3f MB/s | %s |\n", name, ms(m.rotation), ms(m.seekTrack), ms(m.seekAverage), float64(m.bytesPerSecond)/1e6, source)
	}
	assert.Len(t, mechanicsSources, sourced)
	return b.String()
}
