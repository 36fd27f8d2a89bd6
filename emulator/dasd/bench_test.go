package dasd

import (
	"encoding/binary"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/require"
)

// counter is an interrupt handler that tests the subchannel and counts.
type counter struct {
	css    *channel.Subsystem
	ended  int
	failed int
	last   machine.Time
}

func (c *counter) Interruption(now machine.Time, sch *channel.Subchannel) {
	var irb channel.IRB
	c.css.TestSubchannel(sch, &irb)
	c.ended++
	c.last = now
	if !irb.OK() {
		c.failed++
	}
}

// rig is a machine with one device on one link, for programs at 0 with a
// synthetic data area at 1 MiB.
type rig struct {
	m       *machine.Machine
	sub     *Subsystem
	d       *Device
	link    *Link
	css     *channel.Subsystem
	sch     *channel.Subchannel
	counter *counter
	control []byte
}

const rigData = 1 << 20

func newRig(t testing.TB, model string, config LinkConfig) *rig {
	m, err := machine.New(1)
	require.NoError(t, err)
	seg, err := m.Storage.MapBytes(0, 1<<16)
	require.NoError(t, err)
	_, err = m.Storage.MapSynthetic(rigData, 1<<20)
	require.NoError(t, err)
	sub, err := NewSubsystem(m, "S", Config{CFWID: 7})
	require.NoError(t, err)
	g, err := media.Lookup(model)
	require.NoError(t, err)
	r := &rig{m: m, sub: sub, control: seg.Bytes()}
	if g.FBA() {
		medium, err := media.NewMemoryFBA(g)
		require.NoError(t, err)
		r.d, err = sub.NewFBA(0x120, medium)
		require.NoError(t, err)
	} else {
		medium, err := media.NewMemoryCKD(g, 12, 4096)
		require.NoError(t, err)
		r.d, err = sub.NewECKD(0x120, medium)
		require.NoError(t, err)
	}
	r.link, err = NewLink(m, config)
	require.NoError(t, err)
	r.css = channel.New(m)
	r.counter = &counter{css: r.css}
	r.css.SetInterruptHandler(r.counter)
	r.sch = r.css.Add(0x120, r.d.NewSession(r.link))
	r.sch.Enable()
	return r
}

// The places in a rig's control storage.
const (
	rigDefine = 0x100
	rigLocate = 0x120
)

// program stores a define extent, locate record, data program for blocks of
// 4096 bytes.
func (r *rig) program(write bool, track, record, count int) {
	r.programAt(0, write, track, record, count)
}

// programAt stores such a program at the address.
func (r *rig) programAt(at int, write bool, track, record, count int) {
	p := r.control[at:]
	address := r.d.geometry.Address(track/15, track%15)
	d, l := p[rigDefine:rigDefine+16], p[rigLocate:rigLocate+16]
	clear(d)
	d[0], d[1] = arch.MaskWriteNone, arch.AttributeECKD
	operation, command := byte(0x06), byte(0x86)
	if write {
		d[0], operation, command = arch.MaskWriteUpdate, 0x01, 0x85
	}
	binary.BigEndian.PutUint16(d[2:], 4096)
	binary.BigEndian.PutUint32(d[8:], address)
	binary.BigEndian.PutUint32(d[12:], address)
	l[0], l[1], l[2], l[3] = operation, arch.AuxiliaryLength, 0, byte(count)
	binary.BigEndian.PutUint32(l[4:], address)
	binary.BigEndian.PutUint32(l[8:], address)
	l[12], l[13] = byte(record), 0xFF
	binary.BigEndian.PutUint16(l[14:], 4096)
	channel.PutCCW1(p, channel.CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: uint32(at + rigDefine)})
	channel.PutCCW1(p[8:], channel.CCW{Command: 0x47, Flags: arch.FlagCC, Count: 16, Address: uint32(at + rigLocate)})
	flags := channel.Flags(arch.FlagCC)
	for i := range count {
		if i == count-1 {
			flags = 0
		}
		channel.PutCCW1(p[16+8*i:], channel.CCW{Command: command, Flags: flags, Count: 4096, Address: uint32(rigData + i*4096)})
	}
}

var rigORB = channel.ORB{Control: channel.ORBDefaultControl}

func (r *rig) start() { r.css.StartSubchannel(r.m.Clock.Now(), r.sch, &rigORB) }

func (r *rig) settle() {
	for r.m.Clock.Step() {
	}
}

// null is a session that takes every command and its data and does nothing: the
// channel's own share of the cost.
type null struct{ tags [8]machine.Tag }

func (*null) Deliver(now machine.Time) (machine.Time, bool)    { return now, true }
func (*null) Begin(machine.Time, *channel.ORB) arch.UnitStatus { return 0 }
func (*null) Elapsed() machine.Time                            { return 0 }
func (*null) End(now machine.Time, _ channel.Ending) (machine.Time, bool) {
	return now + 1000, false
}
func (*null) Sense() []byte { return nil }
func (*null) Reset(bool)    {}
func (n *null) Command(op *channel.Operation) (status arch.UnitStatus) {
	op.Data.Expect(op.Count)
	if op.Count == 4096 {
		op.Data.ReadTags(n.tags[:])
	} else {
		var p [16]byte
		op.Data.Read(p[:])
	}
	return done
}

func BenchmarkWrite4K(b *testing.B) {
	b.Run("device", func(b *testing.B) {
		r := newRig(b, "3390-3", LinkConfig{Type: FICONExpress8})
		var addresses [1024]uint32
		for i := range addresses {
			track := (i*7919 + 15) % r.d.tracks
			addresses[i] = r.d.geometry.Address(track/15, track%15)
			r.program(true, track, 1, 1)
			r.start()
			r.settle()
		}
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			a := addresses[i%len(addresses)]
			for _, at := range []int{rigDefine + 8, rigDefine + 12, rigLocate + 4, rigLocate + 8} {
				binary.BigEndian.PutUint32(r.control[at:], a)
			}
			r.control[rigLocate+12] = byte(i%12 + 1)
			r.start()
			r.settle()
		}
		require.Zero(b, r.counter.failed)
	})
	b.Run("null", func(b *testing.B) {
		r := newRig(b, "3390-3", LinkConfig{Type: FICONExpress8})
		r.program(true, 15, 1, 1)
		r.sch = r.css.Add(0x121, &null{})
		r.sch.Enable()
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			r.start()
			r.settle()
		}
		require.Zero(b, r.counter.failed)
	})
}

func BenchmarkWriteFBA4K(b *testing.B) {
	r := newRig(b, "9336-20", LinkConfig{Type: FICONExpress8})
	p := r.control
	d, l := p[rigDefine:], p[rigLocate:]
	d[0] = arch.MaskWriteAll
	binary.BigEndian.PutUint32(d[12:], 1672880)
	l[0] = arch.FBAOperationWrite
	binary.BigEndian.PutUint16(l[2:], 8)
	channel.PutCCW1(p, channel.CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: rigDefine})
	channel.PutCCW1(p[8:], channel.CCW{Command: 0x43, Flags: arch.FlagCC, Count: 8, Address: rigLocate})
	channel.PutCCW1(p[16:], channel.CCW{Command: 0x41, Count: 4096, Address: rigData})
	run := func(i int) {
		binary.BigEndian.PutUint32(l[4:], uint32(i%1024)*1600)
		r.start()
		r.settle()
	}
	for i := range 1024 {
		run(i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		run(i)
	}
	require.Zero(b, r.counter.failed)
}

// BenchmarkReadTrack reads a full track by one command into storage of bytes,
// from a track with an image and from a uniform one.
func BenchmarkReadTrack(b *testing.B) {
	for _, uniform := range []bool{false, true} {
		name := "image"
		if uniform {
			name = "uniform"
		}
		b.Run(name, func(b *testing.B) {
			r := newRig(b, "3390-3", LinkConfig{Type: FICONExpress8})
			area, err := r.m.Storage.MapBytes(8<<20, 1<<16)
			require.NoError(b, err)
			t, err := r.d.ckd.Update(30)
			require.NoError(b, err)
			for i := range t.Tags {
				t.Tags[i] = machine.Tag(i + 1)
			}
			if !uniform {
				t.Materialize(r.d.geometry)
			}
			r.program(false, 30, 0, 1)
			r.control[rigLocate] = arch.OrientHome | 0x0C
			binary.BigEndian.PutUint16(r.control[rigLocate+14:], 0)
			r.control[rigLocate+1] = 0
			channel.PutCCW1(r.control[16:], channel.CCW{Command: 0xDE, Flags: arch.FlagSLI, Count: 65535, Address: uint32(area.Base)})
			b.SetBytes(int64(len(t.AppendImage(nil))))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				r.start()
				r.settle()
			}
			require.Zero(b, r.counter.failed)
		})
	}
}
