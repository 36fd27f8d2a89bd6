package policy

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
)

func TestShippedPolicies(t *testing.T) {
	assert.Subset(t, Names(), []string{"adaptive", "audit", "consistency-group", "constant-copy", "multi-mirror", "none", "read-select", "sync"})
	all, err := Shipped()
	require.NoError(t, err)
	for i, n := range Names() {
		assert.Equal(t, n, all[i].Name)
		assert.NotEmpty(t, all[i].Summary)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"unknown key", "name: a\ndurability: primary\nslot: {}\n", `policy test.yaml line 3: unknown key "slot": want one of name, summary, durability, copies, consistency, stale-promotion, slots; did you mean "slots"?`},
		{"unknown key of a detour", "name: a\ndurability: primary\nslots:\n  front-end:\n    - {module: x, grnts: []}\n", `line 5: unknown key "grnts": want one of module, settings, grants, containment; did you mean "grants"?`},
		{"no name", "durability: primary\n", `name ""`},
		{"durability", "name: a\ndurability: disk\n", `durability "disk"`},
		{"stale promotion", "name: a\ndurability: primary\nstale-promotion: sometimes\n", `stale-promotion "sometimes": want "allow", or none`},
		{"grant", "name: a\ndurability: primary\nslots: {front-end: [{module: x, grants: [root]}]}\n", `capability "root" is unknown`},
		{"containment", "name: a\ndurability: primary\nslots: {back-end: [{module: x, containment: pray}]}\n", `containment "pray" is unknown`},
		{"no module", "name: a\ndurability: primary\nslots: {back-end: [{}]}\n", "names no module"},
		{"too many detours", "name: a\ndurability: primary\nslots: {back-end: [" + strings.Repeat("{module: x},", 9) + "]}\n", "at most 8"},
		{"two documents", "name: a\ndurability: primary\n---\nname: b\n", "more than one document"},
		{"not a mapping", "- a\n", "cannot unmarshal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), "test.yaml")
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "policy")
		})
	}
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.yaml")
	require.NoError(t, os.WriteFile(file, []byte("name: mine\ndurability: primary\nslots: {front-end: [{module: ./mine.wasm}]}\n"), 0o600))
	p, err := Load(file)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "mine.wasm"), p.Path(&p.Sequence(hooks.DDTSIO)[0]))
	_, err = Load("nothing")
	require.ErrorIs(t, err, ErrUnknown)
	_, err = Load(filepath.Join(dir, "absent.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzParse(f *testing.F) {
	for _, n := range Names() {
		text, err := builtin.ReadFile("builtin/" + n + ".yaml")
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := Parse(text, "fuzz"); err == nil {
			assert.NotEmpty(t, p.Name)
		}
	})
}

// The keys of "slots" are the hooks' names, in the order of the hooks.
func TestKeysAreTheHooksNames(t *testing.T) {
	slots := reflect.TypeFor[Slots]()
	require.Equal(t, int(abi.Hooks), slots.NumField())
	for h, row := range abi.HookTable {
		key := func(tag string) string {
			name, _, _ := strings.Cut(slots.Field(h).Tag.Get(tag), ",")
			return name
		}
		assert.Equal(t, row.Name, key("yaml"))
		assert.Equal(t, row.Export, key("json"))
		p := Policy{}
		reflect.ValueOf(&p.Slots).Elem().Field(h).Set(reflect.ValueOf([]Detour{{Module: "x"}}))
		assert.Len(t, p.Sequence(hooks.Slot(h)), 1)
	}
}
