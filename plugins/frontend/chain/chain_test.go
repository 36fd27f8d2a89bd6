package chain

import (
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTablesListNoCodeTwice(t *testing.T) {
	for name, rows := range map[string][]Command{"ECKD": ECKD[:], "FBA": FBA[:]} {
		seen := map[uint8]string{}
		for _, r := range rows {
			assert.Empty(t, seen[r.Code], "%s: %02X is %s", name, r.Code, r.Name)
			seen[r.Code] = r.Name
			if r.Kind&Reads != 0 {
				assert.NotZero(t, r.Kind&Stores, "%s: %s reads and stores nothing", name, r.Name)
			}
			if r.Kind&Writes != 0 {
				assert.NotZero(t, r.Kind&Sends, "%s: %s writes and sends nothing", name, r.Name)
			}
			assert.Zero(t, byLowBits(r.Code)&Transfer, "%s: %s", name, r.Name)
		}
	}
}

// TestKindsFollowTheLowBits holds the rows against the direction that the
// architecture gives a command code.
func TestKindsFollowTheLowBits(t *testing.T) {
	for _, table := range []*Table{Commands(abi.ClassECKD), Commands(abi.ClassFBA)} {
		for c, k := range table {
			if k == 0 {
				continue
			}
			switch {
			case c&3 == 2, c&0xF == 0xC, c&0xF == 4:
				assert.Equal(t, Stores, k&(Stores|Sends), "%02X", c)
			case c&1 == 1:
				assert.Equal(t, Sends, k&(Stores|Sends), "%02X", c)
			default:
				assert.Equal(t, Transfer, k, "%02X", c)
			}
		}
	}
}

func TestCommandsDependOnTheClass(t *testing.T) {
	eckd, fba := Commands(abi.ClassECKD), Commands(abi.ClassFBA)
	assert.Equal(t, Reads|Stores, fba[0x42])
	assert.Equal(t, Writes|Sends, fba[0x41])
	assert.Equal(t, Writes|Sends, eckd[0x85])
	assert.Equal(t, eckd[0x06], eckd[0x86], "multitrack")
	assert.Equal(t, eckd[0x31], eckd[0xB1], "multitrack")
	assert.Equal(t, State|Stores|Own, eckd[0xB4], "device reserve is not a multitrack sense path group id")
	assert.NotZero(t, eckd[0x63]&Extent)
	assert.Zero(t, fba[0x63]&Extent, "fixed-block parameters have no fast-write identification")
}

// chained lays CCWs one behind the other from 1000 on, with command chaining.
func chained(ccws ...abi.CCW) []abi.CCW {
	for i := range ccws {
		ccws[i].Location = 0x1000 + 8*uint32(i)
		if i < len(ccws)-1 {
			ccws[i].Flags |= arch.FlagCC
		}
	}
	return ccws
}

func judge(ccws []abi.CCW) *Program {
	f := new(abi.Frame)
	f.Chain.Count = uint16(len(ccws))
	f.Chain.Inline = uint16(copy(f.Chain.CCW[:], ccws))
	p := new(Program)
	p.Judge(f, &Rest{Read: func(first int, into []abi.CCW) int { return copy(into, ccws[first:]) }})
	return p
}

func TestClass(t *testing.T) {
	write := abi.CCW{Command: 0x85, Count: 16, Address: 0x20000}
	read := abi.CCW{Command: 0x86, Count: 16, Address: 0x30000}
	flag := func(c abi.CCW, f uint8) abi.CCW { c.Flags |= f; return c }
	to := func(c abi.CCW, a uint32) abi.CCW { c.Address = a; return c }
	for _, c := range []struct {
		name string
		ccws []abi.CCW
		want Class
	}{
		{"nothing", nil, Neither},
		{"no operation", chained(abi.CCW{Command: 0x03}), Neither},
		{"sense", chained(abi.CCW{Command: 0x04, Count: 32, Address: 0x30000}), Neither},
		{"write", chained(write), WritesPlain},
		{"write with PCI", chained(flag(write, arch.FlagPCI)), WritesSpecial},
		{"write that suspends", chained(write, flag(write, arch.FlagS)), WritesSpecial},
		{"write and a sense into a CCW", chained(abi.CCW{Command: 0x04, Count: 32, Address: 0x1000}, write), WritesSpecial},
		{"read", chained(read), ReadsPlain},
		{"read into its own CCW", chained(to(read, 0x0FF9)), ReadsSpecial},
		{"read up to its own CCW", chained(to(read, 0x0FF0)), ReadsPlain},
		{"read behind its own CCW", chained(to(read, 0x1008)), ReadsPlain},
		{"read into its own CCW, with skip", chained(flag(to(read, 0x1000), arch.FlagSkip)), ReadsPlain},
		{"read of no byte", chained(abi.CCW{Command: 0x86, Address: 0x1000}), ReadsPlain},
		{"read of a search argument", chained(to(read, 0x40000), abi.CCW{Command: 0x31, Count: 5, Address: 0x40008}, read), ReadsSpecial},
		{"both", chained(read, write), ReadsWritesPlain},
		{"read what is written then", chained(to(read, 0x20008), write), ReadsWritesSpecial},
		{"read what was written before", chained(write, to(read, 0x20008)), ReadsWritesPlain},
		{"data chaining", chained(flag(write, arch.FlagCD), abi.CCW{Command: 0x86, Count: 8, Address: 0x50000}), WritesPlain},
		{"data chaining through a transfer", chained(flag(write, arch.FlagCD), abi.CCW{Command: arch.CommandTransfer, Address: 0x1010}, abi.CCW{Command: 0x86, Count: 8, Address: 0x50000}), WritesPlain},
		{"a transfer's flags", chained(write, abi.CCW{Command: arch.CommandTransfer, Address: 0x1010, Flags: arch.FlagPCI}, write), WritesPlain},
	} {
		t.Run(c.name, func(t *testing.T) { assert.Equal(t, c.want, judge(c.ccws).Class()) })
	}
}

func TestBranchBehindASearch(t *testing.T) {
	ccws := chained(abi.CCW{Command: 0x31, Count: 5, Address: 0x20000}, abi.CCW{Command: arch.CommandTransfer, Address: 0x1000}, abi.CCW{Command: 0x06, Count: 8, Address: 0x30000})
	assert.True(t, judge(ccws).Whole, "back to the search")
	ccws[1].Address, ccws[2].Location = 0x2000, 0x2000
	assert.False(t, judge(ccws).Whole, "away from it")
	ccws[0].Command = 0x07
	assert.True(t, judge(ccws).Whole, "not behind a search")
}

func TestTarget(t *testing.T) {
	p := judge(chained(abi.CCW{Command: 0x31}, abi.CCW{Command: arch.CommandTransfer, Address: 0x1000}, abi.CCW{Command: arch.CommandTransfer, Address: 0x3000}, abi.CCW{Command: 0x06}, abi.CCW{Command: arch.CommandTransfer, Address: 0x1004}))
	p.CCWs[3].Location = 0x3000
	for i, want := range map[int]int{1: 0, 2: 3} {
		to, ok := p.Target(i)
		assert.True(t, ok)
		assert.Equal(t, want, to)
	}
	_, ok := p.Target(4)
	assert.False(t, ok, "into the middle of a CCW")
}

// TestCoarseAnswers holds the quick answers about self-modification against the
// exact one: what they deny must not be so.
func TestCoarseAnswers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	table := Commands(abi.ClassECKD)
	denied, apart := 0, 0
	for range 50_000 {
		ccws := make([]abi.CCW, 1+r.IntN(8))
		cd := false
		for i := range ccws {
			c := &ccws[i]
			c.Command = []uint8{0x63, 0x47, 0x85, 0x86, 0x04, 0x31}[r.IntN(6)]
			c.Flags = uint8(r.Uint32()) & (arch.FlagCC | arch.FlagSkip | arch.FlagIDA)
			if r.IntN(10) == 0 {
				c.Flags |= arch.FlagCD
			}
			cd = cd || c.Flags&arch.FlagCD != 0
			c.Count, c.Address = uint16(r.UintN(64)), 0x1000+r.Uint32N(0x400)
			c.Location = 0x1200 + 8*uint32(i)
		}
		rough := coarse(ccws, table)
		var exact Modification
		var w Walk
		for i := range ccws {
			if s := &ccws[i]; w.Next(s, table)&Stores != 0 && s.Flags&arch.FlagSkip == 0 && s.Count != 0 {
				exact.judge(ccws, table, i, w)
			}
		}
		if !rough.CCWs {
			require.False(t, exact.CCWs)
		}
		if !rough.Data {
			require.False(t, exact.Data)
		}
		if !rough.Any() {
			denied++
		}
		if !cd && StoresApart(ccws, table) {
			require.False(t, exact.Any())
			apart++
		}
	}
	assert.Greater(t, denied, 500)
	assert.Greater(t, apart, 500)
}

func TestWhole(t *testing.T) {
	long := make([]abi.CCW, MaxCCWs)
	for i := range long {
		long[i].Location = uint32(i)
	}
	bite := func(n int) func(int, []abi.CCW) int {
		return func(first int, into []abi.CCW) int { return copy(into[:min(n, len(into))], long[first:]) }
	}
	for _, c := range []struct {
		name          string
		count, inline uint16
		flags         abi.ChainFlags
		read          func(int, []abi.CCW) int
		whole         bool
		have          int
	}{
		{name: "in the frame", count: 64, inline: 64, whole: true, have: 64},
		{name: "followed to a limit", count: 64, inline: 64, flags: abi.ChainTruncated, have: 64},
		{name: "nothing to read with", count: 65, inline: 64, have: 64},
		{name: "read at once", count: 1024, inline: 64, read: bite(2000), whole: true, have: 1024},
		{name: "read by and by", count: 200, inline: 64, read: bite(7), whole: true, have: 200},
		{name: "the host has no more", count: 200, inline: 64, read: bite(0), have: 64},
		{name: "the host says too much", count: 200, inline: 64, read: func(int, []abi.CCW) int { return 999 }, have: 64},
		{name: "the host says too little", count: 200, inline: 64, read: func(int, []abi.CCW) int { return -1 }, have: 64},
		{name: "beyond the limit", count: 1025, inline: 64, read: bite(2000), have: 64},
		{name: "more in the frame than there is", count: 3, inline: 500, whole: true, have: 3},
		{name: "more in the frame than fits", count: 300, inline: 200, read: bite(2000), whole: true, have: 300},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &abi.Chain{Count: c.count, Inline: c.inline, Flags: c.flags}
			copy(h.CCW[:], long)
			ccws, whole := Whole(h, &Rest{Read: c.read})
			assert.Equal(t, c.whole, whole)
			require.Len(t, ccws, c.have)
			for i := range ccws {
				require.Equal(t, uint32(i), ccws[i].Location)
			}
		})
	}
	_, whole := Whole(&abi.Chain{Count: 65, Inline: 64}, nil)
	assert.False(t, whole)
}
