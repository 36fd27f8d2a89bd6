package files

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("text"), 0o600))
	open := func(flag int) *os.File {
		f, err := os.OpenFile(path, flag, 0)
		require.NoError(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	for _, c := range []struct {
		first, second LockKind
		held          bool
	}{{Shared, Shared, false}, {Shared, Exclusive, true}, {Exclusive, Shared, true}, {Exclusive, Exclusive, true}} {
		a, b := open(os.O_RDWR), open(os.O_RDONLY)
		require.NoError(t, Lock(a, c.first))
		err := Lock(b, c.second)
		if !c.held {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, ErrLocked)
			var l *LockedError
			require.ErrorAs(t, err, &l)
			if runtime.GOOS == "linux" {
				require.Len(t, l.Holders, 1)
				assert.Equal(t, os.Getpid(), l.Holders[0].Process)
				assert.NotEmpty(t, l.Holders[0].Program)
				assert.Equal(t, c.first == Exclusive, l.Holders[0].Changes)
			}
			// Locks hold up nobody who does not ask for them.
			p := make([]byte, 4)
			_, err := b.ReadAt(p, 0)
			require.NoError(t, err)
			require.Equal(t, "text", string(p))
		}
		if c.first == Shared {
			Unlock(a)
		} else {
			a.Close() // unlocks too
		}
		Unlock(b)
		require.NoError(t, Lock(b, Exclusive))
		Unlock(b)
	}
}

func TestLockedErrorText(t *testing.T) {
	e := &LockedError{Path: "a.dsk"}
	assert.EqualError(t, e, "a.dsk: is locked by another program: want it to end first")
	e.Holders = []Holder{{Process: 1, Program: "one"}, {Process: 2}}
	assert.EqualError(t, e, "a.dsk: is being read by one (process 1) and process 2: want that to end first")
	e.Holders = []Holder{{Process: 1, Program: "one", Changes: true}}
	assert.EqualError(t, e, "a.dsk: is being changed by one (process 1): want that to end first")
	e.Holders = []Holder{{Process: os.Getpid(), Program: "this"}}
	assert.EqualError(t, e, "a.dsk: is being read by this program itself: want that to end first")
	e.Holders = nil
	for n := range 5 {
		e.Holders = append(e.Holders, Holder{Process: 1000000 + n})
	}
	assert.Contains(t, fmt.Sprint(e), "process 1000000, process 1000001, process 1000002 and 2 more")
}
