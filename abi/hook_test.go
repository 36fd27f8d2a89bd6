package abi_test

import (
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/stretchr/testify/assert"
)

// The names of a hook are one name, written as each place wants it.
func TestHookNames(t *testing.T) {
	seen := map[string]bool{}
	for h, row := range abi.HookTable {
		assert.Equal(t, row.Name, abi.Hook(h).String())
		assert.Equal(t, row.Export, abi.Hook(h).Export())
		assert.Equal(t, strings.ReplaceAll(row.Name, "-", "_"), row.Export)
		assert.Equal(t, strings.ReplaceAll(row.Name, "-", ""), row.Report)
		assert.Equal(t, row.Name+" detour", row.Actor)
		for _, name := range []string{row.Name, row.Slot} {
			assert.NotEmpty(t, name)
			assert.False(t, seen[name], name)
			seen[name] = true
		}
	}
	assert.Empty(t, abi.Hooks.Export())
	assert.Equal(t, "hook 3", abi.Hooks.String())
}
