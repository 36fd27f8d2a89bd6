package host

import (
	"github.com/hashicorp/go-hclog"

	"github.com/iosrun/iosrun/abi"
)

const (
	// MaxLogLine is the largest size in bytes of a line that a detour can log; the
	// rest of a longer line is dropped.
	MaxLogLine = 1024
	// MaxLogLines is the largest number of lines that an instance can log on each of
	// its two standard files until it is renewed. One more line then says that the
	// rest is dropped.
	MaxLogLines = 1000
	// maxSaid is the largest size in bytes of a line that a trap's error quotes.
	maxSaid = 200
)

// console takes what a detour writes to a standard file and logs it line by
// line.
type console struct {
	log   hclog.Logger
	level hclog.Level
	line  []byte
	lines int
	// said is the first line since reset, for a trap's error.
	said []byte
}

func (c *console) write(p []byte) {
	for _, b := range p {
		switch {
		case b == '\n':
			c.flush()
		case len(c.line) < MaxLogLine:
			c.line = append(c.line, b)
		}
	}
}

func (c *console) flush() {
	if len(c.line) == 0 {
		return
	}
	if len(c.said) == 0 {
		c.said = append(c.said, c.line[:min(len(c.line), maxSaid)]...)
	}
	switch c.lines++; {
	case c.lines <= MaxLogLines:
		c.log.Log(c.level, abi.Visible(string(c.line)))
	case c.lines == MaxLogLines+1:
		c.log.Warn("further output of the detour is dropped", "lines", MaxLogLines)
	}
	c.line = c.line[:0]
}
