package shelf_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/names/shelf"
)

var errUnknown = errors.New("unknown song")

func TestShelf(t *testing.T) {
	s := shelf.Shelf{
		FS:  fstest.MapFS{"songs/b.yaml": {Data: []byte("second")}, "songs/a.yaml": {Data: []byte("first")}, "other/c.yaml": {}},
		Dir: "songs", Kind: "song", Unknown: errUnknown, MaxFile: 4,
	}
	assert.Equal(t, []string{"a", "b"}, s.Names())
	text, source, err := s.Read("a")
	require.NoError(t, err)
	assert.Equal(t, "first", string(text))
	assert.Equal(t, shelf.BuiltIn, source)

	file := filepath.Join(t.TempDir(), "own.yml")
	require.NoError(t, os.WriteFile(file, []byte("four"), 0o600))
	text, source, err = s.Read(file)
	require.NoError(t, err)
	assert.Equal(t, "four", string(text))
	assert.Equal(t, file, source)
	require.NoError(t, os.WriteFile(file, []byte("five!"), 0o600))
	_, _, err = s.Read(file)
	assert.EqualError(t, err, "song "+file+": has 5 bytes: want a file or a pipe of at most 4 bytes")

	_, _, err = s.Read("c")
	require.ErrorIs(t, err, errUnknown)
	assert.EqualError(t, err, `song "c": unknown song: want one of a, b, or a .yaml file`)
	_, _, err = s.Read("./absent.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "song ./absent.yaml: ")
	_, _, err = s.Read(t.TempDir() + "/")
	assert.ErrorContains(t, err, "song ")
}
