package trace

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/machine"
)

func TestDescribe(t *testing.T) {
	d, err := Describe(mustTrace(t, []byte(eventRows), Options{}))
	require.NoError(t, err)
	assert.Equal(t, Description{
		Requests:      5,
		Reads:         Class{1, 4096, 4096, 4096},
		Writes:        Class{1, 512, 512, 512},
		Flushes:       Class{1, 0, 0, 0},
		Trims:         Class{2, 121811968, 1024, 121810944},
		Span:          machine.Second + machine.Microsecond,
		MaxAddress:    8589873152,
		PeakPerSecond: 2,
	}, d)

	d, err = Describe(mustTrace(t, []byte(eventRows+"x\n"), Options{}))
	assert.Error(t, err)
	assert.EqualValues(t, 5, d.Requests, "what came before the error")
}

func TestOpNames(t *testing.T) {
	assert.Equal(t, "read write flush trim op 9", strings.Join([]string{Read.String(), Write.String(), Flush.String(), Trim.String(), Op(9).String()}, " "))
}
