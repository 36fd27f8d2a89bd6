package channelcase

import (
	"context"
	goflag "flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const documentation = "../../docs/channel.md"

func readDocumentation(t *testing.T) string {
	t.Helper()
	p, err := os.ReadFile(documentation)
	require.NoError(t, err)
	return string(p)
}

// Every case and test that the documentation names is there.
func TestDocumentedNames(t *testing.T) {
	known := make(map[string]bool)
	for _, path := range []string{"testdata/channel.json", "testdata/linux.json", "testdata/differ.json"} {
		f := parseFile(t, path)
		for i := range f.Cases {
			known[f.Cases[i].ID] = true
		}
	}
	test := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		p, err := os.ReadFile(path)
		for _, m := range test.FindAllSubmatch(p, -1) {
			known[string(m[1])] = true
		}
		return err
	}))
	n := 0
	for _, m := range regexp.MustCompile("`(Test\\w+|[A-Z]{1,2}[0-9]{2})`").FindAllStringSubmatch(readDocumentation(t), -1) {
		assert.True(t, known[m[1]], "%s names %s, which is not there", documentation, m[1])
		n++
	}
	assert.Greater(t, n, 80)
}

// With -update, TestDocumentedDeviations writes its table anew.
var update = goflag.Bool("update", false, "write the table of deviations of docs/channel.md anew")

// Every deviation is documented, with its source.
func TestDocumentedDeviations(t *testing.T) {
	var b strings.Builder
	fmt.Fprintln(&b, "| deviation | here, and in Hercules 3.13 | source |\n|---|---|---|")
	for _, d := range deviations {
		assert.NotEmpty(t, d.source, d.name)
		for _, text := range []string{d.name, d.reason, d.source} {
			assert.NotContains(t, text, "|", d.name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", d.name, d.reason, d.source)
	}
	const begin, end = "<!-- table: deviations -->\n", "<!-- end -->"
	before, rest, found := strings.Cut(readDocumentation(t), begin)
	require.True(t, found)
	have, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if *update {
		require.NoError(t, os.WriteFile(documentation, []byte(before+begin+b.String()+end+after), 0o644))
		return
	}
	assert.Equal(t, b.String(), have, "out of date: go test ./lab/channelcase -run DocumentedDeviations -update")
	for i := range known {
		assert.True(t, slices.ContainsFunc(deviations, func(d deviation) bool { return d.name == known[i].Name }), "the oracle's table has %s too", known[i].Name)
	}
}

// documentedCodes are the codes of a table of commands.
func documentedCodes(t *testing.T, table string) map[int]bool {
	t.Helper()
	_, rest, found := strings.Cut(readDocumentation(t), "<!-- table: "+table+" -->")
	require.True(t, found)
	rest, _, _ = strings.Cut(rest, "<!-- end -->")
	codes := make(map[int]bool)
	for _, m := range regexp.MustCompile(`(?m)^\| ([0-9A-F, ]+) \|`).FindAllStringSubmatch(rest, -1) {
		for _, code := range strings.Split(m[1], ", ") {
			n, err := strconv.ParseUint(code, 16, 8)
			require.NoError(t, err)
			codes[int(n)] = true
		}
	}
	return codes
}

// A command that is not in the table is refused as one that the device does not
// have, and only such a one.
func TestDocumentedRefusals(t *testing.T) {
	const unknown = "message 1"
	for _, device := range []struct {
		table, volume, positioning string
		// known tells a command that the device has by its sense.
		known func(sense string) bool
	}{
		{"eckd", "dasdinit x 3390 PRB001 3", "0740000600011000", func(s string) bool { return len(s) < 16 || s[:4] != "8000" || s[14:16] != "01" }},
		{"fba", "dasdinit x 3370 PRB001 2000", "", nil},
	} {
		codes := documentedCodes(t, device.table)
		require.NotEmpty(t, codes)
		var cases []string
		for c := range 256 {
			if c&0xF == 0 || c&0xF == 8 { // never gets to the device
				assert.NotContains(t, codes, c)
				continue
			}
			cases = append(cases, fmt.Sprintf(`{"id":"%02X","suite":"p","order":%d,"cpa":"10000","mem":{"10000":"%s%02X20020000020000"}}`, c, c, device.positioning, c))
		}
		f, err := Parse([]byte(`{"volumes":{"p":"` + device.volume + `"},"cases":[` + strings.Join(cases, ",") + `]}`))
		require.NoError(t, err)
		require.NoError(t, f.Run(context.Background(), Options{}, func(r Result) error {
			n, err := strconv.ParseUint(r.Case.ID, 16, 8)
			require.NoError(t, err)
			c := int(n)
			switch sense := r.Outcome.Sense; {
			case !codes[c]:
				require.NotEmpty(t, sense, "%s: command %02X", device.table, c)
				assert.Equal(t, "8000", sense[:4], "%s: command %02X", device.table, c)
				assert.True(t, device.known == nil || !device.known(sense), "%s: command %02X: want %s", device.table, c, unknown)
			case c == 0x13: // refused on a 3390, as the table says
				assert.False(t, device.known(sense))
			case device.known != nil:
				assert.True(t, device.known(sense), "%s: command %02X is in the table and refused with %s", device.table, c, unknown)
			}
			return nil
		}))
	}
}
