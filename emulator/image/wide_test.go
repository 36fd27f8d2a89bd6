package image

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
)

// The layout of 64-bit files as Hercules 4 declares it (cckd64.h: CCKD64_DEVHDR,
// CCKD64_L2ENT, CCKD64_FREEBLK), as numbers of their own, so that the tests do not
// lean on what they test. The compressed header is at 200, the level 1 table at
// 400 (hexadecimal).
const (
	wideOptions     = 0x203
	wideLevel1      = 0x204 // 4 bytes, entries
	wideLevel2      = 0x208 // 4 bytes, entries of a table
	wideCylinders   = 0x20C // 4 bytes
	wideSize        = 0x210 // 8 bytes each from here on
	wideUsed        = 0x218
	wideFree        = 0x220
	wideFreeTotal   = 0x228
	wideFreeLargest = 0x230
	wideFreeNumber  = 0x238
	wideFreeEmbed   = 0x240
	wideNullFormat  = 0x248 // a byte
	wideCompression = 0x249 // a byte
	wideParameter   = 0x24A // 2 bytes
	wideTable       = 0x400
	wideTableSize   = 256 * 16
)

func le64(p []byte, at int) uint64 { return binary.LittleEndian.Uint64(p[at:]) }

func put64(p []byte, at int, v uint64) { binary.LittleEndian.PutUint64(p[at:], v) }

// TestWideByHand opens a 64-bit file that the test put together byte by byte.
func TestWideByHand(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "volume")
	const (
		table  = wideTable + 2*8
		stored = table + wideTableSize
		gap    = 100
	)
	track := appendEnd(append(appendCount(appendHome(nil, 0, 3), 0, 3, 1, 4, 60), bytes.Repeat([]byte{7}, 64)...))
	end := stored + len(track)
	p := make([]byte, end+gap+len(track)+16*2)
	copy(p, "CKD_C064")
	p[8] = 12                        // heads
	copy(p[12:], []byte{0x00, 0x22}) // track size 8704
	p[16] = 0x40                     // 3340
	copy(p[0x200:], []byte{0, 3, 1, 0x40})
	put32(p, wideLevel1, 2)
	put32(p, wideLevel2, 256)
	put32(p, wideCylinders, 25)
	put64(p, wideSize, uint64(end+gap+len(track)))
	put64(p, wideUsed, uint64(end+len(track)))
	put64(p, wideFree, uint64(end+gap+len(track)))
	put64(p, wideFreeTotal, gap)
	put64(p, wideFreeLargest, gap)
	put64(p, wideFreeNumber, 1)
	p[wideNullFormat] = 1
	put64(p, wideTable, table)
	entry := func(n int, offset, length int) {
		at := table + 16*n
		put64(p, at, uint64(offset))
		binary.LittleEndian.PutUint16(p[at+8:], uint16(length))
		binary.LittleEndian.PutUint16(p[at+10:], uint16(length))
	}
	for n := range 256 {
		entry(n, 0, 1)
	}
	entry(3, stored, len(track))
	copy(p[stored:], track)
	second := bytes.Clone(track)
	second[4], second[8] = 5, 5
	entry(5, end+gap, len(track))
	copy(p[end+gap:], second)
	free := end + gap + len(track)
	copy(p[free:], "FREE_BLK")
	put64(p, free+16, uint64(end))
	put64(p, free+24, gap)
	require.NoError(t, os.WriteFile(path, p, 0o600))

	v, err := OpenCKD(path, media.ReadWrite, Options{})
	require.NoError(t, err)
	i := v.Info()
	require.True(t, i.Wide)
	require.Empty(t, i.Notes)
	require.EqualValues(t, gap, i.Free)
	require.Equal(t, 2, i.UnitsStored)
	for n, want := range map[int][]byte{0: NullEmpty.appendNull(nil, 0, 0), 3: track, 5: second, 299: NullEmpty.appendNull(nil, 24, 11)} {
		got, err := v.Track(n)
		require.NoError(t, err)
		require.Equal(t, want, got.Image, "track %d", n)
	}
	_, err = v.Update(0)
	require.NoError(t, err)
	require.NoError(t, v.Close())
	require.EqualValues(t, 25, le32(content(t, path), wideCylinders))
}

// TestWideLayout looks at 64-bit files that this package wrote, byte by byte.
func TestWideLayout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "volume")
	g := small(t)
	tracks := fragmented(t, path, g, true)
	p := content(t, path)
	require.Equal(t, "CKD_C064", string(p[:8]))
	require.Zero(t, p[wideOptions]&optionOpened)
	require.EqualValues(t, 2, le32(p, wideLevel1))
	require.EqualValues(t, 256, le32(p, wideLevel2))
	require.EqualValues(t, g.Cylinders, le32(p, wideCylinders))
	require.EqualValues(t, 1, p[wideNullFormat])
	require.EqualValues(t, 1, p[wideCompression])
	require.EqualValues(t, 0xFFFF, binary.LittleEndian.Uint16(p[wideParameter:]))
	used := make([]bool, len(p))
	take := func(at, n uint64) {
		for i := at; i < at+n; i++ {
			require.False(t, used[i], "byte %#x is in use twice", i)
			used[i] = true
		}
	}
	take(0, wideTable+2*8)
	var embedded uint64
	var c codec
	unit := make([]byte, g.TrackSize)
	for n, want := range tracks {
		table := le64(p, wideTable+8*(n/256))
		if n%256 == 0 && table != 0 {
			take(table, wideTableSize)
		}
		if table == 0 {
			require.Equal(t, NullEmpty.appendNull(nil, n/g.Heads, n%g.Heads), want)
			continue
		}
		at := int(table) + 16*(n%256)
		offset, length, size := le64(p, at), binary.LittleEndian.Uint16(p[at+8:]), binary.LittleEndian.Uint16(p[at+10:])
		require.Zero(t, le32(p, at+12), "what is reserved")
		if offset == 0 {
			require.Equal(t, NullFormat(length).appendNull(nil, n/g.Heads, n%g.Heads), want)
			continue
		}
		take(offset, uint64(size))
		embedded += uint64(size - length)
		m, err := c.decode(unit, p[offset:][:length])
		require.NoError(t, err)
		require.Equal(t, want, unit[:m])
	}
	free, number := int(le64(p, wideFree)), int(le64(p, wideFreeNumber))
	require.Equal(t, "FREE_BLK", string(p[free:free+8]))
	require.Len(t, p, free+16*(1+number))
	require.EqualValues(t, free, le64(p, wideSize))
	var total, largest uint64
	for k := range number {
		at := free + 16*(k+1)
		take(le64(p, at), le64(p, at+8))
		total += le64(p, at+8)
		largest = max(largest, le64(p, at+8))
	}
	for i := range free {
		require.True(t, used[i], "byte %#x is neither used nor free", i)
	}
	require.Equal(t, embedded, le64(p, wideFreeEmbed))
	require.Equal(t, total+embedded, le64(p, wideFreeTotal))
	require.Equal(t, largest, le64(p, wideFreeLargest))
	require.Equal(t, uint64(free)-total-embedded, le64(p, wideUsed))

	// A shadow file refers to what is under it with all bits one.
	shadow := filepath.Join(dir, "shadow")
	require.NoError(t, CreateShadow(shadow, path, nil, CreateOptions{NoSync: true}))
	p = content(t, shadow)
	require.Equal(t, "CKD_S064", string(p[:8]))
	for i := range 2 {
		require.Equal(t, ^uint64(0), le64(p, wideTable+8*i))
	}
	v, err := OpenCKD(path, media.ReadWrite, Options{Shadows: []string{shadow}})
	require.NoError(t, err)
	_, err = changeUnit(rand.New(rand.NewPCG(1, 1)), v, 7)
	require.NoError(t, err)
	require.NoError(t, v.Close())
	p = content(t, shadow)
	table := int(le64(p, wideTable))
	require.Equal(t, ^uint64(0), le64(p, table+16*6))
	require.NotEqual(t, ^uint64(0), le64(p, table+16*7))
	require.Equal(t, ^uint64(0), le64(p, wideTable+8))
}

// TestWideFBA looks at the one field of 64-bit FBA files that is another: the
// number of blocks.
func TestWideFBA(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "volume")
	b, err := media.ForBlocks(5000)
	require.NoError(t, err)
	require.NoError(t, Create(path, b, Content{Serial: "WIDE01"}, CreateOptions{Format: FormatCFBA, Wide: true, NoSync: true}))
	p := content(t, path)
	require.Equal(t, "FBA_C064", string(p[:8]))
	require.EqualValues(t, 5000, le32(p, wideCylinders))
	require.EqualValues(t, 1, le32(p, wideLevel1)) // 42 groups
	at := int(le64(p, int(le64(p, wideTable))))
	require.Equal(t, []byte{0, 0, 0, 0, 0}, p[at:at+5], "no compression, group 0")
	require.Equal(t, "\xE5\xD6\xD3\xF1", string(p[at+5+512:at+5+516]), "VOL1 in block 1")
}
