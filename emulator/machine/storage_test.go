package machine_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

func TestMapErrors(t *testing.T) {
	var s machine.Storage
	_, err := s.MapBytes(machine.FrameSize, 3*machine.FrameSize)
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		base machine.Address
		size int
		want string
	}{
		{"no frame", 100, 10, "not a multiple"},
		{"empty", 0, 0, "does not fit"},
		{"negative", 0, -1, "does not fit"},
		{"past the end", machine.StorageSize - machine.FrameSize, machine.FrameSize + 1, "does not fit"},
		{"behind the end", machine.StorageSize, 1, "does not fit"},
		{"wraps", ^machine.Address(machine.FrameSize - 1), machine.FrameSize, "does not fit"},
		{"overlaps the beginning", 0, machine.FrameSize + 1, "overlaps the segment at 0x10000"},
		{"within", 2 * machine.FrameSize, 1, "overlaps"},
		{"overlaps the end", 3 * machine.FrameSize, 2 * machine.FrameSize, "overlaps"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := s.MapSynthetic(c.base, c.size)
			assert.ErrorContains(t, err, c.want)
			_, err = s.MapBytes(c.base, c.size)
			assert.ErrorContains(t, err, c.want)
		})
	}
	g, err := s.MapBytes(machine.StorageSize-machine.FrameSize, machine.FrameSize)
	require.NoError(t, err)
	assert.Same(t, g, s.Segment(machine.StorageSize-1))
	s.Unmap(g)
	assert.Nil(t, s.Segment(machine.StorageSize-1))
	assert.Nil(t, s.Segment(^machine.Address(0)))
}

// TestStorageAgainstAnArray stores, loads and changes the form of segments at
// random and compares with a plain array.
func TestStorageAgainstAnArray(t *testing.T) {
	const base, frames = machine.Address(4 * machine.FrameSize), 6
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 0))
		var s machine.Storage
		model := make([]byte, frames*machine.FrameSize)
		backed := make([]bool, len(model))
		var segments []*machine.Segment
		for f := 0; f < frames; {
			size := 1 + random.IntN(2*machine.FrameSize)
			n := (size + machine.FrameSize - 1) / machine.FrameSize
			if f+n > frames {
				break
			}
			mapAt := s.MapBytes
			if random.IntN(2) == 0 {
				mapAt = s.MapSynthetic
			}
			g, err := mapAt(base+machine.Address(f*machine.FrameSize), size)
			require.NoError(t, err)
			require.Equal(t, size, g.Size())
			segments = append(segments, g)
			for i := range size {
				backed[f*machine.FrameSize+i] = true
			}
			f += n
			if random.IntN(3) == 0 {
				f++
			}
		}
		prefix := func(at, n int) (ok int) {
			for ok < n && at+ok < len(model) && backed[at+ok] {
				ok++
			}
			return ok
		}
		for range 300 {
			at, n := random.IntN(len(model)), random.IntN(3000)
			a := base + machine.Address(at)
			switch random.IntN(6) {
			case 0, 1:
				p := make([]byte, n)
				for i := range p {
					p[i] = byte(random.Uint32())
				}
				done, err := s.Store(a, p)
				require.Equal(t, prefix(at, n), done)
				require.Equal(t, done < n, err != nil)
				if err != nil {
					require.ErrorIs(t, err, machine.ErrAddressing)
				}
				copy(model[at:], p[:done])
			case 2:
				g := segments[random.IntN(len(segments))]
				o := int(g.Base - base)
				if random.IntN(4) == 0 {
					g.Synthesize()
					clear(model[o : o+g.Size()])
				}
				if tags := g.Tags(); tags != nil {
					k := random.IntN(len(tags))
					tags[k] = machine.Tag(random.Uint64N(3))
					from := k * machine.UnitSize
					tags[k].Fill(model[o+from:o+min(from+machine.UnitSize, g.Size())], 0)
				}
			case 3:
				segments[random.IntN(len(segments))].Materialize()
			default:
				p := make([]byte, n)
				done, err := s.Load(a, p)
				require.Equal(t, prefix(at, n), done)
				require.Equal(t, done < n, err != nil)
				require.True(t, bytes.Equal(model[at:at+done], p[:done]), "seed %d", seed)
				if v := s.View(a, n); v != nil {
					require.True(t, bytes.Equal(model[at:at+n], v))
					require.Equal(t, n, cap(v))
				}
				unit := at &^ (machine.UnitSize - 1)
				if tags := s.TagView(base+machine.Address(unit), 2*machine.UnitSize); tags != nil {
					var u [2 * machine.UnitSize]byte
					tags[0].Fill(u[:machine.UnitSize], 0)
					tags[1].Fill(u[machine.UnitSize:], 0)
					require.True(t, bytes.Equal(model[unit:unit+len(u)], u[:]))
				}
			}
		}
	}
}

func TestTagFillsFromAnywhere(t *testing.T) {
	var whole [machine.UnitSize]byte
	tag := machine.Tag(0x123456789)
	tag.Fill(whole[:], 0)
	for from := range machine.UnitSize {
		p := make([]byte, (machine.UnitSize-from+1)/2)
		tag.Fill(p, from)
		require.Equal(t, whole[from:from+len(p)], p)
	}
	var other [machine.UnitSize]byte
	(tag + 1).Fill(other[:], 0)
	assert.NotEqual(t, whole, other)
	machine.Tag(0).Fill(other[:], 0)
	assert.Equal(t, [machine.UnitSize]byte{}, other)
}

func TestViewsThatCannotBe(t *testing.T) {
	var s machine.Storage
	b, err := s.MapBytes(0, 1000)
	require.NoError(t, err)
	g, err := s.MapSynthetic(machine.FrameSize, 1500)
	require.NoError(t, err)
	assert.True(t, g.Synthetic())
	assert.Nil(t, g.Bytes())
	assert.Nil(t, b.Tags())
	assert.Nil(t, s.View(900, 101))
	assert.Len(t, s.View(900, 100), 100)
	assert.Nil(t, s.View(machine.FrameSize, 1), "synthetic")
	assert.Nil(t, s.View(5*machine.FrameSize, 1))
	assert.Nil(t, s.TagView(0, machine.UnitSize), "bytes")
	assert.Nil(t, s.TagView(machine.FrameSize+1, machine.UnitSize))
	assert.Nil(t, s.TagView(machine.FrameSize, 100))
	assert.Nil(t, s.TagView(machine.FrameSize+2*machine.UnitSize, machine.UnitSize), "not a whole unit")
	assert.Len(t, s.TagView(machine.FrameSize, 2*machine.UnitSize), 2)
	b.Synthesize()
	assert.True(t, b.Synthetic())
}

func TestKeys(t *testing.T) {
	var s machine.Storage
	assert.False(t, s.Keyed())
	assert.Zero(t, s.Key(5000))
	s.SetKey(5000, 0x38)
	assert.True(t, s.Keyed())
	assert.EqualValues(t, 0x38, s.Key(4096))
	assert.EqualValues(t, 0x38, s.Key(8191))
	assert.Zero(t, s.Key(8192))
	s.SetKey(4096, 0)
	assert.False(t, s.Keyed())
	assert.Zero(t, s.Key(5000))
}

// TestTagOf: the content of a unit tells its tag, and one changed byte anywhere
// tells that it is the content of none.
func TestTagOf(t *testing.T) {
	unit := make([]byte, machine.UnitSize)
	for _, want := range []machine.Tag{0, 1, 2, 1<<18 + 1, 77<<18 + 131072, 1<<47 + 5} {
		want.Fill(unit, 0)
		got, ok := machine.TagOf(unit)
		assert.True(t, ok)
		assert.Equal(t, want, got)
		assert.True(t, want.Is(unit))
		assert.False(t, (want + 1).Is(unit))
		for _, at := range []int{0, 7, 8, 255, machine.UnitSize - 1} {
			unit[at] ^= 0x10
			_, ok := machine.TagOf(unit)
			assert.False(t, ok, "tag %d, byte %d changed", want, at)
			assert.False(t, want.Is(unit))
			unit[at] ^= 0x10
		}
	}
}
