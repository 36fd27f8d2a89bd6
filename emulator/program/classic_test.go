package program_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/program"
)

// counted is a data area as Counts leaves it: record zero with its count only, and
// the counts of other records, of which each is key length and data length.
func counted(zero int, lengths ...[2]int) []byte {
	area := bytes.Repeat([]byte{0xFF}, program.CountsSize)
	put := func(at, number, key, data int) {
		copy(area[at:], []byte{0, 1, 0, 2, byte(number), byte(key), byte(data >> 8), byte(data)})
	}
	put(0, 0, 0, zero)
	for i, l := range lengths {
		put(program.CountsAt+i*8, i+1, l[0], l[1])
	}
	return area
}

func TestClassicPrograms(t *testing.T) {
	k := program.CKD{Heads: 30}
	const data = 0x100000
	area := counted(8, [2]int{4, 20}, [2]int{0, 0}, [2]int{5, 0}, [2]int{0, 100})
	image := make([]byte, 200)
	copy(image, []byte{0, 1, 0, 2, 0, 0, 0, 8})
	copy(image[16:], []byte{0x80, 1, 0, 2, 1, 4, 0, 20})
	copy(image[48:], []byte{0, 1, 0, 2, 2, 0, 0, 0})
	binary.BigEndian.PutUint64(image[56:], ^uint64(0))

	for _, c := range []struct {
		name  string
		build func(program.Control) error
		want  string
	}{
		{"read records", func(c program.Control) error { return k.Records(c, area, data, 32, 1) }, `
07 40 6 8000 (000000010002)
1F 40 1 8008 (58)
39 40 4 8002 (00010002)
08 00 0 8030 ()
9E 40 32 100010
9E 40 8 100030
9E 40 13 100038
9E 00 108 100045`},
		{"read the rest", func(c program.Control) error { return k.Records(c, area, data, 32, 4) }, `
07 40 6 8000 (000000010002)
1F 40 1 8008 (58)
39 40 4 8002 (00010002)
08 00 0 8030 ()
92 40 8 100010
92 40 8 100030
92 40 8 100038
9E 00 108 100045`},
		{"write track", func(c program.Control) error { return k.WriteTrack(c, image, data, 32) }, `
07 40 6 8000 (000000010002)
1F 40 1 8008 (d8)
39 40 4 8002 (00010002)
08 00 0 8030 ()
15 40 16 100000
01 40 32 100010
1D 00 8 100030`},
		{"read the label", func(c program.Control) error { k.Label(c, data, false); return nil }, `
07 40 6 8000 (000000000000)
1F 40 1 8008 (58)
31 40 5 8010 (0000000003)
08 00 0 8030 ()
06 00 80 100000`},
		{"write the label", func(c program.Control) error { k.Label(c, data, true); return nil }, `
07 40 6 8000 (000000000000)
1F 40 1 8008 (98)
31 40 5 8010 (0000000003)
08 00 0 8030 ()
05 00 80 100000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := dirty(program.TrackControlSize)
			require.NoError(t, c.build(control))
			assert.Equal(t, strings.TrimSpace(c.want), dump(control))
		})
	}

	assert.Zero(t, image[16], "the mark of a segment is not written")

	// Counts reads as many as there can be, and one more.
	control := dirty(program.TrackControlSize)
	k.Counts(control, area, data, 33, true)
	lines := strings.Split(dump(control), "\n")
	require.Len(t, lines, 3+program.MaxRecords+1)
	assert.Equal(t, []string{"07 40 6 8000 (000000010003)", "1F 40 1 8008 (58)", "16 60 61440 100000", "92 40 8 10F000", "92 40 8 10F008"}, lines[:5])
	assert.Equal(t, "92 00 8 10F7F8", lines[len(lines)-1])
	assert.Equal(t, bytes.Repeat([]byte{0xFF}, 8*(program.MaxRecords+1)), area[program.CountsAt:], "no counts")
	k.Counts(control, area, data, 33, false)
	lines = strings.Split(dump(control), "\n")
	require.Len(t, lines, 4+program.MaxRecords+1)
	assert.Equal(t, []string{"39 40 4 8002 (00010003)", "08 00 0 8030 ()", "92 40 8 10F000"}, lines[2:5])
}

func TestReached(t *testing.T) {
	c := program.Control{At: 0x8000}
	// The CCWs begin at 8020, and those of records behind four others. The status
	// has the address behind the last one.
	assert.Equal(t, 1, c.Reached(0x8020+5*8))
	assert.Equal(t, 3, c.Reached(0x8020+7*8))
}

func TestComplete(t *testing.T) {
	read := func() []byte {
		area := counted(8, [2]int{4, 20}, [2]int{0, 100})
		copy(area[16:], area[program.CountsAt:][:8])
		copy(area[48:], area[program.CountsAt+8:][:8])
		clear(area[156:164])
		return area
	}
	area := read()
	require.Equal(t, 2, program.RecordCount(area))
	program.MarkSegment(area, 2)
	require.True(t, program.Complete(area))
	assert.Equal(t, []byte{0, 0x80}, []byte{area[16], area[48]})
	assert.Equal(t, bytes.Repeat([]byte{0xFF}, 8), area[156:164], "the end mark")
	area = read()
	area[16+5], area[16+7] = 5, 19 // as long altogether
	assert.False(t, program.Complete(area))
}

func TestRecordsErrors(t *testing.T) {
	k := program.CKD{Heads: 30}
	err := k.Records(dirty(program.TrackControlSize), counted(8, [2]int{0, 40000}, [2]int{0, 30000}), 0, 7, 1)
	assert.EqualError(t, err, "track 7: record 2 of 30008 bytes at byte 40024: a track has at most 61440 bytes and 255 records")
	err = k.Records(dirty(program.TrackControlSize), counted(8, make([][2]int, 256)...), 0, 7, 1)
	assert.ErrorContains(t, err, "record 256 of 8 bytes")
	assert.NoError(t, k.Records(dirty(program.TrackControlSize), counted(8, make([][2]int, 255)...), 0, 7, 1))
}

// FuzzRecords: whatever a device has given for counts, the program stays in its
// storage and its CCWs in the part of the data area that the track has.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 3, 0, 0}, 0)
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 2, 0, 0, 9}, 2)
	f.Fuzz(func(t *testing.T, counts []byte, first int) {
		k := program.CKD{Heads: 30}
		area := counted(8)
		copy(area[:8], counts)
		if len(counts) > 8 {
			copy(area[program.CountsAt:], counts[8:])
		}
		c := dirty(program.TrackControlSize)
		if program.RecordCount(area) == 0 || k.Records(c, area, 0x100000, 0, first) != nil {
			return
		}
		for at := program.Start + 2*arch.CCWSize; ; at += arch.CCWSize {
			w := channel.ParseCCW1(c.View[at:])
			require.LessOrEqual(t, int(w.Address)-0x100000+int(w.Count), program.MaxTrackBytes)
			if w.Flags&arch.FlagCC == 0 {
				return
			}
		}
	})
}
