package dasd

import (
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFormatWrites(t *testing.T) {
	b := newBench(t)
	b.mixed()
	l := b.track(15)
	require.Len(t, l.Records, 5)
	assert.Equal(t, "22222222", l.Records[2].Key)
	assert.Equal(t, "0001000003000000", l.Records[3].Count)
	assert.True(t, b.d.ChangedTracks().Marked(15))
	assert.Equal(t, 1, b.d.ChangedTracks().Count())

	// A format write behind record 1 erases the others.
	b.ok(with(searchFor(record11), step{code: 0x1D, data: "000100006302000C" + "5555" + fill(0x56, 12)})...)
	l = b.track(15)
	require.Len(t, l.Records, 3)
	assert.Equal(t, "5555", l.Records[2].Key)
	assert.Equal(t, fill(0x56, 12), l.Records[2].Data)

	// Short data is padded; without SLI the length is incorrect.
	r := b.run(with(searchFor(record11), step{code: 0x1D, data: "000100000200000C" + fill(0x57, 4)})...)
	assert.Equal(t, done, r.unit)
	assert.Equal(t, arch.IncorrectLength, r.channel)
	assert.Equal(t, fill(0x57, 4)+fill(0, 8), b.track(15).Records[2].Data)

	// Erase takes what a format write takes.
	b.ok(with(searchFor(record11), step{code: 0x11, data: "000100000200000C" + fill(0, 12)})...)
	assert.Len(t, b.track(15).Records, 2)
}

// Write Count, Key and Data and Erase of a record without room leave the track
// as it was.
func TestNoRoomLeavesTheTrack(t *testing.T) {
	for _, code := range []byte{0x1D, 0x11} {
		b := newBench(t)
		b.mixed()
		before := b.track(15)
		r := b.run(with(searchFor(record11), step{code: code, data: "000100000200E000", flags: arch.FlagSLI})...)
		assert.Equal(t, "004000", r.sense)
		assert.Equal(t, before, b.track(15))
	}
}

func TestWriteHomeAddress(t *testing.T) {
	home := func(data string) []step {
		return []step{{code: 0x1F, data: "C0"}, {code: 0x07, data: seek10}, {code: 0x19, data: data}}
	}
	for _, images := range []bool{false, true} {
		b := newBench(t)
		if images {
			track, err := b.d.ckd.Update(15)
			require.NoError(t, err)
			track.Materialize(b.d.geometry)
		}
		b.ok(home("0000010000")...)
		assert.Equal(t, "0000010000", b.track(15).HA)
		assert.Len(t, b.track(15).Records, 13, "the records stay")
		b.ok(home("0200010000")...) // a defective track
		assert.Equal(t, "0200010000", b.track(15).HA)
		assert.Equal(t, "0200010000", b.ok(step{code: 0x07, data: seek10}, step{code: 0x1A, count: 5}).data[1])
		assert.True(t, b.d.ChangedTracks().Marked(15))
		b.ok(with(home("0000010000"), step{code: 0x15, data: zeroCount + fill(0x41, 8)}, step{code: 0x1D, data: "0001000001000004" + fill(1, 4)})...)
		l := b.track(15)
		require.Len(t, l.Records, 2)
		assert.Equal(t, fill(0x41, 8), l.Records[0].Data)
	}
	b := newBench(t)
	assert.Equal(t, "800004", b.run(home("0000010001")...).sense, "of another track")
	assert.Equal(t, "800003", b.run(home("00000100")...).sense)
	assert.Equal(t, "800002", b.run(step{code: 0x1F, data: "C0"}, step{code: 0x19, data: "0000010000"}).sense, "before any seek")
}

func TestWriteZero(t *testing.T) {
	zero := func(data string) []step {
		return []step{{code: 0x1F, data: "C0"}, {code: 0x07, data: seek10}, {code: 0x39, data: "00010000"}, {code: arch.CommandTransfer, count: 1},
			{code: 0x15, data: data, flags: arch.FlagSLI}}
	}
	b := newBench(t)
	b.ok(zero("0001000000030005" + "A1A2A3" + fill(0xB1, 5))...)
	l := b.track(15).Records
	require.Len(t, l, 1, "the others are erased")
	assert.Equal(t, "a1a2a3", l[0].Key)
	b.ok(zero("0001000000000008" + fill(0xC1, 3))...)
	assert.Equal(t, fill(0xC1, 3)+fill(0, 5), b.track(15).Records[0].Data)
	assert.Equal(t, "800004", b.run(zero("0001000001000008"+fill(0, 8))...).sense, "record 1")
	assert.Equal(t, "004000", b.run(zero("000100000000E000")...).sense, "longer than the track")
	assert.Equal(t, fill(0xC1, 3)+fill(0, 5), b.track(15).Records[0].Data)
}

// A count field is zero where the program's count ends.
func TestShortCountField(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{"0001000002", "0001000002000000"},
		{"00010000", "0001000000000000"},
		{"", "0000000000000000"},
	} {
		b := newBench(t)
		b.mixed()
		b.ok(with(searchFor(record11), step{code: 0x1D, data: c.data, flags: arch.FlagSLI})...)
		l := b.track(15).Records
		require.Len(t, l, 3)
		assert.Equal(t, c.want, l[2].Count)
	}
	b := newBench(t)
	r := b.run(with(searchFor(record11), step{code: 0x1D, data: "00010000"})...)
	assert.Equal(t, done, r.unit)
	assert.Equal(t, arch.IncorrectLength, r.channel)
}

func TestUpdateWrites(t *testing.T) {
	for _, c := range []struct {
		name     string
		steps    []step
		channel  arch.ChannelStatus
		residual int
		record   int
		key      string
		data     string
	}{
		{"data", with(searchFor(record11), step{code: 0x05, data: fill(0xA1, 10)}), 0, 0, 1, "", fill(0xA1, 10)},
		{"data of a keyed record", with(searchFor("0001000002"), step{code: 0x05, data: fill(0xA2, 6)}), 0, 0, 2, "22222222", fill(0xA2, 6)},
		{"data behind a search for the key", []step{{code: 0x07, data: seek10}, {code: 0x29, data: "22222222", flags: arch.FlagSLI}, {code: arch.CommandTransfer, count: 1}, {code: 0x05, data: fill(0xA3, 6)}},
			0, 0, 2, "22222222", fill(0xA3, 6)},
		{"key and data", with(searchFor("0001000002"), step{code: 0x0D, data: fill(0xA4, 10)}), 0, 0, 2, fill(0xA4, 4), fill(0xA4, 6)},
		{"too little data", with(searchFor(record11), step{code: 0x05, data: fill(0xA5, 4)}), arch.IncorrectLength, 0, 1, "", fill(0xA5, 4) + fill(0, 6)},
		{"too little data, suppressed", with(searchFor(record11), step{code: 0x05, data: fill(0xA5, 4), flags: arch.FlagSLI}), 0, 0, 1, "", fill(0xA5, 4) + fill(0, 6)},
		{"too much data", with(searchFor(record11), step{code: 0x05, data: fill(0xA6, 16)}), arch.IncorrectLength, 6, 1, "", fill(0xA6, 10)},
		{"in a domain", []step{{code: 0x63, data: dxUpdate}, {code: 0x47, data: "0180 0001 00010000 0001000001 FF 000A"}, {code: 0x85, data: fill(0xA7, 10)}}, 0, 0, 1, "", fill(0xA7, 10)},
		{"in a domain, key and data", []step{{code: 0x63, data: dxUpdate}, {code: 0x47, data: "0180 0001 00010000 0001000002 FF 000A"}, {code: 0x8D, data: fill(0xA8, 10)}}, 0, 0, 2, fill(0xA8, 4), fill(0xA8, 6)},
		{"in a domain, the plain command", []step{{code: 0x63, data: dxUpdate}, {code: 0x47, data: "0180 0001 00010000 0001000001 FF 000A"}, {code: 0x05, data: fill(0xA9, 10)}}, 0, 0, 1, "", fill(0xA9, 10)},
		{"in a domain of any length", []step{{code: 0x63, data: "80E0 1000 00000000 00000000 0009000E"}, {code: 0x47, data: "0100 0001 00010000 0001000001 FF 0000"}, {code: 0x85, data: fill(0xAA, 10)}}, 0, 0, 1, "", fill(0xAA, 10)},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.mixed()
			b.d.ChangedTracks().Clear()
			r := b.run(c.steps...)
			assert.Equal(t, done, r.unit, "sense %s", r.sense)
			assert.Equal(t, c.channel, r.channel)
			assert.Equal(t, c.residual, r.residual)
			l := b.track(15).Records
			require.Len(t, l, 5)
			assert.Equal(t, c.key, l[c.record].Key)
			assert.Equal(t, c.data, l[c.record].Data)
			assert.Equal(t, 15, b.d.ChangedTracks().Next(0))
		})
	}
}

func TestWriteToEndOfFile(t *testing.T) {
	b := newBench(t)
	b.mixed()
	r := b.run(with(searchFor("0001000003"), step{code: 0x05, data: "11", flags: arch.FlagSLI})...)
	assert.Equal(t, exception, r.unit)
	assert.Len(t, b.track(15).Records, 5)
}

func TestFormatWithCountsOnlyStaysUniform(t *testing.T) {
	b := newBench(t)
	steps := []step{
		{code: 0x63, data: dxFormat}, {code: 0x47, data: "4380 000D 00030000 0003000000 FF 1000"},
		{code: 0x15, data: "0003000000000008" + fill(0, 8)},
	}
	for r := 1; r <= 12; r++ {
		steps = append(steps, step{code: 0x1D, data: "00030000" + fill(byte(r), 1) + "00 1000", flags: arch.FlagSLI})
	}
	b.ok(steps...)
	track, err := b.d.ckd.Track(45)
	require.NoError(t, err)
	assert.True(t, track.Uniform())
	assert.Equal(t, 12, track.Records)
	// One record more has no room.
	r := b.run(with(steps[:2:2], append([]step{{code: 0x15, data: "0003000000000008" + fill(0, 8)}}, steps[3:]...)...)...)
	assert.Equal(t, done, r.unit)
	steps[1].data = "4380 000E 00030000 0003000000 FF 1000"
	r = b.run(with(steps, step{code: 0x1D, data: "000300000D001000", flags: arch.FlagSLI})...)
	assert.Equal(t, unitCheck, r.unit)
	assert.Equal(t, "004000", r.sense)
}

func TestWriteNextTrack(t *testing.T) {
	b := newBench(t)
	b.ok(step{code: 0x63, data: dxFormat}, step{code: 0x47, data: "0380 0002 00010000 000100000B FF 0400"},
		step{code: 0x1D, data: "0001000022000400" + fill(0x31, 1024)},
		step{code: 0x9D, data: "0001000121000400" + fill(0x32, 1024)})
	first, second := b.track(15).Records, b.track(16).Records
	require.Len(t, first, 13)
	assert.Equal(t, "0001000022000400", first[12].Count)
	require.Len(t, second, 2)
	assert.Equal(t, fill(0x32, 1024), second[1].Data)
	assert.Equal(t, 2, b.d.ChangedTracks().Count())
}

func TestWriteInhibited(t *testing.T) {
	b := newBench(t)
	b.d.InhibitWrites(true)
	r := b.run(with(searchFor(record11), step{code: 0x05, count: 4096})...)
	assert.Equal(t, "100204", r.sense)
	r = b.run(step{code: 0x63, data: dxUpdate}, step{code: 0x47, data: "0180 0001 00010000 0001000001 FF 1000"}, step{code: 0x85, count: 4096})
	assert.Equal(t, "100204", r.sense)
	assert.Equal(t, 1, r.last)
	assert.Zero(t, b.d.ChangedTracks().Count())
	b.d.InhibitWrites(false)
	b.ok(with(searchFor(record11), step{code: 0x05, count: 4096})...)
}

// Synthetic content goes through the channel as tags, and is the same as bytes.
func TestSyntheticContent(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{})
	seg := r.m.Storage.Segment(rigData)
	for i := range 16 {
		seg.Tags()[i] = machine.Tag(77 + i)
	}
	r.program(true, 100, 3, 2)
	r.start()
	r.settle()
	require.Equal(t, 1, r.counter.ended)
	require.Zero(t, r.counter.failed)
	track, err := r.d.ckd.Track(100)
	require.NoError(t, err)
	require.True(t, track.Uniform())
	assert.Equal(t, seg.Tags()[:16], track.Tags[16:32])

	clear(seg.Tags())
	r.program(false, 100, 3, 2)
	r.start()
	r.settle()
	require.Zero(t, r.counter.failed)
	assert.True(t, seg.Synthetic())
	assert.Equal(t, machine.Tag(92), seg.Tags()[15])

	// The other half of the track as bytes.
	seg.Materialize()
	r.program(true, 100, 7, 1)
	r.start()
	r.settle()
	require.Zero(t, r.counter.failed)
	track, err = r.d.ckd.Track(100)
	require.NoError(t, err)
	assert.False(t, track.Uniform())
	for _, n := range []int{3, 7} {
		record, found, err := track.Find(uint8(n))
		require.NoError(t, err)
		require.True(t, found)
		assert.Equal(t, seg.Bytes()[:4096], track.Data(record), "record %d", n)
	}
	assert.Equal(t, 1, r.d.ChangedTracks().Count())
}

func TestCacheFastWriteIdentity(t *testing.T) {
	b := newBenchOn(t, Config{CFWID: 0x1234}, LinkConfig{})
	extent := step{code: 0x63, data: "80C2 1000 1234 0000 00010000 0001000E"}
	write := []step{extent, {code: 0x47, data: "0180 0001 00010000 0001000001 FF 1000"}, {code: 0x85, count: 4096}}
	b.ok(write...)
	b.d.Subsystem().LoseCache()
	r := b.run(write...)
	assert.Equal(t, "800004", r.sense)
	assert.Equal(t, uint16(0x1235), b.d.Subsystem().CFWID())
	write[0].data = "80C2 1000 1235 0000 00010000 0001000E"
	b.ok(write...)
}

func TestDamagedTrack(t *testing.T) {
	b := newBench(t)
	track, err := b.d.ckd.Update(15)
	require.NoError(t, err)
	track.Materialize(b.d.geometry)
	track.Image = track.Image[:len(track.Image)-20]
	r := b.run(with(searchFor("000100000C"), step{code: 0x06, count: 4096})...)
	assert.Equal(t, "080000", r.sense)
}
