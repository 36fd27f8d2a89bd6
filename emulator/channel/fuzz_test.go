package channel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/require"
)

// A dice is a device that does anything that a device may do, by lot.
type dice struct {
	rand *rand.Rand
	buf  [5000]byte
	tags [10]machine.Tag
}

func (d *dice) Deliver(now machine.Time) (machine.Time, bool) {
	switch d.rand.IntN(40) {
	case 0:
		return machine.Never, true
	case 1:
		return 0, false
	}
	return now + machine.Time(d.rand.IntN(1000)), true
}

func (d *dice) Begin(machine.Time, *ORB) arch.UnitStatus {
	if d.rand.IntN(40) == 0 {
		return []arch.UnitStatus{arch.Busy, arch.UnitCheck, arch.Busy | arch.StatusModifier, arch.UnitCheck | normal}[d.rand.IntN(4)]
	}
	return 0
}

func (d *dice) Command(op *Operation) arch.UnitStatus {
	t := op.Data
	for range d.rand.IntN(10) {
		n := d.rand.IntN(64)
		if d.rand.IntN(4) == 0 {
			n = d.rand.IntN(len(d.buf))
		}
		left := t.Remaining()
		moved := 0
		switch d.rand.IntN(10) {
		case 0:
			t.Expect(n)
		case 1:
			t.Any()
		case 2:
			t.Immediate()
		case 3:
			t.Expect(left)
		case 4, 5:
			moved = t.Read(d.buf[:n])
		case 6, 7:
			moved = t.Write(d.buf[:n])
		case 8:
			units := d.rand.IntN(len(d.tags))
			if t.ReadTags(d.tags[:units]) {
				moved, n = units*machine.UnitSize, units*machine.UnitSize
			}
		case 9:
			units := d.rand.IntN(len(d.tags))
			if t.WriteTags(d.tags[:units]) {
				moved, n = units*machine.UnitSize, units*machine.UnitSize
			}
		}
		if moved > n {
			panic(fmt.Sprintf("%d bytes moved of %d", moved, n))
		}
	}
	switch d.rand.IntN(40) {
	case 0:
		return arch.UnitStatus(d.rand.IntN(256))
	case 1, 2:
		return normal | arch.UnitCheck
	case 3:
		return normal | arch.UnitException
	case 4, 5, 6:
		return normal | arch.StatusModifier
	}
	return normal
}

func (d *dice) Elapsed() machine.Time { return machine.Time(d.rand.IntN(10000)) }

func (d *dice) End(now machine.Time, _ Ending) (machine.Time, bool) {
	if d.rand.IntN(40) == 0 {
		return machine.Never, false
	}
	return now + machine.Time(d.rand.IntN(10000)), false
}

func (d *dice) Sense() []byte { return d.buf[:d.rand.IntN(60)] }
func (d *dice) Reset(bool)    {}

// The storage of the fuzzer. Data areas are the only blocks that a program may
// store into; between and around them lies storage that must not change.
const (
	fuzzProgram = 0x10000 // CCWs and lists, 4 KiB
	fuzzLists   = 0x10400
	fuzzData    = 0x20000 // data areas: every other block of 4 KiB
	fuzzBlocks  = 16
	fuzzEnd     = fuzzData + fuzzBlocks*machine.KeyBlockSize
)

func inDataArea(a machine.Address) bool {
	return a >= fuzzData && a < fuzzEnd && (a-fuzzData)/machine.KeyBlockSize%2 == 0
}

// area is a random stretch of at most n bytes within one data area.
func area(r *rand.Rand, n int) (uint32, int) {
	block := fuzzData + 2*machine.KeyBlockSize*r.IntN(fuzzBlocks/2)
	n = min(n, machine.KeyBlockSize)
	offset := r.IntN(machine.KeyBlockSize - n + 1)
	return uint32(block + offset), n
}

var fuzzCommands = []byte{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0B, 0x0C, 0x12, 0x14, 0x31, 0x63, 0x85, 0x86, 0xE4}

// fuzzFlags is how probable each flag is, from FlagCD on, in percent.
var fuzzFlags = [8]int{15, 70, 50, 8, 8, 12, 3, 8}

// random makes a program of random CCWs. In a tame one every address of data
// lies in a data area, so that it can be run without storage keys.
func random(r *rand.Rand, p []byte, format1, tame bool) {
	for i := range 64 {
		w := CCW{
			Command: fuzzCommands[r.IntN(len(fuzzCommands))],
			Count:   uint16(1 + r.IntN(200)),
		}
		for bit, chance := range fuzzFlags { // in percent
			if r.IntN(100) < chance {
				w.Flags |= 0x80 >> bit
			}
		}
		if tame {
			w.Flags &^= arch.FlagIDA | arch.FlagMIDA
		}
		switch r.IntN(16) {
		case 0:
			w = CCW{Command: arch.CommandTransfer, Address: fuzzProgram + uint32(r.IntN(70))*arch.CCWSize}
		case 1:
			w.Command = byte(r.Uint32())
		case 2:
			w.Count = uint16(r.Uint32())
		case 3:
			w.Count = 0
		}
		if tame && w.Command&0x0F == arch.CommandTransfer && w.Command != arch.CommandTransfer {
			w.Command = 0x02 // no transfer to a data area: what is there may be CCWs
		}
		if w.Command != arch.CommandTransfer {
			a, n := area(r, 2*int(w.Count))
			w.Address = a
			if tame {
				// The same stretch on both sides, for either direction.
				w.Count = uint16(n / 2)
				w.Address += uint32(n / 2)
			} else {
				switch r.IntN(8) {
				case 0:
					w.Address = r.Uint32()
				case 1, 2, 3:
					w.Address = fuzzData + uint32(r.IntN(fuzzBlocks*machine.KeyBlockSize))
				}
				if w.Flags&(arch.FlagIDA|arch.FlagMIDA) != 0 && r.IntN(8) != 0 {
					w.Address = fuzzLists + uint32(r.IntN(20))*16
				}
			}
		}
		if format1 {
			PutCCW1(p[i*arch.CCWSize:], w)
		} else {
			PutCCW0(p[i*arch.CCWSize:], w)
		}
	}
	for i := range 32 {
		q := p[fuzzLists-fuzzProgram+16*i:]
		a, n := area(r, 1+r.IntN(300))
		switch r.IntN(5) {
		case 0: // IDAWs of format 1
			for j := range 4 {
				b, _ := area(r, machine.KeyBlockSize)
				binary.BigEndian.PutUint32(q[4*j:], b)
			}
		case 1: // IDAWs of format 2
			b, _ := area(r, machine.KeyBlockSize)
			binary.BigEndian.PutUint64(q, uint64(a))
			binary.BigEndian.PutUint64(q[8:], uint64(b))
		case 2:
			binary.BigEndian.PutUint64(q, r.Uint64())
			binary.BigEndian.PutUint64(q[8:], r.Uint64())
		default: // a MIDAW
			flags := []byte{0, 0, midawLast, midawSkip, midawInterrupt}[r.IntN(5)]
			binary.BigEndian.PutUint64(q, uint64(flags)<<16|uint64(n))
			binary.BigEndian.PutUint64(q[8:], uint64(a))
		}
	}
}

// possible reports why an SCSW cannot be what a subchannel presents.
func possible(w *SCSW, pending bool) error {
	c := w.Control
	status := c & statuses
	switch {
	case pending != (c&arch.StatusPending != 0):
		return fmt.Errorf("status pending and condition code differ")
	case status != 0 && status&arch.StatusPending == 0:
		return fmt.Errorf("status that is not pending")
	case bits.OnesCount16(c&functions) == 3, c&arch.FunctionClear != 0 && c&functions != arch.FunctionClear:
		return fmt.Errorf("functions that exclude each other")
	case c&functions == 0 && c&(activities&^arch.DeviceActive) != 0:
		return fmt.Errorf("activity without a function")
	case c&arch.Suspended != 0 && (c&(arch.SubchActive|arch.DeviceActive|arch.StartPending) != 0 || w.Flags&arch.SCSWSuspend == 0):
		return fmt.Errorf("suspended and active, or without suspend control")
	case status&arch.StatusSecond != 0 && status&arch.StatusPrimary == 0 && c&functions != 0:
		return fmt.Errorf("secondary status without primary of a start function")
	case status&arch.StatusPrimary != 0 && c&(arch.SubchActive|arch.Suspended|arch.StartPending|arch.ResumePending) != 0:
		return fmt.Errorf("primary status of a function that goes on")
	case status&arch.StatusIntermed != 0 && status&arch.StatusPrimary == 0 && (w.Unit != 0 || w.Channel&^arch.PCI != 0):
		return fmt.Errorf("ending status as intermediate status")
	case status&arch.StatusIntermed != 0 && w.Channel&arch.PCI == 0 && w.Flags&arch.SCSWZero == 0 && c&arch.Suspended == 0:
		return fmt.Errorf("intermediate status without a reason")
	case pending && w.Channel&arch.PCI != 0 && status&arch.StatusIntermed == 0:
		return fmt.Errorf("program-controlled interruption without intermediate status")
	case pending && (w.Unit&^normal != 0 || w.Channel&^arch.PCI != 0 || w.Flags&arch.SCSWDeferredCC != 0) && status&arch.StatusAlert == 0:
		return fmt.Errorf("something wrong without alert status")
	case status&arch.StatusAlert != 0 && c&functions != 0 && w.Unit&^normal == 0 && w.Channel&^arch.PCI == 0 && w.Flags&arch.SCSWDeferredCC == 0:
		return fmt.Errorf("alert status without a reason")
	case w.Channel&arch.ProgramCheck != 0 && w.Unit&^normal != 0:
		return fmt.Errorf("unit status of a command that a check has stopped")
	case w.Flags&arch.SCSWExtended != 0 && w.Unit&arch.UnitCheck == 0:
		return fmt.Errorf("concurrent sense without unit check")
	}
	return nil
}

// FuzzPrograms runs random channel programs against a random device, with
// random instructions in between.
func FuzzPrograms(f *testing.F) {
	for seed := range uint64(500) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { fuzzProgramOf(t, seed) })
}

func fuzzProgramOf(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	m, err := machine.New(1)
	require.NoError(t, err)
	low, err := m.Storage.MapBytes(0, 0x20000)
	require.NoError(t, err)
	// The data areas are bytes or synthetic; both hold what must not change.
	if r.IntN(2) == 0 {
		_, err = m.Storage.MapSynthetic(fuzzData, 0x20000)
	} else {
		_, err = m.Storage.MapBytes(fuzzData, 0x20000)
	}
	require.NoError(t, err)

	format1, tame := r.IntN(3) > 0, r.IntN(2) == 0
	control := uint32(ORBPathMask)
	if format1 {
		control |= ORBFormat1
	}
	control |= r.Uint32() & (ORBSuspend | ORBInitialStatus | ORBSuppressSuspended | ORBFormat2IDAW | ORB2KIDAW |
		ORBIncorrectLengthSuppress | ORBModifiedIDAW | ORBAddressLimit)
	if !tame {
		control |= 1 << ORBKeyShift
		for a := machine.Address(0); a < 0x40000; a += machine.KeyBlockSize {
			key := byte(0x20)
			if inDataArea(a) {
				key = 0x10
			}
			m.Storage.SetKey(a, key)
		}
	}
	image := make([]byte, 0x40000)
	random(r, low.Bytes()[fuzzProgram:], format1, tame)
	_, err = m.Storage.Load(0, image)
	require.NoError(t, err)

	s := New(m)
	device := &dice{rand: r}
	for i := range device.buf {
		device.buf[i] = byte(r.Uint32()) | 1 // unlike fresh storage
	}
	for i := range device.tags {
		device.tags[i] = machine.Tag(r.Uint64() | 1)
	}
	sch := s.Add(0x0120, device)
	sch.Enable()
	if r.IntN(2) == 0 {
		sch.EnableConcurrentSense()
	}
	sch.pmcw.Flags |= uint16(r.IntN(3)) << 5
	require.NoError(t, s.SetAddressLimit(0x30000))

	var irb IRB
	test := func() {
		cc := s.TestSubchannel(sch, &irb)
		require.NoError(t, possible(&irb.SCSW, cc == 0), "seed %d: SCSW %s", seed, words(&irb))
		require.LessOrEqual(t, len(irb.Sense()), arch.SenseSize)
	}
	for range 500 {
		now := m.Clock.Now() + machine.Time(r.IntN(100))
		switch r.IntN(14) {
		case 0, 1:
			orb := ORB{Control: control, ChannelProgram: fuzzProgram + uint32(r.IntN(64))*arch.CCWSize}
			if r.IntN(20) == 0 && !tame {
				orb.ChannelProgram = r.Uint32() >> 1
			}
			s.StartSubchannel(now, sch, &orb)
		case 2:
			s.ResumeSubchannel(now, sch)
		case 3:
			if r.IntN(4) == 0 {
				s.HaltSubchannel(now, sch)
			}
		case 4:
			if r.IntN(4) == 0 {
				s.ClearSubchannel(now, sch)
			}
		case 5:
			s.CancelSubchannel(now, sch)
		case 6:
			sch.Present(now, []arch.UnitStatus{arch.Attention, arch.DeviceEnd, arch.DeviceEnd | arch.UnitCheck}[r.IntN(3)])
		case 7, 8:
			test()
		default:
			m.Clock.Step()
		}
	}
	require.Zero(t, s.ClearSubchannel(m.Clock.Now(), sch))
	for m.Clock.Step() {
	}
	require.Zero(t, s.TestSubchannel(sch, &irb))
	require.Equal(t, "000010010000000000000000", words(&irb))

	after := make([]byte, len(image))
	_, err = m.Storage.Load(0, after)
	require.NoError(t, err)
	for a := machine.Address(0); a < 0x40000; a += machine.KeyBlockSize {
		if !inDataArea(a) {
			require.Truef(t, bytes.Equal(image[a:a+machine.KeyBlockSize], after[a:a+machine.KeyBlockSize]),
				"seed %d: a byte of the block at %x was stored", seed, uint64(a))
		}
	}
}

func FuzzControlBlocks(f *testing.F) {
	f.Add(make([]byte, SCHIBSize))
	f.Add(bytes.Repeat([]byte{0xFF}, SCHIBSize))
	f.Fuzz(func(t *testing.T, p []byte) {
		if o, err := ParseORB(p); err == nil {
			var q [ORBSize]byte
			o.Put(q[:])
			require.Equal(t, p[:ORBSize], q[:])
		}
		if s, err := ParseSCHIB(p); err == nil {
			var q [SCHIBSize]byte
			s.Put(q[:])
			require.Equal(t, p[:PMCWSize], q[:PMCWSize])
		}
		if len(p) >= arch.CCWSize {
			var q [arch.CCWSize]byte
			PutCCW1(q[:], ParseCCW1(p))
			require.Equal(t, p[:arch.CCWSize], q[:])
			PutCCW0(q[:], ParseCCW0(p))
			require.Equal(t, ParseCCW0(p), ParseCCW0(q[:]))
		}
	})
}
