package plugins_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/abi"
	backend "github.com/iosrun/iosrun/plugins/backend/standard"
	"github.com/iosrun/iosrun/plugins/frontend/adaptive"
	frontaudit "github.com/iosrun/iosrun/plugins/frontend/audit"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	frontcopy "github.com/iosrun/iosrun/plugins/frontend/constantcopy"
	"github.com/iosrun/iosrun/plugins/frontend/passthrough"
	"github.com/iosrun/iosrun/plugins/frontend/readselect"
	"github.com/iosrun/iosrun/plugins/frontend/standard"
	postaudit "github.com/iosrun/iosrun/plugins/poststatus/audit"
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
	records  []string // by the numbers that the code uses
}

func alone(call func(*abi.Frame)) func(*abi.Frame, *chain.Rest) {
	return func(f *abi.Frame, _ *chain.Rest) { call(f) }
}

var detours = [...]detour{
	{name: "frontend/standard", hook: abi.FrontEnd, call: standard.FrontEndLong,
		settings: inOrder(standard.Settings, named{standard.Interloper, "interloper"}, named{standard.Interrupting, "interrupting-writes"})},
	{name: "frontend/constantcopy", hook: abi.FrontEnd, call: frontcopy.FrontEndLong,
		settings: inOrder(frontcopy.Settings, named{frontcopy.Interloper, "interloper"})},
	{name: "frontend/readselect", hook: abi.FrontEnd, call: readselect.FrontEndLong,
		settings: inOrder(readselect.Settings, named{readselect.SelectorSetting, "selector"}, named{readselect.StripeTracks, "stripe-tracks"},
			named{readselect.Congestion, "congestion"}, named{readselect.Interloper, "interloper"})},
	{name: "frontend/passthrough", hook: abi.FrontEnd, call: alone(passthrough.FrontEnd)},
	{name: "backend/standard", hook: abi.BackEnd, call: alone(backend.BackEnd)},
	{name: "poststatus/standard", hook: abi.PostStatus, call: alone(poststatus.PostStatus), settings: postSettings},
	{name: "poststatus/constantcopy", hook: abi.PostStatus, call: alone(postcopy.PostStatus), settings: postSettings[:postengine.CompleteAfter]},
	{name: "frontend/adaptive", hook: abi.FrontEnd, call: adaptive.FrontEndLong,
		settings: inOrder(adaptive.Settings, named{adaptive.Lag, "lag"}, named{adaptive.CaughtUp, "caught-up"}, named{adaptive.Interloper, "interloper"})},
	{name: "frontend/audit", hook: abi.FrontEnd, call: frontaudit.FrontEndLong,
		records: inOrder(frontaudit.Records, named{frontaudit.WritesPlain, "writes-plain"}, named{frontaudit.WritesSpecial, "writes-special"},
			named{frontaudit.ReadsPlain, "reads-plain"}, named{frontaudit.ReadsSpecial, "reads-special"},
			named{frontaudit.ReadsWritesPlain, "reads-writes-plain"}, named{frontaudit.ReadsWritesSpecial, "reads-writes-special"},
			named{frontaudit.Neither, "neither"}, named{frontaudit.Unseen, "unseen"}, named{frontaudit.MirrorReadable, "mirror-readable"},
			named{frontaudit.Interlopers, "interlopers"}, named{frontaudit.DrivenAgain, "driven-again"})},
	{name: "poststatus/audit", hook: abi.PostStatus, call: alone(postaudit.PostStatus),
		records: inOrder(postaudit.Records, named{postaudit.EndedWell, "ended-well"}, named{postaudit.NoPath, "no-path"},
			named{postaudit.Missing, "missing-interruption"}, named{postaudit.UnitChecks, "unit-check"},
			named{postaudit.ChannelError, "channel-error"}, named{postaudit.Otherwise, "other-error"},
			named{postaudit.Equipment, "equipment"}, named{postaudit.Program, "program"}, named{postaudit.Recovered, "recovered"})},
}

var postSettings = inOrder(postengine.Settings, named{postengine.OnMirrorFailure, "on-mirror-failure"},
	named{postengine.OnPrimaryFailure, "on-primary-failure"}, named{postengine.OnChainError, "on-chain-error"},
	named{postengine.ChainRetries, "chain-retries"}, named{postengine.CompleteAfter, "complete-after"}, named{postengine.OnTimeOut, "on-time-out"})

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
