package host

import (
	"context"
	"errors"
	"strings"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host/wasm"
)

// Examine makes every check of a module that is possible without running it: Verify
// with the granted capabilities, and the compiler. It is the way in which modules
// are loaded, stopped before there is an instance: Instantiate and Rehearse refuse
// an accepted module only for faults that show when it runs. The code is nil when
// the report has an error. The error says that the module could not be examined.
func (r *Runtime) Examine(ctx context.Context, m *Module, granted abi.Capability) (*Compiled, *Report, error) {
	report := Verify(m, granted)
	if report.Err() != nil {
		return nil, report, nil
	}
	c, err := r.Load(ctx, m)
	if errors.Is(err, ErrRefused) {
		report.Refuse(err)
		return nil, report, nil
	}
	return c, report, err
}

// Refuse adds a reason for refusal that was found outside of Verify.
func (r *Report) Refuse(err error) {
	if at := (*wasm.Error)(nil); errors.As(err, &at) {
		r.add(Error, at.Offset, "%s", at.Text)
		return
	}
	r.add(Error, 0, "%s", strings.TrimPrefix(err.Error(), r.Name+": "+ErrRefused.Error()+": "))
}

// outside reports the segments that do not fit the memory or the table at its
// initial size: an instance of such a module cannot be made.
func (m *Module) outside() []Finding {
	var r Report
	for _, s := range wasm.Segments(m.code, m.Wasm) {
		all, what, unit := m.Wasm.Memories, "memory", uint64(wasm.PageSize)
		if s.Kind == wasm.KindTable {
			all, what, unit = m.Wasm.Tables, "table", 1
		}
		if !s.Known || int(s.Index) >= len(all) {
			continue // the compiler reports the invalid index
		}
		if size := uint64(all[s.Index].Min) * unit; uint64(s.Start)+uint64(s.Length) > size {
			r.add(Error, s.Offset, "%s goes to %#x, beyond the %s, which begins with %d", s, s.Start, what, size)
		}
	}
	return r.Findings
}
