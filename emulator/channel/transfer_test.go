package channel

import (
	"bytes"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// during runs a program of one command and calls f with its transfer.
func during(t *testing.T, r *rig, control uint32, f func(x *Transfer)) {
	called := false
	r.unit.onCommand = func(op *Operation) {
		if !called {
			called = true
			f(op.Data)
		}
	}
	require.Equal(t, CC(0), r.start(control))
	r.run()
	require.True(t, called)
}

func tagged(n int) []machine.Tag {
	tags := make([]machine.Tag, n)
	for i := range tags {
		tags[i] = machine.Tag(1000 + i)
	}
	return tags
}

// synthetic is the tags of n units at a.
func (r *rig) synthetic(a machine.Address, n int) []machine.Tag {
	return append([]machine.Tag(nil), r.m.Storage.TagView(a, n*machine.UnitSize)...)
}

func TestTags(t *testing.T) {
	for _, c := range []struct {
		name    string
		control uint32
		program string
		mem     map[machine.Address]string
		key     byte
		units   int
		ok      bool
		moved   int
		left    int
		// where the units are, for those that move
		places []machine.Address
	}{
		{name: "one piece", program: "0B00100000100000", units: 8, ok: true, moved: 4096,
			places: []machine.Address{0x100000, 0x100200, 0x100400, 0x100600, 0x100800, 0x100a00, 0x100c00, 0x100e00}},
		{name: "less than the count", program: "0B00100000100000", units: 3, ok: true, moved: 1536, left: 2560,
			places: []machine.Address{0x100000, 0x100200, 0x100400}},
		{name: "more than the count", program: "0B00020000100000", units: 2, left: 512},
		{name: "count not of units", program: "0B00030000100000", units: 2, left: 768},
		{name: "not at a unit", program: "0B00020000100010", units: 1, left: 512},
		{name: "bytes", program: "0B00020000020000", units: 1, left: 512},
		{name: "nothing there", program: "0B0002007f000000", units: 1, left: 512},
		{name: "IDAWs", control: f1 | ORBFormat2IDAW | ORB2KIDAW, program: "0B04080000030000",
			mem:   map[machine.Address]string{0x30000: "0000000000100400" + "0000000000110000"},
			units: 4, ok: true, moved: 2048, places: []machine.Address{0x100400, 0x100600, 0x110000, 0x110200}},
		{name: "IDAWs, the second to bytes", control: f1 | ORBFormat2IDAW | ORB2KIDAW, program: "0B04080000030000",
			mem: map[machine.Address]string{0x30000: "0000000000100400" + "0000000000020000"}, units: 4, left: 2048},
		{name: "data chain", program: "0B80020000100000" + "0080020000100800" + "0000020000110000", units: 3, ok: true, moved: 1536,
			places: []machine.Address{0x100000, 0x100800, 0x110000}},
		{name: "data chain, PCI, the second to bytes", program: "0B80020000100000" + "0008020000020000", units: 2, left: 1024},
		{name: "key refused", control: key1, program: "0B00020000100000", key: 0x28, units: 1, left: 512},
		{name: "key", control: key1, program: "0B00200000100000", key: 0x18, units: 16, ok: true, moved: 8192,
			places: []machine.Address{0x100000, 0x100200}},
	} {
		for _, store := range []bool{false, true} {
			name := c.name + ", from storage"
			if store {
				name = c.name + ", to storage"
			}
			t.Run(name, func(t *testing.T) {
				r := newRig(t)
				program := c.program
				if store {
					program = "02" + program[2:]
				}
				r.put(0x10000, program)
				for a, text := range c.mem {
					r.put(a, text)
				}
				if c.key != 0 {
					r.m.Storage.SetKey(0x100000, c.key)
					r.m.Storage.SetKey(0x101000, c.key)
				}
				want := tagged(c.units)
				got := make([]machine.Tag, c.units)
				if !store {
					for i, a := range c.places {
						copy(r.m.Storage.TagView(a, machine.UnitSize), want[i:i+1])
					}
				}
				before := r.synthetic(rigSynthetic, 256)
				control := c.control
				if control == 0 {
					control = f1
				}
				told := -1
				during(t, r, control, func(x *Transfer) {
					x.Any()
					var ok bool
					if store {
						ok = x.WriteTags(want)
						assert.False(t, x.ReadTags(got), "the wrong direction")
					} else {
						ok = x.ReadTags(got)
						assert.False(t, x.WriteTags(want), "the wrong direction")
					}
					assert.Equal(t, c.ok, ok)
					assert.Equal(t, c.moved, x.Moved())
					assert.Equal(t, c.left, x.Remaining())
					assert.False(t, x.Failed())
					told = r.sch.chain.noted
				})
				assert.Zero(t, told, "an interruption of a CCW that was not used")
				switch {
				case store && c.ok:
					for i, a := range c.places {
						assert.Equal(t, want[i:i+1], r.synthetic(a, 1))
					}
				case c.ok:
					assert.Equal(t, want[:len(c.places)], got[:len(c.places)])
				default:
					assert.Equal(t, before, r.synthetic(rigSynthetic, 256))
				}
			})
		}
	}
}

func TestTagsSkipped(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0210040000020000")
	during(t, r, f1, func(x *Transfer) {
		assert.True(t, x.WriteTags(tagged(2)))
		assert.Zero(t, x.Remaining())
	})
	assert.Equal(t, "0000", r.get(0x20000, 2))
}

// Bytes and synthetic content meet: the content is the same either way.
func TestSyntheticContentAsBytes(t *testing.T) {
	r := newRig(t)
	tags := tagged(2)
	copy(r.m.Storage.TagView(rigSynthetic, 1024), tags)
	r.put(0x10000, "0B00040000100000")
	want := make([]byte, 1024)
	tags[0].Fill(want[:512], 0)
	tags[1].Fill(want[512:], 0)
	during(t, r, f1, func(x *Transfer) {
		x.Any()
		got := make([]byte, 2000)
		assert.Equal(t, 1024, x.Read(got))
		assert.Equal(t, want, got[:1024])
	})

	r.put(0x10000, "0200000300100001")
	during(t, r, f1, func(x *Transfer) {
		x.Any()
		assert.Equal(t, 3, x.Write([]byte{1, 2, 3, 4}))
	})
	copy(want[1:], []byte{1, 2, 3})
	got := make([]byte, 1024)
	_, err := r.m.Storage.Load(rigSynthetic, got)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
}

func TestDirection(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0240000400020000"+"0100000400020000")
	r.unit.onCommand = func(op *Operation) {
		p := []byte{9, 9, 9, 9}
		if op.Command == 0x02 {
			assert.Zero(t, op.Data.Read(p), "a read command takes nothing from storage")
		} else {
			assert.Zero(t, op.Data.Write(p), "a write command stores nothing")
		}
		assert.Equal(t, 4, op.Data.Remaining())
	}
	r.unit.record = counting(4)
	r.start(f1)
	r.run()
	assert.Equal(t, []string{"00804007000100100c000000"}, r.shown())
	assert.Equal(t, "01020304", r.get(0x20000, 4))
}

// A length may be declared late and more than once.
func TestExpectAgain(t *testing.T) {
	for _, c := range []struct {
		first, last, moved int
		want               string
	}{
		{8, 16, 16, "00804007000100080c000000"},
		{100, 16, 16, "00804007000100080c000000"},
		{8, 20, 16, "00804017000100080c400000"},
		{16, 12, 12, "00804017000100080c400004"},
		{16, -5, 0, "00804017000100080c400010"},
	} {
		r := newRig(t)
		r.put(0x10000, "0B00001000020000")
		r.unit.record = nil
		x := &scripted{unit: r.unit, command: func(op *Operation) arch.UnitStatus {
			op.Data.Expect(c.first)
			op.Data.Read(make([]byte, min(c.moved, 8)))
			op.Data.Expect(c.last)
			op.Data.Read(make([]byte, c.moved-op.Data.Moved()))
			return normal
		}}
		r.sch.session = x
		r.start(f1)
		r.run()
		assert.Equal(t, []string{c.want}, r.shown(), "%+v", c)
	}
}

// scripted is a unit with a command of the test's own.
type scripted struct {
	*unit
	command func(op *Operation) arch.UnitStatus
}

func (s *scripted) Command(op *Operation) arch.UnitStatus { return s.command(op) }

func TestRemaining(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0B80000400020000"+"0080000300020000"+"0800000000010020"+"0000000000000000"+"0000000500020000")
	during(t, r, f1, func(x *Transfer) {
		x.Any()
		var p [12]byte
		for i, want := range []int{12, 7, 4, 1, 0, 0} {
			assert.Equal(t, want, x.Remaining(), "after %d reads", i)
			n := []int{5, 3, 3, 5, 1, 0}[i]
			assert.Equal(t, min(n, want), x.Read(p[:n]))
		}
	})
	assert.Equal(t, []int{12}, r.unit.counts)

	// A chain longer than is looked at ahead.
	r = newRig(t)
	for i := range machine.Address(1000) {
		r.put(0x10000+8*i, "0B80000100020000")
	}
	r.put(0x10000+8*1000, "0B00000100020000")
	during(t, r, f1, func(x *Transfer) {
		x.Any()
		n := 0
		var p [100]byte
		for x.Remaining() > 0 {
			n += x.Read(p[:min(len(p), x.Remaining())])
		}
		assert.Equal(t, 1001, n)
	})
	assert.Equal(t, []string{"00804007000" + "11f480c000000"}, r.shown())

	// A chain with a CCW that is not valid is looked at as far as it goes.
	for _, second := range []string{"0080000000020000", "08" + "00000000010010" + "0800000000010000", "087f000000000000"} {
		r = newRig(t)
		r.put(0x10000, "0B80000400020000"+second)
		during(t, r, f1, func(x *Transfer) { assert.LessOrEqual(t, x.Remaining(), 4) })
	}
}

// A write that the device could get nothing for does not get to it; one that
// fails later does.
func TestWriteThatCannotBeFetched(t *testing.T) {
	for _, c := range []struct {
		name, program, want string
		commands            int
	}{
		{"first byte", "0100001077777770", "008040170001000800200000", 0},
		{"first byte by an IDAW", "0104001000030000", "008040170001000800200000", 0},
		{"first byte of a control command", "0700000677777770", "008040170001000800200000", 1},
		{"later", "0104001000030004", "00804017000100080c200000", 1},
		{"no count", "0120000077777770", "00804007000100080c000000", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.unit.record = counting(16)
			r.put(0x30000, "77777770"+"00020ffc"+"77777000")
			r.put(0x10000, c.program)
			require.Equal(t, CC(0), r.start(f1))
			r.run()
			assert.Equal(t, []string{c.want}, r.shown())
			assert.Len(t, r.unit.commands, c.commands)
		})
	}
}

// Last is about the CCW that the transfer has come to.
func TestLast(t *testing.T) {
	r := newRig(t)
	r.unit.record = counting(16)
	r.put(0x10000, "0280000800020000"+"0000000800020100")
	var before, after bool
	r.unit.onCommand = func(op *Operation) {
		before = op.Data.Last()
		var p [16]byte
		op.Data.Write(p[:])
		after = op.Data.Last()
	}
	r.start(f1)
	r.run()
	assert.False(t, before)
	assert.True(t, after)
}
