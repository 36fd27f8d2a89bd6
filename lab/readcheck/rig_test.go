package readcheck_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/lab/readcheck"
)

const (
	base   = 128 // unit of the first block
	blocks = 600
)

// disk is a fixed-block device that does several things at once, in any order, and
// lies as a test has it.
type disk struct {
	units []machine.Tag
	rand  *rand.Rand
	fail  func(write bool) bool
	// store, if not nil, is asked before n units are written from unit at on: where
	// they go, and whether they do.
	store func(at, n int) (to int, ok bool)
	// serve, if not nil, may change what is read from unit at on.
	serve func(at int, units []machine.Tag)
	bytes bool // what is read is given as bytes
	delay int  // of an end in microseconds, at most
}

type session struct {
	d     *disk
	first int
	at    int
	left  int
}

const (
	done  = arch.ChannelEnd | arch.DeviceEnd
	check = done | arch.UnitCheck
)

func (s *session) Deliver(now machine.Time) (machine.Time, bool) {
	return now + machine.Time(s.d.rand.IntN(200))*machine.Microsecond, true
}
func (s *session) Begin(machine.Time, *channel.ORB) arch.UnitStatus { return 0 }
func (s *session) Elapsed() machine.Time                            { return 0 }
func (s *session) End(now machine.Time, _ channel.Ending) (machine.Time, bool) {
	return now + machine.Time(s.d.rand.IntN(s.d.delay))*machine.Microsecond, false
}
func (s *session) Sense() []byte { return make([]byte, 32) }
func (s *session) Reset(bool)    {}

func (s *session) Command(op *channel.Operation) arch.UnitStatus {
	var p [16]byte
	op.Data.Any()
	d := s.d
	switch op.Command {
	case 0x63:
		op.Data.Read(p[:])
		s.first = int(binary.BigEndian.Uint32(p[4:]))
	case 0x43:
		op.Data.Read(p[:8])
		s.at, s.left = s.first+int(binary.BigEndian.Uint32(p[4:])), int(binary.BigEndian.Uint16(p[2:]))
	case 0x41:
		if d.fail != nil && d.fail(true) {
			return check
		}
		tags := make([]machine.Tag, s.left)
		op.Data.Expect(s.left * machine.UnitSize)
		if !op.Data.ReadTags(tags) {
			data := make([]byte, s.left*machine.UnitSize)
			op.Data.Read(data)
			for i := range tags {
				tags[i], _ = machine.TagOf(data[i*machine.UnitSize:])
			}
		}
		to, ok := s.at, true
		if d.store != nil {
			to, ok = d.store(s.at, s.left)
		}
		if ok {
			copy(d.units[to:], tags)
		}
	case 0x42:
		if d.fail != nil && d.fail(false) {
			return check
		}
		tags := append([]machine.Tag(nil), d.units[s.at:s.at+s.left]...)
		if d.serve != nil {
			d.serve(s.at, tags)
		}
		op.Data.Expect(s.left * machine.UnitSize)
		if !d.bytes && op.Data.WriteTags(tags) {
			return done
		}
		data := make([]byte, s.left*machine.UnitSize)
		for i, tag := range tags {
			tag.Fill(data[i*machine.UnitSize:(i+1)*machine.UnitSize], 0)
		}
		op.Data.Write(data)
	}
	return done
}

// rig is a machine with one such device, and the checker of its reads.
type rig struct {
	t       testing.TB
	m       *machine.Machine
	d       *disk
	block   *access.Block
	checker *readcheck.Checker
	token   uint64
	codes   map[uint64]uint8
	moving  bool
}

func (g *rig) Complete(token uint64, code uint8, _ machine.Time) { g.codes[token] = code }

func (g *rig) Read(block int64, into *readcheck.Block) error {
	for i := range into {
		into[i] = readcheck.OfTag(g.d.units[base+block*readcheck.UnitsABlock+int64(i)])
	}
	return nil
}

func (g *rig) Where(block int64) string  { return fmt.Sprintf("block %d", block) }
func (g *rig) Arriving(block int64) bool { return g.moving }

func newRig(t testing.TB, seed uint64, learn bool) *rig {
	t.Helper()
	m, err := machine.New(2)
	require.NoError(t, err)
	s := ios.New(m, channel.New(m))
	n := base + blocks*readcheck.UnitsABlock
	g := &rig{t: t, m: m, d: &disk{units: make([]machine.Tag, n), rand: rand.New(rand.NewPCG(seed, 7)), delay: 300}, codes: make(map[uint64]uint8)}
	u, err := s.AddUnit(0x100, &session{d: g.d}, nil)
	require.NoError(t, err)
	for i := range 5 {
		_, err := s.AddUnit(uint16(0x101+i), &session{d: g.d}, u)
		require.NoError(t, err)
	}
	layout, err := access.NewFBALayout(int64(n))
	require.NoError(t, err)
	g.block, err = access.NewBlock(s, []access.Volume{{Unit: u, Layout: layout}}, 0, g)
	require.NoError(t, err)
	g.checker = readcheck.New(readcheck.Config{Block: g.block, Media: g, Learn: learn})
	g.block.Witness = g.checker
	return g
}

// ask submits a request for units of 512 bytes.
func (g *rig) ask(write bool, first, n int) {
	require.NoError(g.t, g.block.Submit(g.token, write, int64(first)*machine.UnitSize, int64(n)*machine.UnitSize))
	g.token++
}

func (g *rig) write(first, n int) { g.ask(true, first, n) }
func (g *rig) read(first, n int)  { g.ask(false, first, n) }

// run lets everything happen.
func (g *rig) run() {
	for g.m.Clock.Step() {
	}
}

// legs is one mirror with these units.
func (g *rig) legs(units []machine.Tag) []func(int64, *readcheck.Block) error {
	return []func(int64, *readcheck.Block) error{func(block int64, into *readcheck.Block) error {
		for i := range into {
			into[i] = readcheck.OfTag(units[base+block*readcheck.UnitsABlock+int64(i)])
		}
		return nil
	}}
}
