package channelcase

import (
	"encoding/hex"
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
)

// Generated cases of the devices' commands.

const (
	extentPlace   = 0x11100
	locatePlace   = 0x11120
	readbackPlace = 0x10800
	readbackArea  = 0x40000
)

// variations is what each byte of a parameter area is set to.
var variations = []byte{0x00, 0x01, 0x02, 0x03, 0x04, 0x06, 0x08, 0x0B, 0x0C, 0x0F, 0x10, 0x16, 0x20, 0x40, 0x41, 0x43, 0x46, 0x80, 0x86, 0x8C, 0xC0, 0xC1, 0xC6, 0xE0, 0xFF}

func varied(text string, change func(at int, value byte, p []byte)) {
	p := hexAt(0, text).bytes
	for at := range p {
		for _, v := range variations {
			q := append([]byte(nil), p...)
			q[at] = v
			change(at, v, q)
		}
	}
}

// extents is define extents with each byte changed, and a read in them.
func (g *generator) extents() {
	varied("40C00000 00000000 00000000 0001000E", func(at int, v byte, p []byte) {
		g.add(fmt.Sprintf("extent byte %d is %02X", at, v), format1ORB, "", 0x60,
			ccws(programPlace, format1ORB,
				channel.CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: extentPlace},
				channel.CCW{Command: 0x47, Flags: arch.FlagCC, Count: 16, Address: locatePlace},
				channel.CCW{Command: 0x0E, Flags: arch.FlagSLI, Count: 84, Address: areaPlace}),
			bytesAt{extentPlace, p}, hexAt(locatePlace, "06000001 00000000 00000000 03FF0000"))
	})
}

// formatTrack makes records 1 to 4 of a track: 100 bytes, 8 and 64, 32, and the
// end of file.
func formatTrack(cylinder, head int) (list []channel.CCW, memory []bytesAt) {
	cchh := fmt.Sprintf("%04X%04X", cylinder, head)
	memory = []bytesAt{
		hexAt(seekPlace, "0000"+cchh), hexAt(seekPlace+8, "C0"), hexAt(searchPlace+0x20, cchh),
		hexAt(0x14000, cchh+"00000008 0000000000000000"),
	}
	list = []channel.CCW{
		{Command: 0x1F, Flags: arch.FlagCC, Count: 1, Address: seekPlace + 8},
		{Command: 0x07, Flags: arch.FlagCC, Count: 6, Address: seekPlace},
		{Command: 0x39, Flags: arch.FlagCC, Count: 4, Address: searchPlace + 0x20},
		{Command: 0x08, Address: programPlace + 16},
		{Command: 0x15, Flags: arch.FlagCC, Count: 16, Address: 0x14000},
	}
	for i, r := range []struct{ key, data int }{{0, 100}, {8, 64}, {0, 32}, {0, 0}} {
		p := hexAt(0, fmt.Sprintf("%s%02X%02X%04X", cchh, i+1, r.key, r.data)).bytes
		for j := range r.key + r.data {
			p = append(p, byte(0xC1+16*i+j%7))
		}
		at := uint32(0x14100 + 0x100*i)
		memory = append(memory, bytesAt{at, p})
		list = append(list, channel.CCW{Command: 0x1D, Flags: arch.FlagCC, Count: uint16(len(p)), Address: at})
	}
	list[len(list)-1].Flags = 0
	return list, memory
}

// writes is every command that reads or writes, behind several ways to come to
// a record, on a track that is formatted before and read back afterwards.
func (g *generator) writes() {
	const cylinder, head = 2, 3
	format, memory := formatTrack(cylinder, head)
	positions := []struct {
		name string
		list []channel.CCW
	}{
		{"seek", nil},
		{"home address", []channel.CCW{{Command: 0x39, Flags: arch.FlagCC, Count: 4, Address: searchPlace + 0x20}, {Command: 0x08, Address: 0x10900 + 16}}},
		{"record 0", []channel.CCW{{Command: 0x31, Flags: arch.FlagCC, Count: 5, Address: searchPlace + 0x28}, {Command: 0x08, Address: 0x10900 + 16}}},
		{"record 1", []channel.CCW{{Command: 0x31, Flags: arch.FlagCC, Count: 5, Address: searchPlace + 0x30}, {Command: 0x08, Address: 0x10900 + 16}}},
		{"record 2", []channel.CCW{{Command: 0x31, Flags: arch.FlagCC, Count: 5, Address: searchPlace + 0x38}, {Command: 0x08, Address: 0x10900 + 16}}},
		{"record 4", []channel.CCW{{Command: 0x31, Flags: arch.FlagCC, Count: 5, Address: searchPlace + 0x40}, {Command: 0x08, Address: 0x10900 + 16}}},
		{"record 2 by key", []channel.CCW{{Command: 0x29, Flags: arch.FlagCC, Count: 8, Address: 0x14208}, {Command: 0x08, Address: 0x10900 + 16}}},
		{"record 1 and its count", []channel.CCW{{Command: 0x31, Flags: arch.FlagCC, Count: 5, Address: searchPlace + 0x30}, {Command: 0x08, Address: 0x10900 + 16}, {Command: 0x12, Flags: arch.FlagCC, Count: 8, Address: areaPlace}}},
		{"record above 1", []channel.CCW{{Command: 0x51, Flags: arch.FlagCC, Count: 5, Address: searchPlace + 0x30}, {Command: 0x08, Address: 0x10900 + 16}}},
	}
	cchh := fmt.Sprintf("%04X%04X", cylinder, head)
	for _, command := range []byte{0x05, 0x0D, 0x1D, 0x11, 0x15, 0x19, 0x06, 0x0E, 0x12, 0x1E, 0x16, 0x1A, 0x86, 0x8E, 0x92, 0x9E, 0x96, 0x9A, 0x5E, 0x85, 0x8D, 0x9D, 0x01, 0x31, 0xB1, 0x39, 0x29, 0x1B, 0x0B, 0x03, 0x23} {
		for _, p := range positions {
			if command == 0x5E && p.name == "record 4" { // nothing is behind it there, and all of the track here
				continue
			}
			for _, mask := range []string{"", "C0", "00", "40", "80"} {
				if mask != "" && mask != "C0" && command&3 != 1 {
					continue
				}
				for _, count := range []uint16{108, 16, 200, 8} {
					if command&3 != 1 && count != 200 {
						continue
					}
					list := []channel.CCW{{Command: 0x03, Flags: ccSLI, Count: 1, Address: seekPlace + 9}}
					if mask != "" {
						list[0] = channel.CCW{Command: 0x1F, Flags: arch.FlagCC, Count: 1, Address: seekPlace + 9}
					}
					list = append(list, channel.CCW{Command: 0x07, Flags: arch.FlagCC, Count: 6, Address: seekPlace})
					list = append(list, p.list...)
					list = append(list, channel.CCW{Command: command, Flags: arch.FlagSLI, Count: count, Address: 0x15000})
					data := hexAt(0, cchh+"05040040").bytes
					for i := range 240 {
						data = append(data, byte(i*3))
					}
					m := append([]bytesAt{
						ccws(programPlace, format1ORB, format...), ccws(0x10900, format1ORB, list...),
						ccws(readbackPlace, format1ORB, channel.CCW{Command: 0x07, Flags: arch.FlagCC, Count: 6, Address: seekPlace},
							channel.CCW{Command: 0x1A, Flags: ccSLI, Count: 5, Address: readbackArea}, channel.CCW{Command: 0x16, Flags: ccSLI, Count: 16, Address: readbackArea + 8},
							channel.CCW{Command: 0x5E, Flags: arch.FlagSLI, Count: 0x400, Address: readbackArea + 32}),
						{0x15000, data}, hexAt(searchPlace+0x28, cchh+"00"), hexAt(searchPlace+0x30, cchh+"01"), hexAt(searchPlace+0x38, cchh+"02"), hexAt(searchPlace+0x40, cchh+"04"),
					}, memory...)
					if mask != "" {
						m = append(m, hexAt(seekPlace+9, mask))
					}
					c := g.add(fmt.Sprintf("%02X at %s, mask %s, count %d", command, p.name, mask, count), format1ORB,
						"ssch wait ssch2:10900 wait sense ssch2:10800 wait", 0, m...)
					c.Dump = []Area{{"15000", 0x100}, {hex.EncodeToString([]byte{4, 0, 0})[1:], 0x200}}
				}
			}
		}
	}
}

// blocks is the parameters of a fixed-block device with each byte changed, a
// write and a read.
func (g *generator) blocks() {
	g.suite = "fba"
	add := func(name string, extent, locate []byte, command byte, count uint16) {
		g.add(name, format1ORB, "", 0x40,
			ccws(programPlace, format1ORB,
				channel.CCW{Command: 0x63, Flags: arch.FlagCC, Count: 16, Address: extentPlace},
				channel.CCW{Command: 0x43, Flags: arch.FlagCC, Count: 8, Address: locatePlace},
				channel.CCW{Command: command, Flags: arch.FlagSLI, Count: count, Address: areaPlace}),
			bytesAt{extentPlace, extent}, bytesAt{locatePlace, locate}, bytesAt{areaPlace, []byte{0xC1, byte(len(g.cases)), byte(len(g.cases) >> 8)}})
	}
	extent, read, write := hexAt(0, "C0000000 00000000 00000000 000003E7").bytes, hexAt(0, "06000001 00000002").bytes, hexAt(0, "01000001 00000003").bytes
	for _, command := range []byte{0x42, 0x41} {
		locate := read
		if command == 0x41 {
			locate = write
		}
		for _, count := range []uint16{512, 0, 1, 511, 513, 1024} {
			add(fmt.Sprintf("block %02X count %d", command, count), extent, locate, command, count)
		}
		varied(hex.EncodeToString(extent), func(at int, v byte, p []byte) {
			add(fmt.Sprintf("block %02X extent byte %d is %02X", command, at, v), p, locate, command, 512)
		})
		varied(hex.EncodeToString(locate), func(at int, v byte, p []byte) {
			if at == 0 && v&0xF0 != 0 { // 3.13 does not look at these bits
				return
			}
			add(fmt.Sprintf("block %02X locate byte %d is %02X", command, at, v), extent, p, command, 512)
		})
	}
}
