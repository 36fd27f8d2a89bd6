package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// SchemaVersion is the version of the JSON form. It grows when a field changes its
// meaning or is removed, not when one is added.
const SchemaVersion = 2

// MaxJSON is the size of the largest report that ReadJSON reads, in bytes.
const MaxJSON = 64 << 20

// Report is the JSON form: runs over the same workload, the first of which is
// the baseline.
type Report struct {
	SchemaVersion int   `json:"schema_version"`
	Runs          []Run `json:"runs"`
	// Interrupted says that a signal has ended the comparison; NotBegun names the
	// policies without a run for that reason.
	Interrupted bool     `json:"interrupted,omitempty"`
	NotBegun    []string `json:"not_begun,omitempty"`
}

// WriteJSON writes the runs as a Report, indented, with a line end. notBegun are the
// policies that were not run because of a signal.
func WriteJSON(w io.Writer, runs []Run, notBegun ...string) error {
	if runs == nil {
		runs = []Run{}
	}
	interrupted := len(notBegun) != 0 || slices.ContainsFunc(runs, func(r Run) bool { return r.Interrupted })
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(Report{SchemaVersion, runs, interrupted, notBegun}); err != nil {
		return fmt.Errorf("report as json: %w", err)
	}
	return nil
}

// ReadJSON reads a Report. Unknown fields are ignored, because later programs may
// add some.
func ReadJSON(r io.Reader) (Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxJSON+1))
	if err != nil {
		return Report{}, fmt.Errorf("report: reading: %w", err)
	}
	if len(data) > MaxJSON {
		return Report{}, fmt.Errorf("report: is longer than the limit of %d bytes", MaxJSON)
	}
	var report Report
	if err := json.Unmarshal(data, &report); err != nil {
		return Report{}, fmt.Errorf("report: is not the json of a report: %w", err)
	}
	if report.SchemaVersion != SchemaVersion {
		return Report{}, fmt.Errorf("report: schema version %d: want %d", report.SchemaVersion, SchemaVersion)
	}
	return report, nil
}
