package plugins_test

import (
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/plugins/frontend/readselect"
	postengine "github.com/iosrun/iosrun/plugins/poststatus/engine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestManifests(t *testing.T) {
	for i := range detours {
		d := &detours[i]
		t.Run(d.name, func(t *testing.T) {
			m := d.manifest(t)
			assert.Equal(t, d.name, m.Name)
			assert.Equal(t, []string{d.hook.Export()}, m.Hooks)
			assert.NotEmpty(t, m.Summary)
			require.Len(t, m.Settings, len(d.settings))
			for i, name := range d.settings {
				assert.Equal(t, name, m.Settings[i].Name, "setting %d", i)
				assert.NotEmpty(t, m.Settings[i].Summary, "setting %d", i)
			}
			require.Len(t, m.Records, len(d.records))
			for i, name := range d.records {
				assert.Equal(t, name, m.Records[i].Name, "record %d", i)
				assert.NotEmpty(t, m.Records[i].Summary, "record %d", i)
			}
		})
	}
}

func TestSettingNames(t *testing.T) {
	names := func(d *detour, setting int) []string { return d.manifest(t).Settings[setting].Names }
	assert.Equal(t, inOrder(int(readselect.Selectors),
		named{int(readselect.LowestLatency), "lowest-latency"}, named{int(readselect.LeastPending), "least-pending"},
		named{int(readselect.RoundRobin), "round-robin"}, named{int(readselect.Stripe), "stripe"},
		named{int(readselect.Sequential), "sequential"}, named{int(readselect.PreferPrimary), "prefer-primary"},
	), names(&detours[2], readselect.SelectorSetting))
	assert.Equal(t, inOrder(3,
		named{int(abi.ScopeMirror), "mirror"}, named{int(abi.ScopePair), "pair"}, named{int(abi.ScopeGroup), "group"},
	), names(&detours[5], postengine.OnMirrorFailure))
}
