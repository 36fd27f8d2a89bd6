package plugins_test

import (
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/plugins/frontend/readselect"
	"github.com/iosrun/iosrun/plugins/frontend/standard"
	"github.com/stretchr/testify/assert"
)

func role(r abi.Role, o abi.Origin) func(*abi.Frame) {
	return func(f *abi.Frame) { f.Target.Role, f.Target.Origin = r, o }
}

func fastWrite(at int) func(*abi.Frame) {
	return func(f *abi.Frame) { f.Chain.Parameter[0][at] |= 0x02 }
}

// cfwid gives mirror i a fast-write identification.
func cfwid(i int, id uint16) func(*abi.Frame) {
	return func(f *abi.Frame) { f.Pair.Mirror[i].CFWID = id }
}

func readable(f *abi.Frame) {
	f.Pair.Mirror[0].Flags |= abi.MirrorTracksInSync
	f.Pair.Mirror[0].ReadLatency = 10
}

func fba(f *abi.Frame) { f.Target.Class = abi.ClassFBA }

// repeat is a program of n writes and what follows.
func repeat(n int, behind ...abi.CCW) []abi.CCW {
	p := []abi.CCW{defineExtent, locateRecord}
	for range n {
		p = append(p, writeData)
	}
	return program(append(p, behind...)...)
}

func frontEndCases() []testCase {
	plain, constant, selecting, through := &detours[0], &detours[1], &detours[2], &detours[3]
	write := program(defineExtent, locateRecord, writeData)
	read := program(defineExtent, locateRecord, readData)
	both := program(defineExtent, locateRecord, readData, writeData)
	three := mirrors(mirror(abi.MirrorInSync, 0), mirror(abi.MirrorInSync, 0), mirror(abi.MirrorInSync, 0))
	prefixed := program(abi.CCW{Command: 0xE7, Count: 64}, writeData)
	writeSense := program(defineExtent, locateRecord, writeData, sense)
	writePCI := program(defineExtent, locateRecord, flagged(writeData, arch.FlagPCI))
	writeS := program(defineExtent, locateRecord, flagged(writeData, arch.FlagS))
	bothS := program(defineExtent, locateRecord, readData, flagged(writeData, arch.FlagS))
	senseIntoCCW := program(defineExtent, locateRecord, at(ccwsAt+24, sense), writeData)
	readIntoCCW := program(defineExtent, locateRecord, at(ccwsAt+24, readData), writeData)
	readIntoCCWS := program(defineExtent, locateRecord, at(ccwsAt+24, readData), flagged(writeData, arch.FlagS))
	readIntoData := program(defineExtent, locateRecord, at(0x80000, readData), at(0x80800, writeData), writeData)
	readIntoBoth := program(defineExtent, locateRecord, at(ccwsAt-4096+24, readData), at(ccwsAt-4096+8, writeData))
	listed := flagged(at(0x80000, readData), arch.FlagIDA)
	readIntoList := program(defineExtent, locateRecord, listed, flagged(at(0x80000, writeData), arch.FlagIDA))
	reserve := program(abi.CCW{Command: 0xB4, Count: 32})
	setMode := program(abi.CCW{Command: 0x87, Count: 2})
	setModeS := program(abi.CCW{Command: 0x87, Count: 2, Flags: arch.FlagS})
	search := program(abi.CCW{Command: 0x07, Count: 6}, abi.CCW{Command: 0x31, Count: 5}, at(ccwsAt+8, abi.CCW{Command: arch.CommandTransfer}), readData, writeData)
	leaving := program(abi.CCW{Command: 0x31, Count: 5}, at(ccwsAt+64, abi.CCW{Command: arch.CommandTransfer}), writeData)
	leaving[2].Location = ccwsAt + 64
	fbaBoth := program(defineExtent, abi.CCW{Command: 0x43, Count: 8}, abi.CCW{Command: 0x42, Count: 512}, abi.CCW{Command: 0x43, Count: 8}, abi.CCW{Command: 0x41, Count: 512})
	chained := program(defineExtent, locateRecord, flagged(writeData, arch.FlagCD), abi.CCW{Command: 0x86, Count: 100})
	writes100, mixed90 := repeat(100), repeat(89, readData)

	return []testCase{
		{name: "not mirrored", detour: plain, chain: write, edit: role(abi.RoleNone, 0), steps: s(114, 116, 106, 100)},
		{name: "everything through", detour: through, chain: write, steps: s(106, 100)},

		{name: "mirror, read", detour: plain, chain: read, edit: role(abi.RoleMirror, 0), steps: s(114, 116, 118, 126, 106, 100)},
		{name: "mirror, mirror I/O", detour: plain, chain: write, edit: role(abi.RoleMirror, abi.OriginMirror), steps: s(114, 116, 118, 126, 128, 106, 100)},
		{name: "mirror, synchronisation", detour: plain, chain: write, edit: role(abi.RoleMirror, abi.OriginSync), steps: s(114, 116, 118, 126, 128, 106, 100)},
		{name: "mirror, interloper", detour: plain, chain: write, edit: role(abi.RoleMirror, 0), verdict: abi.Return,
			intents: asks(abi.Intent{Kind: abi.IntentReject, Code: 0x4A}), steps: s(114, 116, 118, 126, 128, 130, 102)},
		{name: "mirror, interloper inhibited", detour: plain, chain: write, edit: with(role(abi.RoleMirror, 0), setting(standard.Interloper, 1)),
			intents: asks(intent(abi.IntentInhibit, 0)), steps: s(114, 116, 118, 126, 128, 130, 106, 100)},
		{name: "mirror, read that could become a write", detour: plain, chain: program(defineExtent, locateRecord, at(ccwsAt+24, readData), readData),
			edit: role(abi.RoleMirror, 0), verdict: abi.Return,
			intents: asks(abi.Intent{Kind: abi.IntentReject, Code: 0x4A}), steps: s(114, 116, 118, 126, 128, 130, 102)},
		{name: "mirror, chain out of sight", detour: plain, chain: read, verdict: abi.Return,
			edit:    with(role(abi.RoleMirror, 0), func(f *abi.Frame) { f.Chain.Flags = abi.ChainTruncated }),
			intents: asks(abi.Intent{Kind: abi.IntentReject, Code: 0x4A}), steps: s(114, 116, 118, 126, 128, 130, 102)},

		{name: "driven again while the mirror I/O is active", detour: plain, chain: write, edit: func(f *abi.Frame) { f.Pair.Active = 1 },
			verdict: abi.Return, intents: asks(intent(abi.IntentRetry, 0)), steps: s(114, 120, 122, 102)},
		{name: "driven again while the mirror I/O is active on a mirror cut off", detour: plain, chain: write,
			edit:    with(mirrors(mirror(abi.MirrorFailed, 0), mirror(abi.MirrorInSync, 0)), func(f *abi.Frame) { f.Pair.Active = 1 }),
			intents: asks(intent(abi.IntentMirror, 0b10), backEnd), steps: took(create, s(158, 172, 176), held)},

		{name: "write", detour: plain, chain: write, intents: asks(mirrorSame, backEnd), steps: took(create, s(158, 172, 176), held)},
		{name: "write to mirrors in every state", detour: plain, chain: write,
			edit: mirrors(mirror(abi.MirrorNone, 0), mirror(abi.MirrorSynchronising, 0), mirror(abi.MirrorInSync, 0),
				mirror(abi.MirrorSuspended, 0), mirror(abi.MirrorFailed, 0)),
			intents: asks(intent(abi.IntentMirror, 0b110), backEnd), steps: took(create, s(158, 172, 176), held)},
		{name: "write without a mirror to write to", detour: plain, chain: write, edit: mirrors(mirror(abi.MirrorSuspended, 0)),
			intents: asks(backEnd), steps: took(create, s(158, 172, 176), nothing)},
		{name: "write in constant copy", detour: constant, chain: write,
			intents: asks(abi.Intent{Kind: abi.IntentMirror, Mirrors: 1, Flags: abi.MirrorConstantCopy}, backEnd),
			steps:   took(create, s(158, 172, 176), held)},
		{name: "write with data chaining", detour: plain, chain: chained, intents: asks(mirrorSame, backEnd), steps: took(create, s(158, 172, 176), held)},
		{name: "long write", detour: plain, chain: writes100, reader: true, intents: asks(mirrorSame, backEnd), steps: took(create, s(158, 172, 176), held)},
		{name: "long write that cannot be read", detour: plain, chain: writes100, intents: asks(withError, ccwError, backEnd),
			steps: took(create, s(168, 198, 200, 214, 218), invalid)},
		{name: "write and sense", detour: plain, chain: writeSense, intents: asks(mirrorWith(1, 0, 4), backEnd),
			recipe: copies(writeSense, map[int]func(*abi.RecipeCCW){3: skip}), steps: took(create, s(158, 172, 176), held)},

		{name: "cache fast write, same identification", detour: plain, chain: write, edit: fastWrite(1),
			intents: asks(mirrorSame, backEnd), steps: took(create, s(158, 172, 173, 176), held)},
		{name: "cache fast write, other identifications", detour: plain, chain: write,
			edit:    with(three, fastWrite(1), cfwid(0, 0x0777), cfwid(2, 0x0888)),
			intents: asks(intent(abi.IntentMirror, 0b010), mirrorWith(0b001, 0, 3), mirrorWith(0b100, 3, 3), backEnd),
			recipe: append(copies(write, map[int]func(*abi.RecipeCCW){0: parameters}),
				copies(write, map[int]func(*abi.RecipeCCW){0: func(r *abi.RecipeCCW) { parameters(r); r.Parameter = 1 }})...),
			steps: took(create, s(158, 172, 173, 174, 176), held),
			after: func(t *testing.T, f *abi.Frame) {
				assert.Equal(t, []byte{0x07, 0x77}, f.Response.Parameter[0][4:6])
				assert.Equal(t, []byte{0x08, 0x88}, f.Response.Parameter[1][4:6])
				assert.Equal(t, f.Chain.Parameter[0][6:], f.Response.Parameter[1][6:])
			}},
		{name: "cache fast write in prefix", detour: plain, chain: prefixed,
			edit:    with(fastWrite(13), cfwid(0, 0x0777), func(f *abi.Frame) { f.Chain.Parameter[0][1] = 0x80; f.Chain.Parameter[1][3] = 0x55 }),
			intents: asks(mirrorWith(1, 0, 2), backEnd), recipe: copies(prefixed, map[int]func(*abi.RecipeCCW){0: parameters}),
			steps: took(create, s(158, 172, 173, 174, 176), held),
			after: func(t *testing.T, f *abi.Frame) {
				assert.Equal(t, []byte{0x07, 0x77}, f.Response.Parameter[0][16:18])
				assert.Equal(t, f.Chain.Parameter[1], f.Response.Parameter[1])
			}},
		{name: "prefix without define extent", detour: plain, chain: prefixed, edit: with(fastWrite(13), cfwid(0, 0x0777)),
			intents: asks(mirrorSame, backEnd), steps: took(create, s(158, 172, 176), held)},
		{name: "cache fast write that cannot be seen", detour: plain, chain: write,
			edit:    with(cfwid(0, 0x0777), func(f *abi.Frame) { f.Chain.CCW[0].Parameter = 0 }),
			intents: asks(withError, ccwError, backEnd), steps: took(create, s(158, 172, 173, 174), invalid)},

		{name: "write with PCI", detour: plain, chain: writePCI, intents: asks(backEnd), steps: took(create, s(160, 178, 184), nothing)},
		{name: "write with PCI, copied", detour: plain, chain: writePCI, edit: setting(standard.Interrupting, 1), intents: asks(changedTracks, backEnd),
			steps: took(create, s(160, 178, 184), nothing)},
		{name: "write that suspends itself", detour: plain, chain: writeS,
			intents: asks(constantCopy, abi.Intent{Kind: abi.IntentMirror, Mirrors: 1, Flags: abi.MirrorConstantCopy, Count: 3}, backEnd),
			recipe:  copies(writeS, map[int]func(*abi.RecipeCCW){2: unsuspend}), steps: took(create, s(160, 178, 180, 182), held)},
		{name: "write that modifies its CCWs", detour: plain, chain: senseIntoCCW, intents: asks(changedTracks, mirrorWith(1, 0, 4), backEnd),
			recipe: copies(senseIntoCCW, map[int]func(*abi.RecipeCCW){2: skip}), steps: took(create, s(160, 178, 180, 202, 208, 210), held)},

		{name: "read", detour: plain, chain: read, intents: asks(backEnd), steps: took(create, s(162, 186, 188), nothing)},
		{name: "read with PCI", detour: plain, chain: program(defineExtent, locateRecord, flagged(readData, arch.FlagPCI)),
			intents: asks(backEnd), steps: took(create, s(164, 186, 188), nothing)},
		{name: "read from the mirror", detour: selecting, chain: read, edit: readable,
			intents: asks(intent(abi.IntentRoute, 0)), steps: took(create, s(162, 186, 190, 192, 106, 100))},
		{name: "read from the mirror by a chain with PCI", detour: selecting, edit: readable,
			chain:   program(defineExtent, locateRecord, flagged(readData, arch.FlagPCI)),
			intents: asks(intent(abi.IntentRoute, 0)), steps: took(create, s(164, 186, 190, 192, 106, 100))},
		{name: "read that the mirror lacks", detour: selecting, chain: read, edit: func(f *abi.Frame) { readable(f); f.Pair.Mirror[0].Flags = 0 },
			intents: asks(backEnd), steps: took(create, s(162, 186, 190, 192), nothing)},
		{name: "read that suspends itself", detour: selecting, chain: program(defineExtent, locateRecord, flagged(readData, arch.FlagS)), edit: readable,
			intents: asks(backEnd), steps: took(create, s(164, 186, 190, 192), nothing)},
		{name: "read of the synchronisation", detour: selecting, chain: read, edit: with(readable, role(abi.RolePrimary, abi.OriginSync)),
			intents: asks(backEnd), steps: took(create, s(162, 186, 190, 192), nothing)},
		{name: "read with an answer of the device's own", detour: selecting, chain: program(defineExtent, locateRecord, readData, abi.CCW{Command: 0xE4, Count: 7}),
			edit: readable, intents: asks(backEnd), steps: took(create, s(162, 186, 190, 192), nothing)},
		{name: "read of a congested primary", detour: selecting, chain: read,
			edit: with(readable, setting(readselect.SelectorSetting, int64(readselect.PreferPrimary)), setting(readselect.Congestion, 4),
				func(f *abi.Frame) { f.Pair.Queue = 4 }),
			intents: asks(intent(abi.IntentRoute, 0)), steps: took(create, s(162, 186, 190, 192, 106, 100))},

		{name: "read and write", detour: plain, chain: both, intents: asks(mirrorWith(1, 0, 4), backEnd),
			recipe: copies(both, map[int]func(*abi.RecipeCCW){2: skip}), steps: took(create, s(166, 194), held)},
		{name: "read and write by search", detour: plain, chain: search, intents: asks(mirrorWith(1, 0, 5), backEnd),
			recipe: copies(search, map[int]func(*abi.RecipeCCW){2: transfer(1), 3: skip}), steps: took(create, s(166, 194), held)},
		{name: "read and write blocks", detour: plain, chain: fbaBoth, edit: fba, intents: asks(mirrorWith(1, 0, 5), backEnd),
			recipe: copies(fbaBoth, map[int]func(*abi.RecipeCCW){2: skip}), steps: took(create, s(166, 194), held)},
		{name: "read and write with cache fast write", detour: plain, chain: both, edit: with(three, fastWrite(1), cfwid(1, 0x0777)),
			intents: asks(mirrorWith(0b101, 0, 4), mirrorWith(0b010, 4, 4), backEnd),
			recipe: append(copies(both, map[int]func(*abi.RecipeCCW){2: skip}),
				copies(both, map[int]func(*abi.RecipeCCW){0: parameters, 2: skip})...),
			steps: took(create, s(166, 194, 173, 174), held)},
		{name: "read and write beyond a recipe", detour: plain, chain: mixed90, reader: true, intents: asks(withError, ccwError, backEnd),
			steps: took(create, s(166, 194), invalid)},

		{name: "read and write with PCI", detour: plain, chain: program(defineExtent, locateRecord, readData, flagged(writeData, arch.FlagPCI)),
			intents: asks(changedTracks, backEnd), steps: took(create, s(168, 198, 199), nothing)},
		{name: "chain that modifies its CCWs", detour: plain, chain: readIntoCCW, intents: asks(changedTracks, mirrorWith(1, 0, 4), backEnd),
			recipe: copies(readIntoCCW, map[int]func(*abi.RecipeCCW){2: skip}), steps: took(create, s(168, 198, 200, 202, 208, 210), held)},
		{name: "chain that modifies its data", detour: plain, chain: readIntoData, intents: asks(changedTracks, mirrorWith(1, 0, 5), backEnd),
			recipe: copies(readIntoData, map[int]func(*abi.RecipeCCW){2: private, 3: private}), steps: took(create, s(168, 198, 200, 204, 212, 210), held)},
		{name: "chain that modifies its data through a list", detour: plain, chain: readIntoList, intents: asks(changedTracks, mirrorWith(1, 0, 4), backEnd),
			recipe: copies(readIntoList, map[int]func(*abi.RecipeCCW){2: private, 3: private}), steps: took(create, s(168, 198, 200, 204, 212, 210), held)},
		{name: "chain that modifies CCWs and data", detour: plain, chain: readIntoBoth, intents: asks(changedTracks, mirrorWith(1, 0, 4), backEnd),
			recipe: copies(readIntoBoth, map[int]func(*abi.RecipeCCW){2: private, 3: private}), steps: took(create, s(168, 198, 200, 206, 212, 210), held)},
		{name: "chain that modifies and suspends itself", detour: plain, chain: readIntoCCWS, intents: asks(changedTracks, constantCopy, backEnd),
			steps: took(create, s(168, 198, 200, 202, 208, 210, 226, 230, 232, 234, 108, 100))},
		{name: "chain that suspends itself", detour: plain, chain: bothS,
			intents: asks(constantCopy, abi.Intent{Kind: abi.IntentMirror, Mirrors: 1, Flags: abi.MirrorConstantCopy, Count: 4}, backEnd),
			recipe:  copies(bothS, map[int]func(*abi.RecipeCCW){2: skip, 3: unsuspend}), steps: took(create, s(168, 198, 200, 214, 216), held)},
		{name: "chain out of sight", detour: plain, chain: write, edit: func(f *abi.Frame) { f.Chain.Flags = abi.ChainTruncated },
			intents: asks(withError, ccwError, backEnd), steps: took(create, s(168, 198, 200, 214, 218), invalid)},
		{name: "chain with a branch out of sight", detour: plain, chain: leaving,
			intents: asks(withError, ccwError, backEnd), steps: took(create, s(168, 198, 200, 214, 218), invalid)},
		{name: "chain out of sight, no mirrors", detour: plain, chain: write,
			edit:    with(mirrors(), func(f *abi.Frame) { f.Chain.Flags = abi.ChainTruncated }),
			intents: asks(backEnd), steps: took(create, s(168, 198, 200, 214, 218), nothing)},

		{name: "no operation", detour: plain, chain: program(abi.CCW{Command: 0x03, Count: 1}), intents: asks(backEnd), steps: took(create, s(170, 220, 222), nothing)},
		{name: "empty chain", detour: plain, intents: asks(backEnd), steps: took(create, s(170, 220, 222), nothing)},
		{name: "set path group id", detour: plain, chain: program(abi.CCW{Command: 0xAF, Count: 12}), intents: asks(backEnd), steps: took(create, s(170, 220, 222), nothing)},
		{name: "reserve", detour: plain, chain: reserve, intents: asks(mirrorWith(1, 0, 1), backEnd),
			recipe: copies(reserve, map[int]func(*abi.RecipeCCW){0: skip}), steps: took(create, s(170, 220, 224), held)},
		{name: "set subsystem mode", detour: plain, chain: setMode, intents: asks(mirrorSame, backEnd), steps: took(create, s(170, 220, 224), held)},
		{name: "set subsystem mode, suspended", detour: plain, chain: setModeS, intents: asks(constantCopy, backEnd),
			steps: took(create, s(170, 220, 224, 226, 230, 232, 234, 108, 100))},
	}
}
