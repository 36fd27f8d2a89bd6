package chain

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
)

// testCCW is a CCW of a test: its data, in hexadecimal, is put somewhere; a step
// with to goes, or points, to the CCW of that number.
type testCCW struct {
	code  byte
	flags channel.Flags // FlagCC stands in all but the last, unless end is set
	data  string
	count uint16
	to    int // 1-based
	at    machine.Address
	end   bool
}

const (
	chainAt   = 0x1000
	dataAt    = 0x20000
	cylinders = 100
)

var (
	testECKD = Geometry{Class: abi.ClassECKD, Tracks: cylinders * 15, Heads: 15}
	testFBA  = Geometry{Class: abi.ClassFBA, Tracks: 100, Blocks: 6400 - 10, TrackBlocks: 64}
)

func testStorage(t testing.TB) *machine.Storage {
	t.Helper()
	var s machine.Storage
	_, err := s.MapBytes(0, 4*machine.FrameSize)
	require.NoError(t, err)
	return &s
}

func store(t testing.TB, s *machine.Storage, steps []testCCW, format1 bool) {
	t.Helper()
	for i, c := range steps {
		w := channel.CCW{Command: c.code, Flags: c.flags, Count: c.count, Address: dataAt + uint32(i)*0x1000}
		if i < len(steps)-1 && !c.end && c.code != arch.CommandTransfer {
			w.Flags |= arch.FlagCC
		}
		if w.Flags&arch.FlagCD != 0 {
			w.Flags &^= arch.FlagCC
		}
		if c.at != 0 {
			w.Address = uint32(c.at)
		}
		if c.to != 0 {
			w.Address = chainAt + uint32(c.to-1)*arch.CCWSize
		}
		p, err := hex.DecodeString(strings.ReplaceAll(c.data, " ", ""))
		require.NoError(t, err)
		if len(p) != 0 {
			if w.Count == 0 {
				w.Count = uint16(len(p))
			}
			_, err := s.Store(machine.Address(w.Address), p)
			require.NoError(t, err)
		}
		put := channel.PutCCW0
		if format1 {
			put = channel.PutCCW1
		}
		put(s.View(machine.Address(chainAt+i*arch.CCWSize), arch.CCWSize), w)
	}
}

const (
	extent10to19 = "80C0 1000 0000 0000 0000 000A 0001 0004" // tracks 10 to 19
	locate12     = "0180 0002 0000 000C 0000000C 01FF 1000"  // two records from track 12 on
)

func TestFollow(t *testing.T) {
	all := Extent{0, testECKD.Tracks - 1}
	for _, c := range []struct {
		name   string
		fba    bool
		zero   bool // format 0
		steps  []testCCW
		tracks Extent
		want   string // w writes, s stores, m modifies itself, b branches, S suspends, P interrupts, t truncated
		ccws   int
	}{
		{name: "update write", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x85, count: 4096}, {code: 0x85, count: 4096}}, tracks: Extent{12, 13}, want: "w", ccws: 4},
		{name: "format 0", zero: true, steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x85, count: 4096}}, tracks: Extent{12, 13}, want: "w", ccws: 3},
		{name: "read", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, count: 4096}}, tracks: Extent{12, 13}, want: "s", ccws: 3},
		{name: "read that skips", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, flags: arch.FlagSkip, count: 4096}}, tracks: Extent{12, 13}, ccws: 3},
		{name: "domain past the Extent", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: "0180 0020 0001 0002 00010002 01FF 1000"}, {code: 0x85, count: 1}}, tracks: Extent{17, 19}, want: "w", ccws: 3},
		{name: "two domains", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x85, count: 1}, {code: 0x47, data: "0180 0001 0001 0002 00010002 01FF 1000"}, {code: 0x85, count: 1}}, tracks: Extent{12, 17}, want: "w", ccws: 5},
		{name: "extent alone", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x05, count: 8}}, tracks: Extent{10, 19}, want: "w", ccws: 2},
		{name: "nothing says where", steps: []testCCW{{code: 0x1D, count: 8}}, tracks: all, want: "w", ccws: 1},
		{name: "extended locate record", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x4B, data: "3F00 0003 0000 000B 0000000B 01FF 0000 A500"}, {code: 0xA5, count: 100}}, tracks: Extent{11, 13}, want: "w", ccws: 3},
		{name: "prefix with extent", steps: []testCCW{{code: 0xE7, data: "0080 0000 00000000 00000000" + extent10to19}, {code: 0x85, count: 8}}, tracks: Extent{10, 19}, want: "w", ccws: 2},
		{name: "prefix with locate record", steps: []testCCW{{code: 0xE7, data: "0180 0000 00000000 00000000" + extent10to19 + "00000000 00000000 00000000 00000000" + "3F00 0002 0000 000E 0000000E 01FF 0000 A500"}, {code: 0xA5, count: 8}}, tracks: Extent{14, 15}, want: "w", ccws: 2},
		{name: "prefix without extent", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0xE7, data: "0100 0000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000" + "3F00 0002 0000 000E 0000000E 01FF 0000 A500"}, {code: 0xA5, count: 8}}, tracks: Extent{14, 15}, want: "w", ccws: 3},
		{name: "seek and search", steps: []testCCW{{code: 0x07, data: "0000 0002 0003"}, {code: 0x31, data: "0002000301"}, {code: arch.CommandTransfer, to: 2}, {code: 0x05, count: 80}}, tracks: Extent{33, 33}, want: "w", ccws: 4},
		{name: "multitrack search after a seek", steps: []testCCW{{code: 0x07, data: "0000 0002 0003"}, {code: 0xB1, data: "0002000301"}, {code: arch.CommandTransfer, to: 2}, {code: 0x05, count: 80}}, tracks: Extent{33, 44}, want: "w", ccws: 4},
		{name: "multitrack read after a seek", steps: []testCCW{{code: 0x0B, data: "0000 0002 000E"}, {code: 0x92, count: 8}, {code: 0x05, count: 80}}, tracks: Extent{44, 44}, want: "ws", ccws: 3},
		{name: "update read in a domain", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, count: 8}, {code: 0x85, count: 8}}, tracks: Extent{12, 13}, want: "ws", ccws: 4},
		{name: "seek head", steps: []testCCW{{code: 0x07, data: "0000 0002 0003"}, {code: 0x1B, data: "0000 0000 0007"}, {code: 0x05, count: 1}}, tracks: Extent{33, 37}, want: "w", ccws: 3},
		{name: "seek head alone", steps: []testCCW{{code: 0x1B, data: "0000 0000 0007"}, {code: 0x05, count: 1}}, tracks: all, want: "w", ccws: 2},
		{name: "recalibrate", steps: []testCCW{{code: 0x13, count: 1}, {code: 0x05, count: 1}}, tracks: Extent{0, 0}, want: "w", ccws: 2},
		{name: "beyond the device", steps: []testCCW{{code: 0x07, data: "0000 FFFF 0000"}, {code: 0x05, count: 1}}, tracks: Extent{testECKD.Tracks - 1, testECKD.Tracks - 1}, want: "w", ccws: 2},
		{name: "write behind the other way of a search", steps: []testCCW{{code: 0x07, data: "0000 0001 0000"}, {code: 0x31, data: "0001000001"}, {code: arch.CommandTransfer, to: 5}, {code: 0x05, count: 1, end: true}, {code: 0x06, count: 80, end: true}, {}}, tracks: Extent{15, 15}, want: "wsb", ccws: 5},
		{name: "write behind a command that a search skips", steps: []testCCW{{code: 0x07, data: "0000 0001 0000"}, {code: 0x31, data: "0001000001"}, {code: 0x03, count: 1, end: true}, {code: 0x05, count: 1}}, tracks: Extent{15, 15}, want: "wb", ccws: 4},
		{name: "seek on the other way", steps: []testCCW{{code: 0x07, data: "0000 0001 0000"}, {code: 0x31, data: "0001000001"}, {code: arch.CommandTransfer, to: 6}, {code: 0x07, data: "0000 0004 0000"}, {code: 0x05, count: 1, end: true}, {code: 0x03, count: 1}}, tracks: Extent{15, 60}, want: "wb", ccws: 6},
		{name: "transfer ahead and back", steps: []testCCW{{code: arch.CommandTransfer, to: 3}, {code: 0x05, count: 1, end: true}, {code: 0x07, data: "0000 0001 0000"}, {code: arch.CommandTransfer, to: 2}}, tracks: Extent{15, 15}, want: "w", ccws: 4},
		{name: "loop for ever", steps: []testCCW{{code: 0x03, count: 1}, {code: arch.CommandTransfer, to: 1}, {code: 0x03, count: 1}}, tracks: all, ccws: 3},
		{name: "data chaining", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, flags: arch.FlagCD, count: 8}, {code: 0x85, count: 8}}, tracks: Extent{12, 13}, want: "s", ccws: 4},
		{name: "suspension and interruption", steps: []testCCW{{code: 0x03, flags: arch.FlagS, count: 1}, {code: 0x03, flags: arch.FlagPCI, count: 1}}, tracks: all, want: "SP", ccws: 2},
		{name: "address that is not backed", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: arch.CommandTransfer, at: 0x7000000}}, tracks: Extent{10, 19}, want: "wt", ccws: 2},
		{name: "stores into a CCW", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, count: 8, to: 4}, {code: 0x03, count: 1}}, tracks: Extent{10, 19}, want: "wsm", ccws: 4},
		{name: "stores into a locate", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, count: 8, at: dataAt + 0x3008}, {code: 0x47, data: locate12}, {code: 0x86, count: 1}}, tracks: Extent{10, 19}, want: "wsm", ccws: 5},
		{name: "stores into its extent", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, count: 1, at: dataAt + 15}}, tracks: all, want: "wsm", ccws: 3},
		{name: "stores without an extent", steps: []testCCW{{code: 0x06, count: 8, to: 2}, {code: 0x03, count: 1}}, tracks: all, want: "wsm", ccws: 2},
		{name: "stores into what it writes", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, count: 100, at: dataAt + 0x3050}, {code: 0x85, count: 100}}, tracks: Extent{12, 13}, want: "wsm", ccws: 4},
		{name: "stores between what it sends", steps: []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x86, count: 100}, {code: 0x85, count: 100}}, tracks: Extent{12, 13}, want: "ws", ccws: 4},
		{name: "fixed blocks", fba: true, steps: []testCCW{{code: 0x63, data: "C000 0000 00000040 00000000 0000013F"}, {code: 0x43, data: "0100 0080 00000040"}, {code: 0x41, count: 512}}, tracks: Extent{2, 3}, want: "w", ccws: 3},
		{name: "fixed blocks, logical", fba: true, steps: []testCCW{{code: 0x63, data: "C000 0000 00000040 00000010 0000004F"}, {code: 0x43, data: "0100 0001 0000004F"}, {code: 0x41, count: 512}}, tracks: Extent{1, 1}, want: "w", ccws: 3},
		{name: "extent of fixed blocks", fba: true, steps: []testCCW{{code: 0x63, data: "C000 0000 00000040 00000000 0000013F"}, {code: 0x41, count: 512}}, tracks: Extent{1, 5}, want: "w", ccws: 2},
		{name: "read of fixed blocks", fba: true, steps: []testCCW{{code: 0x63, data: "4000 0000 00000000 00000000 FFFFFFFF"}, {code: 0x42, count: 512}}, tracks: Extent{0, 99}, want: "s", ccws: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testStorage(t)
			store(t, s, c.steps, !c.zero)
			geo := &testECKD
			if c.fba {
				geo = &testFBA
			}
			var g Program
			for range 2 { // the second time over what the first has left
				g.Follow(s, chainAt, !c.zero, geo)
				assert.Equal(t, c.tracks, g.Tracks)
				assert.Equal(t, c.want, facts(&g))
				assert.Len(t, g.CCWs, c.ccws)
			}
		})
	}
}

func facts(g *Program) (s string) {
	for i, is := range []bool{g.Writes, g.Stores, g.Modifies, g.Branches, g.Suspends, g.Interrupts, g.Flags&abi.ChainTruncated != 0} {
		if is {
			s += "wsmbSPt"[i : i+1]
		}
	}
	return s
}

func TestFollowParameters(t *testing.T) {
	s := testStorage(t)
	long := strings.Repeat("AB", 40)
	store(t, s, []testCCW{{code: 0x63, data: extent10to19}, {code: 0xE7, data: long}, {code: 0x47, data: locate12}, {code: 0x47, data: locate12}, {code: 0x85, count: 1}}, true)
	var g Program
	g.Follow(s, chainAt, true, &testECKD)
	var at []uint8
	for _, c := range g.CCWs {
		at = append(at, c.Parameter)
	}
	assert.Equal(t, []uint8{1, 2, 4, 0, 0}, at, "a long one takes two blocks; what does not fit is left out")
	assert.Equal(t, 4, g.Blocks)
	assert.Equal(t, byte(0x80), g.Parameters[0][0])
	assert.Equal(t, [2]byte{0xAB, 0}, [2]byte{g.Parameters[2][7], g.Parameters[2][8]})
}

func TestFollowALongChain(t *testing.T) {
	s := testStorage(t)
	steps := make([]testCCW, MaxCCWs)
	for i := range steps {
		steps[i] = testCCW{code: 0x03, count: 1, at: dataAt}
	}
	store(t, s, steps, true)
	var g Program
	g.Follow(s, chainAt, true, &testECKD)
	assert.Empty(t, facts(&g))
	assert.Len(t, g.CCWs, MaxCCWs)
	store(t, s, append(steps, testCCW{code: 0x03, count: 1, at: dataAt}), true)
	g.Follow(s, chainAt, true, &testECKD)
	assert.Equal(t, "wt", facts(&g))
	assert.Len(t, g.CCWs, MaxCCWs)
}

// TestFollowAnything: whatever is in storage, the tracks are the device's, no
// CCW is met twice and the limits hold.
func TestFollowAnything(t *testing.T) {
	codes := []byte{0x63, 0x47, 0x4B, 0xE7, 0x07, 0x0B, 0x1B, 0x13, 0x31, 0xB1, 0x29, 0x05, 0x06, 0x85, 0x86, 0x08, 0x08, 0x03, 0x43, 0x41, 0x42}
	s := testStorage(t)
	var g Program
	for seed := range uint64(4000) {
		random := rand.New(rand.NewPCG(seed, 0))
		v := s.View(0, 4*machine.FrameSize)[:0x4000]
		for i := 0; i < len(v); i += 8 {
			binary.BigEndian.PutUint64(v[i:], random.Uint64())
			if seed%2 == 0 {
				v[i], v[i+1] = codes[random.IntN(len(codes))], []byte{0x40, 0x40, 0x60, 0x80, 0x00, 0x44, v[i+1]}[random.IntN(7)]
				binary.BigEndian.PutUint16(v[i+2:], uint16(random.IntN(100)))
				binary.BigEndian.PutUint32(v[i+4:], uint32(random.IntN(0x3000))&^7)
			}
		}
		geo := &testECKD
		if seed%3 == 0 {
			geo = &testFBA
		}
		g.Follow(s, machine.Address(random.IntN(0x200)*8), random.IntN(3) != 0, geo)
		require.LessOrEqual(t, len(g.CCWs), MaxCCWs)
		require.LessOrEqual(t, g.Tracks.First, g.Tracks.Last, "seed %d", seed)
		require.Less(t, g.Tracks.Last, geo.Tracks, "seed %d", seed)
		require.LessOrEqual(t, g.Blocks, abi.InlineParameters)
		if g.Flags&abi.ChainTruncated != 0 {
			require.True(t, g.Writes)
			continue
		}
		met := make(map[uint32]bool)
		for _, c := range g.CCWs {
			require.False(t, met[c.Location], "seed %d: %x", seed, c.Location)
			met[c.Location] = true
		}
	}
}

func BenchmarkFollow(b *testing.B) {
	s := testStorage(b)
	store(b, s, []testCCW{{code: 0x63, data: extent10to19}, {code: 0x47, data: locate12}, {code: 0x85, count: 4096}}, true)
	var g Program
	b.ReportAllocs()
	for b.Loop() {
		g.Follow(s, chainAt, true, &testECKD)
	}
}

// What a chain can touch after it has suspended itself is known apart: its extent
// holds, but the place of before does not.
func TestLate(t *testing.T) {
	seek := func(track string, flags channel.Flags) testCCW {
		return testCCW{code: arch.CommandSeek, flags: flags, data: "0000 0000 " + track}
	}
	extent, locate := testCCW{code: 0x63, data: extent10to19}, testCCW{code: 0x47, data: locate12}
	write, suspended := testCCW{code: 0x85, count: 4096}, testCCW{code: 0x85, count: 4096, flags: arch.FlagS}
	for _, c := range []struct {
		name  string
		steps []testCCW
		late  Extent
	}{
		{"does not suspend", []testCCW{extent, locate, write}, NoTracks},
		{"suspended before it writes", []testCCW{extent, locate, suspended}, Extent{10, 19}},
		{"suspended before another place", []testCCW{seek("000B", 0), {code: 0x05, count: 8}, seek("000C", arch.FlagS), {code: 0x05, count: 8}}, Track(12)},
		{"both places after", []testCCW{seek("000B", arch.FlagS), {code: 0x05, count: 8}, seek("000C", 0), {code: 0x05, count: 8}}, Extent{11, 12}},
		{"suspended twice", []testCCW{seek("000A", 0), {code: 0x05, count: 8}, seek("000B", arch.FlagS), {code: 0x05, count: 8}, seek("000C", arch.FlagS), {code: 0x05, count: 8}}, Extent{11, 12}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testStorage(t)
			store(t, s, c.steps, true)
			var g Program
			g.Follow(s, chainAt, true, &testECKD)
			assert.Equal(t, c.late, g.Late)
		})
	}
}
