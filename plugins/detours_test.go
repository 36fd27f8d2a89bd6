package plugins_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi"
	backend "github.com/iosrun/iosrun/plugins/backend/standard"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	frontcopy "github.com/iosrun/iosrun/plugins/frontend/constantcopy"
	"github.com/iosrun/iosrun/plugins/frontend/passthrough"
	"github.com/iosrun/iosrun/plugins/frontend/readselect"
	"github.com/iosrun/iosrun/plugins/frontend/standard"
	postcopy "github.com/iosrun/iosrun/plugins/poststatus/constantcopy"
	postengine "github.com/iosrun/iosrun/plugins/poststatus/engine"
	poststatus "github.com/iosrun/iosrun/plugins/poststatus/standard"
	"github.com/stretchr/testify/require"
)

// detour is one of the detours, its logic linked natively and the folder of its
// module.
type detour struct {
	name     string
	hook     abi.Hook
	call     func(*abi.Frame, *chain.Rest)
	settings []string // by the indices that the code uses
}

func alone(call func(*abi.Frame)) func(*abi.Frame, *chain.Rest) {
	return func(f *abi.Frame, _ *chain.Rest) { call(f) }
}

var detours = [...]detour{
	{"frontend/standard", abi.FrontEnd, standard.FrontEndLong,
		inOrder(standard.Settings, named{standard.Interloper, "interloper"})},
	{"frontend/constantcopy", abi.FrontEnd, frontcopy.FrontEndLong,
		inOrder(frontcopy.Settings, named{frontcopy.Interloper, "interloper"})},
	{"frontend/readselect", abi.FrontEnd, readselect.FrontEndLong,
		inOrder(readselect.Settings, named{readselect.SelectorSetting, "selector"}, named{readselect.StripeTracks, "stripe-tracks"},
			named{readselect.Congestion, "congestion"}, named{readselect.Interloper, "interloper"})},
	{"frontend/passthrough", abi.FrontEnd, alone(passthrough.FrontEnd), nil},
	{"backend/standard", abi.BackEnd, alone(backend.BackEnd), nil},
	{"poststatus/standard", abi.PostStatus, alone(poststatus.PostStatus), postSettings},
	{"poststatus/constantcopy", abi.PostStatus, alone(postcopy.PostStatus), postSettings},
}

var postSettings = inOrder(postengine.Settings, named{postengine.OnMirrorFailure, "on-mirror-failure"},
	named{postengine.OnPrimaryFailure, "on-primary-failure"}, named{postengine.OnChainError, "on-chain-error"},
	named{postengine.ChainRetries, "chain-retries"})

type named struct {
	index int
	name  string
}

func inOrder(n int, names ...named) []string {
	s := make([]string, n)
	for _, x := range names {
		s[x.index] = x.name
	}
	return s
}

// folder is where the detour's main package and manifest are.
func (d *detour) folder() string { return filepath.Join(filepath.FromSlash(d.name), "wasm") }

func (d *detour) manifest(t testing.TB) *abi.Manifest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.folder(), "manifest.json"))
	require.NoError(t, err)
	m, err := abi.ParseManifest(text)
	require.NoError(t, err)
	return m
}

// readsLongChains reports whether the module imports the host's function for it.
func (d *detour) readsLongChains(t testing.TB) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.folder(), "main.go"))
	require.NoError(t, err)
	return strings.Contains(string(text), `"github.com/iosrun/iosrun/abi/guest/chain"`)
}
