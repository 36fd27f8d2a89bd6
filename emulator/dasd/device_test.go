package dasd

import (
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFailures(t *testing.T) {
	read := with(searchFor(record11), step{code: 0x06, count: 4096})
	for _, c := range []struct {
		failure Failure
		sense   string
	}{{EquipmentCheck, "100000"}, {InterventionRequired, "400000"}} {
		b := newBench(t)
		b.d.Fail(c.failure)
		r := b.run(read...)
		assert.Equal(t, c.sense, r.sense)
		assert.Equal(t, 0, r.last)
		b.d.Restore()
		b.ok(read...)
	}

	b := newBench(t)
	b.d.Fail(NotOperational)
	assert.Equal(t, channel.CC(3), b.css.StartSubchannel(b.m.Clock.Now(), b.sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: 0x1000}))
	b.d.Fail(NotResponding)
	cpa := b.put(read)
	orb := channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: cpa}
	require.Zero(t, b.css.StartSubchannel(b.m.Clock.Now(), b.sch, &orb))
	b.settle()
	var irb channel.IRB
	assert.Equal(t, channel.CC(1), b.css.TestSubchannel(b.sch, &irb), "no status comes")
	require.Zero(t, b.css.ClearSubchannel(b.m.Clock.Now(), b.sch))
	b.settle()
	require.Zero(t, b.css.TestSubchannel(b.sch, &irb))
	b.d.Restore()
	b.d.Subsystem().Fail()
	require.Zero(t, b.css.StartSubchannel(b.m.Clock.Now(), b.sch, &orb))
	b.settle()
	assert.Equal(t, channel.CC(1), b.css.TestSubchannel(b.sch, &irb))
	require.Zero(t, b.css.ClearSubchannel(b.m.Clock.Now(), b.sch))
	b.settle()
	require.Zero(t, b.css.TestSubchannel(b.sch, &irb))
	b.d.Subsystem().Restore()
	b.ok(read...)
}

func TestSense(t *testing.T) {
	b := newBench(t)
	schib := channel.SCHIB{}
	require.Zero(t, b.css.StoreSubchannel(b.sch, &schib))
	schib.PMCW.Control &^= channel.PMCWConcurrentSense
	require.Zero(t, b.css.ModifySubchannel(b.sch, &schib))
	empty := fill(0, 27) + "80" + fill(0, 4)
	assert.Equal(t, empty, b.basicSense(t))
	b.run(with(searchFor("0001000063"))...)
	assert.Equal(t, "00080000000100"+fill(0, 20)+"8000"+"000100", b.basicSense(t))
	assert.Equal(t, empty, b.basicSense(t), "sense is given once")
	b.run(with(searchFor("0001000063"))...)
	b.ok(step{code: 0x03})
	assert.Equal(t, empty, b.basicSense(t), "another command clears it")
}

func TestReserveAndRelease(t *testing.T) {
	b := newBench(t)
	link, err := NewLink(b.m, LinkConfig{Host: 1})
	require.NoError(t, err)
	other := b.css.Add(0x120, b.d.NewSession(link))
	other.Enable()
	mine, theirs := b.sch, other
	on := func(sch *channel.Subchannel, steps ...step) (result, channel.IRB) {
		cpa := b.put(steps)
		require.Zero(t, b.css.StartSubchannel(b.m.Clock.Now(), sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: cpa}))
		b.settle()
		var irb channel.IRB
		require.Zero(t, b.css.TestSubchannel(sch, &irb))
		return result{unit: irb.SCSW.Unit}, irb
	}
	r, _ := on(mine, step{code: 0xB4, count: 32})
	assert.Equal(t, done, r.unit)
	host, reserved := b.d.Reserved()
	assert.True(t, reserved)
	assert.Zero(t, host)
	r, irb := on(theirs, step{code: 0x03})
	assert.Equal(t, arch.Busy, r.unit)
	assert.Equal(t, uint16(0x0100), irb.SCSW.Flags&arch.SCSWDeferredCC)
	r, _ = on(mine, step{code: 0x03})
	assert.Equal(t, done, r.unit)
	r, _ = on(theirs, step{code: 0x14, count: 32})
	assert.Equal(t, done, r.unit)
	r, _ = on(mine, step{code: 0x94, count: 32})
	assert.Equal(t, arch.Busy, r.unit)
	r, _ = on(theirs, step{code: 0x94, count: 32})
	assert.Equal(t, done, r.unit)
	r, _ = on(mine, step{code: 0x03})
	assert.Equal(t, done, r.unit)
}

// A device that has answered busy owes a device end, which comes when it is
// free.
func TestBusyOwesDeviceEnd(t *testing.T) {
	b := newBench(t)
	link, err := NewLink(b.m, LinkConfig{Host: 1, Kilometres: 100})
	require.NoError(t, err)
	other := b.css.Add(0x121, b.d.NewSession(link))
	other.Enable()
	require.True(t, Connect(other))
	require.True(t, Connect(b.sch))
	start := func(sch *channel.Subchannel, steps ...step) channel.IRB {
		require.Zero(t, b.css.StartSubchannel(b.m.Clock.Now(), sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: b.put(steps)}))
		b.settle()
		var irb channel.IRB
		require.Zero(t, b.css.TestSubchannel(sch, &irb))
		return irb
	}
	pending := func(sch *channel.Subchannel) (s channel.SCSW, cc channel.CC) {
		var irb channel.IRB
		cc = b.css.TestSubchannel(sch, &irb)
		return irb.SCSW, cc
	}
	free := step{code: 0x94, count: 32}
	reserve := func() { require.Equal(t, done, start(b.sch, step{code: 0xB4, count: 32}).SCSW.Unit) }
	busy := func() { require.Equal(t, arch.Busy, start(other, step{code: 0x03}).SCSW.Unit) }

	reserve()
	busy()
	_, cc := pending(other)
	assert.Equal(t, channel.CC(1), cc, "not while it is reserved")
	start(b.sch, free)
	s, cc := pending(other)
	assert.Zero(t, cc)
	assert.Equal(t, arch.DeviceEnd, s.Unit)
	assert.Equal(t, uint16(arch.StatusAlert|arch.StatusPending), s.Control)
	_, cc = pending(b.sch)
	assert.Equal(t, channel.CC(1), cc, "nobody else is told")

	// Nothing is owed twice, nor to whom a start has come through.
	reserve()
	start(b.sch, free)
	_, cc = pending(other)
	assert.Equal(t, channel.CC(1), cc)
	reserve()
	busy()
	require.Equal(t, done, start(other, step{code: 0x14, count: 32}).SCSW.Unit)
	require.Equal(t, done, start(other, free).SCSW.Unit)
	_, cc = pending(other)
	assert.Equal(t, channel.CC(1), cc)

	// A clear drops it, a release by the operator brings it, and a device that is
	// reserved again when it would come keeps it.
	reserve()
	busy()
	require.Zero(t, b.css.ClearSubchannel(b.m.Clock.Now(), other))
	b.settle()
	_, cc = pending(other)
	require.Zero(t, cc)
	b.d.Release()
	b.settle()
	_, cc = pending(other)
	assert.Equal(t, channel.CC(1), cc)
	reserve()
	busy()
	b.d.Release()
	b.d.Reserve(0)
	b.settle()
	_, cc = pending(other)
	assert.Equal(t, channel.CC(1), cc)
	b.d.Release()
	b.settle()
	s, cc = pending(other)
	assert.Zero(t, cc)
	assert.Equal(t, arch.DeviceEnd, s.Unit)
}

func TestPathGroup(t *testing.T) {
	b := newBench(t)
	r := b.ok(step{code: 0x34, count: 12})
	assert.Equal(t, fill(0, 12), r.data[0])
	const id = "8000012345678901234567" // 11 bytes
	b.ok(step{code: 0xAF, data: "80" + id})
	r = b.ok(step{code: 0x34, count: 12})
	assert.Equal(t, "c8"+id, r.data[0])
	r = b.run(step{code: 0xAF, data: "80" + "8100012345678901234567"})
	assert.Equal(t, "800004", r.sense)
	b.ok(step{code: 0xAF, data: "40" + id})
	r = b.ok(step{code: 0x34, count: 12})
	assert.Equal(t, "80"+id, r.data[0])
}

// While the device is reserved its path is explicitly enabled.
func TestPathGroupOfReserved(t *testing.T) {
	b := newBench(t)
	state := func() string { return b.ok(step{code: 0x34, count: 12}).data[0][:2] }
	assert.Equal(t, "00", state())
	b.ok(step{code: 0xB4, count: 32})
	assert.Equal(t, "30", state())
	b.ok(step{code: 0xAF, data: "808000012345678901234567"})
	assert.Equal(t, "f8", state())
	b.ok(step{code: 0x94, count: 32})
	assert.Equal(t, "c8", state())
}

func TestIdentification(t *testing.T) {
	for _, c := range []struct {
		unit, id, characteristics string
	}{
		{"3990", "ff3990c233900200" + "40fa0100",
			"3990c2" + "339002" + "d0000000" + "2026" + "000a" + "000f" + "e0" + "00e5a2" + "0594" + "02" + "2213090674" + fill(0, 12) + "2626" + "1002" + "dfee" + "0001" + "06" + "7708" + fill(0, 6) + "ff" + fill(0, 6)},
		{"2107", "ff2107e833900200" + "40fa0100" + "41270004" + "423e01a0" + "433e0008",
			"2107e8" + "339002" + "528010b7" + "2026" + "000a" + "000f" + "e0" + "00e5a2" + "0594" + "02" + "2213090674" + fill(0, 12) + "2626" + "1f02" + "dfee" + "0001" + "06" + "7708" + "000000" + "480000" + "ff" + "0000" + "0000000a"},
	} {
		b := newBenchOn(t, Config{ControlUnit: c.unit}, LinkConfig{})
		assert.Equal(t, c.id, b.ok(step{code: 0xE4, count: len(c.id) / 2}).data[0])
		assert.Equal(t, c.characteristics, b.ok(step{code: 0x64, count: 64}).data[0], c.unit)
		p := b.ok(step{code: 0xFA, count: 256}).data[0]
		assert.Equal(t, "80000001"+"0000"+"1e00"+"0120"+"80"+"20", p[2*0xE0:2*0xEC])
	}
	m, err := machine.New(1)
	require.NoError(t, err)
	_, err = NewSubsystem(m, "S", Config{ControlUnit: "3999"})
	assert.ErrorContains(t, err, `control unit "3999"`)
}

// Older control units give seven bytes of Sense ID, the oldest have none.
func TestOldSenseID(t *testing.T) {
	for model, want := range map[string]string{
		"3350": "ff383002335000", "3330-11": "ff383002333011", "2305-2": "ff283500230502", "2311": "", "2314": "",
	} {
		b := newModelBench(t, model)
		r := b.run(step{code: 0xE4, count: 12, flags: arch.FlagSLI})
		if want == "" {
			assert.Equal(t, "800000", r.sense, model)
			continue
		}
		assert.Equal(t, 12-len(want)/2, r.residual, model)
		assert.Equal(t, want, r.data[0][:len(want)], model)
	}
}

func TestSubsystemData(t *testing.T) {
	b := newBenchOn(t, Config{SubsystemID: 0x4321}, LinkConfig{})
	read := func(function, tail string, n int) string {
		return b.ok(step{code: 0x27, data: "180000000000" + function + "00" + tail}, step{code: 0x3E, count: n}).data[1]
	}
	assert.Equal(t, "c080"+fill(0, 14), read("00", "00000000", 16))
	p := read("01", "00000000", 96)
	assert.Equal(t, "0020", p[:4])
	assert.Equal(t, "4321", p[188:])
	assert.Len(t, read("01", "01000000", 192), 384)
	assert.Equal(t, "00090000"+"0a0b0c0d"+"00", read("03", "0A0B0C0D", 9))
	b.d.Notify(0x42, []byte{0xEE, 0xFF})
	assert.Equal(t, "000b0142"+"0a0b0c0d"+"00"+"eeff", read("03", "0A0B0C0D", 11))
	assert.Equal(t, "00090000"+"0a0b0c0d"+"00", read("03", "0A0B0C0D", 9), "a message is read once")
	assert.Equal(t, "0120", read("0E", "00000000", 512)[4*0x20:4*0x20+4])
	assert.Len(t, read("41", "00000000", 256), 512)
	nodes := b.ok(step{code: 0x27, data: "B0000000"}, step{code: 0x3E, count: 96}).data[1]
	assert.Equal(t, "00000100", nodes[:8])
	b.ok(step{code: 0x54, count: 40})
	b.ok(step{code: 0x5B}, step{code: 0x54, count: 40})
	b.ok(step{code: 0x87, data: "2000"})
	b.ok(step{code: 0xA4, count: 32})
	assert.Equal(t, "800002", b.run(step{code: 0x03}, step{code: 0x54, count: 40}).sense)
	assert.Equal(t, "800004", b.run(step{code: 0x87, data: "2400"}).sense)
}

// The least lengths of subsystem functions, of those too that do not work.
func TestSubsystemFunctionLengths(t *testing.T) {
	for _, c := range []struct {
		order string
		least int
		ok    bool
	}{
		{"10", 14, false}, {"11", 12, false}, {"12", 5, false}, {"13", 4, false}, {"14", 4, false}, {"16", 4, false}, {"77", 2, false},
		{"18", 12, true}, {"1B", 2, true}, {"1D", 66, true}, {"B0", 4, true},
	} {
		b := newBench(t)
		r := b.run(step{code: 0x27, data: c.order + fill(0, c.least-2), flags: arch.FlagSLI})
		assert.Equal(t, "800003", r.sense, c.order)
		r = b.run(step{code: 0x27, data: c.order + fill(0, c.least-1)})
		if c.ok {
			assert.Equal(t, done, r.unit, c.order)
		} else {
			assert.Equal(t, "800004", r.sense, c.order)
		}
	}
}

func TestQueryHostAccess(t *testing.T) {
	b := newBench(t)
	const id = "8000012345678901234567"
	query := func(parameters string, n int) result {
		return b.run(step{code: 0x27, data: parameters}, step{code: 0x3E, count: n})
	}
	const here = "18000000 0020 1C 0000000000"
	assert.Equal(t, fill(0, 2)+"0004"+fill(0, 12)+"00200000", query(here, 20).data[1])
	b.ok(step{code: 0xAF, data: "80" + id})
	r := query(here, 52)
	require.Equal(t, done, r.unit)
	assert.Equal(t, fill(0, 2)+"0024"+fill(0, 12)+"00200001"+"10"+id+fill(0, 8)+"00000000"+"0000000a"+fill(0, 4), r.data[1])
	assert.Equal(t, "800004", query("18000000 0021 1C 0000000000", 20).sense, "another device")
	b = newBenchOn(t, Config{ControlUnit: "3990"}, LinkConfig{})
	assert.Equal(t, "800004", query(here, 20).sense)
}

func TestOldControlUnits(t *testing.T) {
	m, err := machine.New(1)
	require.NoError(t, err)
	sub, err := NewSubsystem(m, "S", Config{})
	require.NoError(t, err)
	for number, c := range []struct {
		model  string
		extent bool
	}{{"2311", false}, {"3330", false}, {"3350", false}, {"3380", true}, {"9345", true}} {
		g, err := media.Lookup(c.model)
		require.NoError(t, err)
		medium, err := media.NewMemoryCKD(g, 1, 512)
		require.NoError(t, err)
		d, err := sub.NewECKD(uint16(number), medium)
		require.NoError(t, err)
		link, err := NewLink(m, LinkConfig{})
		require.NoError(t, err)
		g2 := &caseRig{m: m, d: d, way: d.NewSession(link), css: channel.New(m)}
		if number == 0 {
			_, err = m.Storage.MapBytes(0, caseStorage)
			require.NoError(t, err)
		}
		g2.seg = m.Storage.Segment(0)
		g2.sch = g2.css.Add(1, g2.way)
		g2.sch.Enable()
		g2.sch.EnableConcurrentSense()
		b := &bench{t: t, caseRig: g2}
		b.ok(step{code: 0x07, data: seek00}, step{code: 0x31, data: "0000000001"}, step{code: arch.CommandTransfer, count: 1}, step{code: 0x06, count: 512})
		r := b.run(step{code: 0x63, data: "40C0 0200 00000000 00000000 00000001"})
		assert.Equal(t, c.extent, r.unit == done, c.model)
		_, err = sub.NewECKD(uint16(number), medium)
		assert.ErrorContains(t, err, "has one of that number")
	}
}

func TestCacheModel(t *testing.T) {
	r := newRig(t, "3390-3", LinkConfig{})
	r.program(false, 30000, 1, 1)
	miss := r.took()
	hit := r.took()
	assert.Greater(t, miss, machine.Millisecond)
	assert.LessOrEqual(t, miss, 10*machine.Millisecond+14100*machine.Microsecond+15*machine.Millisecond)
	assert.Less(t, hit, machine.Millisecond)
	s := r.d.Stats()
	assert.Equal(t, [2]uint64{1, 1}, [2]uint64{s.ReadHits, s.ReadMisses})
	r.program(true, 20000, 1, 1)
	assert.Less(t, r.took(), machine.Millisecond, "a fast write does not wait for the device")
	r.control[rigDefine+1] |= arch.AttributeInhibitFast
	assert.Greater(t, r.took(), machine.Millisecond)
	r.sub.LoseCache()
	r.program(false, 30000, 1, 1)
	assert.Greater(t, r.took(), machine.Millisecond)
}

func TestCacheEvicts(t *testing.T) {
	d := &Device{cached: make([]int32, 100)}
	c := newCache(4)
	for n := range 4 {
		c.load(d, n)
	}
	c.load(d, 50) // all were used: the hand clears them and takes the first
	assert.False(t, c.touch(d, 0))
	require.True(t, c.touch(d, 2))
	c.load(d, 51)
	assert.True(t, c.touch(d, 2), "used since the hand came by")
	assert.False(t, c.touch(d, 1))
	c.clear()
	for n := range 100 {
		assert.False(t, c.touch(d, n))
	}
}

func TestHitsByChance(t *testing.T) {
	run := func(seed uint64) DeviceStats {
		r := newRig(t, "3390-3", LinkConfig{})
		r.sub.config.Timing.ReadHitRatio = 0.75
		r.sub.config.Seed = seed
		for i := range 2000 {
			r.program(false, 15+i, 1, 1)
			r.took()
		}
		return r.d.Stats()
	}
	a := run(1)
	assert.InDelta(t, 1500, float64(a.ReadHits), 100)
	assert.Equal(t, a, run(1))
	assert.NotEqual(t, a.ReadHits, run(2).ReadHits)
}

func TestNonVolatileStorageFills(t *testing.T) {
	m, err := machine.New(1)
	require.NoError(t, err)
	s, err := NewSubsystem(m, "S", Config{Timing: Timing{NonVolatileBytes: 1 << 20, DestageBytesPerSecond: 1 << 20}})
	require.NoError(t, err)
	assert.Equal(t, machine.Time(5), s.store(5, 1<<20))
	assert.InDelta(t, float64(machine.Second/2), float64(s.store(5, 1<<19)), 1e6)
	late := 10 * machine.Second
	assert.Equal(t, late, s.store(late, 1<<20), "it has emptied")
}

func TestTrackMask(t *testing.T) {
	m := NewTrackMask(1000)
	rng := rand.New(rand.NewPCG(5, 6))
	want := map[int]bool{}
	for range 3000 {
		n := rng.IntN(1000)
		if rng.IntN(3) == 0 {
			m.Unmark(n)
			delete(want, n)
		} else {
			m.Mark(n)
			want[n] = true
		}
		require.Equal(t, len(want), m.Count())
		require.Equal(t, want[n], m.Marked(n))
	}
	found := 0
	for n := m.Next(0); n >= 0; n = m.Next(n + 1) {
		assert.True(t, want[n])
		found++
	}
	assert.Equal(t, len(want), found)
	assert.Equal(t, -1, m.Next(1000))
	m.Clear()
	assert.Zero(t, m.Count())
	assert.Equal(t, -1, m.Next(-5))
}

// Commands that only tell or control something, and what they refuse.
func TestLesserCommands(t *testing.T) {
	const id = "8000012345678901234567"
	for name, c := range map[string]struct {
		steps []step
		sense string
	}{
		"maintenance query":                   {[]step{{code: 0x1F, data: "02"}, {code: 0xF3, data: "06000000"}}, ""},
		"diagnostic control short":            {[]step{{code: 0x1F, data: "02"}, {code: 0xF3, data: "060000"}}, "800003"},
		"diagnostic control of another order": {[]step{{code: 0x1F, data: "02"}, {code: 0xF3, data: "01000000"}}, "800004"},
		"diagnostic control, reserved bytes":  {[]step{{code: 0x1F, data: "02"}, {code: 0xF3, data: "06000001"}}, "800004"},
		"log behind another command":          {[]step{{code: 0x03}, {code: 0xA4, count: 32}}, "800002"},
		"log behind characteristics":          {[]step{{code: 0x64, count: 64}, {code: 0xA4, count: 32}}, ""},
		"status behind configuration data":    {[]step{{code: 0xFA, count: 256}, {code: 0x54, count: 40}}, ""},
		"status behind a late suspend":        {[]step{{code: 0x03}, {code: 0x5B}, {code: 0x54, count: 40}}, "800002"},
		"path group short":                    {[]step{{code: 0xAF, data: "80"}}, "800003"},
		"path group behind an extent":         {[]step{{code: 0x63, data: dxRead}, {code: 0xAF, data: "80" + id}}, "800002"},
		"path group, undefined function":      {[]step{{code: 0xAF, data: "60" + id}}, "800004"},
		"mode short":                          {[]step{{code: 0x87, data: "20"}}, "800003"},
		"mode behind another command":         {[]step{{code: 0x03}, {code: 0x87, data: "2000"}}, "800002"},
		"mode behind a suspend":               {[]step{{code: 0x5B}, {code: 0x87, data: "2000"}}, ""},
		"message that nobody has":             {[]step{{code: 0x4E, count: 8}}, "800002"},
		"restore":                             {[]step{{code: 0x17}}, ""},
		"reserve behind a suspend":            {[]step{{code: 0x5B}, {code: 0xB4, count: 32}}, ""},
		"allegiance":                          {[]step{{code: 0x44, count: 32}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newBench(t).run(c.steps...)
			assert.Equal(t, c.sense, r.sense)
			assert.Equal(t, c.sense == "", r.unit == done)
			assert.Equal(t, len(c.steps)-1, r.last)
		})
	}
}

func TestDeviceAccessors(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, uint16(0x120), b.d.Number())
	assert.NotNil(t, b.d.CKD())
	assert.Nil(t, b.d.FBA())
	assert.Equal(t, "3390-1", b.d.Geometry().Name)
	assert.Equal(t, []*Device{b.d}, b.d.Subsystem().Devices())
	b.d.Fail(EquipmentCheck)
	assert.Equal(t, EquipmentCheck, b.d.Failure())
}
