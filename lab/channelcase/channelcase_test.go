package channelcase

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parseFile(t *testing.T, path string) *File {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := Parse(bytes.NewReader(text))
	require.NoError(t, err)
	return f
}

// checkAll runs every case of a file and holds it against what it expects.
func checkAll(t *testing.T, f *File) int {
	n := 0
	require.NoError(t, f.Run(context.Background(), Options{}, func(r Result) error {
		n++
		for _, d := range r.Case.Check(&r.Outcome) {
			assert.Fail(t, "differs", "%s: %v", r.Case.ID, d)
		}
		return nil
	}))
	return n
}

// The cases of testdata/channel.json are what two levels of another emulator
// agree on.
func TestChannelCases(t *testing.T) {
	assert.Equal(t, 61, checkAll(t, parseFile(t, "testdata/channel.json")))
}
