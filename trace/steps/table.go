package steps

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/emulator/machine"
)

//go:embed steps.tsv
var text string

// Row is a step of the method.
type Row struct {
	Step   machine.Step `json:"-"`
	Name   string       `json:"step"` // name in the table: "114", "M1"
	Figure string       `json:"figure"`
	Actor  string       `json:"actor"`
	What   string       `json:"what"`
}

// Table returns the steps in the order of the method.
func Table() ([]Row, error) {
	var rows []Row
	for i, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if i == 0 {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("steps.tsv: line %d: %d columns: want 4", i+1, len(f))
		}
		n, err := Parse(f[0])
		if err != nil {
			return nil, fmt.Errorf("steps.tsv: line %d: %w", i+1, err)
		}
		rows = append(rows, Row{n, f[0], f[1], f[2], f[3]})
	}
	return rows, nil
}

// Parse reads the name of a step: a number, or M1 to M7.
func Parse(name string) (machine.Step, error) {
	digits, base := name, machine.Step(0)
	if rest, ok := strings.CutPrefix(name, "M"); ok {
		digits, base = rest, step.M
	}
	n, err := strconv.ParseUint(digits, 10, 10)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("step %q: want a number, or M1 to M7", name)
	}
	return base + machine.Step(n), nil
}

// Name returns the name of a step.
func Name(s machine.Step) string {
	if s > step.M {
		return fmt.Sprintf("M%d", s-step.M)
	}
	return strconv.Itoa(int(s))
}
