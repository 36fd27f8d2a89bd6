package channelcase

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// documentedRows are the rows of a table of the documentation, cell by cell.
func documentedRows(t *testing.T, table string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(readDocumentation(t), "<!-- table: "+table+" -->")
	require.True(t, found, "table %s", table)
	rest, _, found = strings.Cut(rest, "<!-- end -->")
	require.True(t, found, "table %s", table)
	var rows [][]string
	for i, line := range strings.Split(strings.TrimSpace(rest), "\n") {
		if i < 2 { // the head
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		rows = append(rows, cells)
	}
	require.NotEmpty(t, rows)
	return rows
}

// The table of the ORB has every bit of the second word once, and what is
// refused is what START SUBCHANNEL refuses.
func TestDocumentedORB(t *testing.T) {
	var all uint32
	for _, row := range documentedRows(t, "orb") {
		n, err := strconv.ParseUint(row[1], 16, 32)
		require.NoError(t, err, "%v", row)
		bits := uint32(n)
		assert.Zero(t, all&bits, "%s: bits that another row has", row[0])
		all |= bits
		for bit := uint32(1); bit != 0; bit <<= 1 {
			if bits&bit == 0 {
				continue
			}
			orb := channel.ORB{Control: bit}
			assert.Equal(t, strings.HasPrefix(row[2], "refused"), orb.Check() != nil, "%s: bit %08X", row[0], bit)
		}
	}
	assert.Equal(t, ^uint32(0), all)
}

// The table of flags has every flag, with the name's value, and each works
// where the ORB asks for it.
func TestDocumentedFlags(t *testing.T) {
	flags := map[string]channel.Flags{
		"CD, data chaining": arch.FlagCD, "CC, command chaining": arch.FlagCC, "SLI": arch.FlagSLI, "skip": arch.FlagSkip,
		"PCI": arch.FlagPCI, "IDA": arch.FlagIDA, "suspend": arch.FlagS, "MIDA": arch.FlagMIDA,
	}
	rows := documentedRows(t, "flags")
	require.Len(t, rows, len(flags))
	for _, row := range rows {
		value, name, _ := strings.Cut(row[0], " ")
		flag, known := flags[name]
		require.True(t, known, row[0])
		assert.Equal(t, fmt.Sprintf("%02X", uint8(flag)), value, name)
		o := one(t, func(c map[string]any) {
			control := uint32(channel.ORBDefaultControl)
			switch flag {
			case arch.FlagS:
				control |= channel.ORBSuspend
			case arch.FlagMIDA:
				control |= channel.ORBModifiedIDAW
			}
			c["orb1"] = fmt.Sprintf("%08X", control)
			// Read the volume's first record, then no-operation or the rest of a
			// data chain, which both is.
			c["mem"] = map[string]any{
				"10000": fmt.Sprintf("02%02X001800020000", uint8(flag)) + "0320000100021000",
				"20000": "0000000000800018",
				"20008": "0000000000022000",
			}
			if flag == arch.FlagIDA {
				c["mem"].(map[string]any)["20000"] = "00022000"
			}
			c["ops"] = []string{"ssch", "wait"}
		})
		require.Len(t, o.IRB, 1)
		assert.NotContains(t, o.IRB[0].ChannelStatus, "CHK", name)
		assert.True(t, strings.HasPrefix(row[1], "works"), name)
	}
}

// The codes that the table gives an instruction are those that it sets over the
// states of a subchannel.
func TestDocumentedInstructions(t *testing.T) {
	operations := map[string]string{
		"START SUBCHANNEL": "ssch", "TEST SUBCHANNEL": "tsch", "HALT SUBCHANNEL": "hsch", "CLEAR SUBCHANNEL": "csch",
		"RESUME SUBCHANNEL": "rsch", "CANCEL SUBCHANNEL": "xsch", "STORE SUBCHANNEL": "stsch", "MODIFY SUBCHANNEL": "msch",
		"TEST PENDING INTERRUPTION": "tpi",
	}
	// States of a suspended function, and of others.
	states := []string{"", "ssch spin:100000", "ssch", "hsch", "disable", "subch:7", "ssch spin:100000 tsch"}
	rows := documentedRows(t, "instructions")
	require.Len(t, rows, len(operations))
	for _, row := range rows {
		op, known := operations[row[0]]
		require.True(t, known, row[0])
		var want []string
		for _, m := range regexp.MustCompile(`(?:^|; )([0-3])\b`).FindAllStringSubmatch(row[1], -1) {
			want = append(want, m[1])
		}
		var got []string
		for _, suspend := range []bool{false, true} {
			for _, state := range states {
				o := one(t, func(c map[string]any) {
					c["ops"] = append(strings.Fields(state), op)
					c["mem"] = map[string]any{"10000": "0320000100020000"}
					if suspend {
						c["orb1"] = "0880FF00"
						c["mem"] = map[string]any{"10000": "0322000100020000"}
					}
				})
				_, code, _ := strings.Cut(o.CC[len(o.CC)-1], "=")
				got = append(got, code)
			}
		}
		slices.Sort(got)
		assert.Equal(t, want, slices.Compact(got), row[0])
	}
}
