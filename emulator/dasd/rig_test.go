package dasd

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
	"github.com/stretchr/testify/require"
)

// caseRig is a machine with one device, at 0120, on which tests run programs.
type caseRig struct {
	m   *machine.Machine
	css *channel.Subsystem
	sch *channel.Subchannel
	d   *Device
	way channel.Session
	seg *machine.Segment
}

const caseStorage = 4 << 20

func newCaseRig(t *testing.T, suite string) *caseRig {
	m, err := machine.New(1)
	require.NoError(t, err)
	g := &caseRig{m: m}
	g.seg, err = m.Storage.MapBytes(0, caseStorage)
	require.NoError(t, err)
	sub, err := NewSubsystem(m, "cases", Config{})
	require.NoError(t, err)
	if suite == "f" {
		geometry, err := media.ForBlocks(2000)
		require.NoError(t, err)
		medium, err := media.NewMemoryFBA(geometry)
		require.NoError(t, err)
		require.NoError(t, media.InitFBA(medium, media.Label{Serial: "FBA001"}))
		g.d, err = sub.NewFBA(0x120, medium)
		require.NoError(t, err)
	} else {
		geometry, err := media.ForType(0x90, 10, 15, 56832)
		require.NoError(t, err)
		medium, err := media.NewMemoryCKD(geometry, 0, 0)
		require.NoError(t, err)
		require.NoError(t, media.InitCKD(medium, media.Label{Serial: "ORC001", Owner: "    HERCULES"}))
		g.d, err = sub.NewECKD(0x120, medium)
		require.NoError(t, err)
	}
	link, err := NewLink(m, LinkConfig{Type: FICONExpress8})
	require.NoError(t, err)
	g.way = g.d.NewSession(link)
	return g
}

// settle lets events happen until there are none.
func (g *caseRig) settle() {
	for g.m.Clock.Step() {
	}
}

// basicSense runs a sense command as a program of its own.
func (g *caseRig) basicSense(t *testing.T) string {
	const program, area = 0x3F0000, 0x3F0100
	channel.PutCCW1(g.seg.Bytes()[program:], channel.CCW{Command: arch.CommandBasicSense, Flags: arch.FlagSLI, Count: 32, Address: area})
	clear(g.seg.Bytes()[area : area+32])
	require.Zero(t, g.css.StartSubchannel(g.m.Clock.Now(), g.sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: program}))
	g.settle()
	var irb channel.IRB
	require.Zero(t, g.css.TestSubchannel(g.sch, &irb))
	require.True(t, irb.OK(), "%+v", irb.SCSW)
	return hex.EncodeToString(g.seg.Bytes()[area : area+32])
}

// trackRecords is a track as its image has it, in hexadecimal.
type trackRecords struct {
	HA      string
	Records []struct{ Count, Key, Data string }
	Used    int
}

func listTrack(t *testing.T, track *media.Track) trackRecords {
	image := track.AppendImage(nil)
	l := trackRecords{HA: hex.EncodeToString(image[:5]), Used: len(image) - media.CountSize}
	for at := 5; binary.BigEndian.Uint64(image[at:]) != ^uint64(0); {
		c := media.ParseCount(image[at:])
		key := at + media.CountSize
		data := key + int(c.KeyLength)
		l.Records = append(l.Records, struct{ Count, Key, Data string }{
			hex.EncodeToString(image[at:key]), hex.EncodeToString(image[key:data]),
			hex.EncodeToString(image[data : data+int(c.DataLength)]),
		})
		at = data + int(c.DataLength)
	}
	return l
}
