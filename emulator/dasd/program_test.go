package dasd

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A step is a command of a channel program in a test. Its data area holds data
// (hex, blanks allowed) before, and is count bytes, or as long as data.
type step struct {
	code  byte
	data  string
	count int
	flags channel.Flags // beside command chaining, which all but the last have
}

// The usual parameters.
const (
	seek00    = "0000 0000 0000"
	seek10    = "0000 0001 0000"
	dxRead    = "40C0 1000 00000000 00000000 0009000E" // all of the ten cylinders
	dxUpdate  = "80C0 1000 00000000 00000000 0009000E"
	dxFormat  = "C0C0 1000 00000000 00000000 0009000E"
	record13  = "0001000003" // search arguments: cylinder, head, record
	record11  = "0001000001"
	zeroCount = "0001 0000 00 00 0008"
)

// result is what a program led to.
type result struct {
	unit     arch.UnitStatus
	channel  arch.ChannelStatus
	residual int
	last     int    // the command that ended it
	sense    string // bytes 0, 1 and 7
	data     []string
}

// bench is a rig for programs of steps: a 3390 of ten cylinders in which tracks
// 15 on hold twelve records of 4096 bytes, and track 0 the label.
type bench struct {
	t *testing.T
	*caseRig
	areas [][]byte
}

func newBench(t *testing.T) *bench { return newBenchOn(t, Config{}, LinkConfig{}) }

func newBenchOn(t *testing.T, config Config, link LinkConfig) *bench {
	m, err := machine.New(1)
	require.NoError(t, err)
	g := &caseRig{m: m}
	g.seg, err = m.Storage.MapBytes(0, caseStorage)
	require.NoError(t, err)
	sub, err := NewSubsystem(m, "S", config)
	require.NoError(t, err)
	geometry, err := media.ForType(0x90, 10, 15, 56832)
	require.NoError(t, err)
	medium, err := media.NewMemoryCKD(geometry, 12, 4096)
	require.NoError(t, err)
	require.NoError(t, media.InitCKD(medium, media.Label{Serial: "TEST01"}))
	g.d, err = sub.NewECKD(0x120, medium)
	require.NoError(t, err)
	l, err := NewLink(m, link)
	require.NoError(t, err)
	g.way = g.d.NewSession(l)
	g.css = channel.New(m)
	g.sch = g.css.Add(0x120, g.way)
	g.sch.Enable()
	g.sch.EnableConcurrentSense()
	return &bench{t: t, caseRig: g}
}

// put stores the program and its data areas, and gives its address.
func (b *bench) put(steps []step) uint32 {
	const program, area, most = 0x1000, 0x10000, 0x10000
	p := b.seg.Bytes()
	b.areas = nil
	for i, s := range steps {
		data, err := hex.DecodeString(strings.ReplaceAll(s.data, " ", ""))
		require.NoError(b.t, err)
		at := area + i*most
		clear(p[at : at+most])
		copy(p[at:], data)
		n := s.count
		if n == 0 {
			n = len(data)
		}
		flags := s.flags
		if i < len(steps)-1 {
			flags |= arch.FlagCC
		}
		channel.PutCCW1(p[program+8*i:], channel.CCW{Command: s.code, Flags: flags, Count: uint16(n), Address: uint32(at)})
		if s.code == arch.CommandTransfer { // data is how many CCWs to go back
			channel.PutCCW1(p[program+8*i:], channel.CCW{Command: arch.CommandTransfer, Address: uint32(program + 8*i - 8*s.count)})
		}
		b.areas = append(b.areas, p[at:at+n])
	}
	return program
}

// run runs the program of the steps.
func (b *bench) run(steps ...step) result {
	cpa := b.put(steps)
	require.Zero(b.t, b.css.StartSubchannel(b.m.Clock.Now(), b.sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: cpa}))
	b.settle()
	return b.result(cpa)
}

func (b *bench) result(cpa uint32) result {
	var irb channel.IRB
	require.Zero(b.t, b.css.TestSubchannel(b.sch, &irb))
	r := result{unit: irb.SCSW.Unit, channel: irb.SCSW.Channel, residual: int(irb.SCSW.Residual)}
	r.last = int(irb.SCSW.CCWAddress-cpa)/8 - 1
	if s := irb.Sense(); len(s) > 0 {
		s = append(s[:len(s):len(s)], make([]byte, 8)...) // some have six
		r.sense = hex.EncodeToString([]byte{s[0], s[1], s[7]})
	}
	for _, a := range b.areas {
		r.data = append(r.data, hex.EncodeToString(a))
	}
	return r
}

// ok runs a program that must end well.
func (b *bench) ok(steps ...step) result {
	r := b.run(steps...)
	require.Equal(b.t, done, r.unit, "sense %s at command %d", r.sense, r.last)
	require.Zero(b.t, r.channel)
	return r
}

// searchFor is the steps that seek to cylinder 1 head 0 and find a record.
func searchFor(record string) []step {
	return []step{{code: 0x07, data: seek10}, {code: 0x31, data: record}, {code: arch.CommandTransfer, count: 1}}
}

func with(steps []step, more ...step) []step { return append(append([]step(nil), steps...), more...) }

func fill(b byte, n int) string { return strings.Repeat(hex.EncodeToString([]byte{b}), n) }

// track lists a track.
func (b *bench) track(n int) trackRecords {
	t, err := b.d.ckd.Track(n)
	require.NoError(b.t, err)
	require.NoError(b.t, t.Validate(b.d.geometry))
	return listTrack(b.t, t)
}

// A refusal is a program that ends in a unit check.
type refusal struct {
	name  string
	steps []step
	last  int
	sense string // bytes 0, 1 and 7
}

func TestRefusals(t *testing.T) {
	locate := func(parameters string) []step {
		return []step{{code: 0x63, data: dxRead}, {code: 0x47, data: parameters}, {code: 0x86, count: 4096}}
	}
	extent := func(parameters string) []step { return []step{{code: 0x63, data: parameters}} }
	const read1 = "0680 0001 00010000 0001000001 FF 1000"
	for _, c := range []refusal{
		{"command that does not exist", []step{{code: 0x66, count: 1}}, 0, "800001"},
		{"recalibrate on a 3390", []step{{code: 0x13, count: 1}}, 0, "800001"},
		{"seek with a short address", []step{{code: 0x07, data: "00000000"}}, 0, "800003"},
		{"seek to a head too high", []step{{code: 0x07, data: "0000 0000 000F"}}, 0, "800004"},
		{"seek to a cylinder too high", []step{{code: 0x07, data: "0000 000A 0000"}}, 0, "800004"},
		{"seek with a bin", []step{{code: 0x07, data: "0001 0000 0000"}}, 0, "800004"},
		{"seek head before any seek", []step{{code: 0x1B, data: seek00}}, 0, "800002"},
		{"read before any seek", []step{{code: 0x06, count: 8}}, 0, "800002"},
		{"search before any seek", []step{{code: 0x31, data: record11}}, 0, "800002"},
		{"seek under a mask for seek cylinder", []step{{code: 0x1F, data: "08"}, {code: 0x07, data: seek00}}, 1, "000400"},
		{"seek cylinder under a mask for seek head", []step{{code: 0x1F, data: "10"}, {code: 0x0B, data: seek00}}, 1, "000400"},
		{"seek under a mask for none", []step{{code: 0x1F, data: "18"}, {code: 0x07, data: seek00}}, 1, "000400"},
		{"two file masks", []step{{code: 0x1F, data: "00"}, {code: 0x1F, data: "00"}}, 1, "800002"},
		{"reserved file mask", []step{{code: 0x1F, data: "20"}}, 0, "800004"},
		{"file mask without a byte", []step{{code: 0x1F, flags: arch.FlagSLI}}, 0, "800003"},
		{"sector too high", []step{{code: 0x07, data: seek00}, {code: 0x23, data: "E0"}}, 1, "800004"},

		{"record absent", with(searchFor("0001000063"), step{code: 0x06, count: 8}), 1, "000800"},
		{"multitrack read past the cylinder", []step{{code: 0x07, data: "0000 0001 000E"}, {code: 0xB1, data: record11}, {code: arch.CommandTransfer, count: 1}}, 1, "002000"},
		{"multitrack under a mask against it", []step{{code: 0x07, data: seek10}, {code: 0x1F, data: "18"}, {code: 0x9A, count: 5}}, 2, "000400"},

		{"extent short", extent("40C0 1000"), 0, "800003"},
		{"extent not of this architecture", extent("4040 1000 00000000 00000000 0000000E"), 0, "800004"},
		{"extent with a reserved mask", extent("60C0 1000 00000000 00000000 0000000E"), 0, "800004"},
		{"extent upside down", extent("40C0 1000 00000000 00010000 00000000"), 0, "800004"},
		{"extent past the device", extent("40C0 1000 00000000 00010000 000A0000"), 0, "800004"},
		{"extent with a head too high", extent("40C0 1000 00000000 00010000 0001000F"), 0, "800004"},
		{"extent with blocks too large", extent("40C0 FFFF 00000000 00010000 0001000E"), 0, "800004"},
		{"extent with another fast-write identity", extent("40C2 1000 00080000 00010000 0001000E"), 0, "800004"},
		{"extent with an identity for nothing", extent("40C0 1000 00080000 00010000 0001000E"), 0, "800004"},
		{"extent twice", []step{{code: 0x63, data: dxRead}, {code: 0x63, data: dxRead}}, 1, "800002"},
		{"extent behind a file mask", []step{{code: 0x1F, data: "00"}, {code: 0x63, data: dxRead}}, 1, "800002"},
		{"file mask behind an extent", []step{{code: 0x63, data: dxRead}, {code: 0x1F, data: "00"}}, 1, "800002"},

		{"locate without extent", []step{{code: 0x47, data: read1}}, 0, "800002"},
		{"locate short", locate("0680"), 1, "800003"},
		{"locate with an operation that does not exist", locate("0780 0001 00010000 0001000001 FF 1000"), 1, "800004"},
		{"locate with a reserved byte", locate("0680 0101 00010000 0001000001 FF 1000"), 1, "800004"},
		{"locate with data to be checked", locate("0682 0001 00010000 0001000001 FF 1000"), 1, "800004"},
		{"locate with reserved auxiliary bits", locate("06C0 0001 00010000 0001000001 FF 1000"), 1, "800004"},
		{"locate with no count", locate("0680 0000 00010000 0001000001 FF 1000"), 1, "800004"},
		{"orient with a count", locate("0000 0001 00010000 0001000001 FF 0000"), 1, "800004"},
		{"locate with a sector too high", locate("0680 0001 00010000 0001000001 E0 1000"), 1, "800004"},
		{"locate with a length over the block size", locate("0680 0001 00010000 0001000001 FF 1001"), 1, "800004"},
		{"locate with a length that is not valid", locate("0600 0001 00010000 0001000001 FF 1000"), 1, "800004"},
		{"locate with a count suffix to read data", locate("0681 0002 00010000 0001000001 FF 1000"), 1, "800004"},
		{"locate by index to read data", locate("C680 0001 00010000 0001000001 FF 1000"), 1, "800004"},
		{"locate past the device", locate("0680 0001 000A0000 0001000001 FF 1000"), 1, "800004"},
		{"locate of a record that is absent", locate("0680 0001 00010000 000100000D FF 1000"), 1, "000800"},
		{"locate of another home address", locate("4680 0001 00010000 00010001FF FF 1000"), 1, "000800"},
		{"locate outside the extent",
			[]step{{code: 0x63, data: "40C0 1000 00000000 00020000 0002000E"}, {code: 0x47, data: read1}}, 1, "000400"},
		{"locate to write under a mask against it", locate("0180 0001 00010000 0001000001 FF 1000"), 1, "800002"},
		{"no-operation in a domain", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: read1}, {code: 0x03}}, 2, "800002"},
		{"seek in a domain", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: read1}, {code: 0x07, data: seek00}}, 2, "800002"},
		{"read multiple in a domain to read data", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: read1}, {code: 0x5E, count: 8}}, 2, "800002"},
		{"other command than the count announced", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "1681 0002 00010000 0001000001 FF 1000"},
			{code: 0x86, count: 4096}, {code: 0x86, count: 4096}}, 3, "800002"},
		{"write data behind an orientation", []step{{code: 0x63, data: dxUpdate}, {code: 0x47, data: "0000 0000 00010000 0001000001 FF 0000"}, {code: 0x05, count: 4096}}, 2, "800002"},
		{"record zero behind an orientation", []step{{code: 0x63, data: dxFormat}, {code: 0x47, data: "4000 0000 00010000 0001000001 FF 0000"},
			{code: 0x15, data: zeroCount + fill(0, 8)}}, 2, "800002"},
		{"extent behind read IPL", []step{{code: 0x02, count: 24}, {code: 0x63, data: dxRead}}, 1, "800002"},
		{"file mask behind read IPL", []step{{code: 0x02, count: 24}, {code: 0x1F, data: "00"}}, 1, "800002"},
		{"read IPL behind a file mask", []step{{code: 0x1F, data: "00"}, {code: 0x02, count: 24}}, 1, "800002"},
		{"read IPL behind an extent", []step{{code: 0x63, data: dxRead}, {code: 0x02, count: 24}}, 1, "800002"},
		{"update write in a domain to read", []step{{code: 0x63, data: dxUpdate}, {code: 0x47, data: read1}, {code: 0x85, count: 4096}}, 2, "800002"},
		{"update write outside a domain", with(searchFor(record11), step{code: 0x85, count: 4096}), 3, "800002"},
		{"read track outside a domain", with(searchFor(record11), step{code: 0xDE, count: 4096}), 3, "800002"},
		{"domain not used up", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "0680 0002 00010000 0001000001 FF 1000"}, {code: 0x86, count: 4096}}, 2, "810000"},
		{"domain not used up by a data chain", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: "0680 0002 00010000 0001000001 FF 1000"},
			{code: 0x86, count: 2048, flags: arch.FlagCD}, {count: 2048}}, 3, "810000"},
		{"domain not begun", []step{{code: 0x63, data: dxRead}, {code: 0x47, data: read1}}, 1, "810000"},
		{"domain past the extent", []step{
			{code: 0x63, data: "40C0 1000 00000000 00010000 00010000"}, {code: 0x47, data: "0680 0002 00010000 000100000C FF 1000"},
			{code: 0x86, count: 4096}, {code: 0x86, count: 4096}}, 3, "000400"},
		{"record of another length than the factor", []step{
			{code: 0x63, data: dxUpdate}, {code: 0x47, data: "0180 0001 00010000 0001000001 FF 0800"}, {code: 0x85, count: 2048}}, 2, "004000"},

		{"write data without a search", []step{{code: 0x07, data: seek10}, {code: 0x05, count: 4096}}, 1, "800002"},
		{"write data behind a read of the same record", with(searchFor(record11), step{code: 0x06, count: 4096}, step{code: 0x05, count: 4096}), 4, "800002"},
		{"write key and data behind a search for the key", []step{
			{code: 0x07, data: seek00}, {code: 0x29, data: "E5D6D3F1"}, {code: arch.CommandTransfer, count: 1}, {code: 0x0D, count: 84}}, 3, "800002"},
		{"write data under a mask against it", with([]step{{code: 0x1F, data: "40"}}, with(searchFor(record11), step{code: 0x05, count: 4096})...), 4, "800002"},
		{"format write under a mask for updates", with([]step{{code: 0x1F, data: "80"}}, with(searchFor(record11), step{code: 0x1D, data: "0001000002000010" + fill(1, 16)})...), 4, "800002"},
		{"format write without a search", []step{{code: 0x07, data: seek10}, {code: 0x1D, data: "0001000002000010" + fill(1, 16)}}, 1, "800002"},
		{"erase of a record that does not fit", with(searchFor(record11), step{code: 0x11, data: "000100000200E000", flags: arch.FlagSLI}), 3, "004000"},
		{"record zero under the usual mask", []step{
			{code: 0x07, data: seek10}, {code: 0x39, data: "00010000"}, {code: arch.CommandTransfer, count: 1}, {code: 0x15, data: zeroCount + fill(0, 8)}}, 3, "800002"},
		{"home address under the usual mask", []step{{code: 0x07, data: seek10}, {code: 0x19, data: "0000010000"}}, 1, "000400"},
		{"record that does not fit", with(searchFor("000100000C"), step{code: 0x1D, data: "000100000D001000" + fill(7, 4096)}), 3, "004000"},

		{"subsystem data that was not prepared", []step{{code: 0x3E, count: 16}}, 0, "800002"},
		{"other command behind prepared data", []step{{code: 0x27, data: "180000000000000000000000"}, {code: 0x03}}, 1, "800002"},
		{"subsystem function that does not exist", []step{{code: 0x27, data: "7700"}}, 0, "800004"},
		{"subsystem function with too little", []step{{code: 0x27, data: "1800000000"}}, 0, "800003"},
		{"diagnostic control without authority", []step{{code: 0xF3, data: "06000000"}}, 0, "800005"},
		{"reserve behind another command", []step{{code: 0x03}, {code: 0xB4, count: 32}}, 1, "800002"},
		{"release behind an extent", []step{{code: 0x63, data: dxRead}, {code: 0x94, count: 32}}, 1, "800002"},
		{"prefix in another place", []step{{code: 0x03}, {code: 0xE7, data: fill(0, 64)}}, 1, "800002"},
		{"prefix for another base", []step{{code: 0xE7, data: "00A0 21" + fill(0, 61)}}, 0, "800004"},
		{"track data outside a domain", []step{{code: 0x07, data: seek10}, {code: 0xA6, count: 4096}}, 1, "800002"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			r := b.run(c.steps...)
			assert.Equal(t, unitCheck, r.unit)
			assert.Equal(t, c.last, r.last, "command that ended it")
			assert.Equal(t, c.sense, r.sense)
			assert.Equal(t, uint64(1), b.d.Stats().UnitChecks)
		})
	}
}
