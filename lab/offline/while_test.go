package offline

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/image"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/emulator/mirror"
	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/lab/description"
	"github.com/iosrun/iosrun/lab/player"
	"github.com/iosrun/iosrun/lab/rig"
)

// formatter writes a track again and again, each time with other records, with
// channel programs that queue up for the unit with those of others.
type formatter struct {
	t       *testing.T
	x       *ios.Supervisor
	unit    *ios.UCB
	track   int
	left    int
	block   ios.IOSB
	srb     machine.SRB
	control program.Control
	data    *machine.Segment
	failed  int
}

func (f *formatter) Enter(cpu *machine.Processor, _ *machine.SRB) {
	k := program.CKD{Heads: 30}
	p := f.data.Bytes()[:0]
	put := func(number, key, length int) {
		p = binary.BigEndian.AppendUint16(p, uint16(f.track/30))
		p = binary.BigEndian.AppendUint16(p, uint16(f.track%30))
		p = append(p, byte(number), byte(key))
		p = binary.BigEndian.AppendUint16(p, uint16(length))
		for i := range key + length {
			p = append(p, byte(f.left+i))
		}
	}
	put(0, 0, 8)
	for n := range 1 + f.left%5 {
		put(n+1, f.left%3*20, 100+f.left%2*50)
	}
	if f.left%4 == 0 {
		put(9, 10, 0)
		put(10, 0, 30)
	}
	p = binary.BigEndian.AppendUint64(p, ^uint64(0))
	require.NoError(f.t, k.WriteTrack(f.control, p, f.data.Base, f.track))
	b := &f.block
	b.Init(f.x)
	b.UCB, b.Exit, b.DriverID, b.Writes = f.unit, f, ios.DriverExcp, true
	b.ID = uint64(f.left)
	b.ChannelProgram = f.control.At + program.Start
	f.x.STARTIO(cpu, b)
}

func (f *formatter) Done(_ *machine.Processor, b *ios.IOSB) {
	if !b.OK() {
		f.failed++
	}
}

func (f *formatter) Released(*ios.IOSB) {
	if f.left--; f.left > 0 {
		f.x.Machine.Dispatcher.Schedule(f.x.Machine.Clock.Now(), &f.srb)
	}
}

// A track that is formatted anew between the programs that read its counts and
// its records is read again, and a volume that is written to meanwhile is the same
// in the end.
func TestMirrorWhileTracksAreFormatted(t *testing.T) {
	dir := t.TempDir()
	c := description.Default()
	c.Policies = nil
	c.Primary.Image = created(t, filepath.Join(dir, "p"), "3350", 2, image.CreateOptions{})
	v, err := image.OpenCKD(c.Primary.Image, media.ReadWrite, image.Options{NoSync: true})
	require.NoError(t, err)
	vary(t, v, rand.New(rand.NewPCG(3, 4)))
	require.NoError(t, v.Close())
	c.Mirror.Image = created(t, filepath.Join(dir, "m"), "3350", 2, image.CreateOptions{})
	c.Primary.ImageMode, c.Mirror.ImageMode = "read-write", "read-write"
	c.Primary.Aliases, c.Mirror.Aliases = 0, 0
	x, err := c.ParseStage()
	require.NoError(t, err)
	r, err := rig.Build(&x.Machine, rig.Options{Log: hclog.NewNullLogger(), NoSync: true})
	require.NoError(t, err)
	g, err := r.Machine.Storage.MapBytes(0x100000, 0x20000)
	require.NoError(t, err)
	control, err := r.Machine.Storage.MapBytes(0x200000, machine.FrameSize)
	require.NoError(t, err)
	f := &formatter{t: t, x: r.Supervisor, unit: r.Pairs[0].At(0).Unit, track: 3, left: 400, data: g}
	f.control = program.Control{View: control.Bytes(), At: control.Base}
	f.srb.Entry, f.srb.Priority = f, machine.PriorityNormal
	var failed error
	done := false
	require.NoError(t, player.NewCopies(r).Begin(1, 1, mirror.SyncOptions{Full: true, Streams: 1, Done: func(err error) { done, failed = true, err }}))
	r.Machine.Dispatcher.Schedule(r.Machine.Clock.Now(), &f.srb)
	for r.Machine.Clock.Step() {
	}
	require.True(t, done)
	require.NoError(t, failed)
	assert.Zero(t, f.failed)
	assert.Zero(t, f.left)
	require.NoError(t, r.Close())
	requireEqual(t, c.Primary.Image, c.Mirror.Image)
}
