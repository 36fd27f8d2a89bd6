package meter

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocument holds the tables of docs/fuel.md against the code.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/fuel.md")
	require.NoError(t, err)
	table := func(name string) string {
		_, rest, ok := strings.Cut(string(text), "<!-- table "+name+" -->\n")
		require.True(t, ok, name)
		rest, _, ok = strings.Cut(rest, "<!-- end -->")
		require.True(t, ok, name)
		return rest
	}

	by := make(map[uint8][]string)
	count := 0
	for _, rows := range [][]instruction{plain[:], misc[:], vector[:]} {
		for _, i := range rows {
			if i.name == "" {
				continue
			}
			count++
			if i.units != one {
				by[i.units] = append(by[i.units], "`"+i.name+"`")
			}
		}
	}
	assert.Equal(t, 183+18+236, count, "instructions of version 2.0 of the specification, select in two forms")
	want := "| instructions | units |\n|---|---:|\n"
	for _, units := range []uint8{free, leaving} {
		names := by[units]
		if units != free { // the blocks are in the order of their opcodes
			sort.Strings(names)
		}
		want += fmt.Sprintf("| %s | %d |\n", strings.Join(names, ", "), units)
		delete(by, units)
	}
	assert.Empty(t, by, "instructions of other costs")
	assert.Equal(t, want+fmt.Sprintf("| every other instruction | %d |\n", one), table("units"))

	for _, words := range []string{
		fmt.Sprintf("`memory.init` | 1 unit for %d bytes, before", BytesPerUnit),
		fmt.Sprintf("`table.init` | %d units for an element, before", UnitsPerElement),
		fmt.Sprintf("`table.grow` | %d units for an element that", UnitsPerElement),
		fmt.Sprintf("%d units for a page of 64 KiB", UnitsPerPage),
		fmt.Sprintf("function of the host | %d units |", HostCall),
		fmt.Sprintf("`random_get` | 1 unit for %d bytes |", BytesPerUnit),
	} {
		assert.Contains(t, table("lengths"), words)
	}
	for _, n := range []int{MaxFunction, MaxNesting, MaxLabels, MaxLocals, MaxLocalsInAll} {
		assert.Contains(t, table("limits"), fmt.Sprintf("| %d |", n))
	}
	for _, words := range []string{
		fmt.Sprintf("frames of %d bytes together", MaxStack),
		fmt.Sprintf("and %d bytes.", frameBase),
		fmt.Sprintf("after %d units without", MaxUntested),
	} {
		assert.Contains(t, string(text), words)
	}
}
