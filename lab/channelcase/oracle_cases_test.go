package channelcase

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// Where the programs of generated cases have things.
const (
	programPlace = 0x10000
	seekPlace    = 0x11000
	searchPlace  = 0x11010
	areaPlace    = 0x20000
	outsidePlace = 0x7FFFF000
	suspendORB   = 0x0880FF00
	initialORB   = 0x00A0FF00
	suppressORB  = 0x0080FF80
	format0ORB   = 0x0000FF00
	format1ORB   = 0x0080FF00
	midawORB     = 0x0080FF40
	idaw2ORB     = 0x0082FF00
	idaw2Of2KORB = 0x0083FF00
	readKeyData  = 0x0E
	readData     = 0x06
	noOperation  = 0x03
	labelRecord  = 84 // key and data of record 3
)

// generator makes cases for the oracle.
type generator struct {
	cases []*Case
	suite string
}

// bytesAt is something that a case puts into storage.
type bytesAt struct {
	at    uint32
	bytes []byte
}

func hexAt(at uint32, text string) bytesAt {
	p, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		panic(err)
	}
	return bytesAt{at, p}
}

// ccws is CCWs in the format that the ORB says.
func ccws(at, orb uint32, list ...channel.CCW) bytesAt {
	p := make([]byte, len(list)*arch.CCWSize)
	for i, w := range list {
		if orb&channel.ORBFormat1 != 0 {
			channel.PutCCW1(p[i*8:], w)
		} else {
			channel.PutCCW0(p[i*8:], w)
		}
	}
	return bytesAt{at, p}
}

// add adds a case.
func (g *generator) add(name string, orb uint32, ops string, dump int, memory ...bytesAt) *Case {
	c := &Case{
		ID: name, Suite: g.suite, Order: len(g.cases), CPA: fmt.Sprintf("%x", programPlace), ORB1: fmt.Sprintf("%08X", orb),
		Mem: make(map[string]string),
	}
	if ops != "" {
		c.Ops = strings.Fields(ops)
	}
	for _, m := range memory {
		c.Mem[fmt.Sprintf("%X", m.at)] = hex.EncodeToString(m.bytes)
	}
	if dump > 0 {
		c.Dump = []Area{{fmt.Sprintf("%X", areaPlace), dump}}
	}
	g.cases = append(g.cases, c)
	return c
}

const ccSLI = arch.FlagCC | arch.FlagSLI

// at3 is a chain that comes to record 3 of track 0, with what follows.
func at3(orb uint32, list ...channel.CCW) []bytesAt {
	head := []channel.CCW{
		{Command: 0x07, Flags: arch.FlagCC, Count: 6, Address: seekPlace},
		{Command: 0x31, Flags: arch.FlagCC, Count: 5, Address: searchPlace},
		{Command: 0x08, Address: programPlace + 8},
	}
	return []bytesAt{
		ccws(programPlace, orb, append(head, list...)...),
		hexAt(seekPlace, "000000000000"), hexAt(searchPlace, "0000000003"),
	}
}

func formatName(orb uint32) string {
	if orb&channel.ORBFormat1 != 0 {
		return "f1"
	}
	return "f0"
}

// flags is every combination of a CCW's flags on a read, in both formats.
func (g *generator) flags() { g.flagsWith(format1ORB, format0ORB) }

// suspensions is the same with suspend control.
func (g *generator) suspensions() { g.flagsWith(suspendORB, suspendORB&^channel.ORBFormat1) }

func (g *generator) flagsWith(orbs ...uint32) {
	for _, orb := range orbs {
		for f := range 256 {
			flags := channel.Flags(f)
			if orb&channel.ORBSuspend != 0 && flags&arch.FlagS == 0 {
				continue
			}
			for _, count := range []uint16{labelRecord, 50, 100} {
				ops := "ssch wait"
				if flags&arch.FlagPCI != 0 {
					ops += " wait"
				}
				if orb&channel.ORBSuspend != 0 {
					ops = "ssch wait stsch rsch wait"
				}
				m := at3(orb,
					channel.CCW{Command: readKeyData, Flags: flags, Count: count, Address: areaPlace},
					channel.CCW{Command: noOperation, Flags: arch.FlagSLI, Count: 1, Address: areaPlace + 0x200})
				m = append(m, hexAt(areaPlace, "00021000 00022000"))
				g.add(fmt.Sprintf("flags %s %08X %02X count %d", formatName(orb), orb, f, count), orb, ops, 0x20, m...).
					Dump = append([]Area{}, Area{"20000", 0x60}, Area{"20200", 8}, Area{"21000", 0x60})
			}
		}
	}
}

// lengths is commands with counts below, at and above their length, with every
// way to suppress the length indication.
func (g *generator) lengths() {
	for _, command := range []byte{0x06, 0x0E, 0x12, 0x1E, 0x1A, 0x16, 0x03, 0x04, 0x34, 0x54, 0xA4, 0x02} {
		for _, orb := range []uint32{format1ORB, format0ORB, suppressORB, suppressORB &^ channel.ORBFormat1} {
			for _, flags := range []channel.Flags{0, arch.FlagSLI, arch.FlagCC, ccSLI} {
				for _, count := range []uint16{0, 1, 4, 5, 8, 12, 80, 84, 300, 65535} {
					if orb&channel.ORBIncorrectLengthSuppress != 0 && count != 5 {
						continue
					}
					m := at3(orb,
						channel.CCW{Command: command, Flags: flags, Count: count, Address: areaPlace},
						channel.CCW{Command: noOperation, Flags: arch.FlagSLI, Count: 1, Address: areaPlace})
					g.add(fmt.Sprintf("length %08X %02X flags %02X count %d", orb, command, flags, count), orb, "", 0x140, m...)
				}
			}
		}
	}
}

// controls is control commands with counts below, at and above what they take.
func (g *generator) controls() {
	for _, command := range []byte{0x03, 0x07, 0x0B, 0x1B, 0x1F, 0x23, 0x13, 0x63, 0x47, 0x27, 0x87, 0x31, 0x39, 0x29, 0x51, 0x71, 0xAF, 0x17, 0x5B} {
		for _, orb := range []uint32{format1ORB, format0ORB, suppressORB} {
			for _, flags := range []channel.Flags{0, arch.FlagSLI, arch.FlagCC, ccSLI} {
				for _, count := range []uint16{0, 1, 2, 4, 5, 6, 7, 12, 16, 17, 40} {
					if orb&channel.ORBIncorrectLengthSuppress != 0 && count > 6 {
						continue
					}
					list := []channel.CCW{
						{Command: 0x07, Flags: arch.FlagCC, Count: 6, Address: seekPlace},
						{Command: command, Flags: flags, Count: count, Address: areaPlace},
						{Command: noOperation, Flags: arch.FlagSLI, Count: 1, Address: areaPlace},
					}
					m := []bytesAt{ccws(programPlace, orb, list...), hexAt(seekPlace, "000000000000")}
					switch command {
					case 0x63:
						m = append(m, hexAt(areaPlace, "40C00000 00000000 00000000 00000001"))
					case 0x27:
						m = append(m, hexAt(areaPlace, "18000000 00000000 00000000"))
					}
					g.add(fmt.Sprintf("control %08X %02X flags %02X count %d", orb, command, flags, count), orb, "", 0x20, m...)
				}
			}
		}
	}
}

// codes is every command code, alone and with a count of 1, in both formats.
func (g *generator) codes() {
	for _, orb := range []uint32{format1ORB, format0ORB} {
		for c := range 256 {
			for _, count := range []uint16{0, 1, 40} {
				g.add(fmt.Sprintf("code %s %02X count %d", formatName(orb), c, count), orb, "", 0x40,
					ccws(programPlace, orb, channel.CCW{Command: byte(c), Flags: arch.FlagSLI, Count: count, Address: areaPlace}))
			}
		}
	}
}

// chains is data chains.
func (g *generator) chains() {
	type part struct {
		flags channel.Flags
		count uint16
	}
	const cd, sli, skip, cc, pci, ida = arch.FlagCD, arch.FlagSLI, arch.FlagSkip, arch.FlagCC, arch.FlagPCI, arch.FlagIDA
	lists := [][]part{
		{{cd, 4}, {0, 80}}, {{cd, 4}, {0, 70}}, {{cd, 4}, {0, 90}}, {{cd, 4}, {sli, 70}}, {{cd, 4}, {sli, 90}},
		{{cd, 84}, {0, 10}}, {{cd, 84}, {sli, 10}}, {{cd | sli, 84}, {0, 10}}, {{cd, 100}, {0, 40}}, {{cd | sli, 100}, {sli, 40}}, {{cd | sli, 100}, {cc, 40}},
		{{cd | cc, 4}, {cc, 80}}, {{cd | cc, 4}, {0, 80}}, {{cd, 4}, {cc, 80}}, {{cd, 4}, {cc, 90}}, {{cd, 4}, {cc | sli, 90}}, {{cd, 4}, {cc | sli, 70}}, {{cd, 4}, {cc, 70}},
		{{cd | skip, 4}, {0, 80}}, {{cd, 4}, {skip, 80}}, {{cd | skip, 4}, {skip, 80}}, {{cd | skip, 100}, {0, 1}},
		{{cd, 4}, {cd, 40}, {0, 40}}, {{cd, 4}, {cd, 80}, {0, 40}}, {{cd, 4}, {cd | sli, 90}, {sli, 40}}, {{cd, 1}, {cd, 1}, {cd, 1}, {cd, 1}, {0, 80}},
		{{cd, 4}, {0, 0}}, {{cd, 0}, {0, 84}}, {{cd, 4}, {cd, 0}, {0, 80}}, {{cd, 84}, {0, 0}}, {{cd, 84}, {sli, 0}}, {{cd, 100}, {0, 0}},
		{{cd | ida, 4}, {0, 80}}, {{cd, 4}, {ida, 80}}, {{cd | ida, 4}, {ida, 80}}, {{cd, 4}, {cd, 80}}, {{cd, 4}, {cd | sli, 100}},
		{{cd | pci, 4}, {0, 80}}, {{cd, 4}, {pci, 80}}, {{cd | pci, 4}, {pci, 80}}, {{cd, 84}, {pci, 80}}, {{cd, 4}, {arch.FlagS, 80}}, {{cd | arch.FlagS, 4}, {0, 80}},
	}
	for _, orb := range []uint32{format1ORB, format0ORB, suspendORB} {
		for _, command := range []byte{readKeyData, 0x1E, 0x02, 0x16, 0x04} {
			for i, l := range lists {
				var list []channel.CCW
				at := uint32(areaPlace)
				ops := "ssch wait"
				for j, p := range l {
					k := byte(0)
					if j == 0 {
						k = command
					}
					w := channel.CCW{Command: k, Flags: p.flags, Count: p.count, Address: at}
					if p.flags&ida != 0 {
						w.Address = 0x12000 + uint32(j)*4
					}
					if p.flags&pci != 0 {
						ops = "ssch wait wait wait"
					}
					if p.flags&arch.FlagS != 0 && orb&channel.ORBSuspend != 0 {
						ops = "ssch wait rsch wait"
					}
					list = append(list, w)
					at += 0x80
				}
				list = append(list, channel.CCW{Command: noOperation, Flags: sli, Count: 1})
				m := append(at3(orb, list...), hexAt(0x12000, "00021000 00021800 00022000"))
				g.add(fmt.Sprintf("chain %08X %02X %d %v", orb, command, i, l), orb, ops, 0x200, m...).
					Dump = []Area{{"20000", 0x200}, {"21000", 0x60}, {"21800", 0x60}}
			}
		}
	}
}

// tics is transfers in channel, allowed and not.
func (g *generator) tics() {
	nop := channel.CCW{Command: noOperation, Flags: ccSLI, Count: 1, Address: areaPlace}
	last := channel.CCW{Command: noOperation, Flags: arch.FlagSLI, Count: 1, Address: areaPlace}
	tic := func(a uint32) channel.CCW { return channel.CCW{Command: 8, Address: a} }
	for _, orb := range []uint32{format1ORB, format0ORB, 0x1080FF00} {
		add := func(name string, list ...channel.CCW) {
			g.add("tic "+fmt.Sprintf("%08X ", orb)+name, orb, "", 0x40, ccws(programPlace, orb, list...), ccws(0x13000, orb, last), hexAt(seekPlace, "000000000000"), hexAt(searchPlace, "0000000003"))
		}
		add("first", tic(0x13000))
		add("second", nop, tic(0x13000))
		add("self", nop, tic(programPlace+8))
		add("to tic", nop, tic(programPlace+16), tic(0x13000))
		add("misaligned 4", nop, tic(0x13004))
		add("misaligned 1", nop, tic(0x13001))
		add("outside", nop, tic(0x7FFFF8))
		add("far outside", nop, tic(outsidePlace))
		add("bit 0", nop, tic(0x80013000))
		add("to zero", nop, tic(0x6000))
		for f := 1; f < 256; f <<= 1 {
			add(fmt.Sprintf("flag %02X", f), nop, channel.CCW{Command: 8, Flags: channel.Flags(f), Address: 0x13000})
		}
		add("count", nop, channel.CCW{Command: 8, Count: 1, Address: 0x13000})
		add("count and flags", nop, channel.CCW{Command: 8, Count: 0xFFFF, Flags: 0xFF, Address: 0x13000})
		for c := 0x18; c < 0x100; c += 0x10 {
			add(fmt.Sprintf("code %02X", c), nop, channel.CCW{Command: byte(c), Address: 0x13000})
			add(fmt.Sprintf("code %02X first", c), channel.CCW{Command: byte(c), Address: 0x13000})
		}
		data := func(next ...channel.CCW) []channel.CCW {
			return append([]channel.CCW{{Command: 0x02, Flags: arch.FlagCD, Count: 4, Address: areaPlace}}, next...)
		}
		add("in data chain", data(tic(0x13000))...)
		add("in data chain to tic", data(tic(programPlace+16), tic(0x13000))...)
		add("in data chain misaligned", data(tic(0x13004))...)
		add("in data chain outside", data(tic(0x7FFFF8))...)
		add("in data chain with cd", data(channel.CCW{Command: 8, Flags: arch.FlagCD, Address: 0x13000})...)
		add("in data chain code 18", data(channel.CCW{Command: 0x18, Address: 0x13000})...)
		add("in data chain code 00", data(channel.CCW{Command: 0, Flags: arch.FlagSLI, Count: 10, Address: areaPlace + 4})...)
		search := []channel.CCW{
			{Command: 7, Flags: arch.FlagCC, Count: 6, Address: seekPlace},
			{Command: 0x31, Flags: arch.FlagCC, Count: 5, Address: searchPlace}, tic(programPlace + 8),
		}
		add("status modifier onto tic", append(search[:3:3], tic(0x13000))...)
		add("status modifier onto tic, next nop", append(search[:3:3], nop, tic(0x13000))...)
		add("search is last of chain", channel.CCW{Command: 7, Flags: arch.FlagCC, Count: 6, Address: seekPlace}, channel.CCW{Command: 0x31, Count: 5, Address: searchPlace})
		add("ccws outside", nop, tic(0x3FFFF8))
	}
	for _, a := range []string{"10004", "10001", "3FFFF8", "3FFFFC", "400000", "7FFFFFF8", "FFFFF8", "1000000", "80010000"} {
		for _, orb := range []uint32{format1ORB, format0ORB} {
			c := g.add(fmt.Sprintf("cpa %s %s", formatName(orb), a), orb, "", 0, ccws(programPlace, orb, last))
			c.CPA = a
		}
	}
}

// indirect is lists of IDAWs and MIDAWs, right and wrong.
func (g *generator) indirect(z bool) {
	const list = 0x12000
	add := func(name string, orb uint32, flags channel.Flags, count uint16, at uint32, place uint32, text string) {
		for _, command := range []byte{readKeyData} {
			m := at3(orb, channel.CCW{Command: command, Flags: flags, Count: count, Address: at}, channel.CCW{Command: noOperation, Flags: arch.FlagSLI, Count: 1})
			if text != "" {
				m = append(m, hexAt(place, text))
			}
			g.add(fmt.Sprintf("ida %08X flags %02X count %d %s", orb, flags, count, name), orb, "", 0, m...).
				Dump = []Area{{"20000", 16}, {"207E0", 0x60}, {"20FE0", 0x60}, {"21800", 0x60}, {"22000", 0x60}}
		}
	}
	const ida, mida, sli, cc, skip, cd = arch.FlagIDA, arch.FlagMIDA, arch.FlagSLI, arch.FlagCC, arch.FlagSkip, arch.FlagCD
	if !z {
		for _, orb := range []uint32{format1ORB, format0ORB} {
			for _, f := range []channel.Flags{0, sli, cc, skip, sli | skip} {
				for _, count := range []uint16{84, 50, 100, 33, 32, 31} {
					add("2k", orb, ida|f, count, list, list, "000207E0 00021800")
				}
			}
			add("second off its edge", orb, ida, 84, list, list, "000207E0 00021804")
			add("second off its edge, not needed", orb, ida|sli, 32, list, list, "000207E0 00021804")
			add("first zero", orb, ida, 84, list, list, "00000000 00021800")
			add("first bit 0", orb, ida, 84, list, list, "800207E0 00021800")
			add("second bit 0", orb, ida, 84, list, list, "000207E0 80021800")
			add("first outside", orb, ida, 84, list, list, "7FFFF000 00021800")
			add("second outside", orb, ida, 84, list, list, "000207E0 00400000")
			add("second far outside", orb, ida, 84, list, list, "000207E0 7FFFF800")
			add("at the end of storage", orb, ida, 84, list, list, "003FFFE0 00400000")
			for i := range uint32(4) {
				add(fmt.Sprintf("list off by %d", i), orb, ida, 84, list+i, list+i, "000207E0 00021800")
			}
			add("list outside", orb, ida, 84, 0x7FFFF0, list, "00")
			add("list far outside", orb, ida, 84, outsidePlace, list, "00")
			add("skip and list outside", orb, ida|skip, 84, 0x7FFFF0, list, "00")
			add("count 0", orb, ida|sli, 0, list, list, "000207E0 00021800")
			add("crosses a page in the list", orb, ida, 84, 0x12FFC, 0x12FFC, "000207E0 00021800")
		}
		return
	}
	for _, orb := range []uint32{idaw2ORB, idaw2Of2KORB, idaw2ORB &^ channel.ORBFormat1, idaw2Of2KORB &^ channel.ORBFormat1} {
		block := "0000000000022000"
		first := "0000000000020FE0"
		if orb&channel.ORB2KIDAW != 0 {
			first, block = "00000000000207E0", "0000000000021800"
		}
		for _, f := range []channel.Flags{0, sli, cc, skip} {
			for _, count := range []uint16{84, 50, 100, 33, 32, 31} {
				add("blocks", orb, ida|f, count, list, list, first+block)
			}
		}
		add("2k edge", orb, ida, 84, list, list, "00000000000207E0 0000000000021800")
		add("second off its edge", orb, ida, 84, list, list, first+"0000000000021804")
		add("first over 31 bits", orb, ida, 84, list, list, "0000000080020FE0"+block)
		add("first over 32 bits", orb, ida, 84, list, list, "0000000100020FE0"+block)
		add("second over 32 bits", orb, ida, 84, list, list, first+"0000000100022000")
		add("first outside", orb, ida, 84, list, list, "000000007FFFF000"+block)
		add("second outside", orb, ida, 84, list, list, first+"0000000000400000")
		for i := range uint32(8) {
			add(fmt.Sprintf("list off by %d", i), orb, ida, 84, list+i, list+i, first+block)
		}
		add("list outside", orb, ida, 84, 0x7FFFF0, list, "00")
		add("crosses a page in the list", orb, ida, 84, 0x12FF8, 0x12FF8, first+block)
	}
	w := func(flags byte, count uint16, data uint64) string {
		return fmt.Sprintf("0000000000%02X%04X%016X", flags, count, data)
	}
	for _, orb := range []uint32{midawORB, format1ORB, midawORB &^ channel.ORBFormat1, midawORB | channel.ORBFormat2IDAW} {
		m := func(name string, f channel.Flags, count uint16, at uint32, text string) {
			add("midaw "+name, orb, mida|f, count, at, at, text)
		}
		two := w(0, 4, 0x20000) + w(0x80, 80, 0x22000)
		for _, f := range []channel.Flags{0, sli, cc, skip, ida, cd, ida | skip} {
			m("two", f, 84, list, two)
		}
		m("two, count below", 0, 50, list, two)
		m("two, count below, sli", sli, 50, list, two)
		m("two, count above", 0, 100, list, two)
		m("two, count above, sli", sli, 100, list, two)
		m("one, last, count above it", 0, 84, list, w(0x80, 80, 0x22000)+two)
		m("one, last, count above it, sli", sli, 84, list, w(0x80, 80, 0x22000)+two)
		m("no last", 0, 84, list, w(0, 4, 0x20000)+w(0, 80, 0x22000))
		m("count 0", 0, 84, list, w(0, 0, 0x20000)+w(0x80, 84, 0x22000))
		m("count 0 last", 0, 84, list, w(0, 84, 0x20000)+w(0x80, 0, 0x22000))
		m("over a page", 0, 84, list, w(0x80, 84, 0x20FE0))
		m("over a page, not by what is used", sli, 20, list, w(0x80, 84, 0x20FE0))
		m("to the page's end", 0, 84, list, w(0, 32, 0x20FE0)+w(0x80, 52, 0x22000))
		m("reserved byte 0", 0, 84, list, "01"+w(0x80, 84, 0x22000)[2:])
		m("reserved byte 4", 0, 84, list, "0000000001"+w(0x80, 84, 0x22000)[10:])
		m("reserved flag", 0, 84, list, w(0x81, 84, 0x22000))
		m("reserved flag 10", 0, 84, list, w(0x90, 84, 0x22000))
		m("skip flag", 0, 84, list, w(0x40, 4, 0x20000)+w(0x80, 80, 0x22000))
		m("skip flag, bad address", 0, 84, list, w(0x40, 4, 0x7FFFF000)+w(0x80, 80, 0x22000))
		m("last skips", 0, 84, list, w(0, 4, 0x20000)+w(0xC0, 80, 0x22000))
		m("over 32 bits", 0, 84, list, w(0x80, 84, 0x100022000))
		m("outside", 0, 84, list, w(0x80, 84, 0x400000))
		for i := range uint32(16) {
			m(fmt.Sprintf("list off by %d", i), 0, 84, list+i, two)
		}
		m("list over a page", 0, 84, 0x12FF0, two)
		m("list ends with a page", 0, 84, 0x12FF0, w(0x80, 84, 0x22000))
		m("list outside", 0, 84, 0x7FFFF0, "")
	}
}

// keys is storage protection at each place.
func (g *generator) keys() {
	for _, orb := range []uint32{0x1080FF00, 0x2080FF00, 0x1000FF00, 0x00800FF00 & 0xFFFFFFFF} {
		for _, place := range []string{"10000", "11000", "12000", "20000", "21000"} {
			for _, key := range []string{"00", "08", "10", "18", "20", "28", "F8"} {
				for _, flags := range []channel.Flags{0, arch.FlagIDA, arch.FlagSkip} {
					w := channel.CCW{Command: readKeyData, Flags: flags, Count: 84, Address: 0x20FE0}
					if flags == arch.FlagIDA {
						w.Address = 0x12000
					}
					m := append(at3(orb, w), hexAt(0x12000, "000207E0 00021000"))
					others := ""
					for _, p := range []string{"10000", "11000", "12000", "20000", "21000"} {
						if p != place && orb != 0x0080FF00 {
							others += fmt.Sprintf("sske:%s=%X0 ", p, orb>>28)
						}
					}
					g.add(fmt.Sprintf("key %08X flags %02X %s=%s", orb, flags, place, key), orb, others+"sske:"+place+"="+key+" ssch wait sense", 0, m...).
						Dump = []Area{{"207E0", 0x20}, {"20FE0", 0x80}}
				}
			}
		}
	}
}

// addresses is data addresses at the edges of storage.
func (g *generator) addresses() {
	for _, orb := range []uint32{format1ORB, format0ORB} {
		for _, command := range []byte{readKeyData, 0x06, 0x04, 0x07, 0x03, 0x63, 0x34} {
			for _, a := range []uint32{0x3FFFF0, 0x3FFFAC, 0x3FFFAD, 0x3FFFFF, 0x400000, 0x500000, 0xFFFFF0, 0xFFFFFF, outsidePlace, 0x80020000, 0xFFFFFFFF} {
				for _, flags := range []channel.Flags{0, arch.FlagSLI, arch.FlagSkip, arch.FlagSLI | arch.FlagCC} {
					for _, count := range []uint16{0, 84, 6} {
						m := at3(orb, channel.CCW{Command: command, Flags: flags, Count: count, Address: a}, channel.CCW{Command: noOperation, Flags: arch.FlagSLI, Count: 1})
						g.add(fmt.Sprintf("address %s %02X flags %02X count %d at %X", formatName(orb), command, flags, count, a), orb, "", 0, m...)
					}
				}
			}
		}
	}
}

// instructions is each instruction in each state of the subchannel.
func (g *generator) instructions() {
	one := func(orb uint32, flags channel.Flags) []bytesAt {
		return []bytesAt{ccws(programPlace, orb, channel.CCW{Command: noOperation, Flags: flags | ccSLI, Count: 1}, channel.CCW{Command: 0x02, Flags: arch.FlagSLI, Count: 8, Address: areaPlace})}
	}
	second := func(orb uint32, flags channel.Flags) []bytesAt {
		return []bytesAt{ccws(programPlace, orb, channel.CCW{Command: noOperation, Flags: ccSLI, Count: 1}, channel.CCW{Command: 0x02, Flags: flags | arch.FlagSLI, Count: 8, Address: areaPlace})}
	}
	type state struct {
		name, ops string
		orb       uint32
		memory    []bytesAt
	}
	states := []state{
		{"idle", "", format1ORB, one(format1ORB, 0)},
		{"pending", "ssch spin:20000", format1ORB, one(format1ORB, 0)},
		{"tested", "ssch wait", format1ORB, one(format1ORB, 0)},
		{"check pending", "ssch spin:20000", format1ORB, one(format1ORB, arch.FlagMIDA)},
		{"unit check pending", "ssch spin:20000", format1ORB, []bytesAt{ccws(programPlace, format1ORB, channel.CCW{Command: 0x66, Count: 1, Address: areaPlace})}},
		{"unit check tested", "ssch wait", format1ORB, []bytesAt{ccws(programPlace, format1ORB, channel.CCW{Command: 0x66, Count: 1, Address: areaPlace})}},
		{"suspend pending", "ssch spin:20000", suspendORB, one(suspendORB, arch.FlagS)},
		{"suspended", "ssch wait", suspendORB, one(suspendORB, arch.FlagS)},
		{"suspended at second", "ssch wait", suspendORB, second(suspendORB, arch.FlagS)},
		{"suspended quietly", "ssch spin:20000", suspendORB | channel.ORBSuppressSuspended, second(suspendORB, arch.FlagS)},
		{"resumed", "ssch wait poke:10001=60 rsch wait", suspendORB, one(suspendORB, arch.FlagS)},
		{"resumed at second", "ssch wait poke:10009=20 rsch wait", suspendORB, second(suspendORB, arch.FlagS)},
		{"resumed, flag still on", "ssch wait rsch wait", suspendORB, second(suspendORB, arch.FlagS)},
		{"cleared idle pending", "csch spin:20000", format1ORB, one(format1ORB, 0)},
		{"disabled", "disable", format1ORB, one(format1ORB, 0)},
		{"absent", "subch:7", format1ORB, one(format1ORB, 0)},
		{"pci pending", "ssch spin:20000", format1ORB, one(format1ORB, arch.FlagPCI)},
		{"initial pending", "ssch spin:20000", initialORB, one(initialORB, 0)},
	}
	follow := map[string]string{
		"ssch": "wait stsch", "tsch": "stsch tsch", "stsch": "wait", "msch": "wait stsch", "hsch": "spin:20000 stsch wait stsch", "csch": "spin:20000 stsch wait stsch",
		"rsch": "spin:20000 stsch wait", "xsch": "stsch wait", "tpi": "stsch wait tpi",
	}
	for _, s := range states {
		for _, op := range []string{"ssch", "tsch", "stsch", "msch", "hsch", "csch", "rsch", "xsch", "tpi"} {
			then := follow[op]
			g.add("in state "+s.name+": "+op, s.orb, s.ops+" "+op+" "+then, 0x20, s.memory...)
		}
	}
	for _, b := range []uint32{0x02, 0x04, 0x08, 0x10, 0x20, 0x3E, 0x00040000, 0x00020000, 0x00010000, 0x01000000, 0x02000000, 0x04000000, 0x00400000, 0x00200000, 0x00100000, 0x00080000, 0x01, 0x40} {
		g.add(fmt.Sprintf("orb bit %08X", b), format1ORB|b, "ssch wait", 0x20, one(format1ORB, 0)...)
	}
	for _, lpm := range []uint32{0x80, 0x40, 0x01, 0x7F, 0xC0, 0} {
		g.add(fmt.Sprintf("lpm %02X", lpm), channel.ORBFormat1|lpm<<8, "ssch wait stsch", 0, one(format1ORB, 0)...)
	}
}
