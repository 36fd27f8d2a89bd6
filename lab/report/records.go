package report

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// records returns a section for each detour that has recorded something.
func records(runs []Run) string {
	var b strings.Builder
	for i := range runs {
		for j := range runs[i].Modules {
			m := &runs[i].Modules[j]
			if len(m.Records) == 0 {
				continue
			}
			of := ""
			if len(runs) > 1 {
				of = fmt.Sprintf(" (%s)", heading(runs[i].Policy))
			}
			fmt.Fprintf(&b, "\nRecords of %s%s\n\n%s\n", m.Name, of, m.table())
		}
	}
	return b.String()
}

// table returns a table with a row for each record of the module.
func (m *Module) table() string {
	t := newTable()
	t.AppendHeader(table.Row{"", "count", "sum", "largest"})
	columns := []table.ColumnConfig{{Number: 1, Align: text.AlignLeft}}
	for n := 2; n <= 4; n++ {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	for _, r := range m.Records {
		t.AppendRow(table.Row{r.Name, thousands(float64(r.Count)), r.show(r.Sum), r.show(r.Max)})
	}
	return trimLines(t.Render())
}

// show returns the text of a value in the record's unit.
func (r *Record) show(v uint64) string {
	switch {
	case v == 0:
		return "0"
	case r.Unit == "bytes":
		return showBytes(float64(v))
	case r.Unit == "µs":
		return showUS(float64(v))
	}
	return thousands(float64(v)) + " " + r.Unit
}
