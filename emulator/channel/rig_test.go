package channel

import (
	"encoding/hex"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/require"
)

// A unit is a scripted device. Its commands are simple enough to reason about
// in a table:
//
//	01  write: wants len(record) bytes, keeps what it gets
//	02  read: sends record
//	03  no-operation, immediate
//	04  sense: sends 32 bytes of sense
//	07  control with six bytes of parameters
//	0B  control that takes whatever comes
//	0C  read backward: sends record, last byte first
//	12  read, refused with unit check before any byte moves
//	16  read that ends with unit exception after no byte
//	31  search: takes five bytes, compares the fifth with found
//	43  channel end without device end
//	53  busy
//	63  no status at all (a broken device)
//	73  asks twice to be issued again, then ends well
//
// Everything else is a unit check with command reject.
type unit struct {
	delivery, each, ending machine.Time // durations of Deliver, each command, End
	lost, noPath           bool
	initial                arch.UnitStatus
	record                 []byte
	found                  byte
	sense                  []byte
	// onCommand, when set, is called before each command.
	onCommand func(op *Operation)

	begun    machine.Time
	commands []byte
	counts   []int
	got      []byte
	held     []byte
	begins   int
	resets   []bool
	elapsed  machine.Time
	ended    int
	putOff   bool     // ends come later
	endings  []Ending // put off
}

func (u *unit) Deliver(now machine.Time) (machine.Time, bool) {
	switch {
	case u.noPath:
		return 0, false
	case u.lost:
		return machine.Never, true
	}
	return now + u.delivery, true
}

func (u *unit) Begin(now machine.Time, _ *ORB) arch.UnitStatus {
	u.begins++
	u.begun = now
	u.elapsed = 0
	return u.initial
}

func (u *unit) Command(op *Operation) arch.UnitStatus {
	if u.onCommand != nil {
		u.onCommand(op)
	}
	u.elapsed += u.each
	u.commands = append(u.commands, op.Command)
	u.counts = append(u.counts, op.Count)
	switch op.Command {
	case 0x01:
		op.Data.Expect(len(u.record))
		p := make([]byte, len(u.record))
		u.got = append(u.got, p[:op.Data.Read(p)]...)
	case 0x02:
		op.Data.Expect(len(u.record))
		op.Data.Write(u.record)
	case 0x03:
		op.Data.Immediate()
	case 0x04:
		var p [arch.SenseSize]byte
		copy(p[:], u.held)
		u.held = nil
		op.Data.Expect(len(p))
		op.Data.Write(p[:])
	case 0x07:
		var p [6]byte
		op.Data.Expect(len(p))
		if n := op.Data.Read(p[:]); n < len(p) {
			return u.check(0x80)
		}
		u.got = append(u.got, p[:]...)
	case 0x0B:
		op.Data.Any()
		p := make([]byte, op.Data.Remaining())
		u.got = append(u.got, p[:op.Data.Read(p)]...)
	case 0x0C:
		op.Data.Expect(len(u.record))
		p := make([]byte, len(u.record))
		for i, b := range u.record {
			p[len(p)-1-i] = b
		}
		op.Data.Write(p)
	case 0x12:
		return u.check(0x40)
	case 0x16:
		op.Data.Expect(0)
		return arch.ChannelEnd | arch.DeviceEnd | arch.UnitException
	case 0x31:
		var p [5]byte
		op.Data.Expect(len(p))
		op.Data.Read(p[:])
		if p[4] == u.found {
			return arch.ChannelEnd | arch.DeviceEnd | arch.StatusModifier
		}
	case 0x43:
		return arch.ChannelEnd
	case 0x53:
		return arch.Busy
	case 0x63:
		return 0
	case 0x73:
		if len(u.commands)%3 != 0 {
			return arch.ChannelEnd | arch.DeviceEnd | arch.UnitCheck | arch.StatusModifier
		}
	default:
		return u.check(0x80)
	}
	return arch.ChannelEnd | arch.DeviceEnd
}

func (u *unit) check(first byte) arch.UnitStatus {
	u.held = append([]byte{first}, u.sense...)
	return arch.ChannelEnd | arch.DeviceEnd | arch.UnitCheck
}

func (u *unit) Elapsed() machine.Time { return u.elapsed }

func (u *unit) End(now machine.Time, e Ending) (machine.Time, bool) {
	u.ended++
	switch {
	case u.putOff:
		u.endings = append(u.endings, e)
		return 0, true
	case u.ending == machine.Never:
		return machine.Never, false
	}
	return now + u.elapsed + u.ending, false
}

func (u *unit) Sense() []byte {
	s := u.held
	u.held = nil
	return s
}

func (u *unit) Reset(clear bool) { u.resets = append(u.resets, clear) }

// A rig is a machine with one subchannel and a handler that tests it at each
// interruption.
type rig struct {
	t    testing.TB
	m    *machine.Machine
	s    *Subsystem
	sch  *Subchannel
	unit *unit
	irbs []IRB
	// hold keeps the handler from testing the subchannel.
	hold bool
	told int
	// onInterrupt, when set, is called after each test.
	onInterrupt func(irb *IRB)
}

func (r *rig) Interruption(now machine.Time, sch *Subchannel) {
	r.told++
	if r.hold {
		return
	}
	r.test()
}

func (r *rig) test() CC {
	var irb IRB
	cc := r.s.TestSubchannel(r.sch, &irb)
	if cc == 0 {
		r.irbs = append(r.irbs, irb)
		if r.onInterrupt != nil {
			r.onInterrupt(&irb)
		}
	}
	return cc
}

// The storage of a rig: 512 KiB of bytes at 0, 1 MiB of synthetic content at
// 1 MiB, and 64 KiB of bytes at the very end.
const (
	rigStorage   = 512 << 10
	rigSynthetic = 1 << 20
	rigEnd       = machine.StorageSize - 64<<10
)

func newRig(t testing.TB) *rig {
	m, err := machine.New(1)
	require.NoError(t, err)
	_, err = m.Storage.MapBytes(0, rigStorage)
	require.NoError(t, err)
	_, err = m.Storage.MapSynthetic(rigSynthetic, 1<<20)
	require.NoError(t, err)
	_, err = m.Storage.MapBytes(rigEnd, 64<<10)
	require.NoError(t, err)
	r := &rig{t: t, m: m, s: New(m), unit: &unit{delivery: 100, each: 1000, ending: 50}}
	r.s.SetInterruptHandler(r)
	r.sch = r.s.Add(0x0120, r.unit)
	r.sch.Enable()
	return r
}

// put stores the bytes given as hex at a.
func (r *rig) put(a machine.Address, text string) {
	p, err := hex.DecodeString(text)
	require.NoError(r.t, err)
	_, err = r.m.Storage.Store(a, p)
	require.NoError(r.t, err)
}

// get is the n bytes at a as hex.
func (r *rig) get(a machine.Address, n int) string {
	p := make([]byte, n)
	_, err := r.m.Storage.Load(a, p)
	require.NoError(r.t, err)
	return hex.EncodeToString(p)
}

func (r *rig) start(control uint32) CC {
	return r.s.StartSubchannel(r.m.Clock.Now(), r.sch, &ORB{
		InterruptionParameter: 0x12345678, Control: control, ChannelProgram: 0x10000,
	})
}

// run lets events happen until there are none.
func (r *rig) run() {
	for range 1 << 20 {
		if !r.m.Clock.Step() {
			return
		}
	}
	require.Fail(r.t, "the machine does not come to rest")
}

// words is an IRB's SCSW as hex.
func words(irb *IRB) string {
	var p [SCSWSize]byte
	irb.SCSW.Put(p[:])
	return hex.EncodeToString(p[:])
}

// shown is every IRB so far, as SCSW words.
func (r *rig) shown() []string {
	var all []string
	for i := range r.irbs {
		all = append(all, words(&r.irbs[i]))
	}
	return all
}

func counting(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i + 1)
	}
	return p
}
