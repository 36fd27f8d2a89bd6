package channel

import (
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// states brings a rig's subchannel into each state that instructions tell
// apart.
var states = []struct {
	name string
	// control is the SCSW's second halfword in the state.
	control uint16
	make    func(r *rig)
	// The condition code of each instruction, in the order of instructions.
	cc [8]CC
}{
	{"idle", 0, func(*rig) {}, [8]CC{0, 2, 0, 0, 2, 1, 0, 0}},
	{"start pending", 0x4400, func(r *rig) { r.start(f1) }, [8]CC{2, 2, 0, 0, 0, 1, 0, 2}},
	{"start pending, may be suspended", 0x4400, func(r *rig) { r.start(susp) }, [8]CC{2, 0, 0, 0, 0, 1, 0, 2}},
	{"active", 0x40C0, func(r *rig) {
		r.start(f1)
		r.m.Clock.Step()
	}, [8]CC{2, 2, 0, 0, 2, 1, 0, 2}},
	{"active, may be suspended", 0x40C0, func(r *rig) {
		r.start(susp)
		r.m.Clock.Step()
	}, [8]CC{2, 0, 0, 0, 2, 1, 0, 2}},
	{"active, intermediate status", 0x40C9, func(r *rig) {
		r.put(0x10000, "0208001000020000")
		r.start(f1)
		r.m.Clock.RunUntil(110)
	}, [8]CC{1, 1, 0, 0, 1, 0, 0, 1}},
	{"suspended, intermediate status", 0x4029, func(r *rig) {
		r.put(0x10000, "0202001000020000")
		r.start(susp)
		r.run()
	}, [8]CC{1, 1, 0, 0, 1, 0, 0, 1}},
	{"suspended", 0x4020, func(r *rig) {
		r.put(0x10000, "0202001000020000")
		r.start(susp | ORBSuppressSuspended)
		r.run()
	}, [8]CC{2, 0, 0, 0, 0, 1, 0, 2}},
	{"resume pending", 0x4820, func(r *rig) {
		r.put(0x10000, "0202001000020000")
		r.start(susp | ORBSuppressSuspended)
		r.run()
		r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch)
	}, [8]CC{2, 2, 0, 0, 0, 1, 0, 2}},
	{"primary and secondary status", 0x4007, func(r *rig) {
		r.start(f1)
		r.run()
	}, [8]CC{1, 1, 1, 0, 1, 0, 0, 1}},
	{"halt pending", 0x2200, func(r *rig) {
		r.s.HaltSubchannel(0, r.sch)
	}, [8]CC{2, 2, 2, 0, 2, 1, 0, 2}},
	{"halted, status alone", 0x2001, func(r *rig) {
		r.s.HaltSubchannel(0, r.sch)
		r.run()
	}, [8]CC{1, 1, 1, 0, 1, 0, 0, 1}},
	{"clear pending", 0x1100, func(r *rig) {
		r.s.ClearSubchannel(0, r.sch)
	}, [8]CC{2, 2, 2, 0, 2, 1, 0, 2}},
	{"cleared", 0x1001, func(r *rig) {
		r.s.ClearSubchannel(0, r.sch)
		r.run()
	}, [8]CC{1, 1, 1, 0, 1, 0, 0, 1}},
	{"attention", 0x0011, func(r *rig) {
		r.sch.Present(0, arch.Attention)
	}, [8]CC{1, 1, 1, 0, 1, 0, 0, 1}},
	{"not enabled", 0, func(r *rig) { r.sch.pmcw.Flags = PMCWValid }, [8]CC{3, 3, 3, 3, 3, 3, 0, 0}},
	{"not there", 0, func(r *rig) { r.sch = nil }, [8]CC{3, 3, 3, 3, 3, 3, 3, 3}},
}

var instructions = [8]struct {
	name string
	do   func(r *rig) CC
}{
	{"SSCH", func(r *rig) CC { return r.start(f1) }},
	{"RSCH", func(r *rig) CC { return r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch) }},
	{"HSCH", func(r *rig) CC { return r.s.HaltSubchannel(r.m.Clock.Now(), r.sch) }},
	{"CSCH", func(r *rig) CC { return r.s.ClearSubchannel(r.m.Clock.Now(), r.sch) }},
	{"XSCH", func(r *rig) CC { return r.s.CancelSubchannel(r.m.Clock.Now(), r.sch) }},
	{"TSCH", func(r *rig) CC { return r.test() }},
	{"STSCH", func(r *rig) CC { return r.s.StoreSubchannel(r.sch, new(SCHIB)) }},
	{"MSCH", func(r *rig) CC {
		return r.s.ModifySubchannel(r.sch, &SCHIB{PMCW: PMCW{Flags: PMCWEnabled, LPM: 0xFF}})
	}},
}

func stateRig(t *testing.T, i int) *rig {
	r := newRig(t)
	r.hold = true
	r.unit.record = counting(16)
	r.put(0x10000, "0200001000020000")
	states[i].make(r)
	return r
}

func TestConditionCodesInEveryState(t *testing.T) {
	for i, state := range states {
		for j, in := range instructions {
			r := stateRig(t, i)
			if r.sch != nil {
				require.Equalf(t, state.control, r.sch.scsw.Control, "%s: SCSW is %s", state.name, words(&IRB{SCSW: r.sch.scsw}))
			}
			assert.Equalf(t, state.cc[j], in.do(r), "%s of a subchannel that is %s", in.name, state.name)
		}
	}
}

// Whatever state a subchannel is in and whatever comes first, a clear makes it
// as new.
func TestClearAlwaysHelps(t *testing.T) {
	for i, state := range states {
		for _, in := range instructions {
			r := stateRig(t, i)
			if !r.sch.operational() {
				continue
			}
			in.do(r)
			require.Equal(t, CC(0), r.s.ClearSubchannel(r.m.Clock.Now(), r.sch))
			r.irbs = nil
			r.hold = false
			r.run()
			require.Equalf(t, []string{"000010010000000000000000"}, r.shown(), "%s, %s, CSCH", state.name, in.name)
			require.Zero(t, r.sch.scsw.Control)
			require.Contains(t, r.unit.resets, true)
			r.put(0x10000, "0200001000020000")
			r.irbs = nil
			require.Equal(t, CC(0), r.start(f1))
			r.run()
			require.Equalf(t, []string{"00804007000100080c000000"}, r.shown(), "%s, %s, CSCH, SSCH", state.name, in.name)
		}
	}
}

func TestTestSubchannel(t *testing.T) {
	for i, state := range states {
		r := stateRig(t, i)
		if !r.sch.operational() {
			continue
		}
		before := r.sch.scsw
		var irb IRB
		cc := r.s.TestSubchannel(r.sch, &irb)
		assert.Equal(t, before, irb.SCSW, state.name)
		after := r.sch.scsw.Control
		switch {
		case cc == 1:
			assert.Equal(t, state.control, after, state.name)
		case state.control&statuses == arch.StatusIntermed|arch.StatusPending:
			assert.Equal(t, state.control&^statuses, after, "%s: the function goes on", state.name)
		default:
			assert.Zero(t, after, "%s: the function is over", state.name)
		}
		_, cc = r.s.TestPendingInterruption(0xFF)
		assert.Zero(t, cc, "%s: the interruption is gone", state.name)
	}
}

func TestNoPath(t *testing.T) {
	r := newRig(t)
	assert.Equal(t, CC(3), r.start(ORBFormat1), "no logical path in the ORB")
	assert.Equal(t, CC(3), r.start(ORBFormat1|0x7F00), "only paths that are not available")
	r.sch.pmcw.LPM = 0x7F
	assert.Equal(t, CC(3), r.start(f1), "not a path of the PMCW's mask")
	r.sch.pmcw.LPM = 0xFF
	r.unit.noPath = true
	assert.Equal(t, CC(3), r.start(f1), "the session knows no path")
	assert.Equal(t, uint8(path), r.sch.pmcw.PNOM)
	assert.Zero(t, r.sch.scsw.Control)
	assert.Equal(t, CC(1), r.test())
	r.unit.noPath = false
	r.put(0x10000, "0300000000000000")
	assert.Equal(t, CC(0), r.start(f1))
	assert.Zero(t, r.sch.pmcw.PNOM)
}

func TestLostStart(t *testing.T) {
	r := newRig(t)
	r.unit.lost = true
	r.start(f1)
	r.run()
	assert.Zero(t, r.unit.begins)
	assert.Equal(t, uint16(arch.FunctionStart|arch.StartPending), r.sch.scsw.Control)
	require.Equal(t, CC(0), r.s.HaltSubchannel(r.m.Clock.Now(), r.sch))
	r.run()
	assert.Equal(t, []string{"008060010000000000000000"}, r.shown())
	assert.Equal(t, []bool{false}, r.unit.resets)
}

func TestLostStatus(t *testing.T) {
	r := newRig(t)
	r.unit.ending = machine.Never
	r.put(0x10000, "0340000000000000"+"0300000000000000")
	r.start(f1)
	r.run()
	assert.Equal(t, uint16(arch.FunctionStart|arch.SubchActive|arch.DeviceActive), r.sch.scsw.Control)
	require.Equal(t, CC(0), r.s.HaltSubchannel(r.m.Clock.Now(), r.sch))
	r.run()
	assert.Equal(t, []string{"00806007000100100c000000"}, r.shown())
}

// A halt or clear between execution and status drops the status.
func TestStatusUnderWayIsDropped(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0340000000000000"+"0308000000000000")
	r.start(f1)
	r.m.Clock.Step()
	require.Equal(t, 1, r.unit.ended)
	require.Equal(t, CC(0), r.s.HaltSubchannel(500, r.sch))
	r.run()
	assert.Equal(t, []string{"00806007000100100c000000"}, r.shown())
	assert.Equal(t, 1, r.told)
}

// Nothing of an earlier function is shown by a halt of an idle subchannel.
func TestHaltIdle(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0320000100020000")
	r.start(f1)
	r.run()
	r.irbs = nil
	require.Equal(t, CC(0), r.s.HaltSubchannel(r.m.Clock.Now(), r.sch))
	r.run()
	assert.Equal(t, []string{"000020010000000000000000"}, r.shown())
}

func TestCancel(t *testing.T) {
	r := newRig(t)
	r.start(f1)
	require.Equal(t, CC(0), r.s.CancelSubchannel(0, r.sch))
	r.run()
	assert.Zero(t, r.unit.begins)
	assert.Zero(t, r.told)
	assert.Zero(t, r.sch.scsw.Control)
	r.put(0x10000, "0300000000000000")
	assert.Equal(t, CC(0), r.start(f1))
}

func TestDeferredConditionCodes(t *testing.T) {
	r := newRig(t)
	r.unit.initial = arch.Busy
	r.start(f1)
	r.run()
	assert.Equal(t, []string{"018040170001000810000000"}, r.shown(), "busy: deferred condition code 1")
	assert.False(t, r.irbs[0].OK())

	r = newRig(t)
	r.put(0x10000, "0202001000020000")
	r.start(susp)
	r.run()
	r.unit.noPath = true
	require.Equal(t, CC(0), r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch))
	r.run()
	assert.Equal(t, []string{"088040290001000800000010", "0b8140110001000800000010"}, r.shown(), "no path: deferred condition code 3")
}

func TestResume(t *testing.T) {
	r := newRig(t)
	r.unit.record = counting(16)
	r.put(0x10000, "0340000000000000"+"0242001000020000"+"0300000000000000")
	r.start(susp)
	r.run()
	require.Equal(t, []string{"088040290001001000000010"}, r.shown())
	assert.Equal(t, []byte{0x03}, r.unit.commands)

	// With the flag still on, the chain is suspended again.
	require.Equal(t, CC(0), r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch))
	require.Equal(t, uint16(arch.FunctionStart|arch.ResumePending|arch.Suspended), r.sch.scsw.Control)
	r.run()
	require.Equal(t, []string{"088040290001001000000010", "088040290001001000000010"}, r.shown())
	assert.Equal(t, []byte{0x03}, r.unit.commands)

	r.put(0x10008, "0240001000020000")
	require.Equal(t, CC(0), r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch))
	r.run()
	assert.Equal(t, "08804007000100180c000000", r.shown()[2])
	assert.Equal(t, []byte{0x03, 0x02, 0x03}, r.unit.commands)
	assert.Equal(t, 3, r.unit.begins, "the control unit sees the first command of a new chain each time")
}

// The suspending CCW may have become a TIC to a continuation.
func TestResumeAtTIC(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0302000000000000")
	r.start(susp | ORBSuppressSuspended)
	r.run()
	require.Empty(t, r.shown())
	r.put(0x10000, "0800000000018000")
	r.put(0x18000, "0300000000000000")
	require.Equal(t, CC(0), r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch))
	r.run()
	assert.Equal(t, []string{"08884007000180080c000000"}, r.shown())
}

// A resume that comes before the suspension has been seen is remembered: the
// chain goes on with the CCW as it is then.
func TestResumeBeforeSuspended(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0342000000000000"+"0300000000000000")
	r.start(susp)
	r.m.Clock.Step()
	r.put(0x10000, "0340000000000000")
	require.Equal(t, CC(0), r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch))
	assert.Equal(t, CC(2), r.s.ResumeSubchannel(r.m.Clock.Now(), r.sch), "resume pending already")
	r.run()
	assert.Equal(t, []string{"08804007000100100c000000"}, r.shown())
	assert.Equal(t, []byte{0x03, 0x03}, r.unit.commands)

	r = newRig(t)
	r.put(0x10000, "0300000000000000")
	r.start(susp)
	require.Equal(t, CC(0), r.s.ResumeSubchannel(0, r.sch))
	r.run()
	assert.Equal(t, []string{"08804007000100080c000000"}, r.shown(), "nothing was suspended: nothing is resume pending at the end")
}

func TestHaltSuspended(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0302000000000000")
	r.start(susp | ORBSuppressSuspended)
	r.run()
	require.Equal(t, CC(0), r.s.HaltSubchannel(r.m.Clock.Now(), r.sch))
	r.run()
	require.Len(t, r.irbs, 1)
	assert.Equal(t, uint16(arch.FunctionStart|arch.FunctionHalt|arch.StatusPending), r.irbs[0].SCSW.Control)
	assert.Zero(t, r.sch.scsw.Control)
}

func TestProgramControlledInterruptions(t *testing.T) {
	program := "0348000000000000" + "0348000000000000" + "0300000000000000"
	r := newRig(t)
	r.put(0x10000, program)
	var at []machine.Time
	r.onInterrupt = func(*IRB) { at = append(at, r.m.Clock.Now()) }
	r.start(f1)
	r.run()
	assert.Equal(t, []string{"008040c90001000800800000", "008040c90001001000800000", "00804007000100180c000000"}, r.shown())
	assert.Equal(t, []machine.Time{100, 1100, 3150}, at)

	// Not cleared in between, it is shown with the ending status.
	r = newRig(t)
	r.put(0x10000, program)
	r.hold = true
	r.start(f1)
	r.run()
	assert.Equal(t, 1, r.told, "status that joins is not told again")
	r.test()
	assert.Equal(t, []string{"0080400f000100180c800000"}, r.shown())
	assert.True(t, r.irbs[0].SCSW.Control&arch.StatusAlert == 0)
	assert.False(t, r.irbs[0].OK())

	// More than are kept apart.
	r = newRig(t)
	for i := range machine.Address(100) {
		r.put(0x10000+i*8, "0348000000000000")
	}
	r.put(0x10000+100*8, "0300000000000000")
	r.start(f1)
	r.run()
	assert.Equal(t, MaxIntermediate+1, r.told)
	assert.Equal(t, "0080400f000103280c800000", r.shown()[MaxIntermediate])
}

// A device whose status is there before its chain's interruptions shows them
// with the status.
func TestInterruptionsOvertaken(t *testing.T) {
	r := newRig(t)
	r.unit.ending = -2500
	r.put(0x10000, "0348000000000000"+"0348000000000000"+"0308000000000000")
	r.start(f1)
	r.run()
	assert.Equal(t, []string{"008040c90001000800800000", "0080400f000100180c800000"}, r.shown())
}

func TestConcurrentSense(t *testing.T) {
	r := newRig(t)
	r.unit.sense = counting(40)
	r.put(0x10000, "1220001000020000")
	r.start(f1)
	r.run()
	require.Equal(t, []string{"00804017000100080e000010"}, r.shown())
	assert.Nil(t, r.irbs[0].Sense())
	assert.Len(t, r.unit.held, 41, "without the S bit the device keeps its sense")

	r.irbs = nil
	r.sch.EnableConcurrentSense()
	r.start(f1)
	r.run()
	require.Equal(t, []string{"00824017000100080e000010"}, r.shown())
	require.Len(t, r.irbs[0].Sense(), arch.SenseSize)
	assert.Equal(t, append([]byte{0x40}, counting(31)...), r.irbs[0].Sense())
	assert.Equal(t, []byte{0, path, 0, 0, reportSense, arch.SenseSize}, r.irbs[0].ESW[:6])
	assert.Empty(t, r.unit.held)

	r.irbs = nil
	r.put(0x10000, "0300000000000000")
	r.start(f1)
	r.run()
	assert.Equal(t, []string{"00804007000100080c000000"}, r.shown())
	assert.Nil(t, r.irbs[0].Sense())
	assert.True(t, r.irbs[0].OK())
}

// An endless loop of commands lets time pass and can be ended.
func TestEndlessProgram(t *testing.T) {
	r := newRig(t)
	r.unit.each = 0
	r.put(0x10000, "0340000000000000"+"0800000000010000")
	r.start(f1)
	r.m.Clock.RunUntil(machine.Second)
	assert.Equal(t, machine.Second, r.m.Clock.Now())
	assert.Equal(t, uint16(arch.FunctionStart|arch.SubchActive|arch.DeviceActive), r.sch.scsw.Control)
	assert.Equal(t, 1, r.unit.begins)
	require.Equal(t, CC(0), r.s.ClearSubchannel(r.m.Clock.Now(), r.sch))
	r.run()
	assert.Equal(t, []string{"000010010000000000000000"}, r.shown())
}

func TestLongProgram(t *testing.T) {
	r := newRig(t)
	r.unit.each = 100 * machine.Microsecond
	r.put(0x10000, "0340000000000000"+"0800000000010000")
	n := 0
	r.unit.onCommand = func(op *Operation) {
		assert.Equal(t, n, op.Index)
		assert.Equal(t, n > 0, op.Chained)
		if n++; n == 100000 {
			r.put(0x10000, "0300000000000000")
		}
	}
	r.start(f1)
	r.run()
	assert.Equal(t, []string{"00804007000100080c000000"}, r.shown()[:1])
	assert.Equal(t, 100001, n)
	assert.Equal(t, 150+100001*r.unit.each, r.m.Clock.Now())
}

func TestEndlessDataChain(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0B80000100020000"+"0080000100020000"+"0800000000010000")
	r.unit.onCommand = func(op *Operation) {
		op.Data.Any()
		var p [256]byte
		for op.Data.Read(p[:]) > 0 {
		}
	}
	r.start(f1)
	r.run()
	require.Len(t, r.irbs, 1)
	assert.Equal(t, arch.ChainingCheck, r.irbs[0].SCSW.Channel)
}

// After TEST SUBCHANNEL the last status can still be seen, until there is
// another one or a function.
func TestStatusStaysToBeSeen(t *testing.T) {
	r := newRig(t)
	r.put(0x10000, "0208001000020000")
	r.start(f1)
	r.run()
	var irb IRB
	for r.s.TestSubchannel(r.sch, &irb) == 0 {
	}
	assert.Zero(t, irb.SCSW.Control)
	assert.Equal(t, arch.UnitStatus(normal), irb.SCSW.Unit)
	assert.EqualValues(t, 0x10008, irb.SCSW.CCWAddress)
	r.start(f1)
	r.s.TestSubchannel(r.sch, &irb)
	assert.Zero(t, irb.SCSW.Unit)
	assert.Zero(t, irb.SCSW.Channel)
}
