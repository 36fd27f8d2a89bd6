package shipped_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/host/build"
	"github.com/iosrun/iosrun/policy/catalog"
	"github.com/iosrun/iosrun/policy/catalog/shipped"
)

// What the program carries is what its sources give.
func TestEmbeddedModulesAreThoseOfTheSources(t *testing.T) {
	if testing.Short() {
		t.Skip("builds every shipped module")
	}
	const root = "../../.."
	set, err := shipped.Embedded()
	require.NoError(t, err)
	require.Equal(t, catalog.Shipped(), set.Names())
	ctx := context.Background()
	here, err := build.Toolchain(ctx, root)
	require.NoError(t, err)
	if here != set.Toolchain {
		t.Skipf("the archive was made with %s, this is %s: other bytes for the same source", set.Toolchain, here)
	}
	for _, n := range set.Names() {
		path, err := build.Build(ctx, filepath.Join(root, catalog.SourceFolder(n)), "", nil)
		require.NoError(t, err)
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		got, ok := set.Module(n)
		require.True(t, ok)
		// Not assert.Equal, which would print megabytes.
		assert.True(t, string(want) == string(got), "%s is not what its source gives: run \"make plugins\"", n)
	}
}

func TestPack(t *testing.T) {
	modules := map[string][]byte{"b/two": []byte("second"), "a/one": []byte("first")}
	packed, err := shipped.Pack("go1", modules)
	require.NoError(t, err)
	again, err := shipped.Pack("go1", modules)
	require.NoError(t, err)
	assert.Equal(t, packed, again)
	set, err := shipped.Unpack(packed)
	require.NoError(t, err)
	assert.Equal(t, "go1", set.Toolchain)
	assert.Equal(t, []string{"a/one", "b/two"}, set.Names())
	assert.True(t, set.Holds("go1", modules))
	assert.False(t, set.Holds("go2", modules))
	m, ok := set.Module("a/one")
	assert.True(t, ok)
	assert.Equal(t, "first", string(m))
	_, ok = set.Module("a")
	assert.False(t, ok)
	modules["b/two"] = []byte("other")
	assert.False(t, set.Holds("go1", modules))
}

func TestDamagedArchives(t *testing.T) {
	packed, err := shipped.Pack("go1", map[string][]byte{"a/one": make([]byte, 4096)})
	require.NoError(t, err)
	for n := range packed {
		_, err := shipped.Unpack(packed[:n])
		assert.ErrorContains(t, err, "archive of modules", "cut off at %d", n)
	}
	_, err = shipped.Unpack([]byte("no archive"))
	assert.ErrorContains(t, err, "archive of modules")
}
