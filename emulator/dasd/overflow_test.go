package dasd

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newModelBench is a bench with a device of any model, whose tracks hold record
// zero only.
func newModelBench(t *testing.T, model string) *bench {
	m, err := machine.New(1)
	require.NoError(t, err)
	g := &caseRig{m: m}
	g.seg, err = m.Storage.MapBytes(0, caseStorage)
	require.NoError(t, err)
	sub, err := NewSubsystem(m, "S", Config{})
	require.NoError(t, err)
	geometry, err := media.Lookup(model)
	require.NoError(t, err)
	if geometry.FBA() {
		medium, err := media.NewMemoryFBA(geometry)
		require.NoError(t, err)
		g.d, err = sub.NewFBA(0x120, medium)
		require.NoError(t, err)
	} else {
		medium, err := media.NewMemoryCKD(geometry, 0, 0)
		require.NoError(t, err)
		g.d, err = sub.NewECKD(0x120, medium)
		require.NoError(t, err)
	}
	link, err := NewLink(m, LinkConfig{})
	require.NoError(t, err)
	g.way = g.d.NewSession(link)
	g.css = channel.New(m)
	g.sch = g.css.Add(0x120, g.way)
	g.sch.Enable()
	g.sch.EnableConcurrentSense()
	return &bench{t: t, caseRig: g}
}

// behindZero is the steps to a format write as the first record of a head of
// cylinder 1.
func behindZero(head int) []step {
	return []step{
		{code: 0x07, data: fmt.Sprintf("0000 0001 %04X", head)},
		{code: 0x31, data: fmt.Sprintf("0001 %04X 00", head)}, {code: arch.CommandTransfer, count: 1},
	}
}

// toRecord is the steps to a record of a head of cylinder 1.
func toRecord(head, record int) []step {
	return []step{
		{code: 0x07, data: fmt.Sprintf("0000 0001 %04X", head)},
		{code: 0x31, data: fmt.Sprintf("0001 %04X %02X", head, record)}, {code: arch.CommandTransfer, count: 1},
	}
}

// writeOverflow formats a record 1 of three segments on heads 0 to 2, behind an
// ordinary record on the first, and a record behind the last segment.
func (b *bench) writeOverflow() {
	b.ok(with(behindZero(0),
		step{code: 0x1D, data: "0001 0000 01 00 0004" + fill(0x11, 4)},
		step{code: 0x01, data: "0001 0000 02 02 0006" + "4B4B" + fill(0x21, 6)})...)
	b.ok(with(behindZero(1), step{code: 0x01, data: "0001 0001 02 00 0008" + fill(0x22, 8)})...)
	b.ok(with(behindZero(2),
		step{code: 0x1D, data: "0001 0002 02 00 0003" + fill(0x23, 3)},
		step{code: 0x1D, data: "0001 0002 03 00 0005" + fill(0x33, 5)})...)
}

func hexed(s string) string { return strings.ReplaceAll(s, " ", "") }

func TestRecordOverflow(t *testing.T) {
	for _, model := range []string{"2311", "2314", "2305-2", "3330", "3340-35", "3350"} {
		t.Run(model, func(t *testing.T) {
			b := newModelBench(t, model)
			b.writeOverflow()
			first := b.d.geometry.Heads
			l := b.track(first).Records
			require.Len(t, l, 3)
			assert.Equal(t, hexed("8001 0000 02 02 0006"), l[2].Count, "the mark is the first bit")
			assert.Equal(t, hexed("8001 0001 02 00 0008"), b.track(first + 1).Records[1].Count)
			assert.Equal(t, hexed("0001 0002 02 00 0003"), b.track(first + 2).Records[1].Count)

			whole := fill(0x21, 6) + fill(0x22, 8) + fill(0x23, 3)
			for _, c := range []struct {
				code byte
				want string
			}{
				{0x06, whole}, {0x0E, "4b4b" + whole},
			} {
				r := b.ok(with(toRecord(0, 2), step{code: c.code, count: len(c.want) / 2}, step{code: 0x06, count: 5})...)
				assert.Equal(t, c.want, r.data[3], "%02X", c.code)
				assert.Equal(t, fill(0x33, 5), r.data[4], "the next record is behind the last segment")
			}
			want := hexed("0001 0000 02 02 0006") + "4b4b" + whole
			r := b.ok(with(toRecord(0, 1), step{code: 0x1E, count: len(want) / 2})...)
			assert.Equal(t, want, r.data[3], "a count field is read without the mark")
			r = b.ok(with(toRecord(0, 1), step{code: 0x12, count: 8}, step{code: 0x06, count: 17})...)
			assert.Equal(t, hexed("0001 0000 02 02 0006"), r.data[3])
			assert.Equal(t, whole, r.data[4])

			// A segment can be read from where it is.
			assert.Equal(t, fill(0x22, 8)+fill(0x23, 3), b.ok(with(toRecord(1, 2), step{code: 0x06, count: 11})...).data[3])

			// Lengths are those of the whole record.
			r = b.run(with(toRecord(0, 2), step{code: 0x06, count: 20})...)
			assert.Equal(t, arch.IncorrectLength, r.channel)
			assert.Equal(t, 3, r.residual)
			r = b.run(with(toRecord(0, 2), step{code: 0x06, count: 9})...)
			assert.Equal(t, arch.IncorrectLength, r.channel)
			assert.Equal(t, whole[:18], r.data[3])

			// Updates go through all segments.
			b.d.ChangedTracks().Clear()
			r = b.ok(with(toRecord(0, 2), step{code: 0x05, data: fill(0x41, 6) + fill(0x42, 8) + fill(0x43, 3)}, step{code: 0x06, count: 5})...)
			assert.Equal(t, fill(0x33, 5), r.data[4], "the next record is behind the last segment")
			assert.Equal(t, 3, b.d.ChangedTracks().Count())
			assert.Equal(t, fill(0x41, 6), b.track(first).Records[2].Data)
			assert.Equal(t, "4b4b", b.track(first).Records[2].Key)
			assert.Equal(t, fill(0x42, 8), b.track(first + 1).Records[1].Data)
			assert.Equal(t, fill(0x43, 3), b.track(first + 2).Records[1].Data)
			b.ok(with(toRecord(0, 2), step{code: 0x0D, data: "5151" + fill(0x51, 7), flags: arch.FlagSLI})...)
			assert.Equal(t, "5151"+fill(0x51, 7)+fill(0, 10), b.ok(with(toRecord(0, 2), step{code: 0x0E, count: 19})...).data[3])
		})
	}
}

func TestOverflowIncomplete(t *testing.T) {
	for _, c := range []struct {
		model string
		at    int
	}{{"2311", 5}, {"2314", 5}, {"2305-1", 5}, {"3330", 3}, {"3340-70", 3}, {"3350", 3}} {
		t.Run(c.model, func(t *testing.T) {
			b := newModelBench(t, c.model)
			heads := b.d.geometry.Heads
			sense := func(steps ...step) string {
				cpa := b.put(steps)
				require.Zero(t, b.css.StartSubchannel(b.m.Clock.Now(), b.sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: cpa}))
				b.settle()
				var irb channel.IRB
				require.Zero(t, b.css.TestSubchannel(b.sch, &irb))
				assert.Equal(t, unitCheck, irb.SCSW.Unit)
				s := irb.Sense()
				require.Greater(t, len(s), c.at)
				return hex.EncodeToString([]byte{s[0], s[1], s[c.at]})
			}

			// No record on the next track.
			b.ok(with(behindZero(0), step{code: 0x01, data: "0001 0000 01 00 0004" + fill(1, 4)})...)
			assert.Equal(t, "000906", sense(with(toRecord(0, 1), step{code: 0x06, count: 8})...))
			assert.Equal(t, "000905", sense(with(toRecord(0, 1), step{code: 0x05, data: fill(2, 8)})...))
			assert.Equal(t, fill(2, 4), b.track(heads).Records[1].Data, "what is before has been written")

			// The end of the cylinder.
			b.ok(with(behindZero(heads-1), step{code: 0x01, data: fmt.Sprintf("0001 %04X 01 00 0004", heads-1) + fill(3, 4)})...)
			assert.Equal(t, "002106", sense(with(toRecord(heads-1, 1), step{code: 0x06, count: 8})...))
			assert.Equal(t, "002105", sense(with(toRecord(heads-1, 1), step{code: 0x05, data: fill(4, 8)})...))

			// A file mask that inhibits seeks.
			b.writeOverflow()
			masked := []step{{code: 0x07, data: "0000 0001 0000"}, {code: 0x1F, data: "18"}, {code: 0x31, data: "0001 0000 02"}, {code: arch.CommandTransfer, count: 1}}
			assert.Equal(t, "000506", sense(with(masked, step{code: 0x0E, count: 19})...))
			assert.Equal(t, "000505", sense(with(masked, step{code: 0x05, data: fill(5, 17)})...))
		})
	}
}

func TestOverflowRefusals(t *testing.T) {
	b := newModelBench(t, "3330")
	assert.Equal(t, "800002", b.run(step{code: 0x07, data: "0000 0001 0000"}, step{code: 0x01, data: "0001 0000 01 00 0004" + fill(1, 4)}).sense, "no search before")
	b.ok(with(behindZero(0), step{code: 0x01, data: "0001 0000 01", flags: arch.FlagSLI})...)
	// A count field that would be taken for a segment's, or cannot be one's.
	for _, code := range []byte{0x1D, 0x01, 0x11} {
		assert.Equal(t, "800004", b.run(with(behindZero(0), step{code: code, data: "8001 0000 01 00 0004" + fill(1, 4)})...).sense)
	}
	assert.Equal(t, "800004", b.run(with(behindZero(0), step{code: 0x01, data: "FF01 0000 01 00 0004" + fill(1, 4)})...).sense)
	b.ok(with(behindZero(0), step{code: 0x1D, data: "FFFF FFFF 01 00 0004" + fill(1, 4)})...)
	assert.Equal(t, hexed("FFFFFFFF 01 00 0004"+fill(1, 4)), strings.ToUpper(b.ok(with(behindZero(0), step{code: 0x1E, count: 12})...).data[3]))

	// A segment without data is the end of a file, and does not go on.
	b.ok(with(behindZero(0), step{code: 0x01, data: "0001 0000 01 00 0000"})...)
	b.ok(with(behindZero(1), step{code: 0x1D, data: "0001 0001 01 00 0004" + fill(1, 4)})...)
	for _, code := range []byte{0x06, 0x05} {
		r := b.run(with(toRecord(0, 1), step{code: code, count: 4, flags: arch.FlagSLI})...)
		assert.Equal(t, exception, r.unit)
		assert.Equal(t, 4, r.residual)
	}

	// Control units without the feature have no segments.
	for _, model := range []string{"3375", "3380", "3390-3", "9345"} {
		b := newModelBench(t, model)
		assert.Equal(t, "800002", b.run(with(behindZero(0), step{code: 0x01, data: "0001 0000 01 00 0004" + fill(1, 4)})...).sense, model)
		b.ok(with(behindZero(0), step{code: 0x1D, data: "8001 0000 01 00 0004" + fill(1, 4)})...)
		assert.Equal(t, hexed("8001 0000 01 00 0004"+fill(1, 4)), b.ok(with(behindZero(0), step{code: 0x1E, count: 12})...).data[3], model)
	}
}
