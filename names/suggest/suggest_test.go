package suggest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/iosrun/iosrun/names/suggest"
)

func TestNearest(t *testing.T) {
	names := []string{"none", "sync", "constant-copy", "read-select"}
	for word, want := range map[string]string{
		"sycn": "sync", "snyc": "sync", "synk": "sync", "syn": "sync", "syncs": "sync", "SYNC": "sync", "constantcopy": "constant-copy", "constnat-copy": "constant-copy",
		"read_selct": "read-select", "": "", "x": "", "best": "", "nine": "none", strings.Repeat("sync", 40): "",
	} {
		assert.Equal(t, want, suggest.Nearest(word, names), word)
	}
	assert.Equal(t, "speed", suggest.Nearest("sped", []string{"seed", "speed", "spar"}))
	assert.Equal(t, "run", suggest.Nearest("rnu", []string{"all", "run"}))
	assert.Empty(t, suggest.Nearest("urn", []string{"nur"}))
	assert.Equal(t, `; did you mean "sync"?`, suggest.DidYouMean("sinc", names))
	assert.Empty(t, suggest.DidYouMean("fly", names))
	assert.Empty(t, suggest.DidYouMean("fly", nil))
}
