package media

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecordsPerTrack(t *testing.T) {
	for _, c := range []struct {
		name            string
		key, data, want int
	}{
		{"3390-3", 0, 4096, 12},
		{"3390-3", 0, 3120, 15},
		{"3390-3", 0, 80, 78},
		{"3390-3", 44, 96, 50},
		{"3390-3", 0, 56664, 1},
		{"3390-3", 0, 56665, 0},
		{"3390-54", 0, 27998, 2}, // half-track blocking
		{"3380-K", 0, 4096, 10},
		{"3380-K", 0, 47476, 1},
		{"3380-K", 0, 23476, 2}, // half-track blocking
		{"3375-1", 0, 4096, 8},
		{"3350-1", 0, 4096, 4},
		{"3350-1", 0, 19069, 1},
		{"3340-35", 0, 8368, 1},
		{"3330-1", 0, 13030, 1},
		{"3330-1", 0, 4096, 3},
		{"2314-1", 0, 7294, 1},
		{"2311-1", 0, 3625, 1},
		{"2311-1", 0, 80, 25},
		{"9345-1", 0, 4096, 10},
		{"3390-3", 0, 0, 86},
		{"3370-1", 0, 512, 0},
		{"3390-3", 256, 80, 0},
	} {
		g, err := Lookup(c.name)
		require.NoError(t, err)
		assert.Equal(t, c.want, g.RecordsPerTrack(c.key, c.data), "%s: %d+%d", c.name, c.key, c.data)
	}
}

func TestTrackSizes(t *testing.T) {
	want := map[uint16]int{
		0x2311: 4096, 0x2314: 7680, 0x3330: 13312, 0x3340: 8704, 0x3350: 19456,
		0x3375: 35840, 0x3380: 47616, 0x3390: 56832, 0x9345: 46592,
	}
	for _, g := range Models() {
		if g.FBA() || g.Type == 0x2305 {
			continue
		}
		assert.Equal(t, want[g.Type], g.TrackSize, g.Name)
	}
}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		name, want string
		tracks     int
	}{
		{"3390-3", "3390-3", 3339 * 15}, {"3390", "3390-1", 1113 * 15}, {"3390-54", "3390-54", 65520 * 15},
		{"2311", "2311-1", 2000}, {"9336-20", "9336-20", (1672881 + 127) / 128}, {"3370", "3370-1", (558000 + 127) / 128},
	} {
		g, err := Lookup(c.name)
		require.NoError(t, err)
		assert.Equal(t, c.want, g.Name)
		assert.Equal(t, c.tracks, g.Tracks(), c.name)
	}
	for _, o := range otherNames {
		g, err := Lookup(o.name)
		require.NoError(t, err)
		assert.Equal(t, o.model, g.Name, "%s is not the name of a model of its own", o.name)
	}
	_, err := Lookup("3390-4")
	assert.ErrorContains(t, err, `device type "3390-4": unknown`)
}

func TestForType(t *testing.T) {
	for _, c := range []struct {
		cylinders  int
		name       string
		alternates int
	}{{1, "3390-1", 1}, {10, "3390-1", 1}, {1113, "3390-1", 1}, {1114, "3390-1", 0}, {1115, "3390-2", 1}, {3339, "3390-3", 1}, {65520, "3390-54", 3}, {65536, "3390-A", 0}} {
		g, err := ForType(0x90, c.cylinders, 15, 56832)
		require.NoError(t, err)
		assert.Equal(t, c.name, g.Name, c.cylinders)
		assert.Equal(t, c.cylinders, g.Cylinders)
		assert.Equal(t, c.alternates, g.Alternates, c.cylinders)
	}
	for _, cylinders := range []int{0, -1, 262669} {
		_, err := ForType(0x90, cylinders, 15, 56832)
		assert.ErrorContains(t, err, "want 1 to 262668", cylinders)
	}
	_, err := ForType(0x90, 10, 14, 56832)
	assert.ErrorContains(t, err, "unknown")

	g, err := ForBlocks(2000)
	require.NoError(t, err)
	assert.Equal(t, uint16(0x3370), g.Type)
	assert.Equal(t, int64(2000), g.Blocks)
	g, err = ForBlocks(1672881)
	require.NoError(t, err)
	assert.Equal(t, "9336-20", g.Name)
	g, err = ForBlocks(5_000_000)
	require.NoError(t, err)
	assert.Equal(t, uint16(0x9336), g.Type)
	_, err = ForBlocks(0)
	assert.Error(t, err)
}

func TestAddresses(t *testing.T) {
	small, err := Lookup("3350")
	require.NoError(t, err)
	n, ok := small.Track(small.Address(554, 29))
	assert.True(t, ok)
	assert.Equal(t, 554*30+29, n)
	_, ok = small.Track(small.Address(555, 0))
	assert.False(t, ok)
	_, ok = small.Track(small.Address(0, 30))
	assert.False(t, ok)
	wide, err := Lookup("3390-A")
	require.NoError(t, err)
	assert.Equal(t, uint32(0x0001_0025), wide.Address(0x20001, 5))
	n, ok = wide.Track(0x0001_0025)
	assert.True(t, ok)
	assert.Equal(t, 0x20001*15+5, n)
}

func geometry(t testing.TB, name string) *Geometry {
	g, err := Lookup(name)
	require.NoError(t, err)
	return g
}

// walk lists a track's records with their data.
func walk(t testing.TB, track *Track) (counts []Count, data [][]byte) {
	r, err := track.Zero()
	for more := true; more; {
		require.NoError(t, err)
		counts = append(counts, r.Count)
		data = append(data, track.AppendData(nil, r))
		r, more, err = track.Next(r)
	}
	require.NoError(t, err)
	return counts, data
}

func TestUniformAndImageAgree(t *testing.T) {
	g := geometry(t, "3390-3")
	m, err := NewMemoryCKD(g, 12, 4096)
	require.NoError(t, err)
	u, err := m.Update(17)
	require.NoError(t, err)
	for i := range u.Tags {
		u.Tags[i] = machine.Tag(i * i)
	}
	i := *u
	i.Materialize(g)
	require.NoError(t, u.Validate(g))
	require.NoError(t, i.Validate(g))
	assert.True(t, u.Uniform())
	assert.False(t, i.Uniform())
	assert.True(t, EqualTrack(u, &i))
	assert.True(t, EqualTrack(&i, u))
	assert.Equal(t, i.Image, u.AppendImage(nil))
	assert.Equal(t, g.TrackSize, cap(i.Image))
	uc, ud := walk(t, u)
	ic, id := walk(t, &i)
	assert.Equal(t, uc, ic)
	assert.Equal(t, ud, id)
	assert.Len(t, uc, 13)
	for n := range 13 {
		ur, more, err := u.Record(n)
		require.NoError(t, err)
		require.True(t, more)
		ir, more, err := i.Record(n)
		require.NoError(t, err)
		require.True(t, more)
		assert.Equal(t, ur, ir, "a record is where it will be")
		f, found, err := i.Find(uint8(n))
		require.NoError(t, err)
		assert.True(t, found)
		assert.Equal(t, ir, f)
		assert.InDelta(t, u.Angle(g, ur), i.Angle(g, ir), 0)
	}
	_, more, err := u.Record(13)
	assert.False(t, more)
	assert.NoError(t, err)
	i.Data(Record{Count{1 << 16, 3, 0, 4096}, 3, zero + 16 + 2*4104})[5]++
	assert.False(t, EqualTrack(u, &i))
}

func TestUnwrittenTracks(t *testing.T) {
	g := geometry(t, "3390-3")
	m, err := NewMemoryCKD(g, 0, 0)
	require.NoError(t, err)
	tr, err := m.Track(16)
	require.NoError(t, err)
	assert.Equal(t, "0000010001"+"0001000100000008"+"0000000000000000"+"ffffffffffffffff", hex.EncodeToString(tr.AppendImage(nil)))
	assert.Zero(t, m.Written())
	a, err := m.Update(16)
	require.NoError(t, err)
	b, err := m.Update(16)
	require.NoError(t, err)
	assert.Same(t, a, b)
	assert.Equal(t, 1, m.Written())
	for _, n := range []int{-1, g.Tracks()} {
		_, err = m.Track(n)
		assert.ErrorContains(t, err, "medium has tracks 0 to 50084")
		_, err = m.Update(n)
		assert.ErrorContains(t, err, "medium has tracks 0 to 50084")
	}
	_, err = NewMemoryCKD(g, 13, 4096)
	assert.ErrorIs(t, err, ErrNoRoom)
}

// model is a track as a list, to hold the operations against.
type model []struct {
	c    Count
	data []byte
}

func TestTrackOperations(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"3390-1", "3380-K", "3350-1", "2314-1", "2305-2"}
	for range 400 {
		g := geometry(t, names[rng.IntN(len(names))])
		track := &Track{Cylinder: rng.IntN(g.Cylinders), Head: rng.IntN(g.Heads)}
		require.NoError(t, track.Format(g, 0, 0))
		own := g.Address(track.Cylinder, track.Head)
		var want model
		r, err := track.Zero()
		require.NoError(t, err)
		// Short tracks of like records stay uniform; anything makes an image.
		plain := rng.IntN(2) == 0
		for n := 1; ; n++ {
			c := Count{own, uint8(n), 0, uint16(min(g.DataLength, 1024) / 512 * 512)}
			if !plain {
				c = Count{rng.Uint32(), uint8(rng.IntN(256)), uint8(rng.IntN(2) * rng.IntN(256)), uint16(rng.IntN(g.DataLength / 4))}
			}
			q, err := track.Append(g, r, c)
			if err != nil {
				require.ErrorIs(t, err, ErrNoRoom)
				break
			}
			r = q
			var data []byte
			if tags := track.DataTags(r); tags != nil {
				for i := range tags {
					tags[i] = machine.Tag(rng.Uint64())
				}
			} else {
				for i := range track.Data(r) {
					track.Data(r)[i] = byte(rng.Uint32())
				}
			}
			data = track.AppendData(nil, r)
			require.Len(t, data, int(c.DataLength))
			want = append(want, struct {
				c    Count
				data []byte
			}{c, data})
			require.NoError(t, track.Validate(g))
			if rng.IntN(40) == 0 {
				track.Materialize(g)
			}
		}
		if plain {
			assert.Len(t, want, g.RecordsPerTrack(0, min(g.DataLength, 1024)/512*512), g.Name)
		}
		require.NoError(t, track.Validate(g))
		counts, data := walk(t, track)
		require.Len(t, counts, len(want)+1)
		for i := range want {
			assert.Equal(t, want[i].c, counts[i+1])
			assert.Equal(t, want[i].data, data[i+1])
		}
		var copied Track
		copied.Cylinder, copied.Head = track.Cylinder, track.Head
		CopyTrack(g, &copied, track)
		assert.True(t, EqualTrack(track, &copied))
		if len(want) > 1 {
			k := 1 + rng.IntN(len(want)-1)
			q, _, err := track.Record(k)
			require.NoError(t, err)
			track.EraseAfter(q)
			counts, _ = walk(t, track)
			assert.Len(t, counts, k+1)
			assert.False(t, EqualTrack(track, &copied))
			track.EraseFrom(q)
			counts, _ = walk(t, track)
			assert.Len(t, counts, k)
			require.NoError(t, track.Validate(g))
		}
	}
}

func TestReplaceZero(t *testing.T) {
	g := geometry(t, "3390-1")
	track := &Track{}
	require.NoError(t, track.Format(g, 12, 4096))
	_, err := track.ReplaceZero(g, Count{DataLength: zeroData})
	require.NoError(t, err)
	assert.True(t, track.Uniform())
	r, err := track.ReplaceZero(g, Count{KeyLength: 3, DataLength: 50000})
	require.NoError(t, err)
	assert.False(t, track.Uniform())
	_, err = track.Append(g, r, Count{Number: 1, DataLength: 8000})
	assert.ErrorIs(t, err, ErrNoRoom)
	_, err = track.Append(g, r, Count{Number: 1, DataLength: 4000})
	assert.NoError(t, err)
	require.NoError(t, track.Validate(g))
	_, err = track.ReplaceZero(g, Count{DataLength: 60000})
	assert.ErrorIs(t, err, ErrNoRoom)
}

func TestLabels(t *testing.T) {
	g, err := geometry(t, "3390").Resize(10)
	require.NoError(t, err)
	m, err := NewMemoryCKD(g, 0, 0)
	require.NoError(t, err)
	require.NoError(t, InitCKD(m, Label{Serial: "ORC001", Owner: "    HERCULES"}))
	track, err := m.Track(0)
	require.NoError(t, err)
	require.NoError(t, track.Validate(g))
	r, found, err := track.Find(3)
	require.NoError(t, err)
	require.True(t, found)
	assert.Equal(t, homeSize+16+36+156, r.at)
	assert.Equal(t, "e5d6d3f1", hex.EncodeToString(track.Key(r)))
	assert.Equal(t, "e5d6d3f1d6d9c3f0f0f140000000010140404040404040404040404040404040404040404040404040c8c5d9c3e4d3c5e240404040404040404040404040404040404040404040404040404040404040", hex.EncodeToString(track.Data(r)))
	for _, serial := range []string{"", "TOOLONG", "abc", "A B"} {
		assert.Error(t, InitCKD(m, Label{Serial: serial}), serial)
	}
	f, err := NewMemoryFBA(geometry(t, "3370"))
	require.NoError(t, err)
	require.NoError(t, InitFBA(f, Label{Serial: "FBA001"}))
	p := make([]byte, 2*BlockSize)
	require.NoError(t, f.ReadBlocks(0, p))
	assert.Equal(t, "e5d6d3f1c6c2c1f0f0f10000", hex.EncodeToString(p[512:524]))
}

func TestMemoryFBA(t *testing.T) {
	g, err := geometry(t, "3370").ResizeBlocks(1000)
	require.NoError(t, err)
	a, err := NewMemoryFBA(g)
	require.NoError(t, err)
	b, err := NewMemoryFBA(g)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(3, 4))
	content := make([]byte, 1000*BlockSize)
	for range 300 {
		n := 1 + rng.IntN(200)
		first := rng.IntN(1000 - n)
		part := content[first*BlockSize : (first+n)*BlockSize]
		if rng.IntN(2) == 0 {
			tags := make([]machine.Tag, n)
			for i := range tags {
				tags[i] = machine.Tag(rng.Uint64N(50))
				tags[i].Fill(part[i*BlockSize:(i+1)*BlockSize], 0)
			}
			require.NoError(t, a.WriteTags(int64(first), tags))
		} else {
			for i := range part {
				part[i] = byte(rng.Uint32())
			}
			require.NoError(t, a.WriteBlocks(int64(first), part))
		}
		require.NoError(t, b.WriteBlocks(int64(first), part))
		got := make([]byte, len(content))
		require.NoError(t, a.ReadBlocks(0, got))
		require.Equal(t, content, got)
		same, err := EqualBlocks(a, b, 128*int64(rng.IntN(7)), 128)
		require.NoError(t, err)
		assert.True(t, same)
	}
	require.NoError(t, b.WriteTags(5, []machine.Tag{99}))
	same, err := EqualBlocks(a, b, 0, 128)
	require.NoError(t, err)
	assert.False(t, same)
	assert.ErrorContains(t, a.ReadBlocks(999, make([]byte, 1024)), "medium has blocks 0 to 999")
	assert.ErrorContains(t, a.WriteBlocks(0, make([]byte, 100)), "not a multiple of 512")
	assert.False(t, a.ReadTags(1000, make([]machine.Tag, 1)))
	assert.Error(t, a.WriteTags(-1, make([]machine.Tag, 1)))
}

func FuzzTrack(f *testing.F) {
	g := geometry(f, "3390-1")
	u := &Track{Cylinder: 1, Head: 2}
	require.NoError(f, u.Format(g, 2, 512))
	f.Add(u.AppendImage(nil), uint8(3))
	f.Add([]byte{0, 0, 1, 0, 2}, uint8(0))
	broken := u.AppendImage(nil)
	binary.BigEndian.PutUint16(broken[zero+6:], 60000)
	f.Add(broken, uint8(1))
	f.Fuzz(func(t *testing.T, p []byte, number uint8) {
		if len(p) > g.TrackSize {
			return
		}
		track := &Track{Cylinder: 1, Head: 2, Image: append(make([]byte, 0, g.TrackSize), p...)}
		valid := track.Validate(g)
		r, err := track.Zero()
		last := r
		for more := true; more && err == nil; {
			track.Key(r)
			track.Data(r)
			track.Angle(g, r)
			last = r
			r, more, err = track.Next(r)
		}
		if valid == nil {
			require.NoError(t, err)
		}
		_, _, _ = track.Find(number)
		_, _, _ = track.Record(int(number))
		if err != nil {
			require.ErrorIs(t, err, ErrTrack)
			return
		}
		q, err := track.Append(g, last, Count{Number: number, KeyLength: number, DataLength: 100})
		if err == nil {
			require.Len(t, track.Data(q), 100)
		}
		counts, _ := walk(t, track)
		require.NotEmpty(t, counts)
	})
}
