package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host/wasm"
)

// hostile is a detour in instructions. Its functions are the marker (0), the
// front-end hook (1), and one that it may call or run at its start (2).
type hostile struct {
	marker, hook, other []byte // code in front of the marker's result, and that of the others, without their ends
	start, initialize   bool   // function 2 is the start function, or _initialize
	pages               uint32 // that the memory begins with, 1 when 0
}

const hostileFrame = 1024

// encode gives the module's bytes.
func (h hostile) encode() []byte {
	section := func(out []byte, id byte, items ...string) []byte {
		return wasm.AppendSection(out, id, append([]byte{byte(len(items))}, strings.Join(items, "")...))
	}
	sized := func(text string) string { return string(wasm.AppendU32(nil, uint32(len(text)))) + text }
	body := func(code []byte) string { return sized("\x00" + string(code) + "\x0B") }
	export := func(name string, kind, index byte) string { return sized(name) + string([]byte{kind, index}) }

	exports := []string{export(abi.MarkerExport, 0, 0), export("front_end", 0, 1)}
	if h.initialize {
		exports = append(exports, export("_initialize", 0, 2))
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = section(out, 1, "\x60\x00\x01\x7F", "\x60\x00\x00") // types: () -> (i32), () -> ()
	out = section(out, 3, "\x00", "\x01", "\x01")
	out = section(out, 5, "\x01"+string(wasm.AppendU32(nil, max(h.pages, 1)))+"\x80\x08") // memory, at most 1024 pages
	out = section(out, 7, exports...)
	if h.start {
		out = wasm.AppendSection(out, 8, []byte{2})
	}
	out = section(out, 10, body(append(h.marker, 0x41, 0x80, 0x08)), body(h.hook), body(h.other))
	return wasm.AppendSection(out, 0, []byte(sized(abi.ManifestSection)+
		`{"name":"test/hostile","version":"1","abi":"1.0","hooks":["front_end"]}`))
}

var forEver = []byte{0x03, 0x40, 0x0C, 0, 0x0B} // loop, br 0, end

// later is code that runs once a hundred I/Os have been seen, so that the
// rehearsal does not find it.
func later(code []byte) []byte {
	at := hostileFrame + unsafe.Offsetof(abi.Frame{}.Head) + unsafe.Offsetof(abi.Head{}.IO)
	load := append(append([]byte{0x41, 0, 0x29, 3}, wasm.AppendU32(nil, uint32(at))...), 0x42, 0xE4, 0x00, 0x56) // load, 100, greater
	return append(append(append(load, 0x04, 0x40), code...), 0x0B)
}

// TestEndlessDetoursEnd runs policies with modules that never end by themselves.
// The program ends: it refuses the module, or contains it and goes on.
func TestEndlessDetoursEnd(t *testing.T) {
	require.NoError(t, built.err)
	// Each function calls itself twice, 2^45 calls and more.
	tree := []byte{0x10, 2, 0x10, 2}
	table := []byte{0x03, 0x40, 0x41, 1, 0x0E, 1, 0, 0, 0x0B}
	fill := []byte{0x41, 0, 0x41, 0, 0x41, 0x80, 0x80, 0x80, 0x1E, 0xFC, 11, 0} // 60 MiB
	fuel := "out of fuel after 10000000 units"
	for _, c := range []struct {
		name      string
		module    hostile
		want      string
		contained bool
	}{
		{"loop", hostile{hook: forEver}, fuel, false},
		{"loop by a table", hostile{hook: table}, fuel, false},
		{"fill of 60 MiB", hostile{hook: fill, pages: 1024}, fuel, false},
		{"recursion", hostile{hook: tree, other: tree}, "out of stack", false},
		{"start section", hostile{other: forEver, start: true}, fuel, false},
		{"_initialize", hostile{other: forEver, initialize: true}, fuel, false},
		{"marker", hostile{marker: forEver}, fuel, false},
		{"loop in the middle of a run", hostile{hook: later(forEver)}, fuel, true},
		{"tree of calls in the middle of a run", hostile{hook: later(tree), other: tree}, "out of stack", true},
		{"fill in the middle of a run", hostile{hook: later(append([]byte{0x41, 0xFF, 0x07, 0x40, 0, 0x1A}, fill...))}, fuel, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			module, file, out := filepath.Join(dir, "hostile.wasm"), filepath.Join(dir, "p.yaml"), filepath.Join(dir, "r.json")
			require.NoError(t, os.WriteFile(module, c.module.encode(), 0o600))
			policy := fmt.Sprintf(`name: p
durability: primary
slots:
  front-end: [{module: %s}, {module: frontend/standard, grants: [mirror, reject, retry, mode, flag, chain]}]
  back-end: [{module: backend/standard, grants: [mirror]}]
  post-status: [{module: poststatus/standard, grants: [mirror, flag, hold, dissociate, promote]}]
`, module)
			require.NoError(t, os.WriteFile(file, []byte(policy), 0o600))
			o := iosrun(t, nil, "run", file, "--limit", "500", "--json", out)
			assert.Contains(t, o.err, c.want)
			if !c.contained {
				assert.NotZero(t, o.code)
				assert.Contains(t, o.err, "test/hostile")
				return
			}
			require.Equal(t, 1, o.code, o.err)
			r := readReport(t, out)[0]
			for _, check := range r.Checks { // the detour is passed over in the end, and nothing else is wrong
				assert.Equal(t, check.Name != "detours in charge", check.OK, "%s: %s", check.Name, check.Detail)
			}
			assert.EqualValues(t, 16, r.Traps)
			assert.EqualValues(t, 16, r.Exhausted)
			assert.Contains(t, o.out, "out of fuel or stack")
		})
	}
}

// TestFuelFlag: the limit is a setting.
func TestFuelFlag(t *testing.T) {
	o := iosrun(t, nil, "run", "sync", "--limit", "10", "--fuel", "0")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "--fuel 0: want 1 to")
	o = iosrun(t, nil, "run", "sync", "--limit", "10", "--fuel", "-7")
	assert.Equal(t, 2, o.code)
	assert.Contains(t, o.err, "fuel of -7 units a call: want 1 to")
	o = iosrun(t, nil, "run", "sync", "--limit", "10", "--fuel", "1000")
	assert.NotZero(t, o.code, "a Go module needs more to begin with")
	assert.Contains(t, o.err, "_initialize trapped: out of fuel after 1000 units")
}

// TestFuelChangesNothing: the event log of the demonstration's policies is the
// same with the limit and without it.
func TestFuelChangesNothing(t *testing.T) {
	dir := t.TempDir()
	var hashes [2][]string
	for n, fuel := range []string{"10000000", "-1"} {
		file := filepath.Join(dir, fuel)
		o := iosrun(t, nil, "compare", "--limit", "3000", "--fuel="+fuel, "--json", file)
		require.Zero(t, o.code, o.err)
		for _, r := range readReport(t, file) {
			hashes[n] = append(hashes[n], r.EventLogHash)
			assert.Zero(t, r.Traps)
		}
	}
	assert.NotEmpty(t, hashes[0])
	assert.Equal(t, hashes[0], hashes[1])
}
