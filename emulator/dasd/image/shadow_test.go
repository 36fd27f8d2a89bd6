package image

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/dasd/media"
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

// update puts random content into some tracks of all volumes, and null tracks
// too where nulls is set: when Hercules merges a shadow file, it forgets a null
// track that lies on another null track, even one of another format.
func update(t *testing.T, r *rand.Rand, nulls bool, volumes ...*CKD) {
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
		update(t, r, false, v, p)
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
				update(t, r, true, v, p)
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
