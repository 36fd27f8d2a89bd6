package main

import (
	"bytes"
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

// TestDetoursThatKeepEachRequest: modules that keep each request as long as they
// can. The application is told in time, what was done instead is said once, and the
// run ends.
func TestDetoursThatKeepEachRequest(t *testing.T) {
	response := int32(1024 + unsafe.Offsetof(abi.Frame{}.Response))
	constant := func(v int32) []byte { return append([]byte{0x41}, signed(v)...) }
	put := func(op byte, at, v int32) []byte { return join(constant(response+at), constant(v), []byte{op, 0, 0}) }
	const byteWide, halfWide = 0x3A, 0x3B
	r := abi.Response{}
	verdict, intents := int32(unsafe.Offsetof(r.Verdict)), int32(unsafe.Offsetof(r.Intents))
	first := int32(unsafe.Offsetof(r.Intent))
	kind, mirrors := first+int32(unsafe.Offsetof(r.Intent[0].Kind)), first+int32(unsafe.Offsetof(r.Intent[0].Mirrors))
	ask := func(k abi.IntentKind) []byte {
		return join(put(halfWide, intents, 1), put(byteWide, kind, int32(k)), put(byteWide, mirrors, 1))
	}
	hold := put(byteWide, verdict, int32(abi.Return))
	const front, back = "{module: frontend/standard, grants: [mirror, reject, retry, mode, flag, chain]}", "{module: backend/standard, grants: [mirror]}"
	const post = "{module: poststatus/standard, grants: [mirror, flag, hold, dissociate, promote]}"
	for _, c := range []struct {
		name, front, back, post string
		code                    []byte
		hook, wants             string
		args                    []string
		said                    string
		maxWriteUS, maxVirtualS float64
		keeps                   bool // passed over
	}{
		{"hold", front, back, "{module: ./m.wasm, grants: [hold]}", hold, "post_status", `"hold"`, []string{"--patience", "2ms"},
			"holds a completion whose time is over", 100_000, 2, true},
		{"retry", "{module: ./m.wasm, grants: [retry]}, " + front, back, post, ask(abi.IntentRetry), "front_end", `"retry"`, nil,
			"asks without end to leave the request queued", 90_000_000, 90, true},
		{"label", front, "{module: ./m.wasm, grants: [mirror]}", post, ask(abi.IntentLabel), "back_end", `"mirror"`, nil,
			"asks without end for the mirror's label", 5_000_000, 5, false},
		{"again", front, back, "{module: ./m.wasm, grants: [mirror]}, " + post, ask(abi.IntentRetryMirror), "post_status", `"mirror"`,
			[]string{"--fault", "100ms=mirror1:fail"}, "asks without end for another attempt", 5_000_000, 5, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "m.wasm"), module(c.hook, c.wants, nil, c.code, 0), 0o644))
			path, result := filepath.Join(dir, "m.yaml"), filepath.Join(dir, "result.json")
			text := "name: keeping\ndurability: mirrors\nslots:\n  front-end: [" + c.front + "]\n  back-end: [" + c.back + "]\n  post-status: [" + c.post + "]\n"
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			// Writes to few blocks: they wait for each other.
			args := append([]string{"run", path, "--generate", "--gen-count", "500", "--gen-rate", "500", "--gen-reads", "0", "--gen-skew", "2", "--json", result}, c.args...)
			o := iosrun(t, nil, args...)
			require.Contains(t, []int{0, 1}, o.code, o.err)
			assert.Equal(t, 1, strings.Count(o.err, "detour overruled"), o.err)
			assert.Contains(t, o.err, c.said)
			run := readReport(t, result)[0]
			assert.EqualValues(t, 500, run.WriteLatency.Count)
			assert.Less(t, run.WriteLatency.MaxUS, c.maxWriteUS)
			assert.Less(t, run.VirtualS, c.maxVirtualS)
			for _, k := range run.Checks {
				assert.True(t, k.OK || k.Name == "durability" || c.keeps && k.Name == "detours in charge", "%s: %s", k.Name, k.Detail)
			}
			require.Len(t, run.DetourFaults, 1)
			assert.Positive(t, run.DetourFaults[0].Overruled)
			assert.Contains(t, o.out, "times the host went on with an I/O that it would have kept")
			if c.keeps {
				require.NotNil(t, run.DetourFaults[0].PassedOver)
				assert.EqualValues(t, 16, run.DetourFaults[0].PassedOver.Kept)
				assert.Contains(t, o.out, "0 calls without an answer and 16 requests kept for all of their time")
			}
		})
	}
}

// policyOf makes a policy with a module on its first slot.
func policyOf(t *testing.T, name string, module []byte) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".wasm"), module, 0o644))
	path := filepath.Join(dir, name+".yaml")
	text := "name: " + name + "\ndurability: primary\nslots: {front-end: [{module: ./" + name + ".wasm}]}\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// module encodes a module with one hook, the capabilities that it wants, an
// imported function of four words if there is one, and so many functions more with
// the hook's body.
func module(hook, wants string, imported *[2]string, body []byte, more int) []byte {
	name := func(s string) []byte { return append(wasm.AppendU32(nil, uint32(len(s))), s...) }
	sized := func(p []byte) []byte { return append(wasm.AppendU32(nil, uint32(len(p))), p...) }
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	section := func(id byte, parts ...[]byte) { out = join(out, []byte{id}, sized(join(parts...))) }
	section(1, []byte{3, 0x60, 0, 0, 0x60, 0, 1, 0x7F, 0x60, 4, 0x7F, 0x7F, 0x7F, 0x7F, 1, 0x7F})
	first := byte(0)
	if imported != nil {
		section(2, []byte{1}, name(imported[0]), name(imported[1]), []byte{0, 2})
		first = 1
	}
	kinds, bodies := []byte{1, 0}, [][]byte{sized(join([]byte{0, 0x41}, signed(1024), []byte{0x0B}))}
	function := sized(join([]byte{1, 1, 0x7F}, body, []byte{0x0B}))
	bodies = append(bodies, function)
	for range more {
		kinds, bodies = append(kinds, 0), append(bodies, function)
	}
	section(3, sized(kinds))
	section(5, []byte{1, 1, 1, 16})
	section(7, []byte{2}, name(abi.MarkerExport), []byte{0, first}, name(hook), []byte{0, first + 1})
	section(10, wasm.AppendU32(nil, uint32(len(bodies))), join(bodies...))
	section(0, name(abi.ManifestSection), []byte(`{"name":"test/module","version":"1","abi":"1.0","hooks":["`+hook+`"],"capabilities":[`+wants+`]}`))
	return out
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// signed is a signed LEB128 number.
func signed(v int32) (out []byte) {
	for {
		b := byte(v & 0x7F)
		v >>= 7
		if v == 0 && b&0x40 == 0 || v == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
