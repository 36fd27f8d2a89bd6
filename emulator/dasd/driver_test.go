package dasd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Parameters of define extent at their limits.
func TestDefineExtentAccepts(t *testing.T) {
	for name, c := range map[string]struct{ parameters, sense string }{
		"a track":                       {"40C0 1000 00000000 00010002 00010002", ""},
		"all of the device":             {"40C0 1000 00000000 00000000 0009000E", ""},
		"the usual block size":          {"40C0 0000 00000000 00000000 0009000E", ""},
		"record zero and eight":         {"40C0 DFF6 00000000 00000000 0009000E", ""},
		"one more":                      {"40C0 DFF7 00000000 00000000 0009000E", "800004"},
		"conversion":                    {"40E0 1000 00000000 00000000 0009000E", ""},
		"bypass":                        {"40C4 1000 00000000 00000000 0009000E", ""},
		"inhibit load":                  {"40C8 1000 00000000 00000000 0009000E", ""},
		"sequential":                    {"40CC 1000 00000000 00000000 0009000E", ""},
		"logging":                       {"40D0 1000 00000000 00000000 0009000E", ""},
		"cache fast write":              {"40C2 1000 00000000 00000000 0009000E", ""},
		"inhibit fast write":            {"40C1 1000 00000000 00000000 0009000E", ""},
		"additional attributes":         {"40C0 1000 00008040 00000000 0009000E", ""},
		"device support and PCI fetch":  {"43C0 1000 00000000 00000000 0009000E", ""},
		"diagnostic authority":          {"44C0 1000 00000000 00000000 0009000E", ""},
		"seeks inhibited":               {"58C0 1000 00000000 00000000 0009000E", ""},
		"attributes of another machine": {"4080 1000 00000000 00000000 0009000E", "800004"},
		"no attributes":                 {"4000 1000 00000000 00000000 0009000E", "800004"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.sense, newBench(t).run(step{code: 0x63, data: c.parameters}).sense)
		})
	}
}

// The orientations that an operation of locate record can have: by count, home
// address, data, index (3990 Reference, Locate Record).
func TestOrientations(t *testing.T) {
	for operation, valid := range map[byte][4]bool{
		0x00: {true, true, true, false},
		0x01: {true, false, true, false},
		0x03: {true, true, false, true},
		0x06: {true, true, true, false},
		0x0B: {true, false, false, false},
		0x0C: {true, true, false, false},
		0x16: {true, true, true, true},
		0x02: {}, 0x04: {}, 0x0A: {}, 0x17: {}, 0x3E: {}, 0x3F: {},
	} {
		for i, ok := range valid {
			count := 1
			if operation == 0 {
				count = 0
			}
			p := fmt.Sprintf("%02X00 00%02X 00010000 0001000001 FF 0000", operation|byte(i)<<6, count)
			want := "800004"
			switch {
			case ok && count == 0:
				want = ""
			case ok:
				want = "810000" // the chain ends before the domain does
			}
			assert.Equal(t, want, newBench(t).run(step{code: 0x63, data: dxFormat}, step{code: 0x47, data: p}).sense, p)
		}
	}
}

// A domain that is used up makes room for another one, and for commands outside
// of any.
func TestBehindADomain(t *testing.T) {
	b := newBench(t)
	b.mixed()
	const first, second = "0680 0001 00010000 0001000001 FF 1000", "0680 0002 00010000 0001000002 FF 1000"
	r := b.ok(step{code: 0x63, data: dxRead}, step{code: 0x47, data: first}, step{code: 0x86, count: 10},
		step{code: 0x47, data: second}, step{code: 0x86, count: 6}, step{code: 0x92, count: 8},
		step{code: 0x03}, step{code: 0x07, data: seek10}, step{code: 0x1A, count: 5})
	assert.Equal(t, "0001000003000000", r.data[5])
	assert.Equal(t, "0000010000", r.data[8])
}

// Reads over the end of a track in a domain: with the multitrack bit the next
// track's first record, without it the same track's (SA22-1025, Read Data; Read
// Count, Key and Data).
func TestReadsOverTheEnd(t *testing.T) {
	for _, c := range []struct {
		plain byte
		skip  int // bytes of the count field that come before
	}{{0x06, 0}, {0x0E, 0}, {0x1E, 8}, {0x12, 8}} {
		for _, operation := range []string{"06", "16"} {
			for _, mt := range []byte{0, arch.Multitrack} {
				b := newBench(t)
				fillRecord := func(track int, value byte) {
					b.ok(step{code: 0x63, data: dxUpdate}, step{code: 0x47, data: fmt.Sprintf("0180 0001 0001%04X 0001%04X01 FF 1000", track, track)}, step{code: 0x85, data: fill(value, 4096)})
				}
				fillRecord(0, 0x6A)
				fillRecord(1, 0x6B)
				count := c.skip + 4096
				if c.plain == 0x12 {
					count = 8
				}
				code := c.plain | mt
				r := b.ok(step{code: 0x63, data: dxRead}, step{code: 0x47, data: operation + "80 0002 00010000 000100000C FF 1000"},
					step{code: 0x06, count: 4096}, step{code: code, count: count})
				track, value := 0, byte(0x6A)
				if mt != 0 {
					track, value = 1, 0x6B
				}
				want := ""
				if c.skip > 0 {
					want = fmt.Sprintf("0001%04X01001000", track)
				}
				if c.plain != 0x12 {
					want += fill(value, 4096)
				}
				assert.True(t, want == r.data[3], "%02X in %s: %.40s", code, operation, r.data[3])
			}
		}
	}
	// A track without user records, or the end of the extent.
	b := newBench(t)
	b.ok(step{code: 0x63, data: dxFormat}, step{code: 0x47, data: "0300 0001 00010000 0001000000 FF 0000"}, step{code: 0x1D, data: "0001000001000000"})
	r := b.run(step{code: 0x63, data: dxRead}, step{code: 0x47, data: "0600 0003 00010000 0001000001 FF 0000"}, step{code: 0x12, count: 8}, step{code: 0x12, count: 8}, step{code: 0x12, count: 8})
	assert.Equal(t, "0001000001000000", r.data[2], "the only record again")
	assert.Equal(t, "000800", r.sense, "the index comes a second time")
	b.ok(step{code: 0x63, data: dxFormat}, step{code: 0x47, data: "0B00 0001 00010000 0001000000 FF 0000"}, step{code: 0x05, data: fill(0, 8)})
	assert.Equal(t, "000800", b.run(step{code: 0x63, data: dxRead}, step{code: 0x47, data: "4600 0001 00010000 0001000000 FF 0000"}, step{code: 0x06, count: 8}).sense)
	assert.Equal(t, "000400", b.run(step{code: 0x63, data: "40C0 1000 00000000 00010001 00010001"}, step{code: 0x47, data: "0680 0002 00010001 000100010C FF 1000"},
		step{code: 0x86, count: 4096}, step{code: 0x86, count: 4096}).sense)
}

// A domain to read or write any record begins at one whatever the search argument
// is, and goes round the track whatever the multitrack bit is.
func TestAnyRecord(t *testing.T) {
	b := newBench(t)
	locate := func(count int, aux, operation string) step {
		return step{code: 0x4B, data: fmt.Sprintf("3F%s 00%02X 00010000 0000000099 FF 1000 00%s 0001 01", aux, count, operation)}
	}
	steps := []step{{code: 0x63, data: dxUpdate}, locate(13, "80", "09")}
	for i := range 13 {
		steps = append(steps, step{code: 0x85, data: fill(byte(0x40+i), 4096)})
	}
	b.ok(steps...)
	l := b.track(15).Records
	assert.Equal(t, fill(0x40+12, 4096), l[1].Data, "the first record again")
	assert.Equal(t, fill(0x40+11, 4096), l[12].Data)
	assert.Equal(t, fill(0, 4096), b.track(16).Records[1].Data)

	steps = []step{{code: 0x63, data: dxRead}, locate(13, "81", "0A")}
	for range 12 {
		steps = append(steps, step{code: 0x86, count: 4096})
	}
	r := b.ok(append(steps, step{code: 0x92, count: 8})...)
	assert.Equal(t, fill(0x40+12, 4096), r.data[2])
	assert.Equal(t, fill(0x40+11, 4096), r.data[13])
	assert.Equal(t, "0001000001001000", r.data[14], "the count suffixed is that of the first record")

	b.ok(step{code: 0x63, data: dxFormat}, step{code: 0x47, data: "0B00 0001 00010000 0001000000 FF 0000"}, step{code: 0x05, data: fill(0, 8)})
	assert.Equal(t, "000800", b.run(step{code: 0x63, data: dxRead}, locate(1, "80", "0A"), step{code: 0x86, count: 4096}).sense)
}

// More than one record to write in a domain: by Write Update Data alone. Write Data
// is refused, the first one too (SA22-1025, Locate Record, Write Data).
func TestWriteDataOfSeveral(t *testing.T) {
	for _, c := range []struct {
		aux   string
		count int
		first byte
		sense string
	}{
		{"80", 1, 0x05, ""}, {"81", 2, 0x05, "810000"}, {"80", 2, 0x05, "800002"}, {"80", 2, 0x0D, "800002"}, {"81", 3, 0x05, "800002"},
		{"80", 2, 0x85, "810000"},
	} {
		b := newBench(t)
		r := b.run(step{code: 0x63, data: dxUpdate}, step{code: 0x47, data: fmt.Sprintf("01%s 00%02X 00010000 0001000001 FF 1000", c.aux, c.count)},
			step{code: c.first, data: fill(0x5E, 4096)})
		assert.Equal(t, c.sense, r.sense, "%02X of %d, %s", c.first, c.count, c.aux)
	}
	b := newBench(t)
	r := b.run(step{code: 0x63, data: dxUpdate}, step{code: 0x47, data: "0180 0002 00010000 0001000001 FF 1000"},
		step{code: 0x85, data: fill(0x5E, 4096)}, step{code: 0x05, data: fill(0x5F, 4096)})
	assert.Equal(t, "800002", r.sense)
	assert.Equal(t, fill(0x5E, 4096), b.track(15).Records[1].Data)
	assert.Equal(t, fill(0, 4096), b.track(15).Records[2].Data)
}

// Read Track by data chaining, and in the domain of a prefix.
func TestReadTrackChained(t *testing.T) {
	b := newBench(t)
	b.mixed()
	whole := b.ok(step{code: 0x63, data: dxRead}, step{code: 0x47, data: "0C00 0001 00010000 0001000000 FF 0000"}, step{code: 0xDE, count: 60000, flags: arch.FlagSLI})
	pieces := b.ok(step{code: 0x63, data: dxRead}, step{code: 0x47, data: "0C00 0001 00010000 0001000000 FF 0000"},
		step{code: 0xDE, count: 16, flags: arch.FlagCD}, step{count: 60000, flags: arch.FlagSLI})
	assert.True(t, whole.data[2][:200] == pieces.data[2][:32]+pieces.data[3][:168])
}

func TestPrefixReadTrack(t *testing.T) {
	b := newBench(t)
	b.mixed()
	const prefix = "018020 00" + "0000000000000000" + "40C0 0000 00000000 00010000 00010001" + "00000000000000000000000000000000" +
		"0C00 0002 00010000 0001000000 FF 0000 00 00 0000"
	r := b.ok(step{code: 0xE7, data: prefix}, step{code: 0xDE, count: 60000, flags: arch.FlagSLI}, step{code: 0xDE, count: 60000, flags: arch.FlagSLI})
	assert.Equal(t, "0001000000000008", r.data[1][:16])
	assert.Equal(t, "0001000100000008", r.data[2][:16])
}

// The data of record zero alone, in a write-track domain, leave a track without
// other records.
func TestWriteTrackOfRecordZero(t *testing.T) {
	b := newBench(t)
	b.ok(step{code: 0x63, data: dxFormat}, step{code: 0x47, data: "0B00 0001 00010000 0001000000 FF 0000"}, step{code: 0x05, data: fill(0x33, 8)})
	l := b.track(15).Records
	require.Len(t, l, 1)
	assert.Equal(t, fill(0x33, 8), l[0].Data)
}

// A write-track domain: the data of record zero, new records, and the rest erased.
func TestWriteTrackDomain(t *testing.T) {
	b := newBench(t)
	b.ok(step{code: 0x63, data: dxFormat}, step{code: 0x47, data: "0B80 0004 00010000 0001000000 FF 0064"},
		step{code: 0x05, data: fill(0x77, 8)}, step{code: 0x1D, data: "0001000001000064" + fill(1, 100)},
		step{code: 0x1D, data: "0001000002000064" + fill(2, 100)}, step{code: 0x11, data: "0001000003000064" + fill(3, 100)})
	l := b.track(15).Records
	require.Len(t, l, 3)
	assert.Equal(t, fill(0x77, 8), l[0].Data)
	assert.Equal(t, fill(2, 100), l[2].Data)
}

// The special records of a volume in Linux' compatible disk layout: key and data,
// each with a locate record of its own in one chain.
func TestSpecialRecords(t *testing.T) {
	b := newBench(t)
	locate := func(operation string, record, length int) step {
		return step{code: 0x47, data: fmt.Sprintf("%s80 0001 00000000 00000000%02X FF %04X", operation, record, length)}
	}
	r := b.ok(step{code: 0x63, data: dxRead},
		locate("06", 1, 28), step{code: 0x8E, count: 28},
		locate("06", 2, 148), step{code: 0x8E, count: 148},
		locate("06", 3, 84), step{code: 0x8E, count: 84})
	assert.Equal(t, "c9d7d3f1", r.data[2][:8])
	assert.Equal(t, "c9d7d3f2", r.data[4][:8])
	assert.Equal(t, "e5d6d3f1e5d6d3f1", r.data[6][:16])
	b.ok(step{code: 0x63, data: dxUpdate}, locate("01", 3, 84), step{code: 0x8D, data: "E5D6D3F1" + fill(0xD1, 80)})
	assert.Equal(t, fill(0xD1, 80), b.track(0).Records[3].Data)
	assert.Equal(t, "004000", b.run(step{code: 0x63, data: dxUpdate}, locate("01", 3, 80), step{code: 0x8D, data: "E5D6D3F1" + fill(0xD1, 80)}).sense)
}

// A prefix of format 1 for plain reads and writes.
func TestPrefixReadsAndWrites(t *testing.T) {
	b := newBench(t)
	prefix := func(valid, mask, operation string) step {
		return step{code: 0xE7, data: "01" + valid + "20 00" + fill(0, 8) + mask + "C0 1000 00000000 00010000 00010001" + fill(0, 16) +
			operation + "80 0002 00010000 000100000C FF 1000 00 00 0000"}
	}
	b.ok(prefix("80", "80", "01"), step{code: 0x85, data: fill(0x71, 4096)}, step{code: 0x85, data: fill(0x72, 4096)})
	r := b.ok(prefix("A0", "40", "06"), step{code: 0x86, count: 4096}, step{code: 0x86, count: 4096})
	assert.Equal(t, fill(0x71, 4096), r.data[1])
	assert.Equal(t, fill(0x72, 4096), r.data[2])
	assert.Equal(t, "800002", b.run(prefix("00", "40", "06"), step{code: 0x86, count: 4096}).sense, "no define extent")
	assert.Equal(t, "800002", b.run(prefix("80", "40", "01")).sense, "against the file mask")
	assert.Equal(t, "810000", b.run(prefix("80", "40", "06"), step{code: 0x86, count: 4096}).sense)
	short := prefix("80", "40", "06")
	short.count = 63
	assert.Equal(t, "800003", b.run(short).sense)
}

// Raw tracks, as Linux' driver reads and writes them: Read Track, and Write Full
// Track in a domain of the extended operation 11 with a bit for each track.
func TestWriteFullTrack(t *testing.T) {
	const extent = "C0C0 0000 00000000 00010000 00010004"
	locate := func(tracks int, set string) step {
		return step{code: 0x4B, data: fmt.Sprintf("3F00 00%02X 00010000 0001000000 FF 0000 0011 0002 %s", tracks, set)}
	}
	zero := func(head int) string { return fmt.Sprintf("0001%04X00000008", head) + fill(0, 8) }
	const end = "FFFFFFFFFFFFFFFF"
	mixed := zero(0) + "0001000001000003" + "A1A2A3" + "0001000002020002" + "B1B2" + "C1C2" + "0001000003000000"
	plain := zero(1) + strings.Repeat("0001000105000010"+fill(5, 16), 3)

	b := newBench(t)
	b.ok(step{code: 0x63, data: extent}, locate(2, "C000"), step{code: 0x95, data: mixed + end + fill(0x99, 50), flags: arch.FlagSLI}, step{code: 0x95, data: plain})
	l := b.track(15).Records
	require.Len(t, l, 4)
	assert.Equal(t, "c1c2", l[2].Data)
	assert.Len(t, b.track(16).Records, 4)
	r := b.ok(step{code: 0x63, data: dxRead}, step{code: 0x47, data: "4C00 0002 00010000 0001000000 FF 0000"},
		step{code: 0xDE, count: (len(mixed) + 16) / 2}, step{code: 0xDE, count: (len(plain) + 16) / 2})
	assert.Equal(t, strings.ToLower(mixed+end), r.data[2])
	assert.Equal(t, strings.ToLower(plain+end), r.data[3])
	assert.Equal(t, 2, b.d.ChangedTracks().Count())

	for name, c := range map[string]struct{ extent, data, sense string }{
		"mask":                       {"00C0 0000 00000000 00010000 00010004", zero(0), "800002"},
		"no record zero":             {extent, "0001000001000003A1A2A3" + end, "004000"},
		"ends in a count field":      {extent, zero(0) + "00010000", "004000"},
		"ends in a record":           {extent, zero(0) + "0001000001000003A1", "004000"},
		"nothing":                    {extent, "", "004000"},
		"longer than the track":      {extent, zero(0) + "000100000100E000" + fill(1, 0xE000), "004000"},
		"more than the device holds": {extent, zero(0) + strings.Repeat("0001000001001000"+fill(1, 4096), 13) + end, "004000"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			before := b.track(15)
			assert.Equal(t, c.sense, b.run(step{code: 0x63, data: c.extent}, locate(1, "8000"), step{code: 0x95, data: c.data, flags: arch.FlagSLI}).sense)
			assert.Equal(t, before, b.track(15), "the track is as it was")
		})
	}
	b = newBench(t)
	assert.Equal(t, "800002", b.run(step{code: 0x63, data: extent}, locate(1, "8000"), step{code: 0x1D, data: "0001000001000003A1A2A3"}).sense)
	assert.Equal(t, "000400", b.run(step{code: 0x63, data: "C0C0 0000 00000000 00010000 00010000"}, locate(2, "C000"),
		step{code: 0x95, data: mixed}, step{code: 0x95, data: plain}).sense)
}
