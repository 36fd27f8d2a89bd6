package image

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
	"github.com/iosrun/iosrun/files"
)

// operate runs the Hercules emulator with one device and no console, which
// obeys the commands and ends.
func operate(t *testing.T, dir, device, commands string) string {
	t.Helper()
	path, err := exec.LookPath("hercules")
	if err != nil {
		t.Skip("hercules is not installed (Debian package hercules)")
	}
	conf := "ARCHMODE ESA/390\nMAINSIZE 4\nNUMCPU 1\n" + device + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "h.cnf"), []byte(conf), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "h.rc"), []byte(commands+"pause 1\nquit\n"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path, "-f", "h.cnf", "-d")
	c.Dir = dir
	c.Env = append(os.Environ(), "HERCULES_RC=h.rc")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// updateTracks puts random content into some tracks of all volumes, and null tracks
// too where nulls is set: when Hercules merges a shadow file, it forgets a null
// track that lies on another null track, even one of another format.
func updateTracks(t *testing.T, r *rand.Rand, nulls bool, volumes ...*CKD) {
	t.Helper()
	g := volumes[0].Geometry()
	for range 25 {
		n := r.IntN(g.Tracks())
		image := randomTrack(r, g, n)
		if nulls && r.IntN(5) == 0 {
			image = NullEmpty.appendNull(nil, n/g.Heads, n%g.Heads)
		}
		if _, null := nullFormatOf(image); null && !nulls {
			continue
		}
		for _, v := range volumes {
			track, err := v.Update(n)
			require.NoError(t, err)
			track.Image = append(track.Image[:0], image...)
		}
	}
}

// TestShadowsOfHercules writes to shadow files that Hercules added, has its
// tools read the chain, and lets it merge the shadow files into the image.
func TestShadowsOfHercules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	base, s1, s2, plain := at("base.cckd"), at("sh_1.cckd"), at("sh_2.cckd"), at("plain.ckd")
	const dev = "0120 3390 base.cckd sf=sh_*.cckd"
	// One lookup table: where Hercules merges into a part of the image that has
	// none yet, it forgets the format of the null tracks there.
	tool(t, "dasdinit", "-z", base, "3390", "SHADOW", "17")
	tool(t, "cckd2ckd", "-q", "-lfs", base, plain)
	r := rand.New(rand.NewPCG(11, 11))
	var shadows []string
	for _, s := range []string{s1, s2} {
		operate(t, dir, dev, "sf+ 0120\n")
		shadows = append(shadows, s)
		v, err := OpenCKD(base, media.ReadWrite, Options{Shadows: shadows})
		require.NoError(t, err)
		p, err := OpenCKD(plain, media.ReadWrite, Options{})
		require.NoError(t, err)
		updateTracks(t, r, false, v, p)
		require.NoError(t, v.Close())
		require.NoError(t, p.Close())
		checkCompressed(t, "-3", s)

		v, err = OpenCKD(base, media.ReadOnly, Options{Shadows: shadows})
		require.NoError(t, err)
		require.Equal(t, len(shadows), v.Info().Shadows)
		sameTracks(t, plain, v)
		require.NoError(t, v.Close())

		os.Remove(at("back.ckd"))
		tool(t, "cckd2ckd", "-q", "-lfs", base, "sf="+at("sh_*.cckd"), at("back.ckd"))
		p, err = OpenCKD(plain, media.ReadOnly, Options{})
		require.NoError(t, err)
		sameTracks(t, at("back.ckd"), p)
		require.NoError(t, p.Close())
	}
	operate(t, dir, dev, "sf- 0120 merge\npause 1\nsf- 0120 merge\n")
	require.NoFileExists(t, s2)
	require.NoFileExists(t, s1)
	v, err := OpenCKD(base, media.ReadOnly, Options{})
	require.NoError(t, err)
	sameTracks(t, plain, v)
	require.NoError(t, v.Close())
}

// TestCreateShadow makes shadow files on a plain and a compressed image, which
// stay as they are, and has Hercules read the chain.
func TestCreateShadow(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{FormatCKD, FormatCCKD} {
		t.Run(string(format), func(t *testing.T) {
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			g := device(t, "3380-A", 30)
			require.NoError(t, Create(at("base"), g, Content{Serial: "BASE01"}, CreateOptions{Format: format, Compression: compressionOf(format), NoSync: true}))
			require.NoError(t, Create(at("plain"), g, Content{Serial: "BASE01"}, CreateOptions{NoSync: true}))
			before := content(t, at("base"))
			shadows := []string{at("sh_1"), at("sh_2")}
			r := rand.New(rand.NewPCG(5, 5))
			for i := range shadows {
				require.NoError(t, CreateShadow(shadows[i], at("base"), shadows[:i], CreateOptions{Compression: Bzip2, NoSync: true}))
				v, err := OpenCKD(at("base"), media.ReadWrite, Options{Shadows: shadows[:i+1]})
				require.NoError(t, err)
				p, err := OpenCKD(at("plain"), media.ReadWrite, Options{})
				require.NoError(t, err)
				updateTracks(t, r, true, v, p)
				require.NoError(t, v.Close())
				require.NoError(t, p.Close())
				checkCompressed(t, "-3", shadows[i])
			}
			require.Equal(t, before, content(t, at("base")))
			v, err := OpenCKD(at("base"), media.ReadOnly, Options{Shadows: shadows})
			require.NoError(t, err)
			sameTracks(t, at("plain"), v)
			require.NoError(t, v.Close())
			if format == FormatCKD {
				return // Hercules' tools take no shadow files on a plain image
			}
			tool(t, "dasdcopy", "-q", "-lfs", "-o", "ckd", at("base"), "sf="+at("sh_*"), at("back"))
			v, err = OpenCKD(at("plain"), media.ReadOnly, Options{})
			require.NoError(t, err)
			sameTracks(t, at("back"), v)
			require.NoError(t, v.Close())
		})
	}
}

func compressionOf(f Format) Compression {
	if f.Compressed() {
		return Zlib
	}
	return None
}

// layered makes an image with two shadow files that hold changes, and gives what
// the volume holds unit by unit.
func layered(t *testing.T, dir string, o CreateOptions) (path string, shadows []string, units [][]byte) {
	t.Helper()
	path = filepath.Join(dir, "base")
	shadows = []string{filepath.Join(dir, "sh_1"), filepath.Join(dir, "sh_2")}
	g := small(t)
	if o.Format.FBA() {
		var err error
		g, err = media.ForBlocks(5000)
		require.NoError(t, err)
	}
	o.NoSync = true
	require.NoError(t, Create(path, g, Content{Serial: "LAYER1"}, o))
	r := rand.New(rand.NewPCG(9, 1))
	for i := range shadows {
		require.NoError(t, CreateShadow(shadows[i], path, shadows[:i], CreateOptions{Compression: Zlib, NoSync: true}))
		v, err := Open(path, media.ReadWrite, Options{Shadows: shadows[:i+1]})
		require.NoError(t, err)
		require.Equal(t, o.Wide, v.Info().Wide)
		for range 30 {
			n := r.IntN(victimUnits(v))
			_, err := changeUnit(r, v, n)
			require.NoError(t, err)
			if c, ok := v.(*CKD); ok && r.IntN(4) == 0 {
				track, err := c.Update(n)
				require.NoError(t, err)
				track.Image = NullFormat(r.IntN(2)).appendNull(track.Image[:0], track.Cylinder, track.Head)
			}
		}
		require.NoError(t, v.Close())
	}
	return path, shadows, allUnits(t, path, shadows)
}

func allUnits(t *testing.T, path string, shadows []string) [][]byte {
	t.Helper()
	v, err := Open(path, media.ReadOnly, Options{Shadows: shadows})
	require.NoError(t, err)
	all := make([][]byte, victimUnits(v))
	for n := range all {
		all[n], err = readUnit(v, n)
		require.NoError(t, err)
	}
	require.NoError(t, v.Close())
	return all
}

var layerFormats = []CreateOptions{
	{Format: FormatCKD}, {Format: FormatCKD, SplitBytes: 1 << 20}, {Format: FormatCCKD, Compression: Zlib},
	{Format: FormatCCKD, Wide: true}, {Format: FormatCFBA, Compression: Bzip2},
}

// TestMergeShadow merges two shadow files one after the other: the volume stays
// what it is, and Hercules finds nothing wrong with what took the changes.
func TestMergeShadow(t *testing.T) {
	t.Parallel()
	for _, o := range layerFormats {
		t.Run(string(o.Format), func(t *testing.T) {
			path, shadows, want := layered(t, t.TempDir(), o)
			for n := len(shadows); n > 0; n-- {
				m, err := MergeShadow(path, shadows[:n], MergeOptions{NoSync: true})
				require.NoError(t, err)
				require.Positive(t, m.Changed)
				require.Equal(t, shadows[n-1], m.Shadow)
				require.NoFileExists(t, shadows[n-1])
				require.Equal(t, want, allUnits(t, path, shadows[:n-1]))
			}
			v, err := Open(path, media.ReadOnly, Options{})
			require.NoError(t, err)
			require.Empty(t, v.Info().Notes)
			require.NoError(t, v.Close())
			if o.Format.Compressed() && !o.Wide {
				checkCompressed(t, "-3", path)
			}
		})
	}
}

// TestMergeInterrupted ends a merge at each of its steps, and has it meet a
// damaged track: the volume with its shadow files is what it was, and what is
// damaged is found before anything is written.
func TestMergeInterrupted(t *testing.T) {
	t.Parallel()
	for _, o := range layerFormats {
		t.Run(string(o.Format), func(t *testing.T) {
			path, shadows, want := layered(t, t.TempDir(), o)
			stop := errors.New("stop")
			steps := 0
			for at := 0; ; at++ {
				steps = 0
				_, err := MergeShadow(path, shadows, MergeOptions{NoSync: true, Keep: true, Progress: func(int, int) error {
					if steps++; steps > at {
						return stop
					}
					return nil
				}})
				require.Equal(t, want, allUnits(t, path, shadows))
				if err == nil {
					break
				}
				require.ErrorIs(t, err, stop)
			}
			require.Greater(t, steps, 1)
			// With Keep all of it is in both.
			require.Equal(t, want, allUnits(t, path, shadows[:1]))

			path, shadows, _ = layered(t, t.TempDir(), o)
			p := content(t, shadows[1])
			v, err := Open(path, media.ReadOnly, Options{Shadows: shadows})
			require.NoError(t, err)
			last, s := int64(0), storeOf(v).(*compressed)
			for n := range s.units {
				last = max(last, s.locate(n).offset)
			}
			require.NoError(t, v.Close())
			p[last] = 9 // no such compression
			require.NoError(t, os.WriteFile(shadows[1], p, 0o600))
			before := content(t, shadows[0])
			_, err = MergeShadow(path, shadows, MergeOptions{})
			require.ErrorIs(t, err, ErrDamaged)
			require.ErrorContains(t, err, "compression byte is 0x09")
			require.Equal(t, before, content(t, shadows[0]))
			require.FileExists(t, shadows[1])
		})
	}
}

func TestShadowsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	raw, path, shadow := filepath.Join(dir, "raw"), filepath.Join(dir, "image"), filepath.Join(dir, "shadow")
	b, err := media.ForBlocks(500)
	require.NoError(t, err)
	require.NoError(t, Create(raw, b, Content{Serial: "RAW001"}, CreateOptions{NoSync: true}))
	require.ErrorContains(t, CreateShadow(shadow, raw, nil, CreateOptions{}), "raw FBA image")
	require.NoError(t, Create(path, small(t), Content{Serial: "BASE01"}, CreateOptions{NoSync: true}))
	var shadows []string
	for k := range MaximumShadows {
		name := fmt.Sprintf("%s_%d", shadow, k+1)
		require.NoError(t, CreateShadow(name, path, shadows, CreateOptions{NoSync: true}))
		shadows = append(shadows, name)
	}
	require.ErrorContains(t, CreateShadow(shadow, path, shadows, CreateOptions{}), "at most 8")
	require.NoFileExists(t, shadow)
	p := content(t, shadows[0])
	p[compressedHeaderOffset+headerVersionSize] |= optionOpened
	require.NoError(t, os.WriteFile(shadows[0], p, 0o600))
	_, err = MergeShadow(path, shadows, MergeOptions{})
	require.ErrorIs(t, err, ErrInUse)
	require.FileExists(t, shadows[MaximumShadows-1])
	_, err = MergeShadow(path, shadows, MergeOptions{IgnoreOpened: true, NoSync: true})
	require.NoError(t, err)
	require.NoFileExists(t, shadows[MaximumShadows-1])
	_, err = MergeShadow(path, nil, MergeOptions{})
	require.ErrorContains(t, err, "no shadow file named")
	_, err = MergeShadow(path, []string{path}, MergeOptions{})
	require.ErrorIs(t, err, files.ErrSameFile)
	other := filepath.Join(dir, "other")
	require.NoError(t, Create(other, small(t), Content{Serial: "BASE02"}, CreateOptions{NoSync: true}))
	_, err = MergeShadow(path, []string{other}, MergeOptions{})
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorContains(t, err, "no shadow file")
}

// TestMergeBesideHercules merges a shadow file that Hercules added, and has Hercules
// read what is left.
func TestMergeBesideHercules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	tool(t, "dasdinit", "-z", at("base.cckd"), "3390", "SHADOW", "30")
	tool(t, "cckd2ckd", "-q", "-lfs", at("base.cckd"), at("plain.ckd"))
	operate(t, dir, "0120 3390 base.cckd sf=sh_*.cckd", "sf+ 0120\n")
	shadows := []string{at("sh_1.cckd")}
	v, err := OpenCKD(at("base.cckd"), media.ReadWrite, Options{Shadows: shadows})
	require.NoError(t, err)
	p, err := OpenCKD(at("plain.ckd"), media.ReadWrite, Options{})
	require.NoError(t, err)
	updateTracks(t, rand.New(rand.NewPCG(12, 12)), true, v, p)
	require.NoError(t, v.Close())
	require.NoError(t, p.Close())
	_, err = MergeShadow(at("base.cckd"), shadows, MergeOptions{})
	require.NoError(t, err)
	checkCompressed(t, "-2", at("base.cckd"))
	tool(t, "cckd2ckd", "-q", "-lfs", at("base.cckd"), at("back.ckd"))
	p, err = OpenCKD(at("plain.ckd"), media.ReadOnly, Options{})
	require.NoError(t, err)
	sameTracks(t, at("back.ckd"), p)
	require.NoError(t, p.Close())
}
