package dasd

import (
	"fmt"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFixedBlocks(t *testing.T) {
	r := newRig(t, "9336-20", LinkConfig{})
	seg := r.m.Storage.Segment(rigData)
	for i := range 200 {
		seg.Tags()[i] = machine.Tag(500 + i)
	}
	program := func(write bool, physical, block, blocks uint32) {
		p := r.control
		clear(p[rigDefine : rigDefine+16])
		p[rigDefine] = arch.MaskWriteNone
		operation, command := byte(arch.FBAOperationRead), byte(0x42)
		if write {
			p[rigDefine], operation, command = arch.MaskWriteAll, arch.FBAOperationWrite, 0x41
		}
		put := func(at int, n uint32) {
			p[at], p[at+1], p[at+2], p[at+3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
		}
		put(rigDefine+4, physical)
		put(rigDefine+12, 1000)
		p[rigLocate], p[rigLocate+1], p[rigLocate+2], p[rigLocate+3] = operation, 0, byte(blocks>>8), byte(blocks)
		put(rigLocate+4, block)
		channel.PutCCW1(p, channel.CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: rigDefine})
		channel.PutCCW1(p[8:], channel.CCW{Command: 0x43, Flags: arch.FlagCC, Count: 8, Address: rigLocate})
		// The data in two pieces, by data chaining.
		half := uint16(blocks / 2 * 512)
		channel.PutCCW1(p[16:], channel.CCW{Command: command, Flags: arch.FlagCD, Count: half, Address: rigData})
		channel.PutCCW1(p[24:], channel.CCW{Count: uint16(blocks*512) - half, Address: rigData + uint32(half)})
	}
	program(true, 100, 10, 100)
	r.took()
	require.Zero(t, r.counter.failed)
	var tags [100]machine.Tag
	require.True(t, r.d.fba.ReadTags(110, tags[:]))
	assert.Equal(t, seg.Tags()[:100], tags[:])
	assert.Equal(t, 2, r.d.ChangedTracks().Count(), "blocks 110 to 209 are in two groups")
	clear(seg.Tags())
	program(false, 100, 10, 100)
	r.took()
	require.Zero(t, r.counter.failed)
	assert.True(t, seg.Synthetic())
	assert.Equal(t, tags[:], seg.Tags()[:100])
	seg.Materialize()
	program(false, 110, 0, 100)
	r.took()
	require.Zero(t, r.counter.failed)
	var block [512]byte
	tags[99].Fill(block[:], 0)
	assert.Equal(t, block[:], seg.Bytes()[99*512:100*512])
	program(false, 0, 1001, 1)
	r.took()
	assert.Equal(t, 1, r.counter.failed)
}

func TestFixedBlockCommands(t *testing.T) {
	const extent = "C0000000 00000064 00000000 00000063" // blocks 0 to 99 at 100
	for _, c := range []struct {
		name  string
		steps []step
		want  string // of the last command, or the sense when it is not to end well
		unit  arch.UnitStatus
	}{
		{"no-operation", []step{{code: 0x03}}, "", done},
		{"identity", []step{{code: 0xE4, count: 7}}, "ff388001337000", done},
		{"characteristics", []step{{code: 0x64, count: 32}}, "30082102" + "0200" + "0000003e" + "000002e8" + "000007d0" + fill(0, 14), done},
		{"log", []step{{code: 0xA4, count: 24}}, fill(0, 24), done},
		{"reserve", []step{{code: 0xB4, count: 24}}, fill(0, 24), done},
		{"release", []step{{code: 0x94, count: 24}}, fill(0, 24), done},
		{"load", []step{{code: 0x02, count: 512}}, fill(0, 512), done},
		{"label", []step{{code: 0x63, data: "40000000 00000000 00000000 00000063"}, {code: 0x43, data: "0600 0001 00000001"}, {code: 0x42, count: 12, flags: arch.FlagSLI}}, "e5d6d3f1c6c2c1f0f0f10000", done},
		{"write and read", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0100 0002 00000010"}, {code: 0x41, data: fill(0x5A, 1024)}, {code: 0x43, data: "0600 0001 00000011"}, {code: 0x42, count: 512}}, fill(0x5A, 512), done},
		{"short write is padded", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0500 0002 00000010"}, {code: 0x41, data: fill(0x5A, 600), flags: arch.FlagSLI}, {code: 0x43, data: "0600 0001 00000011"}, {code: 0x42, count: 512}}, fill(0x5A, 88) + fill(0, 424), done},
		{"replicated", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0100 0001 00000010"}, {code: 0x41, data: fill(0x5B, 512)}, {code: 0x43, data: "0204 0001 00000010"}, {code: 0x42, count: 512}}, fill(0x5B, 512), done},
		{"replicas that are not whole", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0203 0002 00000010"}}, "800000", unitCheck},
		{"no replicas", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0200 0002 00000010"}}, "800000", unitCheck},
		{"fewer replicas than blocks", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0201 0002 00000010"}}, "800000", unitCheck},
		{"block size in the extent", []step{{code: 0x63, data: "40000200 00000000 00000000 00000063"}, {code: 0x43, data: "0600 0001 00000001"}, {code: 0x42, count: 4, flags: arch.FlagSLI}}, "e5d6d3f1", done},
		{"high bits of the operation", []step{{code: 0x63, data: "40000000 00000000 00000000 00000063"}, {code: 0x43, data: "1600 0001 00000001"}, {code: 0x42, count: 4, flags: arch.FlagSLI}}, "e5d6d3f1", done},
		{"physical extent", []step{{code: 0x63, data: "40000000 00000001 00000064 00000069"}, {code: 0x43, data: "0600 0001 00000064"}, {code: 0x42, count: 4, flags: arch.FlagSLI}}, "e5d6d3f1", done},
		{"locate before a physical extent", []step{{code: 0x63, data: "40000000 00000001 00000064 00000069"}, {code: 0x43, data: "0600 0001 00000063"}}, "800000", unitCheck},
		{"extent upside down", []step{{code: 0x63, data: "40000000 00000000 00000005 00000004"}}, "800000", unitCheck},
		{"extent short", []step{{code: 0x63, data: "40000000"}}, "800000", unitCheck},
		{"locate short", []step{{code: 0x63, data: extent}, {code: 0x43, data: "06000001"}}, "800000", unitCheck},
		{"format a defective block", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0400 0001 00000001"}}, "0400000100000001", done},
		{"format under a mask against it", []step{{code: 0x63, data: "00000000 00000000 00000000 00000063"}, {code: 0x43, data: "0400 0001 00000001"}}, "800000", unitCheck},
		{"write under a mask against formats", []step{{code: 0x63, data: "00000000 00000000 00000000 00000063"}, {code: 0x43, data: "0100 0001 00000010"}, {code: 0x41, data: fill(1, 512)}}, fill(1, 512), done},
		{"write under a mask against it", []step{{code: 0x63, data: "40000000 00000000 00000000 00000063"}, {code: 0x43, data: "0100 0001 00000010"}}, "800000", unitCheck},
		{"write without locate", []step{{code: 0x63, data: extent}, {code: 0x41, data: fill(1, 512)}}, "800000", unitCheck},
		{"read without locate", []step{{code: 0x63, data: extent}, {code: 0x42, count: 512}}, "800000", unitCheck},
		{"read not at once behind the locate", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0600 0001 00000001"}, {code: 0x03}, {code: 0x42, count: 512}}, "800000", unitCheck},
		{"read after a locate to write", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0100 0001 00000000"}, {code: 0x42, count: 512}}, "800000", unitCheck},
		{"load behind an extent", []step{{code: 0x63, data: extent}, {code: 0x02, count: 512}}, "800000", unitCheck},
		{"extent behind a load", []step{{code: 0x02, count: 512}, {code: 0x63, data: extent}}, "800000", unitCheck},
		{"reserve behind an extent", []step{{code: 0x63, data: extent}, {code: 0xB4, count: 24}}, "800000", unitCheck},
		{"release behind an extent", []step{{code: 0x63, data: extent}, {code: 0x94, count: 24}}, "800000", unitCheck},
		{"unconditional reserve", []step{{code: 0x14, count: 24}}, fill(0, 24), done},
		{"unconditional reserve behind another command", []step{{code: 0x03}, {code: 0x14, count: 24}}, "800000", unitCheck},
		{"locate without extent", []step{{code: 0x43, data: "0600 0001 00000000"}}, "800000", unitCheck},
		{"extent twice", []step{{code: 0x63, data: extent}, {code: 0x63, data: extent}}, "800000", unitCheck},
		{"extent past the device", []step{{code: 0x63, data: "40000000 000007D0 00000000 00000000"}}, "800000", unitCheck},
		{"extent with a reserved mask", []step{{code: 0x63, data: "20000000 00000000 00000000 00000000"}}, "800000", unitCheck},
		{"extent for updates only", []step{{code: 0x63, data: "80000000 00000000 00000000 00000063"}, {code: 0x43, data: "0100 0001 00000010"}, {code: 0x41, data: fill(1, 512)}}, fill(1, 512), done},
		{"format in an extent for updates only", []step{{code: 0x63, data: "80000000 00000000 00000000 00000063"}, {code: 0x43, data: "0400 0001 00000001"}}, "800000", unitCheck},
		{"extent of ICKDSF, as it formats for VM", []step{{code: 0x63, data: "48000000 00000000 00000000 00000063"}, {code: 0x43, data: "0600 0001 00000001"}, {code: 0x42, count: 4, flags: arch.FlagSLI}}, "e5d6d3f1", done},
		{"locate past the extent", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0600 0002 00000063"}}, "800000", unitCheck},
		{"locate of nothing", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0600 0000 00000000"}}, "800000", unitCheck},
		{"locate for nothing that exists", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0700 0001 00000000"}}, "800000", unitCheck},
		{"write after a locate to read", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0600 0001 00000000"}, {code: 0x41, count: 512}}, "800000", unitCheck},
		{"read twice after one locate", []step{{code: 0x63, data: extent}, {code: 0x43, data: "0600 0001 00000000"}, {code: 0x42, count: 512}, {code: 0x42, count: 512}}, "800000", unitCheck},
		{"command that does not exist", []step{{code: 0x06, count: 1}}, "800000", unitCheck},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{t: t, caseRig: newCaseRig(t, "f")}
			b.css = channel.New(b.m)
			b.sch = b.css.Add(0x120, b.way)
			b.sch.Enable()
			b.sch.EnableConcurrentSense()
			r := b.run(c.steps...)
			assert.Equal(t, c.unit, r.unit)
			if c.unit == done {
				assert.Zero(t, r.channel)
				assert.Equal(t, c.want, r.data[len(c.steps)-1])
			} else {
				assert.Equal(t, c.want, r.sense)
				assert.Equal(t, len(c.steps)-1, r.last)
			}
		})
	}
}

// Failures of fixed-block devices; a clear ends what the device holds.
func TestFixedBlockFailures(t *testing.T) {
	b := &bench{t: t, caseRig: newCaseRig(t, "f")}
	b.css = channel.New(b.m)
	b.sch = b.css.Add(0x120, b.way)
	b.sch.Enable()
	b.sch.EnableConcurrentSense()
	write := []step{{code: 0x63, data: "C0000000 00000000 00000000 00000063"}, {code: 0x43, data: "0100 0001 00000010"}, {code: 0x41, data: fill(1, 512)}}
	b.d.InhibitWrites(true)
	r := b.run(write...)
	assert.Equal(t, "100200", r.sense)
	assert.Equal(t, 1, r.last)
	b.d.InhibitWrites(false)
	b.d.Fail(EquipmentCheck)
	assert.Equal(t, "100000", b.run(write...).sense)
	b.d.Restore()
	schib := channel.SCHIB{}
	require.Zero(t, b.css.StoreSubchannel(b.sch, &schib))
	schib.PMCW.Control &^= channel.PMCWConcurrentSense
	require.Zero(t, b.css.ModifySubchannel(b.sch, &schib))
	b.run(step{code: 0x66, count: 1})
	require.Zero(t, b.css.ClearSubchannel(b.m.Clock.Now(), b.sch))
	b.settle()
	var irb channel.IRB
	require.Zero(t, b.css.TestSubchannel(b.sch, &irb))
	assert.Equal(t, fill(0, 32), b.basicSense(t), "no sense is left")
	b.ok(write...)
}

func TestLargerBlocks(t *testing.T) {
	g, err := media.ForBlocks(2000)
	require.NoError(t, err)
	g, err = g.WithBlockSize(2048)
	require.NoError(t, err)
	_, err = g.WithBlockSize(1000)
	assert.ErrorContains(t, err, "multiple of 512")
	medium, err := media.NewMemoryFBA(g)
	require.NoError(t, err)
	b := &bench{t: t, caseRig: newCaseRig(t, "f")}
	d, err := b.d.Subsystem().NewFBA(0x121, medium)
	require.NoError(t, err)
	link, err := NewLink(b.m, LinkConfig{})
	require.NoError(t, err)
	b.css = channel.New(b.m)
	b.sch = b.css.Add(0x121, d.NewSession(link))
	b.sch.Enable()
	assert.Equal(t, "0800", b.ok(step{code: 0x64, count: 32}).data[0][8:12])
	extent := step{code: 0x63, data: "C0000000 00000000 00000000 000001F3"} // 500 blocks
	b.ok(extent, step{code: 0x43, data: "0100 0001 00000003"}, step{code: 0x41, data: fill(0x77, 2048)})
	p := make([]byte, 6*512)
	require.NoError(t, medium.ReadBlocks(11, p))
	assert.Zero(t, p[511])
	assert.Equal(t, byte(0x77), p[512])
	assert.Equal(t, byte(0x77), p[5*512-1])
	assert.Zero(t, p[5*512])
	assert.Equal(t, unitCheck, b.run(step{code: 0x63, data: "C0000000 00000000 00000000 000001F4"}).unit)
}

// All masks of a define extent but those with the reserved bit are taken.
func TestFixedBlockMasks(t *testing.T) {
	for mask := range 256 {
		b := &bench{t: t, caseRig: newCaseRig(t, "f")}
		b.css = channel.New(b.m)
		b.sch = b.css.Add(0x120, b.way)
		b.sch.Enable()
		b.sch.EnableConcurrentSense()
		want := ""
		if mask&0x20 != 0 {
			want = "800000"
		}
		assert.Equal(t, want, b.run(step{code: 0x63, data: fmt.Sprintf("%02X000000 00000000 00000000 00000063", mask)}).sense, "%02X", mask)
	}
}

// Every fixed-block device gives seven bytes of Sense ID.
func TestFixedBlockSenseID(t *testing.T) {
	for model, want := range map[string]string{
		"3310": "ff433101331001", "3370-1": "ff388001337000", "3370-2": "ff388001337004",
		"9313": "ff631080931300", "9332-400": "ff631080933200", "9332-600": "ff631080933201", "9335": "ff631080933501",
		"9336-10": "ff631080933600", "9336-20": "ff631080933610", "0671-08": "ff631080067108",
	} {
		b := newModelBench(t, model)
		r := b.run(step{code: 0xE4, count: 64, flags: arch.FlagSLI})
		assert.Equal(t, 57, r.residual, model)
		assert.Equal(t, want, r.data[0][:14], model)
	}
}
