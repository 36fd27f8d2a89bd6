package dasd

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documentedTable is the rows of a table of docs/channel.md, each its cells,
// without the heading.
func documentedTable(t *testing.T, name string) [][]string {
	p, err := os.ReadFile(documentation)
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(p), "<!-- table: "+name+" -->\n")
	require.True(t, found, "no table %s", name)
	table, _, found := strings.Cut(rest, "<!-- end -->")
	require.True(t, found, "table %s has no end", name)
	var rows [][]string
	for _, line := range strings.Split(strings.TrimSpace(table), "\n")[2:] {
		var row []string
		for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			row = append(row, strings.TrimSpace(cell))
		}
		rows = append(rows, row)
	}
	require.NotEmpty(t, rows)
	return rows
}

// documentedCodes is the rows by command code.
func documentedCodes(t *testing.T, name string) map[byte][]string {
	codes := map[byte][]string{}
	for _, row := range documentedTable(t, name) {
		for _, c := range strings.Split(row[0], ", ") {
			code, err := strconv.ParseUint(c, 16, 8)
			require.NoError(t, err)
			require.NotContains(t, codes, byte(code), "%s twice", c)
			codes[byte(code)] = row
		}
	}
	return codes
}

// reaches reports whether the channel gives the command code to a device: not
// transfer in channel and no code that is not valid.
func reaches(code byte) bool { return code&0x0F != 0 && code&0x0F != 0x08 }

// Devices refuse the commands that docs/channel.md does not list for them, and
// no others, as commands that they do not have.
func TestDocumentedCommandsAreThere(t *testing.T) {
	codes := documentedCodes(t, "eckd")
	for _, model := range []string{"2311", "2314", "2305-2", "3330", "3340-35", "3350", "3375", "3380", "3390-3", "9345"} {
		t.Run(model, func(t *testing.T) {
			b := newModelBench(t, model)
			unit := b.d.unit
			// Six sense bytes have no room for a message.
			messages, invalid := unit.senseLength > senseMessage, "800001"
			if !messages {
				invalid = "800000"
			}
			for c := range 256 {
				code := byte(c)
				if !reaches(code) {
					continue
				}
				row, there := codes[code]
				if there {
					switch row[4] {
					case "all":
					case "those with locate record":
						there = unit.extended
					default:
						there = unit.prefix
						assert.Equal(t, unit.prefix, strings.Contains(row[4], unit.name), "%02X", code)
					}
				}
				b.d.Release()
				r := b.run(step{code: code, data: fill(0, 70)})
				alone := fmt.Sprintf("%02X on a %s: sense %s", code, model, r.sense)
				switch {
				case !there:
					assert.Equal(t, invalid, r.sense, alone)
				case !messages:
				case code == 0x13 && (model == "3390-3" || model == "9345"):
					assert.Contains(t, row[5], "refused on a 3390 and a 9345")
					assert.Equal(t, invalid, r.sense, alone)
				case (code == 0x22 || code == 0x23) && b.d.geometry.Sectors == 0:
					assert.Contains(t, row[5], "refused on a device without sectors")
					assert.Equal(t, invalid, r.sense, alone)
				case strings.HasPrefix(row[2], "refused"):
					assert.Equal(t, "800002", r.sense, alone)
				case strings.HasPrefix(row[2], "behind") && unit.extended:
					assert.Equal(t, "800002", r.sense, alone)
				default:
					assert.NotEqual(t, invalid, r.sense, alone)
				}
			}
		})
	}
}

// In a domain a command that docs/channel.md has as refused there is refused.
func TestDocumentedDomains(t *testing.T) {
	operations := map[string]string{
		"write data": "01", "format write": "03", "read data": "06", "write track": "0B", "read tracks": "4C", "read": "16",
	}
	for code, row := range documentedCodes(t, "eckd") {
		for name, operation := range operations {
			if strings.Contains(row[4], "2105") && strings.Contains(row[3], "any") {
				continue // of the extended operations
			}
			in := strings.Split(row[3], ", ")
			b := newBench(t)
			r := b.run(step{code: 0x63, data: dxFormat}, step{code: 0x47, data: operation + "00 0001 00010000 0001000001 FF 0000"}, step{code: code, data: fill(0, 70)})
			if r.last < 2 {
				t.Fatalf("locate record %s: sense %s", operation, r.sense)
			}
			member := false
			for _, n := range in {
				member = member || n == name
			}
			if !member {
				assert.Equal(t, "800002", r.sense, "%02X in %s", code, name)
			}
		}
	}
}

func TestDocumentedBlockCommandsAreThere(t *testing.T) {
	codes := documentedCodes(t, "fba")
	for _, model := range []string{"3310", "3370", "9336-20"} {
		b := newModelBench(t, model)
		for c := range 256 {
			code := byte(c)
			if !reaches(code) {
				continue
			}
			b.d.Release()
			r := b.run(step{code: code, data: fill(0, 70)})
			if _, there := codes[code]; !there {
				assert.Equal(t, "800000", r.sense, "%02X on a %s", code, model)
			}
		}
		// The parameters of the others are right.
		for code, steps := range map[byte][]step{
			0x02: {{code: 0x02, count: 512}}, 0x03: {{code: 0x03}}, 0x04: {{code: 0x04, count: 24}}, 0x14: {{code: 0x14, count: 24}},
			0x41: {{code: 0x63, data: "C0000000 00000000 00000000 000000FF"}, {code: 0x43, data: "01000001 00000002"}, {code: 0x41, data: fill(7, 512)}},
			0x42: {{code: 0x63, data: "C0000000 00000000 00000000 000000FF"}, {code: 0x43, data: "06000001 00000002"}, {code: 0x42, count: 512}},
			0x43: {{code: 0x63, data: "C0000000 00000000 00000000 000000FF"}, {code: 0x43, data: "06000001 00000002"}},
			0x63: {{code: 0x63, data: "C0000000 00000000 00000000 000000FF"}}, 0x64: {{code: 0x64, count: 32}},
			0x94: {{code: 0x94, count: 24}}, 0xA4: {{code: 0xA4, count: 24}}, 0xB4: {{code: 0xB4, count: 24}}, 0xE4: {{code: 0xE4, count: 7}},
		} {
			require.Contains(t, codes, code)
			b.d.Release()
			b.ok(steps...)
			delete(codes, code)
		}
		assert.Empty(t, codes, "commands of the table that are not tried")
		codes = documentedCodes(t, "fba")
	}
}
