package image

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/media"
)

// With -update, TestDocumentedFormats writes the tables of docs/channel.md anew.
var update = flag.Bool("update", false, "write the tables of docs/channel.md anew")

const documentation = "../../docs/channel.md"

// described is what the documentation says of an identifier, beside what the
// code's table of signatures tells.
type described struct {
	id     string
	what   string
	flags  string // of iosrun volume that make such a file
	change string
	seen   string
}

const (
	inPlace    = "in place"
	notInPlace = "never in place"
	topmost    = "the topmost of up to 8, never in place"
)

var descriptions = []described{
	{"CKD_P370", "CKD, in one file or up to 9", "create, `--split-bytes`", inPlace, "`TestCreateEqualsDasdinit`, `TestSplitEqualsDasdinit`"},
	{"CKD_P064", "CKD, as Hercules 4 names it", "create `--wide`", inPlace, "`TestModes`"},
	{"CKD_C370", "compressed CKD", "create `--format cckd`", notInPlace, "`TestUpdatesPassCckdcdsk`"},
	{"CKD_C064", "compressed CKD, 64-bit", "create `--format cckd --wide`", notInPlace, "`TestWideLayout`, `TestWideByHand`"},
	{"CKD_S370", "shadow file of CKD", "shadow create", topmost, "`TestShadowsOfHercules`, `TestMergeShadow`"},
	{"CKD_S064", "shadow file of CKD, 64-bit", "shadow create `--wide`", topmost, "`TestWideLayout`"},
	{"FBA_C370", "compressed FBA", "create `--format cfba`", notInPlace, "`TestCompressedFBA`"},
	{"FBA_C064", "compressed FBA, 64-bit", "create `--format cfba --wide`", notInPlace, "`TestWideFBA`"},
	{"FBA_S370", "shadow file of compressed FBA", "shadow create", topmost, "`TestMergeShadow`"},
	{"FBA_S064", "shadow file of compressed FBA, 64-bit", "shadow create `--wide`", topmost, "`TestDocumentedFormatsWork`"},
	{"", "FBA, raw", "create", inPlace, "`TestCreateEqualsDasdinit`"},
}

func formatTable(t *testing.T) string {
	var b strings.Builder
	fmt.Fprintln(&b, "| format | identifier | compression | largest file | changed | made by iosrun volume | seen in |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|")
	var all []string
	for c := range Compression(compressions) {
		all = append(all, c.String())
	}
	known := map[string]bool{"": true}
	for _, s := range signatures {
		known[s.id] = true
	}
	for _, d := range descriptions {
		require.True(t, known[d.id], "no signature %s", d.id)
		delete(known, d.id)
		id, compression, largest := d.id, "", ""
		for _, s := range signatures {
			if s.id == d.id && s.container != containerPlain {
				compression = strings.Join(all, ", ")
				limit := layout{wide: s.wide}.limit()
				largest = fmt.Sprintf("%d GiB", (limit+1)>>30)
				if s.wide {
					largest = fmt.Sprintf("%d PiB", limit>>50)
				}
			}
		}
		if id == "" {
			id = "none"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", d.what, id, compression, largest, d.change, d.flags, d.seen)
	}
	require.Empty(t, known, "signatures that are not described")
	return b.String()
}

func deviceTable() string {
	var b strings.Builder
	fmt.Fprintln(&b, "| device | cylinders, alternates | heads | bytes of a track image | longest record | records of 4096 | blocks of 512 bytes |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|")
	for _, g := range media.Models() {
		if g.FBA() {
			fmt.Fprintf(&b, "| %s | | | | | | %d |\n", g.Name, g.Blocks)
			continue
		}
		fmt.Fprintf(&b, "| %s | %d, %d | %d | %d | %d | %d | |\n", g.Name, g.Cylinders, g.Alternates, g.Heads, g.TrackSize, g.DataLength, g.RecordsPerTrack(0, 4096))
	}
	return b.String()
}

// TestDocumentedFormats holds the tables of formats and devices in the
// documentation to those of the code.
func TestDocumentedFormats(t *testing.T) {
	p, err := os.ReadFile(documentation)
	require.NoError(t, err)
	text := string(p)
	for name, table := range map[string]string{"formats": formatTable(t), "devices": deviceTable()} {
		begin, end := "<!-- table: "+name+" -->\n", "<!-- end -->\n"
		before, rest, found := strings.Cut(text, begin)
		require.True(t, found, "no table %s in %s", name, documentation)
		have, after, found := strings.Cut(rest, end)
		require.True(t, found, "table %s has no end", name)
		if *update {
			text = before + begin + table + end + after
			continue
		}
		assert.Equal(t, table, have, "table %s is out of date: go test ./emulator/image -run Documented -update", name)
	}
	if *update {
		require.NoError(t, os.WriteFile(documentation, []byte(text), 0o644))
	}
}

// TestDocumentedFormatsWork makes a file with each identifier that there is, on
// the smallest volume of every device type that it can hold, and changes it.
func TestDocumentedFormatsWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	types := map[uint16]bool{}
	for _, g := range media.Models() {
		if types[g.Type] {
			continue
		}
		types[g.Type] = true
		var err error
		if g.FBA() {
			g, err = g.ResizeBlocks(130)
		} else {
			g, err = g.Resize(1)
		}
		require.NoError(t, err)
		for i, d := range descriptions {
			if g.FBA() == strings.HasPrefix(d.id, "CKD") {
				continue
			}
			path := filepath.Join(dir, fmt.Sprintf("%04x-%d", g.Type, i))
			o := CreateOptions{Wide: strings.HasSuffix(d.id, "064"), NoSync: true}
			var open Options
			open.Device = g.Name
			changed := path
			if d.id != "" && d.id[4] != 'P' {
				o.Format, o.Compression = FormatCCKD, Bzip2
				if g.FBA() {
					o.Format = FormatCFBA
				}
			}
			require.NoError(t, Create(path, g, Content{Serial: "DOC001"}, o))
			if strings.Contains(d.id, "_S") {
				changed = path + ".shadow"
				require.NoError(t, CreateShadow(changed, path, nil, o))
				open.Shadows = []string{changed}
			}
			v, err := Open(path, media.ReadWrite, open)
			require.NoError(t, err, "%s %s", g.Name, d.id)
			require.Equal(t, g.Type, v.Geometry().Type)
			want, err := changeUnit(rand.New(rand.NewPCG(1, 1)), v, 3)
			require.NoError(t, err)
			require.NoError(t, v.Close())
			v, err = Open(path, media.ReadOnly, open)
			require.NoError(t, err)
			got, err := readUnit(v, 3)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.NoError(t, v.Close())
			if d.id != "" {
				require.Equal(t, d.id, string(content(t, changed)[:8]))
			}
		}
	}
	require.Len(t, types, 17)
}
