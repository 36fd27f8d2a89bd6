package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	tabletext "github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const (
	// listWidth is the number of columns of a list that goes to a file or a pipe.
	listWidth = 120
	// minText is the smallest width of a list's text, in columns. When a terminal has
	// no room for that, each cell of a row is printed on a line of its own.
	minText = 24
)

// listing is a table whose last column is text, which is wrapped to the width of
// the terminal.
type listing struct {
	out    io.Writer
	width  int
	header []string
	rows   [][]string
}

func newListing(c *cobra.Command, header ...string) *listing {
	l := &listing{out: c.OutOrStdout(), header: header, width: terminalWidth(c.OutOrStdout())}
	if l.width == 0 {
		l.width = listWidth
	}
	return l
}

func (l *listing) add(cells ...any) {
	row := make([]string, len(cells))
	for i, v := range cells {
		row[i] = fmt.Sprint(v)
	}
	l.rows = append(l.rows, row)
}

// render prints the listing.
func (l *listing) render() error {
	last := len(l.header) - 1
	room := l.width
	for i := range last {
		w := len(l.header[i])
		for _, r := range l.rows {
			w = max(w, tabletext.StringWidth(r[i]))
		}
		room -= w + 2 // a blank on either side
	}
	room -= 2
	if room < minText {
		_, err := io.WriteString(l.out, l.stacked())
		return err
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	head := table.Row{}
	for _, h := range l.header {
		head = append(head, h)
	}
	t.AppendHeader(head)
	t.SetColumnConfigs([]table.ColumnConfig{{Number: last + 1, WidthMax: room, WidthMaxEnforcer: tabletext.WrapSoft}})
	for _, r := range l.rows {
		row := table.Row{}
		for _, v := range r {
			row = append(row, v)
		}
		t.AppendRow(row)
	}
	var b strings.Builder
	for line := range strings.Lines(t.Render()) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	_, err := io.WriteString(l.out, b.String())
	return err
}

// stacked returns the list with a line for each cell, and the text below them.
func (l *listing) stacked() string {
	var b strings.Builder
	last := len(l.header) - 1
	for _, r := range l.rows {
		for i, v := range r[:last] {
			if v != "" {
				fmt.Fprintf(&b, "%s: %s\n", l.header[i], v)
			}
		}
		if r[last] != "" {
			b.WriteString("  " + strings.ReplaceAll(tabletext.WrapSoft(r[last], max(l.width-2, 1)), "\n", "\n  ") + "\n")
		}
	}
	return b.String()
}

// terminalWidth returns the number of columns of the terminal behind w, or the value
// of the variable COLUMNS; 0 when there is neither.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return 0
}
