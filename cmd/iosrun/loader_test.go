package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host/wasm"
)

// small encodes a detour with one hook, post_status, whose code is given; start,
// if not nil, is the code of its start function, and data the contents of a data
// section.
func small(hook, start, data []byte) []byte {
	section := func(id byte, body ...byte) []byte {
		return append(wasm.AppendU32([]byte{id}, uint32(len(body))), body...)
	}
	text := func(s string) []byte { return append(wasm.AppendU32(nil, uint32(len(s))), s...) }
	function := func(code ...byte) []byte {
		code = append(append([]byte{0}, code...), 0x0B)
		return append(wasm.AppendU32(nil, uint32(len(code))), code...)
	}
	functions := []byte{3, 1, 0, 0}
	bodies := append([]byte{3}, function(0x41, 0x80, 0x08)...) // i32.const 1024
	bodies = append(append(bodies, function(hook...)...), function(start...)...)
	exports := append([]byte{2}, text(abi.MarkerExport)...)
	exports = append(append(append(exports, 0, 0), text("post_status")...), 0, 1)
	out := []byte{0, 'a', 's', 'm', 1, 0, 0, 0}
	out = append(out, section(1, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7F)...)
	out = append(out, section(3, functions...)...)
	out = append(out, section(5, 1, 1, 1, 16)...)
	out = append(out, section(7, exports...)...)
	if start != nil {
		out = append(out, section(8, 2)...)
	}
	out = append(out, section(10, bodies...)...)
	if data != nil {
		out = append(out, section(11, data...)...)
	}
	manifest := `{"name":"test/small","version":"1","abi":"1.0","hooks":["post_status"],"capabilities":[]}`
	return append(out, section(0, append(text(abi.ManifestSection), manifest...)...)...)
}

// TestCheckersAgreeWithTheLoader: what inspect and policy show accept can be
// loaded, what they refuse cannot, and what only running can tell they try when
// they are asked to.
func TestCheckersAgreeWithTheLoader(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name              string
		hook, start, data []byte
		static, dynamic   string // why it is refused, before or after something has run; empty: it is not
	}{
		{name: "good"},
		{name: "body", hook: []byte{0x1A}, static: "does not compile"},
		{name: "tail", hook: []byte{0x12, 1}, static: "tail calls"},
		{name: "data", data: []byte{1, 0, 0x41, 0xFF, 0xFF, 3, 0x0B, 2, 'a', 'b'}, static: "data segment of 2 bytes goes to 0xffff, beyond the memory"},
		{name: "start", start: []byte{0x00}, dynamic: "trapped"},
		{name: "hook", hook: []byte{0x00}, dynamic: "refused: rehearsal of post-status"},
		// i32.const 0, i32.load of the frame beyond the memory
		{name: "reads", hook: []byte{0x41, 0x7F, 0x28, 2, 0, 0x1A}, dynamic: "refused: rehearsal of post-status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(dir, c.name+".wasm")
			policy := filepath.Join(dir, c.name+".yaml")
			require.NoError(t, os.WriteFile(file, small(c.hook, c.start, c.data), 0o600))
			require.NoError(t, os.WriteFile(policy, []byte("name: "+c.name+"\ndurability: primary\nslots: {post-status: [{module: ./"+c.name+".wasm}]}\n"), 0o600))
			want := func(o outcome, code int, text string) {
				t.Helper()
				assert.Equal(t, code, o.code, o.err)
				assert.Contains(t, o.err+o.out, text)
			}
			play := []string{"--generate", "--gen-count", "20", "-q"}
			switch {
			case c.static != "":
				want(iosrun(t, nil, "plugin", "inspect", file), 1, c.static)
				want(iosrun(t, nil, "plugin", "inspect", file, "--rehearse"), 1, c.static)
				want(iosrun(t, nil, "policy", "show", policy), 1, c.static)
			case c.dynamic != "":
				want(iosrun(t, nil, "plugin", "inspect", file), 0, "accepted; not tried: its start and its answers")
				want(iosrun(t, nil, "policy", "show", policy), 0, "accepted; not tried: the start of its modules")
				want(iosrun(t, nil, "plugin", "inspect", file, "--rehearse"), 1, c.dynamic)
				want(iosrun(t, nil, "policy", "show", policy, "--rehearse"), 1, c.dynamic)
			default:
				want(iosrun(t, nil, "plugin", "inspect", file, "--rehearse"), 0, "accepted and rehearsed")
				want(iosrun(t, nil, "policy", "show", policy, "--rehearse"), 0, "accepted and rehearsed")
				want(iosrun(t, nil, append([]string{"run", policy}, play...)...), 0, "ok")
				want(iosrun(t, nil, append([]string{"run", "none", "--swap", "1ms=" + policy}, play...)...), 0, "swapped to good")
			}
			why := c.static + c.dynamic
			if why == "" {
				return
			}
			want(iosrun(t, nil, append([]string{"run", policy}, play...)...), 2, why)
			// As the target of a swap: it is not the policy that it was to replace.
			o := iosrun(t, nil, append([]string{"run", "none", "--swap", "1ms=" + policy}, play...)...)
			want(o, 2, why)
			assert.Contains(t, o.err, "iosrun: --swap: swap at 1ms: policy "+c.name+": post-status: module ")
			assert.NotContains(t, o.err, "none")
			assert.Empty(t, o.out, "nothing was played")
		})
	}
	var i inspection
	o := iosrun(t, nil, "plugin", "inspect", filepath.Join(dir, "hook.wasm"), "--json")
	require.NoError(t, json.Unmarshal([]byte(o.out), &i))
	assert.True(t, i.Accepted)
	assert.False(t, i.Rehearsed)
	o = iosrun(t, nil, "plugin", "inspect", filepath.Join(dir, "hook.wasm"), "--json", "--rehearse")
	require.NoError(t, json.Unmarshal([]byte(o.out), &i))
	assert.False(t, i.Accepted)
	assert.Equal(t, "error", i.Findings[len(i.Findings)-1].Severity)
	assert.True(t, strings.HasPrefix(i.Findings[len(i.Findings)-1].Text, "rehearsal of post-status on a device"), i.Findings)
}

// TestPolicyShowFindsWhatARunFinds: a wrong slot, setting or grant.
func TestPolicyShowFindsWhatARunFinds(t *testing.T) {
	dir := t.TempDir()
	for detour, want := range map[string]string{
		"front-end: [{module: backend/standard, grants: [mirror]}]":                "has no hook front_end",
		"front-end: [{module: frontend/passthrough, settings: {speed: 3}}]":        `setting "speed" is unknown`,
		"front-end: [{module: frontend/standard, grants: [mirror]}]":               "which is not granted",
		"front-end: [{module: frontend/standrd}]":                                  `did you mean "frontend/standard"?`,
		"front-end: [{module: ./none.wasm}]":                                       "none.wasm",
		"post-status: [{module: poststatus/audit, settings: {a: 1.5}}]":            "want a whole number or a name",
		"front-end: [{module: frontend/readselect, settings: {selector: fastst}}]": "want",
	} {
		path := filepath.Join(dir, "p.yaml")
		require.NoError(t, os.WriteFile(path, []byte("name: p\ndurability: primary\nslots: {"+detour+"}\n"), 0o600))
		o := iosrun(t, nil, "policy", "show", path)
		assert.Equal(t, 1, o.code, o.err)
		assert.Contains(t, o.err, want)
		o = iosrun(t, nil, "run", path, "-q")
		assert.Equal(t, 2, o.code, o.err)
		assert.Contains(t, o.err, want)
	}
	for _, name := range []string{"sync", "none", "audit"} {
		o := iosrun(t, nil, "policy", "show", name, "--rehearse")
		assert.Equal(t, 0, o.code, o.err)
		assert.Empty(t, o.err)
	}
}

func TestWhatCannotBeTriedIsExitCode2(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.Mkdir(empty, 0o700))
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	broken := filepath.Join(dir, "broken")
	require.NoError(t, os.Mkdir(broken, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(broken, "manifest.json"), []byte("{"), 0o600))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"plugin", "build", filepath.Join(dir, "nosuch")}, "nosuch: no such file or directory"},
		{[]string{"plugin", "build", filepath.Join(dir, "nosuch"), "-o", filepath.Join(dir, "x.wasm")}, "nosuch: no such file or directory"},
		{[]string{"plugin", "build", empty}, "no manifest.json"},
		{[]string{"plugin", "build", broken}, "manifest"},
		{[]string{"plugin", "build", file}, "is not a folder"},
		{[]string{"run", "--limit", "-5"}, "workload.limit is -5"},
		{[]string{"run", "--skip-bad", "-5"}, "workload.skip-bad is -5"},
	} {
		o := iosrun(t, nil, c.args...)
		assert.Equal(t, 2, o.code, "%v: %s", c.args, o.err)
		assert.Contains(t, o.err, c.want)
		assert.Equal(t, 1, strings.Count(o.err, "iosrun: "), o.err)
		assert.LessOrEqual(t, strings.Count(o.err, "build "), 1, o.err)
	}
}
