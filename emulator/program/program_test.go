package program_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/program"
)

// dump writes a channel program as its CCWs (command, flags, count, address),
// each with its parameters where they lie in the control storage.
func dump(c program.Control) string {
	var s strings.Builder
	for at := program.Start; ; at += arch.CCWSize {
		w := channel.ParseCCW1(c.View[at:])
		fmt.Fprintf(&s, "%02X %02X %d %X", w.Command, uint8(w.Flags), w.Count, w.Address)
		if o := int(w.Address) - int(c.At); o >= 0 && o+int(w.Count) <= len(c.View) {
			fmt.Fprintf(&s, " (%s)", hex.EncodeToString(c.View[o:o+int(w.Count)]))
		}
		if w.Flags&(arch.FlagCC|arch.FlagCD) == 0 && w.Command != arch.CommandTransfer {
			return s.String()
		}
		s.WriteString("\n")
	}
}

// dirty is control storage that holds something already.
func dirty(size int) program.Control {
	v := make([]byte, size)
	for i := range v {
		v[i] = 0xEE
	}
	return program.Control{View: v, At: 0x8000}
}

func TestPrograms(t *testing.T) {
	e := program.ECKD{Heads: 15, RecordsATrack: 12}
	const data = 0x100000
	image := make([]byte, 200)
	count := func(at int, record, key byte, length uint16) {
		copy(image[at:], []byte{0, 1, 0, 2, record, key})
		binary.BigEndian.PutUint16(image[at+6:], length)
	}
	count(0, 0, 0, 8)
	count(16, 1, 4, 20)
	count(48, 2, 0, 0)
	binary.BigEndian.PutUint64(image[56:], ^uint64(0))

	for _, c := range []struct {
		name  string
		build func(program.Control) error
		want  string
	}{
		{"read of two blocks", func(c program.Control) error { e.Blocks(c, data, false, 17, 3, 2); return nil }, `
63 40 16 8000 (40c01000000000000001000200010002)
47 40 16 8010 (0680000200010002000100020` + `4ff1000)
86 40 4096 100000
86 00 4096 101000`},
		{"write over the end of a track and a cylinder", func(c program.Control) error { e.Blocks(c, data, true, 29, 11, 2); return nil }, `
63 40 16 8000 (80c0100000000000` + `0001000e00020000)
47 40 16 8010 (018000020001000e0001000e0cff1000)
85 40 4096 100000
85 00 4096 101000`},
		{"one block of a cylinder above 65535", func(c program.Control) error { e.Blocks(c, data, false, 15*0x1234_5+7, 0, 1); return nil }, `
63 40 16 8000 (40c01000000000002345001723450017)
47 40 16 8010 (06800001234500172345001701ff1000)
86 00 4096 100000`},
		{"read track", func(c program.Control) error { e.ReadTrack(c, data, 4); return nil }, `
63 40 16 8000 (40c00000000000000000000400000004)
47 40 16 8010 (4c000001000000040000000400ff0000)
DE 20 61440 100000`},
		{"write track", func(c program.Control) error { return e.WriteTrack(c, image, data, 17) }, `
63 40 16 8000 (c0c00000000000000001000200010002)
47 40 16 8010 (43000003000100020001000200ff0000)
15 40 16 100000
1D 40 32 100010
1D 00 8 100030`},
		{"read the label", func(c program.Control) error { e.Label(c, data, false); return nil }, `
63 40 16 8000 (40c00000000000000000000000000000)
47 40 16 8010 (0680000100000000000000000` + `3ff0050)
86 00 80 100000`},
		{"write the label", func(c program.Control) error { e.Label(c, data, true); return nil }, `
63 40 16 8000 (80c00000000000000000000000000000)
47 40 16 8010 (01800001000000000000000003ff0050)
85 00 80 100000`},
		{"read of fixed blocks", func(c program.Control) error { program.FBABlocks(c, data, false, 1000, 8); return nil }, `
63 40 16 8000 (40000000000003e80000000000000007)
43 40 8 8010 (0600000800000000)
42 00 4096 100000`},
		{"write of many fixed blocks", func(c program.Control) error { program.FBABlocks(c, data, true, 7, 130); return nil }, `
63 40 16 8000 (c0000000000000070000000000000081)
43 40 8 8010 (0100008200000000)
41 80 32768 100000
41 80 32768 108000
41 00 1024 110000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := dirty(program.TrackControlSize)
			require.NoError(t, c.build(control))
			assert.Equal(t, strings.TrimSpace(c.want), dump(control))
		})
	}
}

// TestTheLongestProgramsFit their control storage.
func TestTheLongestProgramsFit(t *testing.T) {
	e := program.ECKD{Heads: 15, RecordsATrack: 12}
	c := dirty(program.ControlSize)
	e.Blocks(c, 0, true, 0, 11, program.MaxBlocks)
	assert.Len(t, strings.Split(dump(c), "\n"), 2+program.MaxBlocks)
	program.FBABlocks(c, 0, true, 0, program.MaxBlocks*8)
	assert.Len(t, strings.Split(dump(c), "\n"), 2+8)
}

func TestWriteTrackErrors(t *testing.T) {
	e := program.ECKD{Heads: 15, RecordsATrack: 12}
	record := func(n int) []byte {
		p := make([]byte, 8)
		p[4] = byte(n)
		return p
	}
	end := []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	var most, more []byte
	for n := range program.MaxTrackRecords {
		most = append(most, record(n)...)
	}
	more = append(append(most, record(0)...), end...)
	for _, c := range []struct {
		name  string
		image []byte
		want  string
	}{
		{"empty", end, "track 3: has no record zero"},
		{"nothing", nil, "track 3: record 0 at byte 0 runs over the 0 bytes read"},
		{"no end", record(0), "track 3: record 1 at byte 8 runs over the 8 bytes read"},
		{"too many", more, fmt.Sprintf("track 3: more than %d records", program.MaxTrackRecords)},
	} {
		assert.EqualError(t, e.WriteTrack(dirty(program.TrackControlSize), c.image, 0, 3), c.want, c.name)
	}
	require.NoError(t, e.WriteTrack(dirty(program.TrackControlSize), append(most, end...), 0, 3))
}

// FuzzWriteTrack: whatever a read-track command has left, the program stays in
// its storage and its CCWs in the image.
func FuzzWriteTrack(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, image []byte) {
		e := program.ECKD{Heads: 15, RecordsATrack: 12}
		c := dirty(program.TrackControlSize)
		if e.WriteTrack(c, image, 0x100000, 0) != nil {
			return
		}
		for at := program.Start + 2*arch.CCWSize; ; at += arch.CCWSize {
			w := channel.ParseCCW1(c.View[at:])
			require.LessOrEqual(t, int(w.Address)-0x100000+int(w.Count), len(image))
			if w.Flags&arch.FlagCC == 0 {
				return
			}
		}
	})
}
