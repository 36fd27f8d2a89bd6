package host

import (
	"errors"
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/abi"
	"github.com/tetratelabs/wazero/sys"
)

// TrapError says that a call into a detour ended abnormally. The instance must
// be renewed before it is called again.
type TrapError struct {
	Detour   string // name of the instance
	Function string // name of the export that was called
	Cause    error  // error that ended it
	// Said is the first line that the detour wrote to its standard error in this
	// call: a Go panic's message, for instance.
	Said string
	// Stack is the WebAssembly stack, innermost first, a line a function.
	Stack string
}

func (e *TrapError) Error() string {
	said := ""
	if e.Said != "" {
		said = fmt.Sprintf(", after writing %q", e.Said)
	}
	return fmt.Sprintf("%s: %s trapped: %s%s", e.Detour, e.Function, abi.Visible(e.Cause.Error()), said)
}

// Unwrap returns the cause.
func (e *TrapError) Unwrap() error { return e.Cause }

const (
	wasmStackMark = "\nwasm stack trace:\n\t"
	goStackMark   = "\n\nGo runtime stack trace:"
)

// trap turns wazero's error into a TrapError. The text of wazero's error has the
// stack behind the cause, and for a fault of the host itself also a Go stack, which
// is left out.
func (i *Instance) trap(function string, err error) *TrapError {
	t := &TrapError{Detour: i.name, Function: function, Cause: err}
	text, _, _ := strings.Cut(err.Error(), goStackMark)
	if _, stack, ok := strings.Cut(text, wasmStackMark); ok {
		lines := strings.Split(stack, "\n\t")
		if last := len(lines) - 1; i.fuel.fuel != nil && !strings.HasPrefix(lines[last], "...") {
			lines = lines[:last] // the outermost function is the wrapper that metering adds
		}
		for n := range lines {
			lines[n] = abi.Visible(lines[n])
		}
		t.Stack = strings.Join(lines, "\n")
	}
	var exit *sys.ExitError
	if limit := i.fuel.crossed(i.compiled.runtime.fuel); limit != nil {
		t.Cause = limit
	} else if errors.As(err, &exit) {
		t.Cause = fmt.Errorf("ended the program with exit code %d", exit.ExitCode())
	} else {
		for strings.Contains(t.Cause.Error(), "\n") && errors.Unwrap(t.Cause) != nil {
			t.Cause = errors.Unwrap(t.Cause)
		}
	}
	for n := range i.console {
		i.console[n].flush()
	}
	t.Said = string(i.console[1].said)
	i.log.Debug("trapped", "function", function, "cause", abi.Visible(t.Cause.Error()), "stack", t.Stack)
	return t
}
