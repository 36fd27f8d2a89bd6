package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	tabletext "github.com/jedib0t/go-pretty/v6/text"
)

func TestListsFitTheTerminal(t *testing.T) {
	for _, columns := range []string{"40", "72", "100"} {
		for _, args := range [][]string{{"policy", "list"}, {"plugin", "list"}, {"steps", "--limit", "10"}, {"trace"}, {"trace", "write"}} {
			t.Run(columns+" "+strings.Join(args, " "), func(t *testing.T) {
				o := iosrun(t, []string{"COLUMNS=" + columns}, args...)
				require.Zero(t, o.code, o.err)
				width := map[string]int{"40": 40, "72": 72, "100": 100}[columns]
				for line := range strings.Lines(o.out) {
					if strings.HasPrefix(line, "write: ") || strings.HasPrefix(line, "Modules are looked for") {
						continue // titles are prose: the terminal breaks them
					}
					assert.LessOrEqual(t, tabletext.StringWidth(strings.TrimSuffix(line, "\n")), width, "%q", line)
				}
			})
		}
	}
}

func TestReportFitsTheTerminal(t *testing.T) {
	o := iosrun(t, []string{"COLUMNS=44"}, "compare", "sync", "constant-copy", "--limit", "100", "--quiet")
	require.Zero(t, o.code, o.err)
	_, tables, _ := strings.Cut(o.out, "\n\n")
	tables, _, _ = strings.Cut(tables, "\ndiff:")
	assert.Contains(t, tables, "constant-copy")
	for line := range strings.Lines(tables) {
		assert.LessOrEqual(t, tabletext.StringWidth(strings.TrimSuffix(line, "\n")), 44, "%q", line)
	}
}
