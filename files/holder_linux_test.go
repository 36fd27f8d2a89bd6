package files

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParseLock(t *testing.T) {
	for line, want := range map[string]struct {
		h      Holder
		device string
		inode  uint64
		ok     bool
	}{
		"1: FLOCK  ADVISORY  WRITE 708 08:02:3145 0 EOF":            {Holder{Process: 708, Changes: true}, "08:02", 3145, true},
		"12: FLOCK  ADVISORY  READ 1 fe:00:999999 0 EOF":            {Holder{Process: 1}, "fe:00", 999999, true},
		"12: -> FLOCK  ADVISORY  READ 1 fe:00:999999 0 EOF":         {},
		"2: POSIX  ADVISORY  WRITE 708 08:02:3145 0 EOF":            {},
		"3: OFDLCK ADVISORY  WRITE -1 08:02:3145 0 EOF":             {},
		"4: FLOCK  ADVISORY  WRITE 0 08:02:3145 0 EOF":              {}, // of a process that is not shown here
		"4: FLOCK  ADVISORY  WRITE x 08:02:3145 0 EOF":              {},
		"4: FLOCK  ADVISORY  WRITE 7 080231450 0 EOF":               {},
		"4: FLOCK  ADVISORY  WRITE 7 08:02:999999999999999999999 0": {},
		"5: FLOCK": {}, "": {},
	} {
		h, device, inode, ok := parseLock(line)
		assert.Equal(t, want.ok, ok, line)
		if ok {
			assert.Equal(t, want.h, h, line)
			assert.Equal(t, want.device, device, line)
			assert.Equal(t, want.inode, inode, line)
		}
	}
	assert.Equal(t, "a?b", clean("a\x1bb"), "a name reaches a terminal")
}
