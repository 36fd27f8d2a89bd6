package dasd

import (
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/require"
)

// formsRecords is how many records of 512 bytes the tracks of FuzzForms have.
const formsRecords = 4

// formsPreludes are how programs of FuzzForms begin: many of them come to a
// record, whatever follows.
var formsPreludes = [][]byte{{}, {0x07, 0x31}, {0x1F, 0x07, 0x31}, {0x1F, 0x07, 0x39}, {0x63, 0x47}, {0x63, 0x4B}, {0xE7}, {0x63, 0x4B, 0x95, 0x95}, {0x63, 0x4B, 0xA5, 0xA5}, {0x63, 0x4B, 0xA6, 0xA6}, {0x63, 0x4B, 0xDE, 0xDE}}

// formsExtent and formsLocates are define extent and, by the command behind it,
// locate record extended, so that commands of whole tracks come to be executed.
var (
	formsExtent  = append([]byte{0xC0, 0xC0}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 14)
	formsLocates = map[byte][]byte{
		0x4B: {}, // behind define extent
		0x95: {0x3F, 0, 0, 2, 0, 1, 0, 3, 0, 1, 0, 3, 0, 0xFF, 0, 0, 0, 0x11, 0, 1, 0xC0},
		0xA5: {0x3F, 0x80, 0, 2, 0, 1, 0, 3, 0, 1, 0, 3, 2, 0xFF, 2, 0, 0, 0x23, 0, 0},
		0xA6: {0x0C, 0, 0, 2, 0, 1, 0, 3, 0, 1, 0, 3, 2, 0xFF, 0, 0, 0, 0, 0, 0},
		0xDE: {0x4C, 0, 0, 2, 0, 1, 0, 3, 0, 1, 0, 3, 0, 0xFF, 0, 0, 0, 0, 0, 0},
	}
)

// newFormsRig is a 3390 of a few cylinders with content on all tracks, which are
// uniform or images.
func newFormsRig(t require.TestingT, images bool) *statusRig {
	return rigWith(t, Config{}, func(sub *Subsystem) (*Device, error) {
		g, err := media.ForType(0x90, 3, 15, 56832)
		require.NoError(t, err)
		medium, err := media.NewMemoryCKD(g, formsRecords, media.BlockSize)
		require.NoError(t, err)
		for n := range g.Tracks() {
			track, err := medium.Update(n)
			require.NoError(t, err)
			for i := range track.Tags {
				track.Tags[i] = machine.Tag(100*n + i + 1)
			}
			if images {
				track.Materialize(g)
			}
		}
		return sub.NewECKD(0x120, medium)
	})
}

// FuzzForms runs a program on a volume with uniform tracks and on one with the
// same content in images: status, sense, storage and tracks are the same
// afterwards.
func FuzzForms(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(seed, []byte{byte(seed * 5), byte(seed), 13, 29, 41, byte(seed * 3), 17})
	}
	f.Fuzz(func(t *testing.T, seed uint64, input []byte) {
		rng := rand.New(rand.NewPCG(seed, 11))
		codes := append([]byte(nil), formsPreludes[seed%uint64(len(formsPreludes))]...)
		for _, b := range input {
			codes = append(codes, statusCodes[int(b)%len(statusCodes)])
		}
		n := min(len(codes), statusCCWs)
		if n == 0 {
			return
		}
		program := make([]byte, statusStorage)
		for i := range program {
			program[i] = byte(rng.Uint32())
		}
		ccw := statusProgram
		for i, code := range codes[:n] {
			at := statusArea + i*statusStride
			data := parameters(rng, code)
			if i+1 < n {
				if l := formsLocates[codes[i+1]]; l != nil && (code == 0x63 || code == 0x4B) {
					if data = l; code == 0x63 {
						data = formsExtent
					}
				}
			}
			copy(program[at:], data)
			w := channel.CCW{Command: code, Flags: arch.FlagCC | arch.FlagSLI, Count: uint16(len(data)), Address: uint32(at)}
			if data == nil {
				w.Count = uint16(rng.IntN(2000))
			}
			if code == 0xFA || code == 0x64 || code == 0x3E { // no tracks
				w.Command = 0x03
			}
			if i == n-1 {
				w.Flags = arch.FlagSLI
			}
			channel.PutCCW1(program[ccw:], w)
			ccw += arch.CCWSize
			if code&^arch.Multitrack == 0x31 && i < n-1 {
				channel.PutCCW1(program[ccw:], channel.CCW{Command: arch.CommandTransfer, Address: uint32(ccw - arch.CCWSize)})
				ccw += arch.CCWSize
			}
		}
		for range statusSpare {
			channel.PutCCW1(program[ccw:], channel.CCW{Command: 0x03, Flags: arch.FlagSLI})
			ccw += arch.CCWSize
		}
		var irbs [2]channel.IRB
		var rigs [2]*statusRig
		for i := range rigs {
			r := newFormsRig(t, i == 1)
			rigs[i] = r
			copy(r.seg.Bytes(), program)
			require.Zero(t, r.css.StartSubchannel(r.m.Clock.Now(), r.sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: statusProgram}))
			for steps := 0; r.m.Clock.Step(); steps++ {
				require.Less(t, steps, 1000)
			}
			require.Zero(t, r.css.TestSubchannel(r.sch, &irbs[i]))
		}
		require.Equal(t, irbs[0], irbs[1])
		require.Equal(t, rigs[0].seg.Bytes(), rigs[1].seg.Bytes())
		require.Equal(t, rigs[0].d.stats, rigs[1].d.stats)
		for k := range rigs[0].d.tracks {
			a, err := rigs[0].d.ckd.Track(k)
			require.NoError(t, err)
			b, err := rigs[1].d.ckd.Track(k)
			require.NoError(t, err)
			require.True(t, media.EqualTrack(a, b), "track %d", k)
		}
	})
}
