package dasd

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/dasd/media"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A channelCase is a channel program with what two other emulators presented
// for it; testdata/channel.json has them.
type channelCase struct {
	ID, Suite, Name, CPA string
	Order                int
	Mem                  map[string]string
	ORB1                 string
	Ops                  []string
	Dump                 [][]any
	Tracks               [][2]int
	Ignore               []string
	Expect               struct {
		CC    []string
		IRB   []struct{ SCSW string }
		Sense string
		SCHIB string
		Dump  map[string]string
		// Tracks by "cylinder/head".
		Tracks map[string]trackRecords
	}
}

type trackRecords struct {
	HA      string
	Records []struct{ Count, Key, Data string }
	Used    int
}

// caseRig is a machine with one device, at 0120, on which cases are run.
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

func (g *caseRig) store(t *testing.T, address, text string) {
	a, err := strconv.ParseUint(address, 16, 32)
	require.NoError(t, err)
	p, err := hex.DecodeString(text)
	require.NoError(t, err)
	_, err = g.m.Storage.Store(machine.Address(a), p)
	require.NoError(t, err)
}

func (g *caseRig) load(t *testing.T, address string, n int) string {
	a, err := strconv.ParseUint(address, 16, 32)
	require.NoError(t, err)
	p := make([]byte, n)
	_, err = g.m.Storage.Load(machine.Address(a), p)
	require.NoError(t, err)
	return hex.EncodeToString(p)
}

// basicSense runs a sense command as a program of its own.
func (g *caseRig) basicSense(t *testing.T) string {
	const program, area = 0x3F0000, 0x3F0100
	channel.PutCCW1(g.seg.Bytes()[program:], channel.CCW{Command: basicSense, Flags: channel.FlagSLI, Count: 32, Address: area})
	clear(g.seg.Bytes()[area : area+32])
	require.Zero(t, g.css.StartSubchannel(g.m.Clock.Now(), g.sch, &channel.ORB{Control: channel.ORBDefaultControl, ChannelProgram: program}))
	g.settle()
	var irb channel.IRB
	require.Zero(t, g.css.TestSubchannel(g.sch, &irb))
	require.True(t, irb.OK(), "%+v", irb.SCSW)
	return hex.EncodeToString(g.seg.Bytes()[area : area+32])
}

func (g *caseRig) run(t *testing.T, c *channelCase) {
	// A case begins with a system clear: the subchannel is as new, the arm of the
	// device is where it was.
	g.css = channel.New(g.m)
	g.sch = g.css.Add(0x120, g.way)
	clear(g.seg.Bytes())
	for a := machine.Address(0); g.m.Storage.Keyed() && a < caseStorage; a += machine.KeyBlockSize {
		g.m.Storage.SetKey(a, 0)
	}
	for a, text := range c.Mem {
		g.store(t, a, text)
	}
	cpa, err := strconv.ParseUint(c.CPA, 16, 32)
	require.NoError(t, err)
	control := uint64(channel.ORBDefaultControl)
	if c.ORB1 != "" {
		control, err = strconv.ParseUint(c.ORB1, 16, 32)
		require.NoError(t, err)
	}
	orb := channel.ORB{InterruptionParameter: 0x12345678, Control: uint32(control), ChannelProgram: uint32(cpa)}
	ops := c.Ops
	if ops == nil {
		ops = []string{"ssch", "wait", "sense"}
	}

	now := g.m.Clock.Now
	var cc, irbs []string
	var sense string
	var irb channel.IRB
	said := func(name string, code channel.CC) { cc = append(cc, fmt.Sprintf("%s=%d", name, code)) }
	shown := func() {
		var p [channel.SCSWSize]byte
		irb.SCSW.Put(p[:])
		irbs = append(irbs, hex.EncodeToString(p[:]))
	}
	enable := func(name string, on bool) {
		var schib channel.SCHIB
		require.Zero(t, g.css.StoreSubchannel(g.sch, &schib))
		schib.PMCW.Flags &^= channel.PMCWEnabled
		if on {
			schib.PMCW.Flags |= channel.PMCWEnabled
		}
		schib.PMCW.InterruptionParameter = 0
		said(name, g.css.ModifySubchannel(g.sch, &schib))
	}
	enable("msch", true)
	for _, op := range ops {
		name, argument, _ := strings.Cut(op, ":")
		switch name {
		case "ssch":
			said(name, g.css.StartSubchannel(now(), g.sch, &orb))
		case "hsch":
			said(name, g.css.HaltSubchannel(now(), g.sch))
		case "csch":
			said(name, g.css.ClearSubchannel(now(), g.sch))
		case "rsch":
			said(name, g.css.ResumeSubchannel(now(), g.sch))
		case "stsch":
			var schib channel.SCHIB
			said(name, g.css.StoreSubchannel(g.sch, &schib))
			var p [52]byte
			schib.Put(p[:])
			assert.Equal(t, c.Expect.SCHIB, hex.EncodeToString(p[:]))
		case "tsch":
			said("tsch1", g.css.TestSubchannel(g.sch, &irb))
			shown()
		case "wait":
			g.settle()
			said("tsch", g.css.TestSubchannel(g.sch, &irb))
			shown()
		case "sense":
			if irb.SCSW.Unit&channel.UnitCheck != 0 {
				sense = g.basicSense(t)
			}
		case "disable":
			enable("msch-off", false)
		case "sske":
			at, key, _ := strings.Cut(argument, "=")
			a, err := strconv.ParseUint(at, 16, 32)
			require.NoError(t, err)
			k, err := strconv.ParseUint(key, 16, 8)
			require.NoError(t, err)
			g.m.Storage.SetKey(machine.Address(a), byte(k))
		default:
			require.Fail(t, "operation "+op)
		}
	}

	ignored := func(what string) bool { return slices.Contains(c.Ignore, what) }
	if !ignored("cc") {
		assert.Equal(t, c.Expect.CC, cc)
	}
	if !ignored("irb") && assert.Len(t, irbs, len(c.Expect.IRB)) {
		for i := range irbs {
			assert.Equal(t, blur(t, c.Expect.IRB[i].SCSW, ignored), blur(t, irbs[i], ignored), "SCSW %d", i)
		}
	}
	assert.Equal(t, c.Expect.Sense, sense, "sense")
	for _, d := range c.Dump {
		a := d[0].(string)
		assert.Equal(t, c.Expect.Dump[a], g.load(t, a, int(d[1].(float64))), "storage at %s", a)
	}
	for at, want := range c.Expect.Tracks {
		var cylinder, head int
		_, err := fmt.Sscanf(at, "%d/%d", &cylinder, &head)
		require.NoError(t, err)
		track, err := g.d.ckd.Track(cylinder*15 + head)
		require.NoError(t, err)
		assert.Equal(t, want, listTrack(t, track), "track %s", at)
	}
}

// blur zeroes what is to be ignored of an SCSW.
func blur(t *testing.T, text string, ignored func(string) bool) string {
	p, err := hex.DecodeString(text)
	require.NoError(t, err)
	if ignored("unit_status") {
		p[8] = 0
	}
	if ignored("IL") {
		p[9] &^= byte(channel.IncorrectLength)
	}
	if ignored("residual") {
		p[10], p[11] = 0, 0
	}
	return hex.EncodeToString(p)
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

func TestChannelCases(t *testing.T) {
	text, err := os.ReadFile("testdata/channel.json")
	require.NoError(t, err)
	var file struct{ Cases []channelCase }
	require.NoError(t, json.Unmarshal(text, &file))
	require.Len(t, file.Cases, 61)
	slices.SortStableFunc(file.Cases, func(a, b channelCase) int {
		return cmp.Or(cmp.Compare(a.Suite, b.Suite), cmp.Compare(a.Order, b.Order))
	})
	rigs := map[string]*caseRig{}
	for i := range file.Cases {
		c := &file.Cases[i]
		t.Run(c.ID, func(t *testing.T) {
			if rigs[c.Suite] == nil {
				rigs[c.Suite] = newCaseRig(t, c.Suite)
			}
			rigs[c.Suite].run(t, c)
		})
	}
}
