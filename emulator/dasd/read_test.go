package dasd

import (
	"encoding/hex"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mixed makes cylinder 1 head 0 hold records of different shapes: 1 with data
// 10 x 11, 2 with key 4 x 22 and data 6 x 23, 3 end of file, 4 with data 8 x 44.
func (b *bench) mixed() {
	b.ok(
		step{code: 0x1F, data: "C0"}, step{code: 0x07, data: seek10}, step{code: 0x39, data: "00010000"}, step{code: arch.CommandTransfer, count: 1},
		step{code: 0x15, data: zeroCount + fill(0, 8)},
		step{code: 0x1D, data: "000100000100000A" + fill(0x11, 10)},
		step{code: 0x1D, data: "0001000002040006" + fill(0x22, 4) + fill(0x23, 6)},
		step{code: 0x1D, data: "0001000003000000"},
		step{code: 0x1D, data: "0001000004000008" + fill(0x44, 8)},
	)
}

func TestReads(t *testing.T) {
	seek := step{code: 0x07, data: seek10}
	const (
		r1 = "1111111111111111" + "1111"
		k2 = "22222222"
		d2 = "232323232323"
		r4 = "4444444444444444"
		c1 = "000100000100000a"
		c2 = "0001000002040006"
		c3 = "0001000003000000"
		c4 = "0001000004000008"
		c0 = "0001000000000008"
	)
	for _, c := range []struct {
		name  string
		steps []step
		want  string // of the last command
		unit  arch.UnitStatus
	}{
		{"data of the first record", []step{seek, {code: 0x06, count: 10}}, r1, done},
		{"data behind a search", with(searchFor("0001000002"), step{code: 0x06, count: 6}), d2, done},
		{"key and data", with(searchFor("0001000002"), step{code: 0x0E, count: 10}), k2 + d2, done},
		{"key and data of a record without key", with(searchFor(record11), step{code: 0x0E, count: 10}), r1, done},
		{"count, key and data of the next record", with(searchFor(record11), step{code: 0x1E, count: 18}), c2 + k2 + d2, done},
		{"count of the next record", with(searchFor(record11), step{code: 0x12, count: 8}), c2, done},
		{"data behind a read count", []step{seek, {code: 0x12, count: 8}, {code: 0x12, count: 8}, {code: 0x06, count: 6}}, d2, done},
		{"data behind the last record is the first's", with(searchFor("0001000004"), step{code: 0x06, count: 8}, step{code: 0x06, count: 10}), r1, done},
		{"end of file", with(searchFor("0001000003"), step{code: 0x06, count: 8, flags: arch.FlagSLI}), "0000000000000000", exception},
		{"count of an end of file", with(searchFor("0001000002"), step{code: 0x12, count: 8}), c3, done},
		{"all of an end of file", with(searchFor("0001000002"), step{code: 0x1E, count: 8}), c3, exception},
		{"record zero", []step{seek, {code: 0x16, count: 16}}, c0 + "0000000000000000", done},
		{"home address", []step{seek, {code: 0x1A, count: 5}}, "0000010000", done},
		{"home address of the next track", []step{seek, {code: 0x9A, count: 5}}, "0000010001", done},
		{"record zero found by its identifier", with(searchFor("0001000000"), step{code: 0x06, count: 8}), "0000000000000000", done},
		{"all records", []step{seek, {code: 0x5E, count: 60}}, c1 + r1 + c2 + k2 + d2 + c3 + c4 + r4, done},
		{"all records from the second on", with(searchFor(record11), step{code: 0x5E, count: 42}), c2 + k2 + d2 + c3 + c4 + r4, done},
		{"all records behind the last one", with(searchFor("0001000004"), step{code: 0x5E, count: 42, flags: arch.FlagSLI}), fill(0, 42), done},
		{"search for a key", []step{seek, {code: 0x29, data: k2, flags: arch.FlagSLI}, {code: arch.CommandTransfer, count: 1}, {code: 0x06, count: 6}}, d2, done},
		{"search for a higher key", []step{seek, {code: 0x49, data: "22222221", flags: arch.FlagSLI}, {code: arch.CommandTransfer, count: 1}, {code: 0x06, count: 6}}, d2, done},
		{"search for an identifier equal or higher", []step{seek, {code: 0x71, data: "0001000004"}, {code: arch.CommandTransfer, count: 1}, {code: 0x06, count: 8}}, r4, done},
		{"search for a higher identifier", []step{seek, {code: 0x51, data: "0001000003"}, {code: arch.CommandTransfer, count: 1}, {code: 0x06, count: 8}}, r4, done},
		{"multitrack read goes on", with(searchFor("0001000004"), step{code: 0x06, count: 8}, step{code: 0x92, count: 8}), "0001000101001000", done},
		{"multitrack search goes on", []step{seek, {code: 0xB1, data: "0001000201"}, {code: arch.CommandTransfer, count: 1}, {code: 0x12, count: 8}}, "0001000202001000", done},
		{"seek head", []step{seek, {code: 0x1B, data: "0000 0000 0003"}, {code: 0x1A, count: 5}}, "0000010003", done},
		{"in a domain", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "1680 0001 00010000 0001000002 FF 1000"}, {code: 0x0E, count: 10}}, k2 + d2, done},
		{"in a domain behind the record", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "8680 0001 00010000 0001000001 FF 1000"}, {code: 0x0E, count: 10}}, k2 + d2, done},
		{"in a domain from the index", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "D680 0001 00010000 0000000000 FF 1000"}, {code: 0x1A, count: 5}}, "0000010000", done},
		{"in a domain with a count behind it", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "1681 0002 00010000 0001000001 FF 1000"}, {code: 0x06, count: 10}, {code: 0x92, count: 8}}, c2, done},
		{"behind a domain", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "0680 0001 00010000 0001000001 FF 1000"}, {code: 0x06, count: 10}, {code: 0x12, count: 8}}, c2, done},
		{"behind an orientation", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "0000 0000 00010000 0001000002 FF 0000"}, {code: 0x06, count: 6}}, d2, done},
		{"tracks", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "4C00 0001 00010000 0001000000 FF 0000"}, {code: 0xDE, count: 84}},
			c0 + "0000000000000000" + c1 + r1 + c2 + k2 + d2 + c3 + c4 + r4 + "ffffffffffffffff", done},
		{"load", []step{{code: 0x02, count: 24}}, "000600000000000f03000000000000010000000000000000", done},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.mixed()
			r := b.run(c.steps...)
			assert.Equal(t, c.unit, r.unit, "sense %s", r.sense)
			assert.Zero(t, r.channel)
			assert.Equal(t, len(c.steps)-1, r.last)
			assert.Equal(t, c.want, r.data[len(c.steps)-1])
		})
	}
}

func TestReadZeroWithoutData(t *testing.T) {
	b := newBench(t)
	b.ok(step{code: 0x1F, data: "C0"}, step{code: 0x07, data: seek10}, step{code: 0x39, data: "00010000"}, step{code: arch.CommandTransfer, count: 1},
		step{code: 0x15, data: "0001000000000000"})
	r := b.run(step{code: 0x07, data: seek10}, step{code: 0x16, count: 8})
	assert.Equal(t, exception, r.unit)
	assert.Equal(t, "0001000000000000", r.data[1])
}

// In a domain to read data the other fields of a track may be read too, whatever
// its orientation.
func TestOtherFieldsInAReadDataDomain(t *testing.T) {
	for _, c := range []struct {
		operation string
		code      byte
		want      string
	}{
		{"06", 0x12, "0001000002001000"}, {"06", 0x92, "0001000002001000"},
		{"06", 0x16, "0001000000000008"}, {"46", 0x16, "0001000000000008"},
		{"06", 0x1A, "0000010000"}, {"46", 0x1A, "0000010000"},
	} {
		b := newBench(t)
		r := b.ok(step{code: 0x63, data: dxRead}, step{code: 0x47, data: c.operation + "80 0001 00010000 0001000001 FF 1000"},
			step{code: c.code, count: len(c.want) / 2, flags: arch.FlagSLI})
		assert.Equal(t, c.want, r.data[2], "%s %02X", c.operation, c.code)
	}
}

// Behind a read IPL there is no define extent, and a locate record is for all of
// the device.
func TestLocateRecordBehindReadIPL(t *testing.T) {
	b := newBench(t)
	r := b.ok(step{code: 0x02, count: 24}, step{code: 0x06, count: 144},
		step{code: 0x47, data: "0600 0001 00000000 0000000003 FF 0000"}, step{code: 0x06, count: 4, flags: arch.FlagSLI})
	assert.Equal(t, "e5d6d3f1", r.data[3])
}

func TestDomainGoesOnToTheNextTrack(t *testing.T) {
	b := newBench(t)
	for i, n := range []int{15, 16} {
		track, err := b.d.ckd.Update(n)
		require.NoError(t, err)
		for k := range track.Tags {
			track.Tags[k] = machine.Tag(1000*(i+1) + k)
		}
	}
	r := b.ok(step{code: 0x63, data: dxRead}, step{code: 0x47, data: "0680 0003 00010000 000100000B FF 1000"},
		step{code: 0x86, count: 4096}, step{code: 0x86, count: 4096}, step{code: 0x86, count: 4096})
	for i, want := range []machine.Tag{1000 + 80, 1000 + 88, 2000} {
		var unit [512]byte
		want.Fill(unit[:], 0)
		assert.Equal(t, unit[:], b.areas[2+i][:512])
	}
	assert.Len(t, r.data, 5)
	assert.Equal(t, uint64(2), b.d.Stats().ReadHits+b.d.Stats().ReadMisses, "two tracks")
}

func TestTrackData(t *testing.T) {
	b := newBench(t)
	// Prefix with a locate record extended that writes track data from record 11
	// of cylinder 1 head 0 on, over two tracks.
	prefix := func(mask, operation, extended string) string {
		return "0180 2000" + fill(0, 8) + // format 1, define extent valid, base unit 20
			mask + "C0 1000 00000000 00010000 00010001" + fill(0, 16) +
			operation + "80 0002 00010000 000100000B FF 1000 00" + extended + "0000"
	}
	b.ok(step{code: 0xE7, data: prefix("80", "3F", "23")},
		step{code: 0xA5, data: fill(0xB1, 4096) + fill(0xB2, 4096)},
		step{code: 0xA5, data: fill(0xC1, 4096) + fill(0xC2, 4096), flags: arch.FlagSLI})
	r := b.ok(step{code: 0xE7, data: prefix("40", "0C", "00")},
		step{code: 0xA6, count: 8192},
		step{code: 0xA6, count: 8192, flags: arch.FlagSLI})
	assert.Equal(t, fill(0xB1, 4096)+fill(0xB2, 4096), r.data[1])
	assert.Equal(t, fill(0xC1, 4096)+fill(0xC2, 4096), r.data[2])
	assert.Equal(t, fill(0, 4096), b.track(15).Records[10].Data)
	assert.Equal(t, fill(0xB1, 4096), b.track(15).Records[11].Data)
	assert.Equal(t, 2, b.d.ChangedTracks().Count())
}

// Behind a command of a whole track the head is at its end: a read goes round to
// the first record, with multitrack on to the next track.
func TestReadBehindAWholeTrack(t *testing.T) {
	const track = "4C00 0001 00010000 0001000000 FF 0000"
	for _, images := range []bool{false, true} {
		b := newBench(t)
		for i, n := range []int{15, 16} {
			track, err := b.d.ckd.Update(n)
			require.NoError(t, err)
			for k := range track.Tags {
				track.Tags[k] = machine.Tag(1000*(i+1) + k)
			}
			if images {
				track.Materialize(b.d.geometry)
			}
		}
		for code, want := range map[byte]machine.Tag{0x06: 1000, 0x86: 2000} {
			r := b.ok(step{code: 0x63, data: dxRead}, step{code: 0x47, data: track}, step{code: 0xDE, count: 8, flags: arch.FlagSLI}, step{code: code, count: 4096})
			var unit [machine.UnitSize]byte
			want.Fill(unit[:], 0)
			assert.Equal(t, hex.EncodeToString(unit[:]), r.data[3][:2*len(unit)], "%02X", code)
		}
		// The same behind all records, and behind none.
		r := b.ok(step{code: 0x07, data: seek10}, step{code: 0x5E, count: 8, flags: arch.FlagSLI}, step{code: 0x12, count: 8})
		assert.Equal(t, "0001000001001000", r.data[2])
		b.ok(with(searchFor("0001000000"), step{code: 0x11, data: "0001000001000008", flags: arch.FlagSLI})...)
		r = b.ok(step{code: 0x07, data: seek10}, step{code: 0x5E, count: 8, flags: arch.FlagSLI}, step{code: 0x92, count: 8})
		assert.Equal(t, "0001000101001000", r.data[2])
	}
}

func TestReadSector(t *testing.T) {
	b := newBench(t)
	last := -1
	for record := 1; record <= 12; record++ {
		r := b.ok(with(searchFor("00010000"+fill(byte(record), 1)), step{code: 0x22, count: 1})...)
		sector := int(b.areas[3][0])
		assert.Greater(t, sector, last)
		assert.Less(t, sector, 224)
		last = sector
		assert.Len(t, r.data[3], 2)
	}
}

func TestTrackset(t *testing.T) {
	b := newBench(t)
	read := func(count, set string) result {
		return b.run(step{code: 0x63, data: "40C0 0000 00000000 00010000 00010004"},
			step{code: 0x4B, data: "7F00 00" + count + "00010000 0001000000 FF 0000 000E 0001" + set},
			step{code: 0xDE, count: 8, flags: arch.FlagSLI}, step{code: 0xDE, count: 8, flags: arch.FlagSLI})
	}
	r := read("02", "90") // the first and the fourth track
	assert.Equal(t, done, r.unit, r.sense)
	assert.Equal(t, []string{"0001000000000008", "0001000300000008"}, r.data[2:])
	assert.Equal(t, "800004", read("02", "10").sense, "not the first track")
	assert.Equal(t, "800004", read("02", "B0").sense, "more tracks than the count")
	assert.Equal(t, "000400", read("02", "84").sense, "past the extent")
}

func TestLocateRecordExtended(t *testing.T) {
	for _, c := range []struct {
		name, parameters string
		code             byte
		sense            string
	}{
		{"write any", "3F80 0001 00010000 0001000002 FF 1000 0009 0001 01", 0x85, ""},
		{"write any with another set", "3F80 0001 00010000 0001000002 FF 1000 0009 0001 02", 0x85, "800004"},
		{"write data", "0180 0001 00010000 0001000002 FF 1000 0000 0000", 0x85, ""},
		{"read any", "3F80 0001 00010000 0001000002 FF 1000 000A 0001 01", 0x86, ""},
		{"operation that does not exist", "3F80 0001 00010000 0001000002 FF 1000 0077 0000", 0x86, "800004"},
		{"extended operation without need", "0680 0001 00010000 0001000002 FF 1000 000A 0000", 0x86, "800004"},
		{"short", "0680 0001 00010000 0001000002 FF 1000", 0x86, "800003"},
		{"parameters short", "3F80 0001 00010000 0001000002 FF 1000 000A 0001", 0x86, "800003"},
	} {
		b := newBench(t)
		r := b.run(step{code: 0x63, data: dxUpdate}, step{code: 0x4B, data: c.parameters}, step{code: c.code, count: 4096})
		assert.Equal(t, c.sense, r.sense, c.name)
		if c.sense == "" {
			assert.Equal(t, done, r.unit, c.name)
		} else {
			assert.Equal(t, 1, r.last, c.name)
		}
	}
}

// A chain finds its record again after somebody else has formatted the track.
func TestReorient(t *testing.T) {
	b := newBench(t)
	s := b.way.(*eckd)
	var op channel.Operation
	op.Data = new(channel.Transfer)
	orient := func(ordinal int) {
		require.Zero(t, s.Begin(0, &channel.ORB{}))
		s.seek(15)
		track, err := b.d.ckd.Track(15)
		require.NoError(t, err)
		r, more, err := track.Record(ordinal)
		require.NoError(t, err)
		require.True(t, more)
		s.record, s.at = r, atCount
	}
	orient(6)
	track, err := b.d.ckd.Update(15)
	require.NoError(t, err)
	zero, err := track.Zero()
	require.NoError(t, err)
	r := zero
	for n := 1; n <= 8; n++ { // shorter records, so that the sixth lies elsewhere
		r, err = track.Append(b.d.geometry, r, media.Count{Address: 1 << 16, Number: uint8(n), DataLength: 100})
		require.NoError(t, err)
	}
	b.d.formats++
	op.Command = 0x12
	assert.Equal(t, done, s.Command(&op))
	assert.Equal(t, uint8(7), s.record.Number)

	orient(6)
	track, err = b.d.ckd.Update(15)
	require.NoError(t, err)
	track.EraseAfter(zero)
	b.d.formats++
	assert.Equal(t, unitCheck, s.Command(&op), "no record is left")
	assert.Equal(t, byte(arch.SenseNoRecord), s.Sense()[1])
	s.Reset(true)
}
