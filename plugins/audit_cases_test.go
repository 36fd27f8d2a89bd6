package plugins_test

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/plugins/frontend/audit"
	postaudit "github.com/iosrun/iosrun/plugins/poststatus/audit"
)

// moved is how many bytes the requests of the audit's cases move.
const moved = 8192

func records(bytes uint64, codes ...uint8) (all []abi.Intent) {
	for _, c := range codes {
		all = append(all, abi.Intent{Kind: abi.IntentRecord, Code: c, Value: bytes})
	}
	return all
}

func moves(f *abi.Frame) { f.Target.DataLength = moved }

func auditedRequests() (all []testCase) {
	write := program(defineExtent, locateRecord, writeData)
	read := program(defineExtent, locateRecord, readData)
	none := func(*abi.Frame) {}
	for _, c := range []struct {
		name  string
		chain []abi.CCW
		edit  func(*abi.Frame)
		want  []abi.Intent
	}{
		{"write", write, none, records(moved, audit.WritesPlain)},
		{"write with PCI", program(defineExtent, locateRecord, flagged(writeData, arch.FlagPCI)), none, records(moved, audit.WritesSpecial)},
		{"read", read, none, records(moved, audit.ReadsPlain)},
		{"read with PCI", program(defineExtent, locateRecord, flagged(readData, arch.FlagPCI)), none, records(moved, audit.ReadsSpecial)},
		{"read and write", program(defineExtent, locateRecord, readData, writeData), none, records(moved, audit.ReadsWritesPlain)},
		{"chain that modifies its CCWs", program(defineExtent, locateRecord, at(ccwsAt+24, readData), writeData), none, records(moved, audit.ReadsWritesSpecial)},
		{"no operation", program(abi.CCW{Command: 0x03, Count: 1}), none, records(moved, audit.Neither)},
		{"chain out of sight", read, func(f *abi.Frame) { f.Chain.Flags = abi.ChainTruncated }, records(moved, audit.ReadsWritesSpecial, audit.Unseen)},
		{"read that a mirror could serve", read, readable, records(moved, audit.ReadsPlain, audit.MirrorReadable)},
		{"read that a mirror could serve, of a device that is not mirrored", read, with(readable, role(abi.RoleNone, 0)), records(moved, audit.ReadsPlain)},
		{"write to a track that a mirror has", write, readable, records(moved, audit.WritesPlain)},
		{"write to a device that is not mirrored", write, role(abi.RoleNone, 0), records(moved, audit.WritesPlain)},
		{"interloper's write", write, role(abi.RoleMirror, 0), records(moved, audit.Interlopers, audit.WritesPlain)},
		{"read of a mirror", read, role(abi.RoleMirror, 0), records(moved, audit.ReadsPlain)},
		{"mirror I/O", write, role(abi.RoleMirror, abi.OriginMirror), nil},
		{"synchronisation", read, role(abi.RolePrimary, abi.OriginSync), nil},
		{"routed read", read, role(abi.RoleMirror, abi.OriginRouted), nil},
		{"driven again", write, call(2), records(3, audit.DrivenAgain)},
	} {
		all = append(all, testCase{name: c.name, detour: &detours[8], chain: c.chain, edit: with(moves, c.edit), intents: c.want, steps: s(106, 100)})
	}
	writes100 := repeat(100)
	return append(all,
		testCase{name: "long write", detour: &detours[8], chain: writes100, reader: true, edit: moves, intents: records(moved, audit.WritesPlain), steps: s(106, 100)},
		testCase{name: "long write that cannot be read", detour: &detours[8], chain: writes100, edit: moves,
			intents: records(moved, audit.ReadsWritesSpecial, audit.Unseen), steps: s(106, 100)})
}

func auditedEnds() (all []testCase) {
	again := func(n uint8) func(*abi.Frame) {
		return func(f *abi.Frame) { f.Head.Call, f.Target.Retries = uint32(n), n }
	}
	none := func(*abi.Frame) {}
	for _, c := range []struct {
		name string
		edit func(*abi.Frame)
		want []abi.Intent
	}{
		{"ended well", none, records(moved, postaudit.EndedWell)},
		{"ended well at the third drive", again(2), append(records(moved, postaudit.EndedWell), records(2, postaudit.Recovered)...)},
		{"seen before, and held back", call(1), nil},
		{"seen before, driven again and held back", with(again(1), call(2)), nil},
		{"not started: no path", notStarted(abi.CompletionNoPath), records(moved, postaudit.NoPath)},
		{"no path", control(0, 0x03), records(moved, postaudit.NoPath)},
		{"halted", control(2, 0x20), records(moved, postaudit.Missing)},
		{"cleared", control(2, 0x10), records(moved, postaudit.Missing)},
		{"equipment check", failed, records(moved, postaudit.UnitChecks, postaudit.Equipment)},
		{"equipment check, to be driven again once more", with(failed, again(1)), records(moved, postaudit.UnitChecks, postaudit.Equipment)},
		{"intervention required", sensed(0x40), records(moved, postaudit.UnitChecks, postaudit.Equipment)},
		{"write inhibited", sensed(0x10, 0x02), records(moved, postaudit.UnitChecks)},
		{"data check", sensed(0x08), records(moved, postaudit.UnitChecks)},
		{"command reject", sensed(0x80), records(moved, postaudit.UnitChecks, postaudit.Program)},
		{"no record found", sensed(0x00, 0x08), records(moved, postaudit.UnitChecks, postaudit.Program)},
		{"program check", ended(0, 0x20), records(moved, postaudit.ChannelError)},
		{"busy", ended(0x10, 0), records(moved, postaudit.Otherwise)},
		{"busy, with a program-controlled interruption", ended(0x10, 0x80), records(moved, postaudit.Otherwise)},
		{"rejected, with an earlier status", with(failed, notStarted(abi.CompletionRejected)), records(moved, postaudit.Otherwise)},
		{"of a device that is not mirrored", role(abi.RoleNone, 0), records(moved, postaudit.EndedWell)},
		{"of a routed read", role(abi.RoleMirror, abi.OriginRouted), records(moved, postaudit.EndedWell)},
		{"of a mirror I/O", role(abi.RoleMirror, abi.OriginMirror), nil},
		{"of the synchronisation", role(abi.RolePrimary, abi.OriginSync), nil},
	} {
		all = append(all, testCase{name: c.name, detour: &detours[9], edit: with(moves, c.edit), intents: c.want, steps: s(290, 294)})
	}
	return all
}
