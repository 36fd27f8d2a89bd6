package world

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
	"github.com/iosrun/iosrun/lab/scenario"
)

// class is a class of channel programs.
type class struct {
	name string
	// make draws a program.
	make func(c *chains) []scenario.CCW
	// on is the side on which it is run.
	on side
	// turbulent says that the program, or an I/O that overlaps it, may end with an
	// error, or that it is only of interest when errors are expected.
	turbulent bool
	// suspends says that it is resumed later.
	suspends bool
}

// side is the kind of volume on which a program is run: a primary or a mirror.
type side uint8

const (
	onPrimary side = iota
	onMirror
)

// ckdClasses lists the classes on count-key-data volumes.
var ckdClasses = []class{
	{name: "read", make: func(c *chains) []scenario.CCW { return c.blocks(false) }},
	{name: "write", make: func(c *chains) []scenario.CCW { return c.blocks(true) }},
	{name: "read and write", make: (*chains).readWrite},
	{name: "write what was read", make: (*chains).copying},
	{name: "data chaining", make: func(c *chains) []scenario.CCW { return c.chainData(c.blocks(c.d.chance(2, 3))) }},
	{name: "indirect addresses", make: func(c *chains) []scenario.CCW { return indirect(c.blocks(c.d.chance(2, 3))) }},
	{name: "interrupting read", make: func(c *chains) []scenario.CCW { return c.interrupt(c.blocks(false)) }},
	{name: "interrupting write", make: func(c *chains) []scenario.CCW { return c.interrupt(c.blocks(true)) }},
	{name: "interrupting read and write", make: func(c *chains) []scenario.CCW { return c.interrupt(c.readWrite()) }},
	{name: "search and read", make: func(c *chains) []scenario.CCW { return c.search(false) }},
	{name: "search and write", make: func(c *chains) []scenario.CCW { return c.search(true) }},
	{name: "suspending write", make: func(c *chains) []scenario.CCW { return c.suspending(true) }, suspends: true},
	{name: "suspending read and write", make: func(c *chains) []scenario.CCW { return c.suspending(false) }, suspends: true},
	{name: "hidden branch", make: (*chains).hidden},
	{name: "self-modifying", make: (*chains).selfModifying, turbulent: true},
	{name: "format write", make: func(c *chains) []scenario.CCW { return c.format(c.p.records, requestBytes) }},
	{name: "other format", make: func(c *chains) []scenario.CCW { return c.format(c.d.between(1, 8), c.d.between(100, 5000)) }, turbulent: true},
	{name: "read count key data", make: (*chains).readCountKeyData},
	{name: "full-track read", make: (*chains).readTrack},
	{name: "full-track write", make: (*chains).fullTrack},
	{name: "cache fast write", make: (*chains).cacheFastWrite},
	{name: "locate record extended", make: (*chains).extended},
	{name: "prefix", make: (*chains).prefix},
	{name: "no data", make: func(*chains) []scenario.CCW { return noData(arch.CommandReadCharacteristics) }},
	{name: "read on a mirror", make: func(c *chains) []scenario.CCW { return c.blocks(false) }, on: onMirror, turbulent: true},
	{name: "write on a mirror", make: func(c *chains) []scenario.CCW { return c.blocks(true) }, on: onMirror, turbulent: true},
}

// fixedClasses lists the classes on fixed-block volumes.
var fixedClasses = []class{
	{name: "fixed-block read", make: func(c *chains) []scenario.CCW { return c.fixed(false) }},
	{name: "fixed-block write", make: func(c *chains) []scenario.CCW { return c.fixed(true) }},
	{name: "fixed-block read and write", make: (*chains).fixedReadWrite},
	{name: "fixed-block data chaining", make: func(c *chains) []scenario.CCW { return c.chainData(c.fixed(c.d.chance(2, 3))) }},
	{name: "fixed-block indirect addresses", make: func(c *chains) []scenario.CCW { return indirect(c.fixed(c.d.chance(2, 3))) }},
	{name: "fixed-block interrupting write", make: func(c *chains) []scenario.CCW { return c.interrupt(c.fixed(true)) }},
	{name: "fixed-block suspending before a write", make: func(c *chains) []scenario.CCW {
		return suspended(noData(arch.CommandReadCharacteristics), c.fixed(true))
	}, suspends: true},
	{name: "fixed-block suspending write", make: func(c *chains) []scenario.CCW { return suspended(c.fixed(true), c.fixed(true)) }, suspends: true, turbulent: true},
	{name: "fixed-block no data", make: func(*chains) []scenario.CCW { return noData(arch.CommandReadCharacteristics) }},
	{name: "fixed-block read on a mirror", make: func(c *chains) []scenario.CCW { return c.fixed(false) }, on: onMirror, turbulent: true},
	{name: "fixed-block write on a mirror", make: func(c *chains) []scenario.CCW { return c.fixed(true) }, on: onMirror, turbulent: true},
}

// chains draws channel programs for a kind of volume.
type chains struct {
	d *draw
	p device
	// tracks is the number of tracks that programs use.
	tracks int
	// fixedFirst is the first block of a fixed-block volume that requests use.
	fixedFirst int
	// written numbers the writes, so that no two of them write the same.
	written uint32
	// touched lists the tracks that the program being drawn uses.
	touched []int
}

// take returns the tracks that the program drawn last uses, and clears the list.
func (c *chains) take() []int {
	all := c.touched
	c.touched = nil
	return all
}

// Addresses at which a program is built before it is taken apart: its control
// storage and its data area.
const (
	controlAt machine.Address = 0x10000
	dataAt    machine.Address = 0x100000
)

// firstTrack returns the first track that requests use: cylinder 0 has the label.
func (c *chains) firstTrack() int { return c.p.heads }

// track draws a track.
func (c *chains) track() int {
	t := c.firstTrack() + c.d.IntN(c.tracks)
	c.touched = append(c.touched, t)
	return t
}

// record draws a record number.
func (c *chains) record() int { return c.d.between(1, c.p.records) }

// content returns n bytes that no other write of the world has. Read as a count they
// are 2048, for programs that read into their own CCWs.
func (c *chains) content(n int) []byte {
	c.written++
	word := binary.BigEndian.AppendUint32(nil, 0x08000000|c.written)
	return slices.Repeat(word, n/len(word)+1)[:n]
}

// layout returns the CCWs that a builder of emulator/program has stored. Parameters
// and the data of writes are filled in.
func layout(build func(program.Control, machine.Address), data []byte) []scenario.CCW {
	view := make([]byte, program.TrackControlSize)
	build(program.Control{View: view, At: controlAt}, dataAt)
	var all []scenario.CCW
	for at := program.Start; ; at += arch.CCWSize {
		w := channel.ParseCCW1(view[at:])
		c := scenario.CCW{Command: scenario.Code(w.Command)}
		if w.Flags&arch.FlagSLI != 0 {
			c.Flags = append(c.Flags, "sli")
		}
		if w.Flags&arch.FlagCD != 0 {
			c.Flags = append(c.Flags, "cd")
		}
		switch from, n := machine.Address(w.Address), machine.Address(w.Count); {
		case from < dataAt:
			c.Data = view[from-controlAt:][:n]
		case w.Command&3 == 1:
			c.Data = data[from-dataAt:][:n]
		default:
			c.Count = int(n)
		}
		all = append(all, c)
		if w.Flags&(arch.FlagCC|arch.FlagCD) == 0 {
			return all
		}
	}
}

// eckd returns the builder for the volume.
func (c *chains) eckd() program.ECKD {
	return program.ECKD{Heads: c.p.heads, RecordsATrack: c.p.records}
}

// run returns the CCWs that read or write n records, from the given one of a track
// on.
func (c *chains) run(write bool, track, record, n int) []scenario.CCW {
	e := c.eckd()
	return layout(func(s program.Control, data machine.Address) { e.Blocks(s, data, write, track, record-1, n) }, c.content(n*requestBytes))
}

// blocks reads or writes up to three records, which may go on on the next track.
func (c *chains) blocks(write bool) []scenario.CCW {
	track, record, n := c.track(), c.record(), c.d.between(1, 3)
	if track == c.firstTrack()+c.tracks-1 {
		n = min(n, c.p.records-record+1)
	}
	if record+n-1 > c.p.records {
		c.touched = append(c.touched, track+1)
	}
	return c.run(write, track, record, n)
}

// readWrite reads a record and writes another of the same track.
func (c *chains) readWrite() []scenario.CCW {
	track := c.track()
	return append(c.run(true, track, 1, 1)[:1], append(c.run(false, track, c.record(), 1)[1:], c.run(true, track, c.record(), 1)[1:]...)...)
}

// copying writes the data that it has read.
func (c *chains) copying() []scenario.CCW {
	all := c.readWrite()
	w := &all[4]
	w.Data, w.Count, w.At = nil, requestBytes, "data 3"
	return all
}

// isData reports whether a CCW moves records: it is no control command.
func isData(c *scenario.CCW) bool { return c.Command&3 == 1 || c.Command&3 == 2 }

// indirect changes the CCWs to reach their data areas through lists of addresses.
func indirect(all []scenario.CCW) []scenario.CCW {
	for i := range all {
		if isData(&all[i]) {
			all[i].Flags = append(all[i].Flags, "ida")
		}
	}
	return all
}

// chainData spreads the data of each CCW over several by data chaining.
func (c *chains) chainData(all []scenario.CCW) (out []scenario.CCW) {
	for _, w := range all {
		n := max(w.Count, len(w.Data))
		if !isData(&w) || n < 8 {
			out = append(out, w)
			continue
		}
		for at, left := 0, c.d.between(2, 4); at < n; left-- {
			k := n - at
			piece := scenario.CCW{Command: w.Command, Flags: slices.Clone(w.Flags)}
			if left > 1 && k > 1 {
				k = c.d.between(1, k-1)
				piece.Flags = append(piece.Flags, "cd")
			}
			if len(w.Data) != 0 {
				piece.Data = w.Data[at : at+k]
			} else {
				piece.Count = k
			}
			out = append(out, piece)
			at += k
		}
	}
	return out
}

// interrupt makes one of the CCWs ask for a program-controlled interruption.
func (c *chains) interrupt(all []scenario.CCW) []scenario.CCW {
	w := &all[c.d.IntN(len(all))]
	w.Flags = append(w.Flags, "pci")
	return all
}

// suspending writes or reads a record, suspends itself and writes another one. It
// finds the second one by seek and search, the commands from before locate record,
// because a resumed chain has lost the settings of its commands before.
func (c *chains) suspending(write bool) []scenario.CCW {
	track := c.track()
	first := c.run(write, track, c.record(), 1)
	if !write {
		first[0].Data[0] = 0x80 // of define extent: writes follow
	}
	return suspended(first, c.searchOn(track, true))
}

// suspended returns a program that suspends itself between two parts.
func suspended(first, second []scenario.CCW) []scenario.CCW {
	second[0].Flags = append(second[0].Flags, "s")
	for i := range second {
		if n := 0; second[i].At != "" {
			if _, err := fmt.Sscanf(second[i].At, "ccw %d", &n); err == nil {
				second[i].At = fmt.Sprintf("ccw %d", n+len(first))
			}
		}
	}
	return append(first, second...)
}

// address returns the address of a track for commands.
func (c *chains) address(track int) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(track/c.p.heads)<<16|uint32(track%c.p.heads))
}

// search looks for a record with a loop of search commands, as programs did before
// locate record, and reads or writes it.
func (c *chains) search(write bool) []scenario.CCW { return c.searchOn(c.track(), write) }

func (c *chains) searchOn(track int, write bool) []scenario.CCW {
	at := c.address(track)
	all := []scenario.CCW{
		{Command: arch.CommandSeek, Data: append([]byte{0, 0}, at...)},
		{Command: arch.CommandSearchIDEqual, Data: append(slices.Clone(at), byte(c.record()))},
		{Command: arch.CommandTransfer, At: "ccw 2"},
	}
	if write {
		return append(all, scenario.CCW{Command: arch.CommandWriteData, Data: c.content(requestBytes)})
	}
	return append(all, scenario.CCW{Command: arch.CommandReadData, Count: requestBytes})
}

// hidden returns a program with a part behind a search that is hard to follow: the
// host cannot repeat such a chain on a mirror.
func (c *chains) hidden() []scenario.CCW {
	track := c.track()
	at := c.address(track)
	id := append(slices.Clone(at), byte(c.record()))
	return []scenario.CCW{
		c.run(true, track, 1, 1)[0],
		{Command: arch.CommandSeek, Data: append([]byte{0, 0}, at...)},
		{Command: arch.CommandSearchIDEqual, Data: id},
		{Command: arch.CommandTransfer, At: "ccw 6"},
		{Command: arch.CommandWriteData, Data: c.content(requestBytes), Flags: []string{"end"}},
		{Command: arch.CommandSearchIDEqual, Data: id},
		{Command: arch.CommandTransfer, At: "ccw 6"},
		{Command: arch.CommandTransfer, At: "ccw 5"},
	}
}

// selfModifying reads into the count of the CCW with which it writes.
func (c *chains) selfModifying() []scenario.CCW {
	all := c.readWrite()
	all[2].Count, all[2].At, all[2].Flags = 2, "ccw 5 + 2", []string{"sli"}
	all[4].Flags = append(all[4].Flags, "sli")
	return all
}

// image returns the image of a track that a full-track command reads: record zero
// and records of the same length.
func (c *chains) image(track, records, length int) []byte {
	count := func(record, n int) []byte {
		return binary.BigEndian.AppendUint16(append(c.address(track), byte(record), 0), uint16(n))
	}
	all := append(count(0, 8), make([]byte, 8)...)
	for r := range records {
		all = append(all, count(r+1, length)...)
		all = append(all, c.content(length)...)
	}
	return binary.BigEndian.AppendUint64(all, ^uint64(0))
}

// format writes a track anew with records of the given length.
func (c *chains) format(records, length int) []scenario.CCW {
	track := c.track()
	e, image := c.eckd(), c.image(track, records, length)
	return layout(func(s program.Control, data machine.Address) {
		if err := e.WriteTrack(s, image, data, track); err != nil {
			panic(err) // cannot happen: the image was made above
		}
	}, image)
}

// readCountKeyData reads the records of a track from one on, with their counts.
func (c *chains) readCountKeyData() []scenario.CCW {
	all := c.run(false, c.track(), c.record(), 1)
	all[1].Data[1] = 0 // no transfer length
	all[1].Data[14], all[1].Data[15] = 0, 0
	w := &all[2]
	w.Command, w.Count, w.Flags = arch.CommandReadCountKeyData, requestBytes+8, append(w.Flags, "sli")
	return all
}

// readTrack reads a track whole.
func (c *chains) readTrack() []scenario.CCW {
	e, track := c.eckd(), c.track()
	return layout(func(s program.Control, data machine.Address) { e.ReadTrack(s, data, track) }, nil)
}

// fullTrack writes a track whole, with one command.
func (c *chains) fullTrack() []scenario.CCW {
	all, image := c.format(c.p.records, requestBytes), []byte(nil)
	for _, w := range all[2:] {
		image = append(image, w.Data...)
	}
	image = binary.BigEndian.AppendUint64(image, ^uint64(0))
	at := all[1].Data[4:12]
	locate := append([]byte{0x3F, 0, 0, 1}, at...)
	locate = append(locate, 0, 0xFF, 0, 0, 0, 0x11, 0, 0)
	return []scenario.CCW{all[0], {Command: arch.CommandLocateRecordExtended, Data: locate}, {Command: arch.CommandWriteFullTrack, Data: image, Flags: []string{"sli"}}}
}

// cacheFastWrite writes with cache fast write, under the identification of the
// primary's subsystem.
func (c *chains) cacheFastWrite() []scenario.CCW {
	all := c.run(true, c.track(), c.record(), 1)
	all[0].Data[1] |= 0x02
	all[0].Data[5] = 1
	return all
}

// long returns the parameter of a locate record in its extended form.
func long(locate []byte) []byte { return append(slices.Clone(locate), 0, 0, 0, 0) }

// extended returns a program that reads or writes behind a locate record extended.
func (c *chains) extended() []scenario.CCW {
	all := c.blocks(c.d.chance(2, 3))
	all[1] = scenario.CCW{Command: arch.CommandLocateRecordExtended, Data: long(all[1].Data)}
	return all
}

// prefix returns a program that reads or writes behind a prefix, which is define
// extent and locate record in one command.
func (c *chains) prefix() []scenario.CCW {
	all := c.blocks(c.d.chance(2, 3))
	p := make([]byte, 64)
	p[0], p[1] = 1, 0x80
	copy(p[12:], all[0].Data)
	copy(p[44:], long(all[1].Data))
	all[1] = scenario.CCW{Command: arch.CommandPrefix, Data: p}
	return all[1:]
}

// noData returns a program that asks for the properties of the device, and moves no
// record.
func noData(command scenario.Code) []scenario.CCW {
	return []scenario.CCW{
		{Command: arch.CommandSenseID, Count: 7, Flags: []string{"sli"}},
		{Command: command, Count: 32, Flags: []string{"sli"}},
	}
}

// fixedRun returns the CCWs that read or write blocks of a fixed-block device.
func (c *chains) fixedRun(write bool, first, n int) []scenario.CCW {
	for t := first / trackBlocks; t <= (first+n-1)/trackBlocks; t++ {
		c.touched = append(c.touched, t)
	}
	return layout(func(s program.Control, data machine.Address) {
		program.FBABlocks(s, data, write, uint32(first), n)
	}, c.content(n*512))
}

// fixed reads or writes up to 24 blocks.
func (c *chains) fixed(write bool) []scenario.CCW {
	first := c.fixedFirst + c.d.IntN(c.tracks*trackBlocks-24)
	n := c.d.between(1, 24)
	if c.d.chance(1, 2) { // whole requests of the block access method
		first, n = c.fixedFirst+(first-c.fixedFirst)/blocksARecord*blocksARecord, blocksARecord*c.d.between(1, 3)
	}
	return c.fixedRun(write, first, n)
}

// fixedReadWrite reads blocks and writes others of the same extent.
func (c *chains) fixedReadWrite() []scenario.CCW {
	first := c.fixedFirst + c.d.IntN(c.tracks*trackBlocks-32)
	all := c.fixedRun(true, first, 32) // its extent is for both
	relative := func(write bool) []scenario.CCW {
		at, n := c.d.IntN(16), c.d.between(1, 16)
		run := c.fixedRun(write, first, n)[1:]
		binary.BigEndian.PutUint32(run[0].Data[4:], uint32(at))
		return run
	}
	return append(all[:1], append(relative(false), relative(true)...)...)
}
