package catalog

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
	"github.com/iosrun/iosrun/host"
	"github.com/iosrun/iosrun/host/build"
	"github.com/iosrun/iosrun/policy"
	"github.com/iosrun/iosrun/policy/catalog/shipped"
)

func manifest(t *testing.T, name string) *abi.Manifest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", SourceFolder(name), "manifest.json"))
	require.NoError(t, err)
	m, err := abi.ParseManifest(text)
	require.NoError(t, err)
	return m
}

// TestShipped: every shipped module is there as source and linked in, with the
// hooks of its manifest.
func TestShipped(t *testing.T) {
	assert.True(t, slices.IsSorted(names), "they are searched by halves")
	assert.Equal(t, names, slices.Sorted(maps.Keys(natives)))
	folders, err := filepath.Glob(filepath.Join("..", "..", "plugins", "*", "*", "wasm"))
	require.NoError(t, err)
	assert.Len(t, folders, len(names), "a module that is not shipped")
	for _, name := range names {
		m := manifest(t, name)
		assert.Equal(t, name, m.Name)
		for h := range abi.Hooks {
			assert.Equal(t, m.Implements(h), natives[name][h] != nil, "%s: hook %s", name, h)
		}
		settings, err := host.Settings(m, nil)
		require.NoError(t, err)
		n, err := Native(name, settings)
		require.NoError(t, err)
		assert.EqualValues(t, len(m.Settings), n.Frame().Settings.Count)
	}
	_, err = Native("frontend/nothing", nil)
	assert.ErrorContains(t, err, "is not linked in")
}

// TestShippedPolicies: what shipped policies say of a module fits its manifest,
// and what they promise fits their settings.
func TestShippedPolicies(t *testing.T) {
	setting := func(t *testing.T, d *policy.Detour, m *abi.Manifest, name string) int64 {
		text, err := settingText(d.Settings)
		require.NoError(t, err)
		values, err := host.Settings(m, text)
		require.NoError(t, err)
		i := slices.IndexFunc(m.Settings, func(s abi.Setting) bool { return s.Name == name })
		if i < 0 {
			return 0
		}
		return values[i]
	}
	for _, name := range policy.Names() {
		t.Run(name, func(t *testing.T) {
			p, err := policy.Load(name)
			require.NoError(t, err)
			for s := range hooks.Slots {
				for i := range p.Sequence(s) {
					d := &p.Sequence(s)[i]
					m := manifest(t, d.Module)
					assert.True(t, m.Implements(s.Hook()))
					wants, err := m.Wants()
					require.NoError(t, err)
					granted, err := d.Granted()
					require.NoError(t, err)
					assert.Equal(t, wants, granted, "%s: wants %v, is granted %v", d.Module, wants.Names(), granted.Names())
					if s != hooks.SRBEP {
						continue
					}
					assert.Equal(t, p.Durability == "mirrors", setting(t, d, m, "on-primary-failure") == 1,
						"a mirror is promoted where it has what was promised, and nowhere else")
					assert.EqualValues(t, p.Copies, setting(t, d, m, "complete-after"))
					assert.Equal(t, p.Consistency == "group", setting(t, d, m, "on-mirror-failure") == int64(abi.ScopeGroup))
				}
			}
		})
	}
}

// TestBuildArchive: an archive is written where it differs from the sources.
func TestBuildArchive(t *testing.T) {
	if testing.Short() {
		t.Skip("builds every shipped module")
	}
	const root = "../.."
	archive := filepath.Join(t.TempDir(), "modules.tar.zst")
	var c Catalog
	for i, want := range []bool{true, false} {
		written, err := c.BuildArchive(t.Context(), root, archive)
		require.NoError(t, err)
		assert.Equal(t, want, written, "call %d", i+1)
	}
	packed, err := os.ReadFile(archive)
	require.NoError(t, err)
	set, err := shipped.Unpack(packed)
	require.NoError(t, err)
	assert.Equal(t, names, set.Names())
	_, err = c.BuildArchive(t.Context(), t.TempDir(), archive)
	assert.ErrorIs(t, err, build.ErrSource)
}
