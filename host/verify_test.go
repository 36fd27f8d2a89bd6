package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/host"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const manifestHead = `{"name":"test/guest","version":"1","abi":"1.0",`

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name    string
		guest   guest
		granted abi.Capability
		want    string // part of an error finding; empty: none
		warns   string
	}{
		{name: "valid"},
		{name: "every hook", guest: guest{hooks: []string{"front_end", "back_end", "post_status"}}},
		{name: "granted more than wanted", granted: abi.CapabilitiesKnown},
		{name: "import of the stub", guest: guest{imports: [][2]string{{"wasi_snapshot_preview1", "fd_write"}}, types: []string{"iiii:i"}}},
		{name: "import of chain_read", guest: guest{imports: [][2]string{{"iosrun", "chain_read"}}, wants: []string{"chain"}}, granted: abi.CapChain},

		{name: "missing marker", guest: guest{marker: "-"}, want: "does not export iosrun_abi_1, the marker of ABI major version 1 (byte 0x0)"},
		{name: "other major", guest: guest{marker: "iosrun_abi_2"}, want: "marker of ABI major version 1: it is of major version 2"},
		{name: "marker signature", guest: guest{markerType: 1}, want: "export iosrun_abi_1 has the signature () -> (): want () -> (i32)"},
		{name: "hook signature", guest: guest{hookType: 1}, want: "export front_end has the signature () -> (i32): want () -> ()"},
		{name: "hook of the manifest not exported", guest: guest{manifest: manifestHead + `"hooks":["back_end"]}`},
			want: "manifest names the hook back_end, which is not exported", warns: "exports front_end, which its manifest does not name"},
		{name: "no manifest", guest: guest{manifest: "-"}, want: `no custom section "iosrun.manifest"`},
		{name: "manifest not JSON", guest: guest{manifest: "name: x"}, want: "manifest: not a JSON object"},
		{name: "manifest of another ABI", guest: guest{manifest: `{"name":"a","version":"1","abi":"2.0","hooks":["front_end"]}`}, want: `abi "2.0": major version 2, this host speaks 1`},
		{name: "wants what is not granted", guest: guest{wants: []string{"mirror", "route"}}, granted: abi.CapMirror, want: "wants route, which is not granted: granted is mirror"},
		{name: "foreign import", guest: guest{imports: [][2]string{{"env", "foo"}}}, want: "import env.foo is not offered"},
		{name: "import not granted", guest: guest{imports: [][2]string{{"iosrun", "chain_read"}}}, want: "import iosrun.chain_read needs the capability chain"},
		{name: "import signature", guest: guest{imports: [][2]string{{"wasi_snapshot_preview1", "fd_write"}}}, want: "import wasi_snapshot_preview1.fd_write has the signature (i32, i32, i32) -> (i32): want (i32, i32, i32, i32) -> (i32)"},
		{name: "no maximum", guest: guest{maxPages: -1}, want: "memory has no maximum: declare one of at most 1024 pages"},
		{name: "large maximum", guest: guest{maxPages: 1025}, want: "memory of up to 1025 pages of 64 KiB: at most 1024"},
		{name: "no memory", guest: guest{memories: -1}, want: "has 0 memories of its own: want 1"},
		{name: "two memories", guest: guest{memories: 2}, want: "has 2 memories of its own: want 1"},
		{name: "table without maximum", guest: guest{table: []byte{1, 0x70, 0, 1}}, want: "table has no maximum"},
		{name: "table", guest: guest{table: []byte{1, 0x70, 1, 1, 1}}},
		{name: "large table", guest: guest{table: []byte{1, 0x70, 1, 1, 0x81, 0x80, 0xC0, 0x00}}, want: "table of up to 1048577 elements: at most 1048576"},
		{name: "section of a later version", guest: guest{sections: []section{{"iosrun.maps", nil}}}, want: `custom section "iosrun.maps" is unknown to ABI 1.1`},
		{name: "two manifests", guest: guest{sections: []section{{abi.ManifestSection, []byte("{}")}}}, want: "custom section iosrun.manifest is there twice"},
		{name: "other sections", guest: guest{sections: []section{{"producers", []byte("x")}}}},
		{name: "unknown capability", guest: guest{wants: []string{"fly"}}, want: `capability "fly" is unknown`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := inspect(t, c.guest.encode())
			report := host.Verify(m, c.granted)
			if c.warns != "" {
				assert.Contains(t, report.String(), "warning")
				assert.Contains(t, report.String(), c.warns)
			}
			err := report.Err()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, host.ErrRefused)
			assert.Contains(t, err.Error(), c.want)
			assert.Contains(t, report.String(), "error")
			assert.Equal(t, len(report.Findings), strings.Count(report.String(), "\n"))

			_, err = newRuntime(t).Load(context.Background(), m)
			if host.Verify(m, abi.CapabilitiesKnown).Err() != nil {
				require.ErrorIs(t, err, host.ErrRefused)
			}
		})
	}
}

// TestFindingsSayWhere follows an offset of a report back into the module.
func TestFindingsSayWhere(t *testing.T) {
	code := guest{imports: [][2]string{{"env", "foo"}}}.encode()
	for _, f := range host.Verify(inspect(t, code), 0).Findings {
		if f.Severity == host.Error {
			assert.Equal(t, "\x03env\x03foo", string(code[f.Offset:][:8]))
			return
		}
	}
	t.Fatal("no finding")
}

func TestInspect(t *testing.T) {
	m := inspect(t, guest{wants: []string{"flag"}}.encode())
	assert.Equal(t, "test/guest", m.Name())
	assert.Equal(t, []string{"flag"}, m.Manifest.Capabilities)
	assert.Len(t, m.Hash(), 64)
	assert.Equal(t, len(m.Bytes()), m.Size)
	assert.Equal(t, "{", string(m.Bytes()[m.ManifestOffset]))

	_, err := host.Inspect([]byte("#!/bin/sh\n"))
	assert.ErrorContains(t, err, "not a WebAssembly module")
	_, err = host.Inspect(nil)
	assert.ErrorContains(t, err, "not a WebAssembly module")
	path := filepath.Join(t.TempDir(), "detour.wasm")
	_, err = host.Open(path)
	assert.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("plain text"), 0o600))
	_, err = host.Open(path)
	assert.ErrorContains(t, err, path+": wasm module at byte 0x0: does not begin with")
	require.NoError(t, os.WriteFile(path, guest{}.encode(), 0o600))
	opened, err := host.Open(path)
	require.NoError(t, err)
	assert.Equal(t, inspect(t, guest{}.encode()).SHA256, opened.SHA256)
	_, err = host.Open(t.TempDir())
	assert.Error(t, err, "a folder")
	assert.Contains(t, inspect(t, guest{manifest: "-"}.encode()).Name(), "module ")
}

func TestSettings(t *testing.T) {
	m := inspect(t, guest{}.encode()).Manifest
	for _, c := range []struct {
		given map[string]string
		want  []int64
		err   string
	}{
		{nil, []int64{5, 0}, ""},
		{map[string]string{"speed": "9", "kind": "fast"}, []int64{9, 1}, ""},
		{map[string]string{"speed": "0x3"}, []int64{3, 0}, ""},
		{map[string]string{"speed": "10"}, nil, "test/guest: setting speed: 10: want 1 to 9"},
		{map[string]string{"speed": "quick"}, nil, `test/guest: setting speed: "quick": want a whole number from 1 to 9`},
		{map[string]string{"kind": "1"}, nil, `test/guest: setting kind: "1": want one of slow, fast`},
		{map[string]string{"sped": "1", "tint": "2"}, nil, `test/guest: setting "sped" is unknown: it has speed, kind`},
	} {
		got, err := host.Settings(m, c.given)
		assert.Equal(t, c.want, got)
		if c.err == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, c.err)
		}
	}
	_, err := host.Settings(&abi.Manifest{Name: "x"}, map[string]string{"a": "1"})
	assert.ErrorContains(t, err, "it has none")
}

// FuzzInspect looks for bytes on which Inspect or Verify panics, and for a
// module that both accept and the compiler does not see as they do.
func FuzzInspect(f *testing.F) {
	f.Add([]byte{0, 'a', 's', 'm', 1, 0, 0, 0})
	f.Add(guest{}.encode())
	f.Add(guest{imports: [][2]string{{"iosrun", "chain_read"}}, table: []byte{1, 0x70, 1, 1, 1}, start: []byte{}, initialize: []byte{}}.encode())
	f.Add(guest{memories: 2, maxPages: -1, sections: []section{{"name", []byte{0}}}}.encode())
	r := newRuntime(f)
	f.Fuzz(func(t *testing.T, code []byte) {
		m, err := host.Inspect(code)
		if err != nil {
			return
		}
		if err := host.Verify(m, abi.CapabilitiesKnown).Err(); err != nil && !errors.Is(err, host.ErrRefused) {
			t.Fatal(err)
		}
		if _, err := r.Load(context.Background(), m); err != nil && !errors.Is(err, host.ErrRefused) {
			t.Fatal(err)
		}
	})
}
