package observer

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// volumes are two like devices in memory.
func volumes(t *testing.T, model string) (a, b *dasd.Device) {
	t.Helper()
	m, err := machine.New(1)
	require.NoError(t, err)
	sub, err := dasd.NewSubsystem(m, "X", dasd.Config{})
	require.NoError(t, err)
	g, err := media.Lookup(model)
	require.NoError(t, err)
	made := make([]*dasd.Device, 2)
	for i := range made {
		if g.FBA() {
			f, err := media.NewMemoryFBA(g)
			require.NoError(t, err)
			made[i], err = sub.NewFBA(uint16(0x100+i), f)
			require.NoError(t, err)
			continue
		}
		c, err := media.NewMemoryCKD(g, 12, 4096)
		require.NoError(t, err)
		made[i], err = sub.NewECKD(uint16(0x100+i), c)
		require.NoError(t, err)
	}
	return made[0], made[1]
}

// TestDigestsNameContent: a spot has the same digest whatever form the medium has it
// in, and another one once a byte of it is another.
func TestDigestsNameContent(t *testing.T) {
	a, b := volumes(t, "3390-1")
	r := &reader{}
	random := rand.New(rand.NewPCG(1, 2))
	x, err := a.CKD().Update(20)
	require.NoError(t, err)
	for i := range x.Tags {
		x.Tags[i] = machine.Tag(random.IntN(3)) // zeros among them
	}
	y, err := b.CKD().Update(20)
	require.NoError(t, err)
	media.CopyTrack(a.Geometry(), y, x)
	y.Materialize(b.Geometry())
	assert.True(t, same(a, b, 20))
	for n := range 13 {
		assert.Equal(t, r.digest(a, at(20, n)), r.digest(b, at(20, n)), "record %d", n)
	}
	assert.Equal(t, r.digest(a, at(20, dasd.WholeTrack)), r.digest(b, at(20, dasd.WholeTrack)))
	assert.Equal(t, absent, r.digest(b, at(20, 13)))
	assert.Equal(t, r.digest(a, at(21, 3)), r.digest(b, at(21, 3)), "a track that nobody has written")
	assert.NotEqual(t, r.digest(a, at(20, 3)), r.digest(a, at(21, 3)), "the count field has the track's address")

	c, _, err := y.Record(5)
	require.NoError(t, err)
	y.Data(c)[4095]++
	assert.False(t, same(a, b, 20))
	assert.NotEqual(t, r.digest(a, at(20, 5)), r.digest(b, at(20, 5)))
	assert.Equal(t, r.digest(a, at(20, 6)), r.digest(b, at(20, 6)))
	y.EraseAfter(c)
	assert.Equal(t, absent, r.digest(b, at(20, 6)))
	assert.NotEqual(t, r.digest(a, at(20, dasd.WholeTrack)), r.digest(b, at(20, dasd.WholeTrack)))
}

// TestDigestsOfBlocks: the same for blocks, as tags and as bytes.
func TestDigestsOfBlocks(t *testing.T) {
	a, b := volumes(t, "9336-20")
	r := &reader{}
	require.NoError(t, a.FBA().WriteTags(700, []machine.Tag{77, 0}))
	var p [2 * media.BlockSize]byte
	machine.Tag(77).Fill(p[:media.BlockSize], 0)
	p[len(p)-1] = 0
	require.NoError(t, b.FBA().WriteBlocks(700, p[:]))
	group, in := 700/media.GroupBlocks, 700%media.GroupBlocks
	for i := range 3 {
		assert.Equal(t, r.digest(a, at(group, in+i)), r.digest(b, at(group, in+i)), "block %d", i)
	}
	assert.True(t, same(a, b, group))
	p[len(p)-1] = 1
	require.NoError(t, b.FBA().WriteBlocks(700, p[:]))
	assert.NotEqual(t, r.digest(a, at(group, in+1)), r.digest(b, at(group, in+1)))
	assert.False(t, same(a, b, group))
}

// TestVersions: a volume that has a version of a spot has every earlier one, and what
// was made for a write is told from what a later one has covered.
func TestVersions(t *testing.T) {
	p := &pair{volumes: make([]*volume, 2), history: map[spot][]version{}, early: map[spot][]arrival{}}
	put := func(id uint32, d digest) *write {
		w := &write{id: id, pair: p, own: true, drive: firstDrive}
		w.put(change{at(3, 1), d})
		return w
	}
	first, second := put(1, 10), put(2, 20)
	h := p.history[at(3, 1)]
	assert.Equal(t, 1, newest(h, 20, 0))
	assert.Equal(t, -1, newest(h, 30, 0))
	p.has(h, 1, 1, true)
	assert.Zero(t, first.lacking[1])
	assert.EqualValues(t, 1, first.foreign[1], "a later write has covered it")
	assert.Zero(t, second.lacking[1])
	assert.Zero(t, second.foreign[1])
	p.has(h, 1, 0, true)
	second.done = true
	p.prune(at(3, 1))
	assert.Len(t, p.history[at(3, 1)], 2, "the application of the first has not been told")
	first.done = true
	p.prune(at(3, 1))
	assert.Empty(t, p.history)

	p.noteEarly(at(3, 1), arrival{1, 3, firstDrive, 40})
	third := put(3, 40)
	assert.Zero(t, third.lacking[1], "the mirror had it before the primary")
	assert.EqualValues(t, 1, third.lacking[0])
	assert.Empty(t, p.early)
}
