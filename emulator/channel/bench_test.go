package channel

import (
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/require"
)

// A disk takes define extent, locate record and write data and nothing else.
// It does as little as a device can.
type disk struct {
	extent, locate [16]byte
	tags           [8]machine.Tag
	now            machine.Time
	synthetic      int
}

func (d *disk) Deliver(now machine.Time) (machine.Time, bool) { return now + 10, true }

func (d *disk) Begin(now machine.Time, _ *ORB) arch.UnitStatus {
	d.now = now
	return 0
}

func (d *disk) Command(op *Operation) arch.UnitStatus {
	t := op.Data
	switch op.Command {
	case 0x63:
		t.Expect(16)
		t.Read(d.extent[:])
	case 0x47:
		t.Expect(16)
		t.Read(d.locate[:])
	case 0x85:
		t.Expect(4096)
		if t.ReadTags(d.tags[:]) {
			d.synthetic++
		}
	}
	return arch.ChannelEnd | arch.DeviceEnd
}

func (d *disk) Elapsed() machine.Time                               { return 100 }
func (d *disk) End(now machine.Time, _ Ending) (machine.Time, bool) { return now + 110, false }
func (d *disk) Sense() []byte                                       { return nil }
func (d *disk) Reset(bool)                                          {}

type acceptor struct {
	s   *Subsystem
	irb IRB
	n   int
}

func (a *acceptor) Interruption(_ machine.Time, sch *Subchannel) {
	if a.s.TestSubchannel(sch, &a.irb) == 0 {
		a.n++
	}
}

// writeProgram stores define extent, locate record and a write of 4096 bytes
// at data, and returns the subchannel, its disk and the handler.
func writeProgram(t testing.TB, data uint32, flags Flags) (*machine.Machine, *Subchannel, *disk, *acceptor) {
	m, err := machine.New(1)
	require.NoError(t, err)
	program, err := m.Storage.MapBytes(0x10000, 4096)
	require.NoError(t, err)
	_, err = m.Storage.MapSynthetic(0x20000, 8192)
	require.NoError(t, err)
	PutCCW1(program.Bytes(), CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: 0x10100})
	PutCCW1(program.Bytes()[8:], CCW{Command: 0x47, Flags: arch.FlagCC, Count: 16, Address: 0x10110})
	PutCCW1(program.Bytes()[16:], CCW{Command: 0x85, Flags: flags, Count: 4096, Address: data})
	// Two IDAWs of format 2 with blocks of 2 KiB, for the indirect variant.
	program.Bytes()[0x206], program.Bytes()[0x205] = 0x00, 0x02
	program.Bytes()[0x20E], program.Bytes()[0x20D] = 0x08, 0x02
	d := &disk{}
	s := New(m)
	a := &acceptor{s: s}
	s.SetInterruptHandler(a)
	sch := s.Add(0x0120, d)
	sch.Enable()
	return m, sch, d, a
}

// BenchmarkWriteChain is one start function of three CCWs from START
// SUBCHANNEL to TEST SUBCHANNEL, its events included.
func BenchmarkWriteChain(b *testing.B) {
	for _, c := range []struct {
		name    string
		data    uint32
		flags   Flags
		control uint32
	}{
		{"direct", 0x20000, 0, ORBDefaultControl},
		{"idaw", 0x10200, arch.FlagIDA, ORBDefaultControl | ORBFormat2IDAW | ORB2KIDAW},
	} {
		b.Run(c.name, func(b *testing.B) {
			m, sch, d, a := writeProgram(b, c.data, c.flags)
			orb := ORB{Control: c.control, ChannelProgram: 0x10000}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				a.s.StartSubchannel(m.Clock.Now(), sch, &orb)
				for m.Clock.Step() {
				}
			}
			b.StopTimer()
			if a.n != b.N || !a.irb.OK() || d.synthetic != b.N {
				b.Fatalf("%d interruptions, %d transfers of tags, last irb %+v: want %d of each, all well", a.n, d.synthetic, a.irb, b.N)
			}
		})
	}
}

// BenchmarkRead is the move of a track's worth of bytes to main storage.
func BenchmarkRead(b *testing.B) {
	r := newRig(b)
	r.unit.record = counting(56664)
	r.put(0x10000, "0200dd5800020000")
	b.SetBytes(int64(len(r.unit.record)))
	b.ReportAllocs()
	for range b.N {
		r.irbs = r.irbs[:0]
		r.unit.commands, r.unit.counts = r.unit.commands[:0], r.unit.counts[:0]
		r.start(f1)
		r.run()
	}
	require.True(b, r.irbs[0].OK())
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	m, sch, _, a := writeProgram(t, 0x20000, 0)
	orb := ORB{Control: ORBDefaultControl, ChannelProgram: 0x10000}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		a.s.StartSubchannel(m.Clock.Now(), sch, &orb)
		for m.Clock.Step() {
		}
	}))
	require.True(t, a.irb.OK())
}
