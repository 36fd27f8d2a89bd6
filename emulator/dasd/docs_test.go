package dasd

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
)

// With -update, TestDocumentedCommands writes the tables of the documents anew.
var update = flag.Bool("update", false, "write the tables of docs/channel.md and docs/timing.md anew")

const documentation = "../../docs/channel.md"

// commandNames are the commands by code without the multitrack bit where that is
// the only difference.
var commandNames = map[byte]string{
	0x01: "Write Special Count, Key and Data", 0x02: "Read IPL", 0x03: "No-Operation", 0x04: "Sense",
	0x05: "Write Data", 0x06: "Read Data", 0x07: "Seek", 0x0B: "Seek Cylinder", 0x0D: "Write Key and Data",
	0x0E: "Read Key and Data", 0x11: "Erase", 0x12: "Read Count", 0x13: "Recalibrate", 0x14: "Unconditional Reserve",
	0x15: "Write Record Zero", 0x16: "Read Record Zero", 0x17: "Restore", 0x19: "Write Home Address",
	0x1A: "Read Home Address", 0x1B: "Seek Head", 0x1D: "Write Count, Key and Data", 0x1E: "Read Count, Key and Data",
	0x1F: "Set File Mask", 0x22: "Read Sector", 0x23: "Set Sector", 0x27: "Perform Subsystem Function",
	0x29: "Search Key Equal", 0x31: "Search Identifier Equal", 0x34: "Sense Path Group Identifier",
	0x39: "Search Home Address Equal", 0x3E: "Read Subsystem Data", 0x44: "Reset Allegiance", 0x47: "Locate Record",
	0x49: "Search Key High", 0x4B: "Locate Record Extended", 0x4E: "Read Message Identifier", 0x51: "Search Identifier High",
	0x54: "Sense Subsystem Status", 0x5B: "Suspend Multipath Reconnection", 0x5E: "Read Multiple Count, Key and Data",
	0x63: "Define Extent", 0x64: "Read Device Characteristics", 0x69: "Search Key Equal or High",
	0x71: "Search Identifier Equal or High", 0x85: "Write Update Data", 0x87: "Set Subsystem Mode",
	0x8D: "Write Update Key and Data", 0x94: "Device Release", 0x95: "Write Full Track", 0x9D: "Write Count, Key and Data Next Track",
	0xA4: "Read and Reset Buffered Log", 0xA5: "Write Track Data", 0xA6: "Read Track Data", 0xAF: "Set Path Group Identifier",
	0xB4: "Device Reserve", 0xB5: "Write Track Data, multitrack code", 0xB6: "Read Track Data, multitrack code",
	0xDE: "Read Track", 0xE4: "Sense Identification", 0xE7: "Prefix", 0xF3: "Diagnostic Control", 0xFA: "Read Configuration Data",
}

var fbaNames = map[byte]string{
	0x02: "Read IPL", 0x03: "No-Operation", 0x04: "Sense", 0x14: "Unconditional Reserve", 0x41: "Write", 0x42: "Read",
	0x43: "Locate", 0x63: "Define Extent", 0x64: "Read Device Characteristics", 0x94: "Device Release",
	0xA4: "Read and Reset Buffered Log", 0xB4: "Device Reserve", 0xE4: "Sense Identification",
}

// limited are commands that do not work everywhere or in every form.
var limited = map[byte]string{
	0x01: "works where the control unit has record overflow; else refused: sense 80 00, message 2",
	0x13: "works; refused on a 3390 and a 9345: sense 80 00, message 1",
	0x22: "works; refused on a device without sectors: sense 80 00, message 1",
	0x23: "works; refused on a device without sectors: sense 80 00, message 1",
	0x27: "works for the orders below; others are refused: sense 80 00, message 4",
	0x3E: "works behind the order that prepares it; else refused: sense 80 00, message 2",
	0xE4: "works; refused on a 2311 and a 2314: sense 80 00",
	0xF3: "maintenance query only, with nothing to tell; others are refused: sense 80 00, message 4",
}

var domainNames = []struct {
	bit  domainSet
	name string
}{
	{inWrite, "write data"}, {inFormat, "format write"}, {inRead, "read data"}, {inWriteTrack, "write track"},
	{inReadTracks, "read tracks"}, {inReadAny, "read"}, {inWriteFull, "write full track"}, {inWriteFields, "write track data"}, {inWriteAny, "write any"},
}

// twin reports whether a code is another one with the multitrack bit.
func twin(c int) bool {
	if c < arch.Multitrack {
		return false
	}
	t, plain := &eckdCommands[c], &eckdCommands[c&^arch.Multitrack]
	return plain.run != nil && commandNames[byte(c)] == "" && t.domains == plain.domains && t.outside == plain.outside
}

func eckdTable(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| code | command | outside a domain | in a domain of locate record | control units | |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|")
	for c := range eckdCommands {
		d := &eckdCommands[c]
		if d.run == nil {
			assert.NotContains(t, commandNames, byte(c))
			continue
		}
		if twin(c) {
			continue
		}
		name := commandNames[byte(c)]
		assert.NotEmpty(t, name, "command %02X has no name", c)
		code := fmt.Sprintf("%02X", c)
		if c < arch.Multitrack && eckdCommands[c|arch.Multitrack].run != nil && twin(c|arch.Multitrack) {
			code += fmt.Sprintf(", %02X", c|arch.Multitrack)
		}
		outside := "refused: sense 80 00, message 2"
		if d.outside {
			outside = "yes"
			if d.seeked {
				outside = "behind a seek, locate record, read IPL or recalibrate"
			}
		}
		var in []string
		for _, n := range domainNames {
			if d.domains&n.bit != 0 {
				in = append(in, n.name)
			}
		}
		inside := strings.Join(in, ", ")
		if inside == "" {
			inside = "refused: sense 80 00, message 2"
		}
		needs := [...]string{needsNothing: "all", needsExtended: "those with locate record", needsPrefix: "2105, 2107"}[d.needs]
		verdict := "works"
		if w := limited[byte(c)]; w != "" {
			verdict = w
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", code, name, outside, inside, needs, verdict)
	}
	return b.String()
}

func fbaTable(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| code | command | |\n|---|---|---|")
	for c, run := range fbaCommands {
		if run == nil {
			assert.NotContains(t, fbaNames, byte(c))
			continue
		}
		assert.NotEmpty(t, fbaNames[byte(c)], "command %02X has no name", c)
		fmt.Fprintf(&b, "| %02X | %s | works |\n", c, fbaNames[byte(c)])
	}
	return b.String()
}

func unitTable() string {
	var b strings.Builder
	fmt.Fprintln(&b, "| control unit | devices | sense bytes | define extent, locate record | prefix, track data | record overflow |\n|---|---|---|---|---|---|")
	yes := map[bool]string{true: "yes", false: "no"}
	for i := range units {
		u := &units[i]
		var devices []string
		for _, d := range u.devices {
			devices = append(devices, fmt.Sprintf("%04X", d))
		}
		located := yes[u.extended]
		if u.fba {
			located = "of blocks"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %s |\n", u.name, strings.Join(devices, ", "), u.senseLength, located, yes[u.prefix], yes[u.overflow != 0])
	}
	return b.String()
}

// modeNames are the modes of Set Subsystem Mode by field and value.
var modeNames = []struct {
	field string
	modes *[modeFieldMax + 1]mode
	names [modeFieldMax + 1]string
}{
	{"byte 0, bits 0-2: subsystem", &subsystemModes, [...]string{"", "caching", "caching off", "caching off, by force", "cache fast write", "cache fast write off"}},
	{"byte 0, bits 3-5: device", &deviceModes, [...]string{"", "caching", "caching off", "fast write", "fast write off", "fast write off, by force"}},
	{"byte 1, bits 0-2: subsystem", &storageModes, [...]string{"", "non-volatile storage", "non-volatile storage off", "non-volatile storage off, by force", "duplexing", "duplexing off"}},
}

var modeEffects = map[mode]string{
	{}:                        "accepted, without effect",
	{clear: noCaching}:        "tracks come into the cache",
	{set: noCaching}:          "every track that is read is a miss, none comes into the cache, those in it leave it",
	{clear: noFastWrite}:      "a write ends in non-volatile storage",
	{set: noFastWrite}:        "a write takes the device's time",
	{clear: noCacheFastWrite}: "a define extent can ask for it",
	{set: noCacheFastWrite}:   "a define extent that asks for it is as one that does not",
}

func modeTable(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| field | value | mode | effect |\n|---|---|---|---|")
	for _, f := range modeNames {
		for v := 1; v <= modeFieldMax; v++ {
			effect := modeEffects[f.modes[v]]
			assert.NotEmpty(t, effect, "%s, value %d", f.field, v)
			fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", f.field, v, f.names[v], effect)
		}
	}
	return b.String()
}

// The tables of docs/channel.md and docs/timing.md are those of the code.
func TestDocumentedCommands(t *testing.T) {
	for path, tables := range map[string]map[string]string{
		documentation:          {"eckd": eckdTable(t), "fba": fbaTable(t), "units": unitTable(), "modes": modeTable(t)},
		"../../docs/timing.md": {"timing": timingTable(), "links": linkTable(), "mechanics": mechanicsTable(t)},
	} {
		p, err := os.ReadFile(path)
		require.NoError(t, err)
		text := string(p)
		for name, table := range tables {
			begin, end := "<!-- table: "+name+" -->\n", "<!-- end -->\n"
			before, rest, found := strings.Cut(text, begin)
			require.True(t, found, "no table %s in %s", name, path)
			have, after, found := strings.Cut(rest, end)
			require.True(t, found, "table %s has no end", name)
			if *update {
				text = before + begin + table + end + after
				continue
			}
			assert.Equal(t, table, have, "table %s of %s is out of date: go test ./emulator/dasd -run Documented -update", name, path)
		}
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
	}
}
