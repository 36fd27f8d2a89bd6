package abi_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestManifestOfTheSpec parses the example of SPEC.md.
func TestManifestOfTheSpec(t *testing.T) {
	spec, err := os.ReadFile("SPEC.md")
	require.NoError(t, err)
	text := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(spec)
	require.NotNil(t, text)
	m, err := abi.ParseManifest(text[1])
	require.NoError(t, err)
	assert.Equal(t, "example/first", m.Name)
	assert.True(t, m.Implements(abi.FrontEnd))
	assert.False(t, m.Implements(abi.BackEnd))
	wants, err := m.Wants()
	require.NoError(t, err)
	assert.Equal(t, abi.CapMirror, wants)
	assert.Equal(t, int64(100), m.Settings[0].Default)
	assert.Equal(t, int64(1), m.Settings[1].Max, "of a setting with two names")
}

func TestManifestErrors(t *testing.T) {
	const good = `{"name":"a/b-1","version":"1","abi":"1.0","hooks":["front_end"]`
	records := strings.Replace(good, "1.0", "1.1", 1) + `,"records":[`
	for _, c := range []struct{ name, text, want string }{
		{"good", good + `}`, ""},
		{"white space behind", good + "}\n \n", ""},
		{"empty", "", "manifest: is empty: want a JSON object"},
		{"not JSON", "name = x", "manifest: not a JSON object of the known keys"},
		{"cut short", good, "manifest: not a JSON object of the known keys: unexpected EOF"},
		{"unknown key", good + `,"hook":1}`, `unknown field "hook"`},
		{"a key twice", good + `,"version":"2"}`, `key "version" is there twice`},
		{"a key twice, in other letters", good + `,"NAME":"b"}`, `is there twice`},
		{"two objects", good + `}{}`, "has text behind its JSON object"},
		{"a brace too many", good + `}}`, "has text behind its JSON object"},
		{"too long", strings.Repeat(" ", abi.MaxManifest+1), "manifest: 65537 bytes: at most 65536"},
		{"no name", `{"abi":"1.0","hooks":["front_end"]}`, `manifest: name "": want 1 to 64 of a-z`},
		{"name in capitals", strings.Replace(good, "a/b-1", "Aa", 1) + `}`, `name "Aa"`},
		{"name that is a path", strings.Replace(good, "a/b-1", "/etc", 1) + `}`, `name "/etc"`},
		{"long name", strings.Replace(good, "a/b-1", strings.Repeat("a", 65), 1) + `}`, "want 1 to 64"},
		{"abi without minor", strings.Replace(good, "1.0", "1", 1) + `}`, `abi "1": want "major.minor", this host speaks 1.1`},
		{"abi with a tail", strings.Replace(good, "1.0", "1.0x", 1) + `}`, `abi "1.0x": want "major.minor"`},
		{"abi with a sign", strings.Replace(good, "1.0", "1.-1", 1) + `}`, `abi "1.-1": want "major.minor"`},
		{"abi of another major", strings.Replace(good, "1.0", "2.0", 1) + `}`, "major version 2, this host speaks 1"},
		{"abi of a later minor", strings.Replace(good, "1.0", "1.2", 1) + `}`, "minor version 2, this host speaks up to 1"},
		{"abi of an earlier minor", good + `,"settings":[{"name":"a"}]}`, ""},
		{"records", records + `{"name":"a","summary":"b","unit":"µs"},{"name":"b","unit":"bytes"}]}`, ""},
		{"records of 1.0", good + `,"records":[{"name":"a","unit":"b"}]}`, `abi "1.0": declares records, which need 1.1 or later`},
		{"record without a name", records + `{"unit":"b"}]}`, `record 0: name "": want 1 to 64`},
		{"record twice", records + `{"name":"a","unit":"b"},{"name":"a","unit":"c"}]}`, `record "a" is there twice`},
		{"record without a unit", records + `{"name":"a"}]}`, `record a: unit "": want 1 to 16 bytes`},
		{"record with a long unit", records + `{"name":"a","unit":"12345678901234567"}]}`, `record a: unit "12345678901234567": want 1 to 16 bytes`},
		{"unit with an escape sequence", records + `{"name":"a","unit":"\u001b[2J"}]}`, "without control characters"},
		{"record's summary with an escape sequence", records + `{"name":"a","unit":"b","summary":"\u001b[2J"}]}`, "without control characters"},
		{"record with a key too many", records + `{"name":"a","unit":"b","max":1}]}`, `unknown field "max"`},
		{"32 records", records + strings.Join(numbered(32), ",") + `]}`, ""},
		{"33 records", records + strings.Join(numbered(33), ",") + `]}`, "33 records: at most 32"},
		{"no hooks", `{"name":"a","abi":"1.0"}`, "names no hooks"},
		{"unknown hook", strings.Replace(good, "front_end", "frontend", 1) + `}`, `hook "frontend" is unknown`},
		{"unknown capability", good + `,"capabilities":["root"]}`, `capability "root" is unknown: want one of [mirror`},
		{"escape sequence in the summary", good + `,"summary":"\u001b[2J"}`, "without control characters"},
		{"setting without a name", good + `,"settings":[{"min":0}]}`, `setting 0: name "": want 1 to 64`},
		{"setting twice", good + `,"settings":[{"name":"a"},{"name":"a"}]}`, `setting "a" is there twice`},
		{"default out of range", good + `,"settings":[{"name":"a","default":3,"min":4,"max":5}]}`, "setting a: default 3 is not within 4 to 5"},
		{"range upside down", good + `,"settings":[{"name":"a","min":5,"max":4}]}`, "setting a: default 0 is not within 5 to 4"},
		{"default beyond the names", good + `,"settings":[{"name":"a","default":2,"names":["x","y"]}]}`, "default 2 is not within 0 to 1"},
		{"value's name twice", good + `,"settings":[{"name":"a","names":["x","x"]}]}`, `setting a: name "x" of a value`},
		{"setting beyond 64 bits", good + `,"settings":[{"name":"a","max":9223372036854775808}]}`, "not a JSON object of the known keys"},
		{"33 settings", good + `,"settings":[` + strings.Repeat(`{"name":"a"},`, 32) + `{"name":"b"}]}`, "33 settings: at most 32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := abi.ParseManifest([]byte(c.text))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
			assert.Nil(t, m)
		})
	}
}

// numbered is n records with different names.
func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(`{"name":"r%d","unit":"bytes"}`, i))
	}
	return all
}

func TestNames(t *testing.T) {
	for i, n := range abi.CapabilityNames {
		c, err := abi.ParseCapability(n)
		require.NoError(t, err)
		assert.Equal(t, abi.Capability(1)<<i, c)
		assert.Equal(t, []string{n}, c.Names())
	}
	assert.Len(t, abi.CapabilitiesKnown.Names(), len(abi.CapabilityNames))
	for h := range abi.Hooks {
		got, ok := abi.ParseHook(h.Export())
		assert.True(t, ok)
		assert.Equal(t, h, got)
	}
	_, ok := abi.ParseHook("")
	assert.False(t, ok)
	assert.Equal(t, "retry-mirror", abi.IntentRetryMirror.String())
	assert.Equal(t, "intent 99", abi.IntentKind(99).String())
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"name":"a","version":"1","abi":"1.0","hooks":["front_end"],"settings":[{"name":"a","names":["x"]}]}`))
	f.Add([]byte(`{"name":"a","version":"1","abi":"1.1","hooks":["post_status"],"records":[{"name":"a","unit":"µs"}]}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := abi.ParseManifest(p)
		if err != nil {
			return
		}
		if err := m.Check(); err != nil {
			t.Fatalf("a manifest that passed fails when it is checked again: %v", err)
		}
		if _, err := m.Wants(); err != nil {
			t.Fatal(err)
		}
	})
}
