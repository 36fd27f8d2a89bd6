package access_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

const (
	heads, records = 15, 12
	unitsABlock    = access.BlockSize / machine.UnitSize
)

// medium is what the sessions of one device share.
type medium struct {
	tags   []machine.Tag // by unit of 512 bytes; of ECKD record by record, track by track
	rand   *rand.Rand
	writes int
	fail   func(write bool) bool
}

// session is one subchannel's way to the device: it knows the commands of the
// block access method's programs, of both kinds of device.
type session struct {
	m     *medium
	fba   bool
	at    int // unit
	left  int // units of the domain
	first int // units of the extent
	last  int
	write bool
}

func (s *session) Deliver(now machine.Time) (machine.Time, bool) {
	return now + machine.Time(s.m.rand.IntN(200))*machine.Microsecond, true
}

func (s *session) Begin(machine.Time, *channel.ORB) arch.UnitStatus {
	s.left, s.last = 0, -1
	return 0
}

const (
	done  = arch.ChannelEnd | arch.DeviceEnd
	check = done | arch.UnitCheck
)

func (s *session) Command(op *channel.Operation) arch.UnitStatus {
	var p [16]byte
	op.Data.Any()
	switch op.Command {
	case 0x63:
		op.Data.Read(p[:])
		if s.fba {
			s.first = int(binary.BigEndian.Uint32(p[4:]))
			s.last = s.first + int(binary.BigEndian.Uint32(p[12:]))
			s.write = p[0] == 0xC0
			return done
		}
		s.write = p[0] == 0x80
		s.first = trackAt(p[8:]) * records * unitsABlock
		s.last = (trackAt(p[12:])+1)*records*unitsABlock - 1
	case 0x47:
		op.Data.Read(p[:])
		s.at = (trackAt(p[4:])*records + int(p[12]) - 1) * unitsABlock
		s.left = int(p[3]) * unitsABlock
	case 0x43:
		op.Data.Read(p[:8])
		s.at = s.first + int(binary.BigEndian.Uint32(p[4:]))
		s.left = int(binary.BigEndian.Uint16(p[2:]))
	case 0x85, 0x41:
		if !s.write || s.m.fail != nil && s.m.fail(true) {
			return check
		}
		return s.move(op, (*channel.Transfer).ReadTags)
	case 0x86, 0x42:
		if s.m.fail != nil && s.m.fail(false) {
			return check
		}
		return s.move(op, (*channel.Transfer).WriteTags)
	default:
		return check
	}
	return done
}

func (s *session) move(op *channel.Operation, f func(*channel.Transfer, []machine.Tag) bool) arch.UnitStatus {
	n := unitsABlock
	if s.fba {
		n = s.left
	}
	if n > s.left || s.at < s.first || s.at+n-1 > s.last || s.at+n > len(s.m.tags) {
		return check
	}
	op.Data.Expect(n * machine.UnitSize)
	if !f(op.Data, s.m.tags[s.at:s.at+n]) {
		return check
	}
	if op.Command == 0x85 || op.Command == 0x41 {
		s.m.writes++
	}
	s.at += n
	s.left -= n
	return done
}

func trackAt(p []byte) int {
	return int(binary.BigEndian.Uint16(p))*heads + int(binary.BigEndian.Uint16(p[2:]))
}

func (s *session) Elapsed() machine.Time { return 0 }
func (s *session) End(now machine.Time, _ channel.Ending) (machine.Time, bool) {
	return now + machine.Time(s.m.rand.IntN(300))*machine.Microsecond, false
}
func (s *session) Sense() []byte { return make([]byte, 32) }
func (s *session) Reset(bool)    {}

// app counts completions.
type app struct {
	codes map[uint64]uint8
	twice int
}

func (a *app) Complete(token uint64, code uint8, _ machine.Time) {
	if _, ok := a.codes[token]; ok {
		a.twice++
	}
	a.codes[token] = code
}

type rig struct {
	m      *machine.Machine
	medium *medium
	block  *access.Block
	app    *app
	base   int // unit of the first block
}

// newRig makes a machine with one device of blocks blocks, which can do four
// things at once.
func newRig(t testing.TB, fba bool, seed uint64) *rig {
	t.Helper()
	m, err := machine.New(2)
	require.NoError(t, err)
	s := ios.New(m, channel.New(m))
	g := &rig{m: m, app: &app{codes: make(map[uint64]uint8)}, medium: &medium{rand: rand.New(rand.NewPCG(seed, 7))}}
	u, err := s.AddUnit(0x100, &session{m: g.medium, fba: fba}, nil)
	require.NoError(t, err)
	for i := range 3 {
		_, err := s.AddUnit(uint16(0x101+i), &session{m: g.medium, fba: fba}, u)
		require.NoError(t, err)
	}
	var layout access.Layout
	if fba {
		layout, err = access.NewFBALayout(128 + 8*2000 + 5)
		g.base = 128
		g.medium.tags = make([]machine.Tag, 128+8*2000+5)
	} else {
		layout, err = access.NewECKDLayout(20, heads, records)
		g.base = heads * records * unitsABlock
		g.medium.tags = make([]machine.Tag, 20*heads*records*unitsABlock)
	}
	require.NoError(t, err)
	g.block, err = access.NewBlock(s, []access.Volume{{Unit: u, Layout: layout}}, 0, g.app)
	require.NoError(t, err)
	return g
}

func (g *rig) run() {
	for g.m.Clock.Step() {
	}
}

var kinds = map[string]bool{"ECKD": false, "FBA": true}

// TestWritesLandInTheOrderOfTheirSubmission plays random reads and writes, most
// of them not on block boundaries and on top of each other, on a device that does
// several things at once in any order, and compares with an array to which the
// writes were applied one after the other.
func TestWritesLandInTheOrderOfTheirSubmission(t *testing.T) {
	for name, fba := range kinds {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(60) {
				g := newRig(t, fba, seed)
				random := rand.New(rand.NewPCG(seed, 1))
				model := make([]machine.Tag, g.block.Bytes()/machine.UnitSize)
				written := uint64(0)
				reach := 1 + random.IntN(len(model)/8)
				for token := range uint64(300) {
					at := random.IntN(reach)
					n := 1 + random.IntN([]int{8, 40, 600, 2000}[random.IntN(4)])
					n = min(n, len(model)-at)
					if random.IntN(4) == 0 {
						at, n = at&^7, max(n&^7, 8)
					}
					write := random.IntN(3) != 0
					require.NoError(t, g.block.Submit(token, write, int64(at)*machine.UnitSize, int64(n)*machine.UnitSize))
					if write {
						written++
						for i := range n {
							model[at+i] = machine.Tag(written<<18 + uint64(i) + 1)
						}
					}
					if random.IntN(3) == 0 {
						g.m.Clock.RunUntil(g.m.Clock.Now() + machine.Time(random.IntN(2000))*machine.Microsecond)
					}
				}
				g.run()
				require.Len(t, g.app.codes, 300)
				for token, code := range g.app.codes {
					require.EqualValues(t, arch.CompletionNormal, code, "seed %d: request %d", seed, token)
				}
				require.Zero(t, g.app.twice)
				for i, want := range model {
					require.Equal(t, want, g.medium.tags[g.base+i], "seed %d: unit %d", seed, i)
				}
				for i, tag := range g.medium.tags[:g.base] {
					require.Zero(t, tag, "seed %d: unit %d in front of the first block", seed, i)
				}
				c := g.block.Counts()
				require.EqualValues(t, 300, c.Submitted)
				require.EqualValues(t, 300, c.Completed)
				require.Zero(t, c.Failed+c.Duplicates)
				require.Positive(t, c.Overlapped+c.Reread)
			}
		})
	}
}

// TestAWriteBehindTwoOthers: a write waits for every earlier one of its blocks,
// also for one that waits itself.
func TestAWriteBehindTwoOthers(t *testing.T) {
	for seed := range uint64(50) {
		g := newRig(t, false, seed)
		block := int64(access.BlockSize)
		require.NoError(t, g.block.Submit(0, true, 0, block))       // block 0
		require.NoError(t, g.block.Submit(1, true, 0, 2*block))     // blocks 0 and 1
		require.NoError(t, g.block.Submit(2, true, block, block))   // block 1
		require.NoError(t, g.block.Submit(3, true, block, 2*block)) // blocks 1 and 2
		g.run()
		assert.EqualValues(t, 3, g.block.Counts().Overlapped)
		for i, want := range []uint64{2, 4, 4} {
			require.Equal(t, want, uint64(g.medium.tags[g.base+i*unitsABlock])>>18, "seed %d: block %d", seed, i)
		}
	}
}

// TestStripes plays random writes on blocks that are spread over three volumes,
// of which one is larger, and finds each block where its stripe lies.
func TestStripes(t *testing.T) {
	const n, stripe = 3, 7
	m, err := machine.New(2)
	require.NoError(t, err)
	s := ios.New(m, channel.New(m))
	a := &app{codes: make(map[uint64]uint8)}
	var media []*medium
	var volumes []access.Volume
	for i := range n {
		cylinders := 4 + i/2
		d := &medium{rand: rand.New(rand.NewPCG(uint64(i), 7)), tags: make([]machine.Tag, cylinders*heads*records*unitsABlock)}
		u, err := s.AddUnit(uint16(0x100*(i+1)), &session{m: d}, nil)
		require.NoError(t, err)
		layout, err := access.NewECKDLayout(cylinders, heads, records)
		require.NoError(t, err)
		media, volumes = append(media, d), append(volumes, access.Volume{Unit: u, Layout: layout})
	}
	b, err := access.NewBlock(s, volumes, stripe, a)
	require.NoError(t, err)
	perVolume := 3 * heads * records / stripe * stripe
	require.EqualValues(t, n*perVolume*access.BlockSize, b.Bytes())

	random := rand.New(rand.NewPCG(1, 1))
	model := make([]machine.Tag, b.Bytes()/machine.UnitSize)
	for token := range uint64(400) {
		at, length := random.IntN(len(model)), 1+random.IntN(400)
		length = min(length, len(model)-at)
		require.NoError(t, b.Submit(token, true, int64(at)*machine.UnitSize, int64(length)*machine.UnitSize))
		for i := range length {
			model[at+i] = machine.Tag((token+1)<<18 + uint64(i) + 1)
		}
	}
	for m.Clock.Step() {
	}
	require.Len(t, a.codes, 400)
	for token, code := range a.codes {
		require.EqualValues(t, arch.CompletionNormal, code, "request %d", token)
	}
	for i, want := range model {
		block := i / unitsABlock
		run := block / stripe
		at := heads*records + run/n*stripe + block%stripe
		require.Equal(t, want, media[run%n].tags[at*unitsABlock+i%unitsABlock], "unit %d", i)
	}
	_, err = access.NewBlock(s, volumes, 0, a)
	assert.ErrorContains(t, err, "3 volumes in stripes of 0 blocks")
	_, err = access.NewBlock(s, nil, 1, a)
	assert.ErrorContains(t, err, "0 volumes")
	_, err = access.NewBlock(s, volumes, 1000, a)
	assert.ErrorContains(t, err, "stripes of 1000 blocks: the smallest volume has 540")
}

func TestMoreRequestsThanDataAreas(t *testing.T) {
	g := newRig(t, false, 1)
	n := uint64(access.MaxSmall + access.MaxLarge + 3000)
	for token := range n {
		length := int64(access.BlockSize)
		if token%4 == 0 {
			length *= access.SmallBlocks + 1
		}
		require.NoError(t, g.block.Submit(token, token%8 == 1, int64(token%3000)*access.BlockSize, length))
	}
	g.run()
	assert.Len(t, g.app.codes, int(n))
	assert.Zero(t, g.app.twice)
	c := g.block.Counts()
	assert.EqualValues(t, n, c.Completed)
	assert.Positive(t, c.Exhausted)
	assert.Positive(t, c.Overlapped)
	assert.Zero(t, c.Failed)
	require.NoError(t, g.block.Submit(n, true, 0, access.BlockSize))
	g.run()
	assert.EqualValues(t, arch.CompletionNormal, g.app.codes[n])
}

// TestFailedParts: a request fails with the code of the first part that failed,
// once, and the writes behind a failed one go on.
func TestFailedParts(t *testing.T) {
	for seed := range uint64(40) {
		g := newRig(t, seed%2 == 0, seed)
		random := rand.New(rand.NewPCG(seed, 2))
		g.medium.fail = func(bool) bool { return random.IntN(20) == 0 }
		for token := range uint64(200) {
			require.NoError(t, g.block.Submit(token, token%3 != 0, int64(random.IntN(800))*machine.UnitSize, int64(1+random.IntN(900))*machine.UnitSize))
		}
		g.run()
		require.Len(t, g.app.codes, 200)
		require.Zero(t, g.app.twice)
		failed := 0
		for _, c := range g.app.codes {
			if c != arch.CompletionNormal {
				require.EqualValues(t, arch.CompletionPermanent, c)
				failed++
			}
		}
		require.Positive(t, failed)
		require.EqualValues(t, failed, g.block.Counts().Failed)
		g.medium.fail = nil
		require.NoError(t, g.block.Submit(1000, true, 0, 1700*machine.UnitSize))
		g.run()
		require.EqualValues(t, arch.CompletionNormal, g.app.codes[1000])
	}
}

func TestSubmitErrors(t *testing.T) {
	g := newRig(t, false, 1)
	size := g.block.Bytes()
	assert.EqualValues(t, 19*heads*records*access.BlockSize, size)
	for _, c := range []struct {
		offset, length int64
		want           string
	}{
		{0, 0, "request of 0 bytes: want a multiple of 512 up to 67108864"},
		{0, -512, "request of -512 bytes"},
		{0, 511, "request of 511 bytes"},
		{0, access.MaxRequest + 512, "request of 67109376 bytes"},
		{-512, 512, "request at offset -512: want a multiple of 512"},
		{100, 512, "request at offset 100: want a multiple of 512"},
		{size, 512, "beyond the volume's"},
		{size - 512, 1024, "beyond the volume's"},
		{1<<63 - 512, 1024, "beyond the volume's"},
	} {
		assert.ErrorContains(t, g.block.Submit(0, true, c.offset, c.length), c.want)
	}
	assert.Zero(t, g.block.Counts().Submitted)
	assert.Zero(t, g.m.Clock.Pending())
	require.NoError(t, g.block.Submit(0, true, size-512, 512))
	g.run()
	assert.EqualValues(t, arch.CompletionNormal, g.app.codes[0])
}

func TestLayoutErrors(t *testing.T) {
	_, err := access.NewECKDLayout(1, 15, 12)
	assert.ErrorContains(t, err, "leave no block: the first cylinder is the label's")
	_, err = access.NewFBALayout(128 + 7)
	assert.ErrorContains(t, err, "135 blocks of 512 bytes leave no block of 4096")
	l, err := access.NewFBALayout(128 + 8)
	require.NoError(t, err)
	assert.EqualValues(t, 1, l.Blocks())
}

// TestSubmitAllocatesNothing in the steady state.
func TestSubmitAllocatesNothing(t *testing.T) {
	g := newRig(t, false, 1)
	token := uint64(0)
	once := func() {
		for i := range int64(8) {
			if g.block.Submit(token, true, i%3*access.BlockSize, 2*access.BlockSize) != nil {
				panic("refused")
			}
		}
		g.run()
		clear(g.app.codes)
	}
	for range 50 {
		once()
	}
	assert.Zero(t, testing.AllocsPerRun(100, once))
}
