package dasd

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/require"
)

// Areas of storage in the fuzz test: the program and its parameters, the data,
// and all the rest, which nothing may change.
const (
	fuzzProgram = 0x1000
	fuzzData    = 0x20000
	fuzzDataEnd = 0x30000
	fuzzCCWs    = 24
)

// parameters makes data for a command that is right more often than not.
func parameters(rng *rand.Rand, code byte) []byte {
	track := func() []byte { return []byte{0, byte(rng.IntN(3)), 0, byte(rng.IntN(5))} }
	var p []byte
	switch code {
	case 0x63:
		masks := []byte{0x00, 0x40, 0x80, 0xC0, 0xC0, 0xD8}
		p = append(p, masks[rng.IntN(len(masks))], 0xC0, byte(rng.IntN(2)*0x10), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 4)
		if rng.IntN(4) == 0 {
			copy(p[8:], track())
		}
	case 0x47, 0x4B:
		operations := []byte{0x01, 0x81, 0x03, 0x43, 0x06, 0x86, 0x0B, 0x0C, 0x4C, 0x16, 0xD6, 0x00, 0x3F}
		t := track()
		p = append(p, operations[rng.IntN(len(operations))], 0, 0, byte(1+rng.IntN(4)))
		p = append(append(p, t...), t...)
		p = append(p, byte(rng.IntN(6)), 0xFF, 0, 0)
		if rng.IntN(2) == 0 {
			p[1] = 0x80
			p[14] = byte(2 << rng.IntN(4))
		}
		if code == 0x4B {
			extended := []byte{0, 0x09, 0x0A, 0x0E, 0x11, 0x23}
			p = append(p, 0, extended[rng.IntN(len(extended))], 0, byte(rng.IntN(2)), 0xFF)
			if rng.IntN(3) == 0 { // as a driver has it for writes of tracks
				p[0], p[1], p[14], p[15] = 0x3F, 0x80, 2, 0
				p[17] = []byte{0x11, 0x23}[rng.IntN(2)]
				p[19] = 1
			}
		}
	case 0xE7:
		format := byte(rng.IntN(3))
		p = make([]byte, arch.PrefixExtent)
		p[0], p[1], p[2] = format, arch.PrefixExtentValid, 0x20
		p = append(p, parameters(rng, 0x63)...)
		p = append(p, make([]byte, arch.PrefixLocate-len(p))...)
		if format == prefixLocating {
			p = append(p, parameters(rng, 0x4B)...)
		} else {
			p = append(append(p, make([]byte, prefixFunction-len(p))...), parameters(rng, 0x27)...)
		}
	case 0x95: // a track
		t := track()
		p = append(append(p, t...), 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, byte(rng.IntN(3)))
		for n := range byte(rng.IntN(5)) {
			p = append(append(p, t...), n+1, 0, 2, 0)
			for range 512 {
				p = append(p, byte(n))
			}
		}
		if rng.IntN(2) == 0 {
			p = append(p, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)
		}
	case 0x07, 0x0B, 0x1B:
		p = append([]byte{0, 0}, track()...)
	case 0x31, 0x51, 0x71, 0xB1:
		p = append(track(), byte(rng.IntN(5)))
	case 0x39:
		p = track()
	case 0x1F:
		p = []byte{byte(rng.IntN(4) << 6)}
	case 0x1D, 0x9D, 0x15, 0x11, 0x01:
		p = append(track(), byte(rng.IntN(6)), byte(rng.IntN(3)*4), byte(rng.IntN(0x40)), byte(rng.IntN(256)))
		if code == 0x15 {
			p[4], p[5], p[6], p[7] = 0, 0, 0, 8
		}
		for range rng.IntN(2000) {
			p = append(p, byte(rng.Uint32()))
		}
	case 0x27:
		orders := []byte{0x18, 0x1B, 0xB0}
		p = append([]byte{orders[rng.IntN(3)], 0, 0, 0, 0, 0, byte(rng.IntN(4))}, make([]byte, 8)...)
	}
	if rng.IntN(12) == 0 && len(p) > 0 { // damage
		p[rng.IntN(len(p))] ^= byte(1 << rng.IntN(8))
	}
	return p
}

// FuzzProgram runs programs of plausible and of any commands on a small
// volume. Whatever they are, the channel comes to an end, a unit check has
// sense, every track can be parsed, and nothing outside of the data areas has
// changed.
func FuzzProgram(f *testing.F) {
	codes := []byte{
		0x63, 0x63, 0x63, 0x47, 0x47, 0x47, 0x4B, 0x07, 0x07, 0x07, 0x0B, 0x1B, 0x1F, 0x31, 0x31, 0x31, 0x51, 0x71, 0xB1, 0x29, 0x39, 0x39,
		0x06, 0x86, 0x0E, 0x8E, 0x12, 0x92, 0x16, 0x96, 0x1A, 0x9A, 0x1E, 0x9E, 0x5E, 0xDE, 0x02, 0x22, 0x23,
		0x05, 0x0D, 0x85, 0x85, 0x85, 0x8D, 0x1D, 0x1D, 0x1D, 0x9D, 0x15, 0x15, 0x19, 0x11, 0xA5, 0xA6,
		0x03, 0x04, 0xE4, 0x64, 0xFA, 0x27, 0x3E, 0x54, 0xB4, 0x94, 0x87,
	}
	for seed := range uint64(40) {
		f.Add(seed, []byte{byte(seed * 7), 7, 13, 18, 41})
	}
	m, err := machine.New(1)
	require.NoError(f, err)
	seg, err := m.Storage.MapBytes(0, 1<<20)
	require.NoError(f, err)
	geometry, err := media.ForType(0x90, 3, 15, 56832)
	require.NoError(f, err)
	sub, err := NewSubsystem(m, "S", Config{})
	require.NoError(f, err)
	link, err := NewLink(m, LinkConfig{})
	require.NoError(f, err)
	medium, err := media.NewMemoryCKD(geometry, 4, 512)
	require.NoError(f, err)
	require.NoError(f, media.InitCKD(medium, media.Label{Serial: "FUZZ"}))
	d, err := sub.NewECKD(0x120, medium)
	require.NoError(f, err)
	way := d.NewSession(link)
	css := channel.New(m)
	sch := css.Add(0x120, way)
	sch.Enable()
	sch.EnableConcurrentSense()

	f.Fuzz(func(t *testing.T, seed uint64, input []byte) {
		rng := rand.New(rand.NewPCG(seed, 99))
		p := seg.Bytes()
		for i := range p {
			p[i] = byte(i * 31)
		}
		n := min(len(input), fuzzCCWs)
		if n == 0 {
			return
		}
		at := fuzzProgram + fuzzCCWs*2*8
		ccw := fuzzProgram
		for i, b := range input[:n] {
			code := b
			if seed%8 != 0 {
				code = codes[int(b)%len(codes)]
			}
			if code&0x0F == arch.CommandTransfer {
				code = 0x03
			}
			data := parameters(rng, code)
			address, count := at, len(data)
			if data == nil {
				address, count = fuzzData+rng.IntN(100), rng.IntN(9000)
			} else {
				copy(p[at:], data)
				at += len(data)
			}
			flags := channel.Flags(arch.FlagCC)
			if rng.IntN(3) > 0 {
				flags |= arch.FlagSLI
			}
			if i == n-1 {
				flags &^= arch.FlagCC
			}
			channel.PutCCW1(p[ccw:], channel.CCW{Command: code, Flags: flags, Count: uint16(count), Address: uint32(address)})
			ccw += 8
			if code == 0x31 && i < n-1 {
				channel.PutCCW1(p[ccw:], channel.CCW{Command: arch.CommandTransfer, Address: uint32(ccw - 8)})
				ccw += 8
			}
		}
		before := bytes.Clone(p)
		d.Release()
		require.Zero(t, css.StartSubchannel(m.Clock.Now(), sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: fuzzProgram}))
		for steps := 0; m.Clock.Step(); steps++ {
			require.Less(t, steps, 100)
		}
		var irb channel.IRB
		require.Zero(t, css.TestSubchannel(sch, &irb))
		if irb.SCSW.Unit&arch.UnitCheck != 0 {
			s := irb.Sense()
			require.NotEmpty(t, s)
			require.NotZero(t, s[0]|s[1])
		}
		require.Equal(t, before[:fuzzData], p[:fuzzData])
		require.Equal(t, before[fuzzDataEnd:], p[fuzzDataEnd:])
		for n := range geometry.Tracks() {
			track, err := medium.Track(n)
			require.NoError(t, err)
			require.NoError(t, track.Validate(geometry))
		}
	})
}
