package media

import (
	"fmt"

	"golang.org/x/text/encoding/charmap"
)

// Label holds the values for the label of a new volume.
type Label struct {
	// Serial is the volume's serial number, one to six of A-Z, 0-9, $, # and @.
	Serial string
	// Owner has up to 14 characters.
	Owner string
}

// Lengths and places in a label.
const (
	serialLength = 6
	ownerLength  = 14
	labelLength  = 80
	labelKey     = 4
	contentsAt   = 11 // CCHHR of the table of contents
	ownerAt      = 37
	labelBlock   = 1 // of an FBA volume
)

func (l Label) check() error {
	if n := len(l.Serial); n < 1 || n > serialLength {
		return fmt.Errorf("volume serial %q: %d characters, want 1 to %d", l.Serial, n, serialLength)
	}
	for _, c := range l.Serial {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '$' && c != '#' && c != '@' {
			return fmt.Errorf("volume serial %q: character %q: want A-Z, 0-9, $, #, @", l.Serial, c)
		}
	}
	if len(l.Owner) > ownerLength {
		return fmt.Errorf("volume owner %q: %d characters, want at most %d", l.Owner, len(l.Owner), ownerLength)
	}
	return nil
}

// text stores s into p in EBCDIC, code page 37, which has the national characters
// of a serial number.
func text(p []byte, s string) error {
	q, err := charmap.CodePage037.NewEncoder().Bytes([]byte(s))
	if err != nil {
		return fmt.Errorf("%q has no EBCDIC form: %w", s, err)
	}
	copy(p, q)
	return nil
}

// vol1 makes the label of a CKD volume.
func (l Label) vol1() ([]byte, error) {
	p := make([]byte, labelLength)
	for i := range p {
		p[i] = 0x40
	}
	copy(p[contentsAt:], []byte{0, 0, 0, 1, 1}) // the table of contents: cylinder 0 head 1 record 1
	err := text(p, fmt.Sprintf("VOL1%-6s", l.Serial))
	if err == nil {
		err = text(p[ownerAt:], l.Owner)
	}
	return p, err
}

// The IPL (initial program load) records of a volume that nothing can be loaded
// from: a PSW (program status word) that waits, disabled, with code 00F, and a
// no-operation CCW; then a record for the rest of a loader.
var (
	ipl1 = [24]byte{1: 0x06, 7: 0x0F, 8: 0x03, 15: 0x01}
	ipl2 [144]byte
)

// InitCKD writes IPL records and the volume label to track 0 of a CKD medium:
// records 1 to 3 behind a standard record zero, as Hercules' dasdinit does.
func InitCKD(m CKD, l Label) error {
	if err := l.check(); err != nil {
		return err
	}
	label, err := l.vol1()
	if err != nil {
		return err
	}
	t, err := m.Update(0)
	if err != nil {
		return err
	}
	g := m.Geometry()
	r, err := t.ReplaceZero(g, Count{DataLength: zeroData})
	if err != nil {
		return err
	}
	clear(t.Data(r))
	for i, record := range []struct {
		key  string
		data []byte
	}{{"IPL1", ipl1[:]}, {"IPL2", ipl2[:]}, {"VOL1", label}} {
		r, err = t.Append(g, r, Count{Number: uint8(i + 1), KeyLength: labelKey, DataLength: uint16(len(record.data))})
		if err != nil {
			return err
		}
		if err := text(t.Key(r), record.key); err != nil {
			return err
		}
		copy(t.Data(r), record.data)
	}
	return nil
}

// InitFBA writes the volume label to block 1 of an FBA medium.
func InitFBA(m FBA, l Label) error {
	if err := l.check(); err != nil {
		return err
	}
	var p [BlockSize]byte
	if err := text(p[:], fmt.Sprintf("VOL1%-6s", l.Serial)); err != nil {
		return err
	}
	return m.WriteBlocks(labelBlock, p[:])
}
