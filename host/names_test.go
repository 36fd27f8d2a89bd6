package host_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
)

// Whatever names a module has, what the host says of it can be shown on a
// terminal.
func TestNamesOfAModuleCannotReachTheTerminal(t *testing.T) {
	for _, hostile := range []string{"\x1b]0;owned\x07", "a\u009b31m", "\u202egnp.exe", "two\nlines"} {
		for what, g := range map[string]guest{
			"import":         {imports: [][2]string{{hostile, "foo"}, {"env", hostile}}},
			"marker":         {marker: "iosrun_abi_" + hostile},
			"custom section": {sections: []section{{"iosrun." + hostile, nil}}},
			"manifest key":   {manifest: manifestHead + `"hooks":["front_end"],"` + strings.NewReplacer("\n", `\n`, "\x1b", `\u001b`, "\x07", `\u0007`).Replace(hostile) + `":1}`},
			"hook":           {hooks: []string{strings.NewReplacer("\n", `\n`, "\x1b", `\u001b`, "\x07", `\u0007`).Replace(hostile)}},
		} {
			t.Run(what, func(t *testing.T) {
				r := host.Verify(inspect(t, g.encode()), abi.CapabilitiesKnown)
				require.Error(t, r.Err())
				assert.True(t, abi.Printable(r.Err().Error()), "%q", r.Err())
				for line := range strings.Lines(r.String()) {
					assert.True(t, abi.Printable(strings.TrimSuffix(line, "\n")), "%q", line)
				}
				text, err := json.Marshal(r)
				require.NoError(t, err)
				assert.True(t, abi.Printable(string(text)), "%q", text)
			})
		}
	}
}

func TestNamesInErrorsOfTheParser(t *testing.T) {
	// Two exports of one name, and an import of an unknown kind.
	g := guest{imports: [][2]string{{"\x1b[2J", "\u202e"}}}.encode()
	broken := strings.Replace(string(g), "\x1b[2J\x03\u202e\x00", "\x1b[2J\x03\u202e\x09", 1)
	require.NotEqual(t, string(g), broken)
	_, err := host.Inspect([]byte(broken))
	require.Error(t, err)
	assert.Contains(t, err.Error(), `import \x1b[2J.\u202e of kind 9`)
	assert.True(t, abi.Printable(err.Error()), "%q", err)
}
