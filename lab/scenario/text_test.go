package scenario_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/lab/scenario"
)

// TestTextIsTheScenario: the text of each of the project's scenarios is that scenario
// again, down to the bytes of its channel programs.
func TestTextIsTheScenario(t *testing.T) {
	for _, name := range scenario.Names() {
		s, err := scenario.Load(name)
		require.NoError(t, err)
		text, err := s.Text()
		require.NoError(t, err)
		again, err := scenario.Parse(text, s.Source)
		require.NoError(t, err, "%s", text)
		assert.Equal(t, s, again, "%s", text)
	}
}
