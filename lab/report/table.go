package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/iosrun/iosrun/trace/histogram"
)

const (
	// DefaultWidth is the width of a table in columns of a terminal.
	DefaultWidth = 100
	// maxHeading is the largest number of characters of a policy's name over its
	// column.
	maxHeading = 24
)

// TableOptions choose the form of a table. The zero value is the usual form.
type TableOptions struct {
	// Width is the largest width in columns of the terminal; 0 stands for
	// DefaultWidth. A wider table is split into several tables, each with the first
	// run, or, when two runs do not fit, into a table for each run.
	Width int
	// Modules lists the modules of each run below the table.
	Modules bool
}

// WriteTable shows the runs side by side, with a row for each figure and a column
// for each run. Every run but the first also shows its difference from the first: in
// per cent of the figure, and for reads and writes as the mean of the paired
// differences, with "~" when its interval includes 0 and "!" when failed requests
// are missing in the figures. Failed checks are explained below.
func WriteTable(w io.Writer, runs []Run, options TableOptions) error {
	if len(runs) == 0 {
		return fmt.Errorf("report table: no runs: want at least 1")
	}
	width := options.Width
	if width <= 0 {
		width = DefaultWidth
	}
	var b strings.Builder
	b.WriteString(partial(runs))
	b.WriteString(title(runs))
	if tooNarrow(runs, width) {
		b.WriteString(apart(runs))
	} else {
		b.WriteString(sideBySide(runs, width))
	}
	b.WriteString(records(runs))
	if n := notes(runs, options); n != "" {
		b.WriteString("\n" + n)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("report table: %w", err)
	}
	return nil
}

// sideBySide draws the runs in as few tables as the width allows, each with the
// first run.
func sideBySide(runs []Run, width int) string {
	var b strings.Builder
	rest := runs[1:]
	for {
		n := len(rest)
		shown := render(runs[:1], rest)
		for n > 1 && widest(shown) > width {
			n--
			shown = render(runs[:1], rest[:n])
		}
		b.WriteString(shown + "\n")
		if rest = rest[n:]; len(rest) == 0 {
			return b.String()
		}
		b.WriteString("\n")
	}
}

func widest(s string) int {
	most := 0
	for line := range strings.Lines(s) {
		most = max(most, text.StringWidthWithoutEscSequences(strings.TrimRight(line, "\n")))
	}
	return most
}

// partial returns the lines about interrupted runs.
func partial(runs []Run) string {
	var names []string
	for _, r := range runs {
		if r.Interrupted {
			names = append(names, r.Policy)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "INTERRUPTED: the figures of " + strings.Join(names, ", ") + " are of the part that was played; no check was made\n"
}

// title returns a line about the workload, if it is the same for all.
func title(runs []Run) string {
	for _, r := range runs[1:] {
		if r.Workload != runs[0].Workload {
			return ""
		}
	}
	l := runs[0].Workload
	parts := []string{count(l.Reads) + " reads", count(l.Writes) + " writes"}
	if l.Flushes > 0 {
		parts = append(parts, count(l.Flushes)+" flushes")
	}
	if l.Trims > 0 {
		parts = append(parts, count(l.Trims)+" trims")
	}
	s := fmt.Sprintf("%s: %s requests (%s); %s read, %s written\n", l.Name, count(l.Requests),
		strings.Join(parts, ", "), showBytes(float64(l.ReadBytes)), showBytes(float64(l.WriteBytes)))
	return s + traceLines(runs) + "\n"
}

func count(n int64) string { return thousands(float64(n)) }

// apart draws a table for each run; the difference from the first stands behind
// the figure.
func apart(runs []Run) string {
	var b strings.Builder
	for i := range runs {
		if i > 0 {
			b.WriteString("\n")
		}
		t := newTable()
		t.AppendHeader(table.Row{"", heading(runs[i].Policy)})
		t.SetColumnConfigs([]table.ColumnConfig{{Number: 1, Align: text.AlignLeft}, {Number: 2, Align: text.AlignRight, AlignHeader: text.AlignRight}})
		for _, g := range groups(runs) {
			for _, f := range g {
				cell := f.cell(&runs[i])
				if i > 0 {
					cell = strings.TrimSpace(cell + " " + f.difference(&runs[0], &runs[i]))
				}
				if cell == "" {
					continue
				}
				t.AppendRow(table.Row{f.label, cell})
			}
		}
		b.WriteString(trimLines(t.Render()) + "\n")
	}
	return b.String()
}

// tooNarrow reports whether two runs side by side do not fit the width.
func tooNarrow(runs []Run, width int) bool {
	for i := range runs[1:] {
		if widest(render(runs[:1], runs[1+i:2+i])) > width {
			return true
		}
	}
	return false
}

// render draws one table. others are compared with base.
func render(base, others []Run) string {
	runs := append(append([]Run(nil), base...), others...)
	t := newTable()
	header := table.Row{""}
	columns := []table.ColumnConfig{{Number: 1, Align: text.AlignLeft}}
	for i, r := range runs {
		header = append(header, heading(r.Policy))
		if i > 0 {
			header = append(header, "diff")
		}
	}
	for i := 2; i <= len(header); i++ {
		columns = append(columns, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(columns)
	for _, g := range groups(runs) {
		if len(g) == 0 {
			continue
		}
		if t.Length() > 0 {
			t.AppendSeparator()
		}
		for _, f := range g {
			row := table.Row{f.label}
			for i := range runs {
				row = append(row, f.cell(&runs[i]))
				if i > 0 {
					difference := "" // runs with another workload have no difference
					if !runs[0].Interrupted && !runs[i].Interrupted {
						difference = f.difference(&runs[0], &runs[i])
					}
					row = append(row, difference)
				}
			}
			t.AppendRow(row)
		}
	}
	return trimLines(t.Render())
}

func newTable() table.Writer {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true, SeparateRows: false}
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	return t
}

// trimLines drops the blanks before the ends of lines.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func heading(policy string) string {
	if utf8.RuneCountInString(policy) <= maxHeading {
		return policy
	}
	return string([]rune(policy)[:maxHeading-1]) + "…"
}

// notes explain the table below it.
func notes(runs []Run, options TableOptions) string {
	var b strings.Builder
	if len(runs) > 1 && !runs[0].Interrupted {
		fmt.Fprintf(&b, "diff: against %s", runs[0].Policy)
		for _, r := range runs[1:] {
			if r.Versus != nil {
				fmt.Fprintf(&b, "; paired: mean of latency differences I/O by I/O, ~ where its %.0f %% interval includes 0", Confidence*100)
				break
			}
		}
		b.WriteString("\n")
		b.WriteString(failureNotes(runs))
	}
	for i := range runs {
		if n := runs[i].ReadLatency.Outside + runs[i].WriteLatency.Outside; n != 0 {
			fmt.Fprintf(&b, "%s: %s latencies are longer than %v and count as that in the percentiles\n", runs[i].Policy, count(n), histogram.MaxLatency)
		}
	}
	for _, r := range runs {
		for _, s := range r.Swaps {
			fmt.Fprintf(&b, "%s: swapped to %s at %s, %s I/Os in flight\n", r.Policy, s.Policy, showSeconds(s.AtS), count(s.InFlight))
		}
	}
	for _, r := range runs {
		for _, s := range r.Synchronisations {
			b.WriteString(r.Policy + ": " + s.text() + "\n")
		}
	}
	for i := range runs {
		for j := range runs[i].DetourFaults {
			for _, line := range runs[i].DetourFaults[j].lines(runs[i].Policy) {
				b.WriteString(runs[i].Policy + ": " + line + "\n")
			}
		}
	}
	if options.Modules {
		for _, r := range runs {
			for _, m := range r.Modules {
				fmt.Fprintf(&b, "%s: %s %s %s\n", r.Policy, HookName(m.Slot), m.Name, digest(m.SHA256))
			}
		}
	}
	for _, r := range runs {
		for _, c := range r.Checks {
			switch {
			case c.Failed():
				fmt.Fprintf(&b, "%s: check %q FAILED: %s\n", r.Policy, c.Name, c.Detail)
			case c.Nothing:
				fmt.Fprintf(&b, "%s: check %q had nothing to check: %s\n", r.Policy, c.Name, c.Detail)
			}
		}
	}
	return b.String()
}

// failureNotes lists the comparisons that are affected by failed requests, with the
// number of pairs that were left out of paired differences.
func failureNotes(runs []Run) string {
	var parts []string
	for i := range runs {
		if f := &runs[i].Failed; f.Total() != 0 {
			parts = append(parts, fmt.Sprintf("%s reads and %s writes of %s", count(f.Reads), count(f.Writes), runs[i].Policy))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "!: not of the same requests: %s failed, which have no latency and count in no rate: less is not better there\n", strings.Join(parts, ", "))
	for i := range runs[1:] {
		r := &runs[i+1]
		if r.Versus == nil {
			continue
		}
		for _, c := range []class{reads, writes} {
			if l := c.versus(r.Versus).LeftOut; l != nil {
				fmt.Fprintf(&b, "%s: %s of %s %ss are in no paired difference: %s failed with %s, %s with %s\n", r.Policy,
					count(l.Pairs), count(l.Pairs+c.versus(r.Versus).Count), c.name, count(l.Baseline), r.Versus.Baseline, count(l.Run), r.Policy)
			}
		}
	}
	return b.String()
}

// lines describes the faults of the detour, in a run that began with the policy.
func (d *DetourFault) lines(policy string) (all []string) {
	who := HookName(d.Slot) + " " + d.Name
	if d.Policy != policy {
		who += " of " + d.Policy
	}
	for _, k := range d.Refused {
		all = append(all, fmt.Sprintf("%s: %s %s intents refused: %s", who, count(k.Count), k.Intent, k.Reason))
	}
	if d.Traps+d.Invalid != 0 {
		all = append(all, fmt.Sprintf("%s: %s calls ended abnormally, %s responses did not pass the check; the first: %s", who, count(d.Traps), count(d.Invalid), d.FirstError))
	}
	if d.Overruled != 0 {
		all = append(all, fmt.Sprintf("%s: %s times the host went on with an I/O that it would have kept", who, count(d.Overruled)))
	}
	if p := d.PassedOver; p != nil {
		all = append(all, fmt.Sprintf("%s: PASSED OVER from %s on, after %s", who, showSeconds(p.AtS), p.Reason()))
	}
	return all
}

// Reason returns the reason why the host stopped calling the detour.
func (p *PassedOver) Reason() string {
	if p.Kept != 0 {
		return count(p.Failures) + " calls without an answer and " + count(p.Kept) + " requests kept for all of their time"
	}
	return count(p.Failures) + " calls without an answer"
}

// text describes the synchronisation in a line.
func (s *Synchronisation) text() string {
	t := fmt.Sprintf("%s synchronised from %s", s.Mirror, showSeconds(s.BegunS))
	switch {
	case s.Error != "":
		return t + " FAILED: " + s.Error
	case s.EndedS == 0:
		return t + ", not ended"
	}
	return t + fmt.Sprintf(" to %s: %s tracks in %d rounds, writes held for %s", showSeconds(s.EndedS), count(s.Tracks), s.Rounds, showSeconds(s.HeldS))
}

func digest(sha256 string) string {
	const shown = 12
	if sha256 == "" {
		return "(native)"
	}
	return "sha256 " + sha256[:min(len(sha256), shown)]
}
