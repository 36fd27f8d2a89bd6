package channel

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
)

func TestUnsolicitedStatus(t *testing.T) {
	r := newRig(t)
	r.sch.Present(0, arch.Attention|arch.DeviceEnd)
	assert.Equal(t, []string{"000000110000000084000000"}, r.shown())

	// It waits while a function is in progress.
	r.irbs = nil
	r.put(0x10000, "0300000000000000")
	r.start(f1)
	r.sch.Present(0, arch.Attention)
	r.run()
	assert.Equal(t, []string{"00804007000100080c000000", "000000110000000080000000"}, r.shown())

	// Device end after channel end is secondary status.
	r.irbs = nil
	r.put(0x10000, "4320000100020000")
	r.start(f1)
	r.run()
	r.sch.Present(r.m.Clock.Now(), arch.DeviceEnd)
	assert.Equal(t, []string{"008040450001000808000001", "000000030000000004000000"}, r.shown())
	assert.Zero(t, r.sch.scsw.Control)

	r.sch.pmcw.Flags &^= PMCWEnabled
	r.sch.Present(r.m.Clock.Now(), arch.Attention)
	assert.Len(t, r.irbs, 2)
}

func TestTestPendingInterruption(t *testing.T) {
	r := newRig(t)
	r.s.SetInterruptHandler(nil)
	var all []*Subchannel
	for i, isc := range []uint16{3, 1, 3} {
		sch := r.s.Add(0x200+uint16(i), &unit{})
		require.Equal(t, CC(0), r.s.ModifySubchannel(sch, &SCHIB{PMCW: PMCW{
			InterruptionParameter: uint32(i), Flags: PMCWEnabled | isc<<PMCWISCShift, LPM: 0xFF}}))
		sch.Present(0, arch.Attention)
		all = append(all, sch)
	}
	_, cc := r.s.TestPendingInterruption(0x80)
	assert.Equal(t, CC(0), cc, "subclass not enabled")
	for _, want := range []Interruption{
		{ID: 0x00010002, Parameter: 1, Word: 1 << 27},
		{ID: 0x00010001, Parameter: 0, Word: 3 << 27},
		{ID: 0x00010003, Parameter: 2, Word: 3 << 27},
	} {
		got, cc := r.s.TestPendingInterruption(0xFF)
		assert.Equal(t, CC(1), cc)
		assert.Equal(t, want, got)
	}
	_, cc = r.s.TestPendingInterruption(0xFF)
	assert.Equal(t, CC(0), cc)
	var irb IRB
	assert.Equal(t, CC(0), r.s.TestSubchannel(all[0], &irb), "the status is still there")
}

// An interruption that is tested away leaves the queue from its middle.
func TestInterruptionsAreTakenAway(t *testing.T) {
	r := newRig(t)
	r.s.SetInterruptHandler(nil)
	var all []*Subchannel
	for i := range 4 {
		sch := r.s.Add(0x200+uint16(i), &unit{})
		sch.Enable()
		sch.Present(0, arch.Attention)
		all = append(all, sch)
	}
	var irb IRB
	for _, i := range []int{1, 3, 0} {
		require.Equal(t, CC(0), r.s.TestSubchannel(all[i], &irb))
	}
	got, cc := r.s.TestPendingInterruption(0xFF)
	assert.Equal(t, CC(1), cc)
	assert.Equal(t, all[2].ID(), got.ID)
	_, cc = r.s.TestPendingInterruption(0xFF)
	assert.Equal(t, CC(0), cc)
}

func TestStoreAndModify(t *testing.T) {
	r := newRig(t)
	r.sch.pmcw.Flags &^= PMCWEnabled
	var schib SCHIB
	require.Equal(t, CC(0), r.s.StoreSubchannel(r.sch, &schib))
	var p [SCHIBSize]byte
	schib.Put(p[:])
	assert.Equal(t, "0000000000010120ff0000800000ff80010000000000000000000000"+
		"000000000000000000000000000000000000000000000000", hexed(p[:]))

	p[3], p[4], p[5], p[8], p[13], p[27] = 0x77, 0x18, 0x9C, 0x80, 5, 1
	p[6], p[7], p[11] = 0xFF, 0xFF, 0xFF // not for the program to change
	schib, err := ParseSCHIB(p[:])
	require.NoError(t, err)
	require.Equal(t, CC(0), r.s.ModifySubchannel(r.sch, &schib))
	require.Equal(t, CC(0), r.s.StoreSubchannel(r.sch, &schib))
	schib.Put(p[:])
	assert.Equal(t, "00000077189d0120800000800005ff80010000000000000000000001", hexed(p[:PMCWSize]))
	assert.Equal(t, 3, schib.PMCW.ISC())

	again, err := ParseSCHIB(p[:])
	require.NoError(t, err)
	assert.Equal(t, schib.PMCW, again.PMCW)
	for _, c := range []struct {
		at   int
		bits byte
	}{{4, 0x80}, {4, 0x40}, {4, 0x01}, {5, 0x60}, {24, 0x80}, {27, 0x08}} {
		q := p
		q[c.at] |= c.bits
		_, err := ParseSCHIB(q[:])
		assert.ErrorIs(t, err, ErrOperand, "byte %d, bits %02x", c.at, c.bits)
	}
	_, err = ParseSCHIB(p[:51])
	assert.Error(t, err)
}

func TestLookup(t *testing.T) {
	r := newRig(t)
	second := r.s.Add(0x0121, r.unit)
	assert.Same(t, r.sch, r.s.Subchannel(0x00010000))
	assert.Same(t, second, r.s.Subchannel(0x00010001))
	assert.Nil(t, r.s.Subchannel(0x00010002))
	assert.Nil(t, r.s.Subchannel(0))
	assert.Same(t, second, r.s.Device(0x0121))
	assert.Nil(t, r.s.Device(0x0122))
	assert.Equal(t, 2, r.s.Subchannels())
	assert.Equal(t, uint16(0x0121), second.DeviceNumber())
}

func TestORB(t *testing.T) {
	o := ORB{InterruptionParameter: 0x12345678, Control: f1 | ORBSuspend | 7<<ORBKeyShift, ChannelProgram: 0x10000}
	var p [ORBExtendedSize]byte
	o.Put(p[:])
	got, err := ParseORB(p[:ORBSize])
	require.NoError(t, err)
	assert.Equal(t, o, got)
	for _, c := range []struct {
		at   int
		bits byte
		want error
	}{{7, 0x02, ErrOperand}, {7, 0x20, ErrOperand}, {8, 0x80, ErrOperand}, {5, 0x04, ErrOperand}, {7, 0x40, nil}, {7, 0x80, nil}} {
		q := p
		q[c.at] |= c.bits
		_, err := ParseORB(q[:])
		assert.ErrorIs(t, err, c.want, "byte %d, bits %02x", c.at, c.bits)
	}
	p[7] |= ORBExtension
	_, err = ParseORB(p[:])
	assert.NoError(t, err)
	_, err = ParseORB(p[:ORBSize])
	assert.Error(t, err)
	_, err = ParseORB(p[:11])
	assert.Error(t, err)
}

func TestAddressLimit(t *testing.T) {
	r := newRig(t)
	assert.NoError(t, r.s.SetAddressLimit(0x7FFF0000))
	assert.ErrorIs(t, r.s.SetAddressLimit(0x80000000), ErrOperand)
	assert.ErrorIs(t, r.s.SetAddressLimit(0x00001000), ErrOperand)
}

func TestMeasurement(t *testing.T) {
	r := newRig(t)
	r.unit.delivery, r.unit.each, r.unit.ending = 3*measurementUnit, 5*measurementUnit, 0
	r.s.SetChannelMonitor(true, 0x40000)
	r.sch.pmcw.Flags |= PMCWMeasure
	r.sch.pmcw.MBI = 2
	r.put(0x10000, "0300000000000000")
	for range 3 {
		r.start(f1)
		r.run()
	}
	assert.Equal(t, "0003"+"0003"+"0000000f"+"00000009", r.get(0x40040, 12))
	r.s.SetChannelMonitor(false, 0x40000)
	r.start(f1)
	r.run()
	assert.Equal(t, "0003", r.get(0x40040, 2))
}

func TestIRBPut(t *testing.T) {
	irb := IRB{SCSW: SCSW{Flags: 0x0080, Control: 0x4007, CCWAddress: 0x10008, Unit: normal, Residual: 2}}
	irb.ESW[1] = 0x80
	irb.ECW[31] = 0xEE
	var p [IRBSize]byte
	irb.Put(p[:])
	assert.Equal(t, "00804007000100080c000002"+"00800000", hexed(p[:16]))
	assert.Equal(t, byte(0xEE), p[IRBSize-1])
}
