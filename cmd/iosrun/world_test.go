package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/scenario"
	"github.com/iosrun/iosrun/lab/world"
)

// TestWorlds: worlds are played, in the order of their seeds, and summed up.
func TestWorlds(t *testing.T) {
	o := iosrun(t, nil, "world", "--seed", "3", "--count", "3")
	require.Equal(t, exitOK, o.code, o.err)
	assert.Empty(t, o.err)
	for _, want := range []string{"chain", "mirrors equal", "3 ok", "3 worlds, 0 failed"} {
		assert.Contains(t, o.out, want)
	}
	again := iosrun(t, nil, "world", "--seed", "3", "--count", "3")
	assert.Equal(t, o.out, again.out)
	o = iosrun(t, nil, "world", "--seed", "3", "--count", "3", "--json")
	require.Equal(t, exitOK, o.code, o.err)
	var s world.Summary
	require.NoError(t, json.Unmarshal([]byte(o.out), &s))
	assert.EqualValues(t, 3, s.First)
	assert.Equal(t, 3, s.Worlds)
	assert.NotNil(t, s.Failed)
	assert.Equal(t, 3, s.Has["check ok"]["nothing pending"])
}

// TestWorldsAreShown as scenarios, which can be played.
func TestWorldsAreShown(t *testing.T) {
	o := iosrun(t, nil, "world", "--seed", "5", "--show", "--count", "2")
	require.Equal(t, exitOK, o.code, o.err)
	texts := strings.Split(o.out, "---\n")
	require.Len(t, texts, 2)
	for i, name := range []string{"world-5", "world-6"} {
		s, err := scenario.Parse([]byte(texts[i]), "shown")
		require.NoError(t, err)
		assert.Equal(t, name, s.Name)
	}
	loose := iosrun(t, nil, "world", "--seed", "5", "--show", "--unordered")
	require.Equal(t, exitOK, loose.code, loose.err)
	assert.Contains(t, texts[0], "after: [")
	assert.NotContains(t, loose.out, "after: [")
}

func TestWorldRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		"want 1 to":           {"--count", "0"},
		"the last seed":       {"--seed", "18446744073709551615", "--count", "2"},
		"want no --json":      {"--shrink", "--json"},
		"unknown command":     {"7"},
		"--fuel 0: want 1 to": {"--fuel", "0"},
	} {
		o := iosrun(t, nil, append([]string{"world"}, args...)...)
		assert.Equal(t, exitUsage, o.code, "%v: %s", args, o.err)
		assert.Contains(t, o.err, want)
	}
}

// TestWorldCompletes its name and flags, and no files.
func TestWorldCompletes(t *testing.T) {
	assert.Contains(t, iosrun(t, nil, "__complete", "wor").out, "world\t")
	assert.Contains(t, iosrun(t, nil, "__complete", "world", "--s").out, "--shrink\t")
	assert.Contains(t, iosrun(t, nil, "__complete", "world", "--seed", "").out, ":4")
}
