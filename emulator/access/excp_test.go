package access_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/access"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// newVolume makes a machine with a 3390 volume of 4 KiB records.
func newVolume(t *testing.T) (*machine.Machine, *ios.Supervisor, *ios.UCB) {
	t.Helper()
	m, err := machine.New(1)
	require.NoError(t, err)
	s := ios.New(m, channel.New(m))
	g, err := media.Lookup("3390-1")
	require.NoError(t, err)
	sub, err := dasd.NewSubsystem(m, "TEST", dasd.Config{CFWID: 1, CacheTracks: 64})
	require.NoError(t, err)
	ckd, err := media.NewMemoryCKD(g, 12, 4096)
	require.NoError(t, err)
	d, err := sub.NewECKD(0x1000, ckd)
	require.NoError(t, err)
	l, err := dasd.NewLink(m, dasd.LinkConfig{})
	require.NoError(t, err)
	u, err := s.AddUnit(0x1000, d.NewSession(l), nil)
	require.NoError(t, err)
	return m, s, u
}

var (
	defineWrite = []byte{0x80, 0xC0, 0x10, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0}
	locateWrite = []byte{0x01, 0x80, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0xFF, 0x10, 0}
	locateRead  = []byte{0x06, 0x80, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0xFF, 0x10, 0}
)

const chained = arch.FlagCC

func TestProgramRunsAsItIs(t *testing.T) {
	m, s, u := newVolume(t)
	e := access.NewExcp(s)
	data := make([]byte, 4096)
	for i := range data {
		data[i] = byte(i)
	}
	p, err := e.Build([]access.CCW{
		{Command: 0x63, Flags: chained, Data: defineWrite},
		{Command: 0x47, Flags: chained, Data: locateWrite},
		{Command: 0x85, Flags: chained, Data: data},
		{Command: 0x47, Flags: chained, Data: locateRead},
		{Command: 0x86, Count: 4096},
	})
	require.NoError(t, err)
	var identity uint64
	p.Identified = func(io uint64) { identity = io }
	for range 2 { // it can be run again
		ended := 0
		require.NoError(t, p.Start(u, func(q *access.Program) {
			ended++
			assert.Same(t, p, q)
		}))
		require.ErrorContains(t, p.Start(u, nil), "running already")
		m.Clock.RunUntil(m.Clock.Now() + machine.Second)
		assert.Equal(t, 1, ended)
		assert.EqualValues(t, arch.CompletionNormal, p.Code)
		assert.True(t, p.IRB.OK())
		assert.Positive(t, p.EndedAt)
		assert.Equal(t, data, p.Data(4))
		clear(p.Data(4))
	}
	assert.EqualValues(t, 2, identity)
}

func TestProgramSharesAreas(t *testing.T) {
	m, s, u := newVolume(t)
	p, err := access.NewExcp(s).Build([]access.CCW{
		{Command: 0x03, Flags: chained | arch.FlagSLI, Count: 1},
		{Command: arch.CommandTransfer, At: &access.Spot{CCW: 3}},
		{Command: 0xFF},
		{Command: 0xE4, Flags: arch.FlagSLI, Count: 2, At: &access.Spot{CCW: 4, Data: true, Offset: 3}},
		{Command: 0x03, Data: []byte{1, 2, 3, 4, 5, 6, 7}},
	})
	require.NoError(t, err)
	require.NoError(t, p.Start(u, nil))
	m.Clock.RunUntil(m.Clock.Now() + machine.Second)
	assert.EqualValues(t, arch.CompletionNormal, p.Code)
	assert.Equal(t, []byte{1, 2, 3, 0xFF, 0x21, 6, 7}, p.Data(4), "sense id of a 2107")
}

func TestProgramSuspendsAndIsResumed(t *testing.T) {
	m, s, u := newVolume(t)
	p, err := access.NewExcp(s).Build([]access.CCW{
		{Command: 0x03, Flags: chained | arch.FlagSLI, Count: 1},
		{Command: 0x03, Flags: arch.FlagS | arch.FlagSLI, Count: 1},
	})
	require.NoError(t, err)
	require.NoError(t, p.Start(u, nil))
	m.Clock.RunUntil(m.Clock.Now() + machine.Second)
	assert.Zero(t, p.Code, "it is suspended")
	p.Resume()
	m.Clock.RunUntil(m.Clock.Now() + machine.Second)
	assert.EqualValues(t, arch.CompletionNormal, p.Code)
}

func TestProgramThatCannotBeBuilt(t *testing.T) {
	_, s, _ := newVolume(t)
	e := access.NewExcp(s)
	for name, c := range map[string]struct {
		ccws []access.CCW
		want string
	}{
		"none":          {nil, "want 1 to"},
		"too many":      {make([]access.CCW, access.MaxProgram+1), "want 1 to"},
		"count":         {[]access.CCW{{Count: 1 << 16}}, "want 0 to 65535"},
		"too much data": {[]access.CCW{{Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}, {Count: 65535}}, "at most"},
		"two areas":     {[]access.CCW{{Data: []byte{1}, At: &access.Spot{}}}, "both data"},
		"no such CCW":   {[]access.CCW{{At: &access.Spot{CCW: 1}}}, "there are 1 CCWs"},
		"beyond":        {[]access.CCW{{Count: 60000, At: &access.Spot{Offset: 60000}}}, "ends beyond"},
	} {
		_, err := e.Build(c.ccws)
		assert.ErrorContains(t, err, c.want, name)
	}
}

// A data area behind a list of indirect data addresses is read and written like any
// other, wherever in storage it lies.
func TestIndirectDataAddresses(t *testing.T) {
	m, s, u := newVolume(t)
	e := access.NewExcp(s)
	data := make([]byte, 4096)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for _, before := range []int{1, 1000, 2048, 3000} { // bytes that push the area on
		p, err := e.Build([]access.CCW{
			{Command: 0x63, Flags: chained, Data: defineWrite},
			{Command: 0x03, Flags: chained | arch.FlagSLI, Data: make([]byte, before)},
			{Command: 0x47, Flags: chained, Data: locateWrite},
			{Command: 0x85, Flags: chained | arch.FlagIDA, Data: data},
			{Command: 0x47, Flags: chained, Data: locateRead},
			{Command: 0x86, Flags: arch.FlagIDA, Count: 4096},
		})
		require.NoError(t, err)
		require.NoError(t, p.Start(u, nil))
		m.Clock.RunUntil(m.Clock.Now() + machine.Second)
		assert.EqualValues(t, arch.CompletionNormal, p.Code)
		assert.Equal(t, data, p.Data(5))
		data[0]++
	}
}
