package dasd

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/require"
)

// statusModels are the devices of FuzzStatus: each kind of control unit, and
// each type with a geometry of its own.
var statusModels = []string{
	"3390-1", "3380-A", "3375", "9345", "3350", "3340-35", "3330", "2305-2", "2314", "2311", "3310", "3370", "9336-20", "9332-600",
}

// statusCodes are commands that go well together, the rest are random.
var statusCodes = []byte{
	0x63, 0x63, 0x47, 0x47, 0x4B, 0x07, 0x07, 0x07, 0x1B, 0x31, 0x31, 0x31, 0xB1, 0x71, 0x29, 0x39, 0x1F,
	0x06, 0x86, 0x0E, 0x12, 0x16, 0x1A, 0x1E, 0x9E, 0x5E, 0xDE, 0x02, 0x22, 0x05, 0x0D, 0x85, 0x8D,
	0x01, 0x01, 0x1D, 0x1D, 0x9D, 0x15, 0x19, 0x11, 0xA5, 0xA6, 0x03, 0x04, 0xE4, 0x64, 0xFA, 0x27, 0x3E, 0x54, 0xB4, 0x94, 0x87,
	0xE7, 0xE7, 0x95, 0x95, 0x4B, 0x85, 0x86,
}

var statusBlockCodes = []byte{0x63, 0x63, 0x43, 0x43, 0x43, 0x41, 0x42, 0x41, 0x42, 0x02, 0x03, 0x04, 0x14, 0x64, 0x94, 0xA4, 0xB4, 0xE4}

// blockParameters makes parameters of a fixed-block device that are right more
// often than not.
func blockParameters(rng *rand.Rand, code byte) (p []byte) {
	switch code {
	case 0x63:
		p = make([]byte, arch.FBAExtentSize)
		p[0] = []byte{0xC0, 0xC0, 0x00, 0x40}[rng.IntN(4)]
		p[7], p[15] = byte(rng.IntN(4)), byte(rng.IntN(256))
	case 0x43:
		p = []byte{[]byte{0x01, 0x06, 0x06, 0x02, 0x04, 0x05}[rng.IntN(6)], byte(rng.IntN(3)), 0, byte(rng.IntN(6)), 0, 0, 0, byte(rng.IntN(64))}
	}
	if rng.IntN(12) == 0 && len(p) > 0 {
		p[rng.IntN(len(p))] ^= byte(1 << rng.IntN(8))
	}
	return p
}

// statusRig is a device of a model with a link and a subchannel.
type statusRig struct {
	m   *machine.Machine
	seg *machine.Segment
	d   *Device
	css *channel.Subsystem
	sch *channel.Subchannel
}

func newStatusRig(t require.TestingT, model string) *statusRig {
	return rigWith(t, Config{CacheTracks: 16}, func(sub *Subsystem) (*Device, error) {
		g, err := media.Lookup(model)
		require.NoError(t, err)
		if g.FBA() {
			medium, err := media.NewMemoryFBA(g)
			require.NoError(t, err)
			return sub.NewFBA(0x120, medium)
		}
		medium, err := media.NewMemoryCKD(g, 2, 512)
		require.NoError(t, err)
		return sub.NewECKD(0x120, medium)
	})
}

// rigWith is a machine with the device that add gives a subsystem.
func rigWith(t require.TestingT, config Config, add func(*Subsystem) (*Device, error)) *statusRig {
	m, err := machine.New(1)
	require.NoError(t, err)
	r := &statusRig{m: m}
	r.seg, err = m.Storage.MapBytes(0, statusStorage)
	require.NoError(t, err)
	sub, err := NewSubsystem(m, "S", config)
	require.NoError(t, err)
	r.d, err = add(sub)
	require.NoError(t, err)
	link, err := NewLink(m, LinkConfig{})
	require.NoError(t, err)
	r.css = channel.New(m)
	r.sch = r.css.Add(0x120, r.d.NewSession(link))
	r.sch.Enable()
	r.sch.EnableConcurrentSense()
	return r
}

// Storage of FuzzStatus: the program, and behind it an area for each of its
// CCWs.
const (
	statusStorage = 1 << 20
	statusProgram = 0x1000
	statusArea    = 0x20000
	statusStride  = 0x4000
	statusCCWs    = 20
	statusSpare   = 2 // behind the program, where a status modifier may lead
)

// FuzzStatus runs programs on devices of every type. Whatever they are, the
// status is one that the architecture has: a unit check has sense and alert
// status, the residual count is no more than the CCW's, the CCW address is one
// behind a CCW of the program; and nothing has changed but what CCWs of commands
// that give data name.
func FuzzStatus(f *testing.F) {
	for seed := range uint64(4 * len(statusModels)) {
		f.Add(seed, []byte{byte(seed * 5), byte(seed), 13, 29, 41, byte(seed * 3), 17})
	}
	f.Fuzz(func(t *testing.T, seed uint64, input []byte) {
		n := min(len(input), statusCCWs)
		if n == 0 {
			return
		}
		rng := rand.New(rand.NewPCG(seed, 7))
		r := newStatusRig(t, statusModels[seed%uint64(len(statusModels))])
		p := r.seg.Bytes()
		for i := range p {
			p[i] = byte(i * 29)
		}
		may := make([]bool, len(p)) // what may change
		ccws := make([]channel.CCW, n, n+statusSpare)
		for i, b := range input[:n] {
			code := b
			if rng.IntN(10) > 0 {
				codes := statusCodes
				if r.d.fba != nil {
					codes = statusBlockCodes
				}
				code = codes[int(b)%len(codes)]
			}
			if code&0x0F == arch.CommandTransfer {
				code = 0x03
			}
			var data []byte
			if r.d.fba != nil {
				data = blockParameters(rng, code)
			} else {
				data = parameters(rng, code)
			}
			at := statusArea + i*statusStride
			w := channel.CCW{Command: code, Flags: arch.FlagCC, Count: uint16(len(data)), Address: uint32(at)}
			copy(p[at:], data)
			if data == nil {
				w.Count = uint16(rng.IntN(0x3000))
				if rng.IntN(4) == 0 {
					w.Count = uint16(rng.IntN(40))
				}
			}
			if rng.IntN(3) > 0 {
				w.Flags |= arch.FlagSLI
			}
			if rng.IntN(16) == 0 {
				w.Flags |= arch.FlagSkip
			}
			if rng.IntN(16) == 0 {
				w.Flags = w.Flags&^arch.FlagCC | arch.FlagCD
			}
			if i == n-1 {
				w.Flags &^= arch.FlagCC | arch.FlagCD
			}
			ccws[i] = w
		}
		// A search goes round by a transfer in channel behind it, until there is no
		// record. One for a home address would go round for ever.
		for i := 0; i+2 < n; i++ {
			if c := ccws[i].Command &^ arch.Multitrack; (c == 0x31 || c == 0x29) && ccws[i].Flags&arch.FlagCC != 0 {
				ccws[i+1] = channel.CCW{Command: arch.CommandTransfer, Address: uint32(statusProgram + 8*i)}
				i++
			}
		}
		for range statusSpare {
			ccws = append(ccws, channel.CCW{Command: 0x03})
		}
		gives := false
		for i, w := range ccws {
			channel.PutCCW1(p[statusProgram+8*i:], w)
			if i == 0 || ccws[i-1].Flags&arch.FlagCD == 0 {
				gives = w.Command&1 == 0
			}
			// A status modifier can lead into a data chain, whose CCW is a command then.
			entered := w.Command&1 == 0
			if (gives || entered) && w.Flags&arch.FlagSkip == 0 && w.Command != arch.CommandTransfer {
				for k := range int(w.Count) {
					may[int(w.Address)+k] = true
				}
			}
		}
		before := append([]byte(nil), p...)
		require.Zero(t, r.css.StartSubchannel(r.m.Clock.Now(), r.sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: statusProgram}))
		for steps := 0; r.m.Clock.Step(); steps++ {
			require.Less(t, steps, 1000)
		}
		var irb channel.IRB
		require.Zero(t, r.css.TestSubchannel(r.sch, &irb))
		r.check(t, &irb, ccws)
		for i, b := range before {
			if b != p[i] && !may[i] {
				t.Fatalf("byte %X changed from %02X to %02X", i, b, p[i])
			}
		}
		if r.d.ckd == nil {
			return
		}
		for n := r.d.ChangedTracks().Next(0); n >= 0; n = r.d.ChangedTracks().Next(n + 1) {
			track, err := r.d.ckd.Track(n)
			require.NoError(t, err)
			require.NoError(t, track.Validate(r.d.geometry))
		}
	})
}

// check is the checker of statuses that are possible.
func (r *statusRig) check(t *testing.T, irb *channel.IRB, ccws []channel.CCW) {
	w := &irb.SCSW
	what := fmt.Sprintf("%s: %+v, sense %X", r.d.geometry.Name, *w, irb.Sense())
	require.NotZero(t, w.Control&arch.StatusPending, what)
	require.NotZero(t, w.Control&arch.StatusPrimary, what)
	sense := irb.Sense()
	if w.Unit&arch.UnitCheck != 0 {
		require.NotZero(t, w.Control&arch.StatusAlert, what)
		require.Len(t, sense, r.d.unit.senseLength, what)
		require.NotZero(t, sense[0]|sense[1], what)
	} else {
		require.Empty(t, sense, what)
	}
	if w.Unit&arch.UnitException != 0 {
		require.NotZero(t, w.Control&arch.StatusAlert, what)
	}
	if w.Channel == 0 && w.Unit == done {
		require.Zero(t, w.Control&arch.StatusAlert, what)
	}
	at := int(w.CCWAddress) - statusProgram
	require.True(t, at%arch.CCWSize == 0 && at >= arch.CCWSize && at <= len(ccws)*arch.CCWSize, what)
	if w.Channel&^(arch.IncorrectLength|arch.PCI) == 0 {
		last := ccws[at/arch.CCWSize-1]
		require.LessOrEqual(t, w.Residual, last.Count, what)
		if w.Channel&arch.IncorrectLength != 0 {
			require.True(t, last.Flags&arch.FlagSLI == 0 || last.Flags&arch.FlagCD != 0, what)
		}
	}
}
