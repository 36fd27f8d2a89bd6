package volume

import (
	"errors"
	"io"

	"github.com/iosrun/iosrun/emulator/image"
)

// CreateShadow makes the empty shadow file path on the image at under and the
// shadow files that lie on it, and describes the volume with it.
func CreateShadow(path, under string, shadows []string, o image.CreateOptions) (*Info, error) {
	if err := image.CreateShadow(path, under, shadows, o); err != nil {
		return nil, err
	}
	return Inspect(under, image.Options{Shadows: append(shadows[:len(shadows):len(shadows)], path)})
}

// Merged is the outcome of a merge of shadow files, the topmost first.
type Merged struct {
	Steps []image.Merged `json:"steps"`
}

// MergeShadows merges the topmost of the shadow files on the image at under into
// the file that it lies on, or with all, each of them in turn, so that the image
// alone is left. After an error the outcome has the merges before it.
func MergeShadows(under string, shadows []string, all bool, o image.MergeOptions) (*Merged, error) {
	if all && o.Keep {
		return nil, errors.New("shadow files cannot be kept when all are merged: the lower ones have changed")
	}
	m := &Merged{}
	for n := len(shadows); ; n-- {
		step, err := image.MergeShadow(under, shadows[:n], o)
		if step != nil {
			m.Steps = append(m.Steps, *step)
		}
		if err != nil || !all || n == 1 {
			return m, err
		}
	}
}

// WriteText writes the outcome for people, a line for each shadow file.
func (m *Merged) WriteText(w io.Writer) error {
	p := &printer{w: w}
	for _, s := range m.Steps {
		p.line("%s: merged into %s, %d of %d tracks or block groups", s.Shadow, s.Into, s.Changed, s.Units)
	}
	return p.err
}
