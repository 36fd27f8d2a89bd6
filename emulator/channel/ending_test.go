package channel

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
)

// putOff is a rig whose device has taken a chain of one write and answers later.
func putOff(t *testing.T, control uint32, program string) *rig {
	r := newRig(t)
	r.unit.putOff = true
	r.unit.record = counting(4)
	r.put(0x10000, program)
	r.put(0x20000, "01020304")
	require.Equal(t, CC(0), r.start(control))
	r.run()
	require.Len(t, r.unit.endings, 1)
	require.Empty(t, r.irbs, "no status before the device has answered")
	return r
}

const oneWrite = "0100000400020000"

func TestEndsThatComeLater(t *testing.T) {
	for _, c := range []struct {
		name   string
		sense  bool // concurrent
		report func(r *rig, e Ending) bool
		want   string // SCSW
	}{
		{"as its commands ended", false, func(_ *rig, e Ending) bool { return e.Report(0) }, "00804007000100080c000000"},
		{"with a unit check", false, func(r *rig, e Ending) bool { r.unit.held = []byte{0x10}; return e.Report(normal | arch.UnitCheck) }, "00804017000100080e000000"},
		{"with a unit exception", false, func(_ *rig, e Ending) bool { return e.Report(normal | arch.UnitException) }, "00804017000100080d000000"},
		{"with a unit check and its sense", true, func(r *rig, e Ending) bool {
			r.unit.held = []byte{0x10, 0x08}
			return e.Report(normal | arch.UnitCheck)
		}, "00824017000100080e000000"},
		{"the path is lost", false, func(_ *rig, e Ending) bool { return e.Lose() }, "038140110001000800000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			if c.sense {
				r.sch.EnableConcurrentSense()
			}
			r.unit.putOff = true
			r.unit.record = counting(4)
			r.put(0x10000, oneWrite)
			require.Equal(t, CC(0), r.start(ORBDefaultControl))
			r.run()
			require.Len(t, r.unit.endings, 1)
			e := r.unit.endings[0]
			assert.Equal(t, CC(2), r.start(ORBDefaultControl), "the function is in progress")
			assert.Empty(t, r.irbs)
			require.True(t, e.Awaited())
			require.True(t, c.report(r, e))
			assert.False(t, e.Awaited())
			assert.False(t, e.Report(0), "an end is reported once")
			assert.False(t, e.Lose())
			r.run()
			assert.Equal(t, []string{c.want}, r.shown())
			if c.sense {
				assert.Equal(t, []byte{0x10, 0x08}, r.irbs[0].Sense())
			}
			assert.Equal(t, CC(0), r.start(ORBDefaultControl), "the subchannel is free again")
		})
	}
}

// What ends the wait while an end is out: the device's answer comes too late and
// changes nothing, whatever the subchannel does by then.
func TestEndsThatCameTooLate(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(r *rig) CC
		want string
	}{
		{"halt", func(r *rig) CC { return r.s.HaltSubchannel(r.m.Clock.Now(), r.sch) }, "00806007000100080c000000"},
		{"clear", func(r *rig) CC { return r.s.ClearSubchannel(r.m.Clock.Now(), r.sch) }, "000010010000000000000000"},
	} {
		for _, next := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, next function %t", c.name, next), func(t *testing.T) {
				r := putOff(t, ORBDefaultControl, oneWrite)
				require.Equal(t, CC(0), c.do(r))
				e := r.unit.endings[0]
				assert.False(t, e.Awaited())
				assert.False(t, e.Report(0), "between the instruction and what it does")
				r.run()
				assert.Equal(t, []string{c.want}, r.shown())
				assert.Equal(t, []bool{c.name == "clear"}, r.unit.resets, "the session drops what it holds")
				if next {
					require.Equal(t, CC(0), r.start(ORBDefaultControl))
					r.run()
					require.Len(t, r.unit.endings, 2)
				}
				assert.False(t, e.Report(normal|arch.UnitCheck))
				assert.False(t, e.Lose())
				r.run()
				assert.Len(t, r.irbs, 1, "nothing of the late answer is shown")
				if next {
					require.True(t, r.unit.endings[1].Report(0))
					r.run()
					assert.Equal(t, "00804007", words(&r.irbs[1])[:8])
				}
			})
		}
	}
	assert.False(t, Ending{}.Awaited())
	assert.False(t, Ending{}.Report(0))
	assert.False(t, Ending{}.Lose())
}

// A program-controlled interruption is presented and cleared while the end is
// out; the end is the same function's.
func TestIntermediateStatusWhileAnEndIsOut(t *testing.T) {
	r := newRig(t)
	r.unit.putOff = true
	r.unit.record = counting(4)
	r.put(0x10000, "0108000400020000")
	require.Equal(t, CC(0), r.start(ORBDefaultControl))
	r.run()
	require.Equal(t, "008040c9", r.shown()[0][:8])
	require.True(t, r.unit.endings[0].Report(0))
	r.run()
	assert.Equal(t, "00804007", r.shown()[1][:8])
}

// A suspension is an end that may come later too: the chain is suspended when the
// device has what came before; a resume before that is remembered.
func TestSuspensionsThatComeLater(t *testing.T) {
	const program = "0140000400020000" + "0102000400020000"
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprintf("resumed early %t", early), func(t *testing.T) {
			r := putOff(t, ORBDefaultControl|ORBSuspend, program)
			r.put(0x10008, "01000004")
			resume := func() { require.Equal(t, CC(0), r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch)) }
			if early {
				resume()
			}
			require.True(t, r.unit.endings[0].Report(0))
			r.run()
			if !early {
				require.Equal(t, []string{"08804029"}, []string{r.shown()[0][:8]})
				resume()
				r.run()
			}
			require.Len(t, r.unit.endings, 2)
			require.True(t, r.unit.endings[1].Report(0))
			r.run()
			last := r.shown()[len(r.irbs)-1]
			assert.Equal(t, "0880400700010010", last[:16])
			assert.Len(t, r.unit.got, 8)
		})
	}
	t.Run("ends with an error", func(t *testing.T) {
		r := putOff(t, ORBDefaultControl|ORBSuspend, program)
		require.True(t, r.unit.endings[0].Report(normal|arch.UnitCheck))
		r.run()
		assert.Equal(t, "08804017", r.shown()[0][:8], "not suspended")
		assert.Equal(t, CC(2), r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch))
	})
}

// Many subchannels, ends in any order, with halts, clears and lost paths between:
// each function shows one ending status, and a late answer none.
func TestEndsInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		m, err := machine.New(1)
		require.NoError(t, err)
		_, err = m.Storage.MapBytes(0, rigStorage)
		require.NoError(t, err)
		s := New(m)
		h := &ends{s: s, shown: map[uint32]int{}}
		s.SetInterruptHandler(h)
		r := &rig{t: t, m: m, s: s}
		r.put(0x10000, oneWrite)
		var schs []*Subchannel
		var units []*unit
		for n := range 5 {
			u := &unit{delivery: machine.Time(random.IntN(1000)), each: 10, ending: 10, record: counting(4), putOff: true}
			sch := s.Add(uint16(n), u)
			sch.Enable()
			schs, units = append(schs, sch), append(units, u)
		}
		want := map[uint32]int{}
		reported := map[Ending]bool{}
		for range 400 {
			i := random.IntN(len(schs))
			sch, u, now := schs[i], units[i], m.Clock.Now()
			switch random.IntN(8) {
			case 0, 1, 2:
				if s.StartSubchannel(now, sch, &ORB{Control: ORBDefaultControl, ChannelProgram: 0x10000}) == 0 {
					want[sch.ID()]++
				}
			case 3, 4, 5:
				if len(u.endings) == 0 {
					continue
				}
				e := u.endings[random.IntN(len(u.endings))]
				awaited, done := e.Awaited(), false
				switch random.IntN(4) {
				case 0:
					done = e.Lose()
				case 1:
					done = e.Report(normal | arch.UnitCheck)
				default:
					done = e.Report(0)
				}
				require.Equal(t, awaited, done)
				require.False(t, done && reported[e], "seed %d: reported twice", seed)
				reported[e] = reported[e] || done
			case 6:
				if sch.scsw.Control&arch.FunctionStart != 0 && sch.scsw.Control&arch.StatusPending == 0 {
					s.HaltSubchannel(now, sch) // its status is that of the start function
				}
			case 7:
				if sch.scsw.Control&functions == arch.FunctionStart && sch.scsw.Control&arch.StatusPending == 0 {
					s.ClearSubchannel(now, sch)
				}
			}
			for range random.IntN(4) {
				m.Clock.Step()
			}
		}
		for i, u := range units { // whatever is still out
			for len(u.endings) > 0 {
				u.endings[0].Report(0)
				u.endings = u.endings[1:]
			}
			for m.Clock.Step() {
			}
			if len(u.endings) > 0 { // delivered meanwhile
				u.endings[0].Report(0)
			}
			for m.Clock.Step() {
			}
			require.Zero(t, schs[i].scsw.Control&(functions|arch.StatusPending), "seed %d", seed)
		}
		require.Equal(t, want, h.shown, "seed %d", seed)
	}
}

// ends counts ending statuses by subchannel.
type ends struct {
	s     *Subsystem
	shown map[uint32]int
}

func (h *ends) Interruption(_ machine.Time, sch *Subchannel) {
	var irb IRB
	if h.s.TestSubchannel(sch, &irb) == 0 {
		h.shown[sch.ID()]++
	}
}
