package channel

import (
	"testing"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	f1   = ORBDefaultControl
	f0   = ORBPathMask
	susp = f1 | ORBSuspend
	mida = f1 | ORBModifiedIDAW
	key1 = f1 | 1<<ORBKeyShift
)

// TestPrograms runs channel programs against a device whose record is sixteen
// bytes, 01 to 10, and holds the SCSWs, the storage afterwards and what the
// device got against what the architecture says.
func TestPrograms(t *testing.T) {
	type stored = map[machine.Address]string
	for _, c := range []struct {
		name    string
		control uint32
		program string // at 10000
		mem     stored
		keys    map[machine.Address]byte
		limit   uint32 // address limit
		mode    uint16 // limit mode
		want    []string
		after   stored
		got     string // what the device got
		counts  []int  // what Operation.Count said
	}{
		// Length: regular commands. The columns of the flag table: CD, CC, SLI.
		{name: "read, equal", program: "0200001000020000", want: []string{"00804007000100080c000000"},
			after: stored{0x20000: "0102030405060708090a0b0c0d0e0f1000"}},
		{name: "read, block short, 000", program: "0200001400020000", want: []string{"00804017000100080c400004"}},
		{name: "read, block short, 001", program: "0220001400020000", want: []string{"00804007000100080c000004"}},
		{name: "read, block short, 010", program: "02400014000200000300000000000000", want: []string{"00804017000100080c400004"}},
		{name: "read, block short, 011", program: "02600014000200000300000000000000", want: []string{"00804007000100100c000000"}},
		{name: "read, block long, 000", program: "0200000A00020000", want: []string{"00804017000100080c400000"},
			after: stored{0x20000: "0102030405060708090a00"}},
		{name: "read, block long, 001", program: "0220000A00020000", want: []string{"00804007000100080c000000"}},
		{name: "read, block long, 010", program: "0240000A000200000300000000000000", want: []string{"00804017000100080c400000"}},
		{name: "read, block long, 011", program: "0260000A000200000300000000000000", want: []string{"00804007000100100c000000"}},
		{name: "read, block short in the first of a data chain", program: "02800064000200000000002800020100",
			want: []string{"00804017000100080c400054"}},
		{name: "read, block short in the first of a data chain, SLI is ignored", program: "02A00064000200000020002800020100",
			want: []string{"00804017000100080c400054"}},
		{name: "read, block ends with the first of a data chain: the second has control", program: "02800010000200000000002800020100",
			want: []string{"00804017000100100c400028"}},
		{name: "read, block ends with the first of a data chain, SLI in the second", program: "02800010000200000020002800020100",
			want: []string{"00804007000100100c000028"}},
		{name: "read, block ends with the first of a data chain, second not valid", program: "02800010000200000000000000020100",
			want: []string{"00804017000100100c200000"}},
		{name: "read, data chain", program: "02800004000200000000000C00020100", want: []string{"00804007000100100c000000"},
			after: stored{0x20000: "0102030400", 0x20100: "05060708090a0b0c0d0e0f1000"}, counts: []int{16}},
		{name: "read, data chain over a TIC", program: "0280000400020000080000000001001800000000000000000000000C00020100",
			want: []string{"00804007000100200c000000"}, after: stored{0x20100: "05060708090a0b0c0d0e0f1000"}, counts: []int{16}},
		{name: "data chain, block short in the last, SLI there counts", program: "02800004000200000020001000020100",
			want: []string{"00804007000100100c000004"}},
		{name: "data chain, command chaining from its last CCW", program: "02800004000200000040000C000201000300000000000000",
			want: []string{"00804007000100180c000000"}},
		{name: "data chain of three", program: "02800004000200000080000400020100000000080002020000",
			want: []string{"00804007000100180c000000"}, after: stored{0x20200: "090a0b0c0d0e0f1000"}, counts: []int{16}},
		{name: "data chain, count zero in its second CCW", program: "02800004000200000000000000020100",
			want: []string{"00804017000100100c200000"}},
		{name: "data chain, count zero in its first CCW", program: "02800000000200000000001000020100",
			want: []string{"00804017000100080020" + "0000"}},
		{name: "data chain, suspend flag in its second CCW", control: susp, program: "02800004000200000002000c00020100",
			want: []string{"08804017000100100c200000"}},
		{name: "data chain, second CCW beyond storage", program: "03400000000000000800000000" + "07fff8",
			mem: stored{0x7FFF8: "0280000400020000"}, want: []string{"00804017000800080c200000"}},
		{name: "write, equal", program: "0100001000020000", mem: stored{0x20000: "a1a2a3a4a5a6a7a8a9aaabacadaeafb0"},
			want: []string{"00804007000100080c000000"}, got: "a1a2a3a4a5a6a7a8a9aaabacadaeafb0"},
		{name: "write, block long: incorrect length", program: "0100000400020000", mem: stored{0x20000: "a1a2a3a4a5"},
			want: []string{"00804017000100080c400000"}, got: "a1a2a3a4"},
		{name: "write, block long, SLI", program: "0120000400020000", want: []string{"00804007000100080c000000"}, got: "00000000"},
		{name: "write, block short: residual is the excess", program: "0100001800020000", want: []string{"00804017000100080c400008"},
			got: "00000000000000000000000000000000"},
		{name: "write, data chain", program: "01800004000200000000000C00020100", mem: stored{0x20000: "a1a2a3a4", 0x20100: "b1b2b3b4b5b6b7b8b9babbbc"},
			want: []string{"00804007000100100c000000"}, got: "a1a2a3a4b1b2b3b4b5b6b7b8b9babbbc"},
		{name: "any length", program: "0B00001800020000", want: []string{"00804007000100080c000000"},
			got: "000000000000000000000000000000000000000000000000"},
		{name: "count zero in format 1, suppressed", program: "0220000000020000", want: []string{"00804007000100080c000000"}},
		{name: "count zero in format 1, the device had data", program: "0200000000020000", want: []string{"00804017000100080c400000"}},

		// Length: immediate commands.
		{name: "immediate, count zero", program: "0300000000000000", want: []string{"00804007000100080c000000"}},
		{name: "immediate, count one: incorrect length", program: "0300000100020000", want: []string{"00804017000100080c400001"}},
		{name: "immediate, count one, SLI", program: "0320000100020000", want: []string{"00804007000100080c000001"}},
		{name: "immediate, count one, L bit", control: f1 | ORBIncorrectLengthSuppress, program: "0300000100020000",
			want: []string{"00804007000100080c000001"}},
		{name: "immediate, count one, chaining stops", program: "03400001000200000300000000000000", want: []string{"00804017000100080c400001"}},
		{name: "immediate, count one, chaining with the L bit", control: f1 | ORBIncorrectLengthSuppress,
			program: "03400001000200000300000000000000", want: []string{"00804007000100100c000000"}},
		{name: "immediate, format 0", control: f0, program: "0302000000000001", want: []string{"00004007000100080c000001"}},
		{name: "immediate, format 0, chaining", control: f0, program: "03020000400000010302000000000002", want: []string{"00004007000100100c000002"}},
		{name: "immediate, data chaining: the chain is not used", control: f0, program: "03020000800000010302000000000002",
			want: []string{"00004007000100080c000001"}},

		// Skip.
		{name: "skip", program: "0290000400020000" + "0090000400020100" + "0000000800020200", want: []string{"00804007000100180c000000"},
			after: stored{0x20000: "00000000", 0x20100: "00000000", 0x20200: "090a0b0c0d0e0f1000"}},
		{name: "skip needs no storage", program: "021000107fff0000", want: []string{"00804007000100080c000000"}},
		{name: "skip on a write does not skip", program: "0110001000020000", mem: stored{0x20000: "a1a2a3a4a5a6a7a8a9aaabacadaeafb0"},
			want: []string{"00804007000100080c000000"}, got: "a1a2a3a4a5a6a7a8a9aaabacadaeafb0"},
		{name: "skip with IDA needs no list", program: "0214001000020001", want: []string{"00804007000100080c000000"}},

		// Read backward.
		{name: "read backward", program: "0C0000100002000F", want: []string{"00804007000100080c000000"},
			after: stored{0x20000: "0102030405060708090a0b0c0d0e0f1000"}},
		{name: "read backward over a key block", program: "0C00001000021004", want: []string{"00804007000100080c000000"},
			after: stored{0x20FF4: "000102030405060708090a0b0c0d0e0f1000"}},
		{name: "read backward below zero", program: "0C00001000000003", want: []string{"00804017000100080c200000"},
			after: stored{0: "0d0e0f1000"}},
		{name: "read backward, IDA", program: "0C04001000030000", mem: stored{0x30000: "00020003000217FF"},
			want: []string{"00804007000100080c000000"}, after: stored{0x20000: "0d0e0f10", 0x217F4: "0102030405060708090a0b0c"}},

		// Command codes and the CCW's form.
		{name: "command code 00", program: "0020005000020000", want: []string{"00804017000100080020" + "0050"}},
		{name: "command code 40", program: "4020005000020000", want: []string{"00804017000100080020" + "0050"}},
		{name: "command code 18 in format 1", program: "1820005000020000", want: []string{"00804017000100080020" + "0050"}},
		{name: "format 0, count zero", control: f0, program: "0202000000000000", want: []string{"00004017000100080020" + "0000"}},
		{name: "format 1, address bit 0", program: "0220001080020000", want: []string{"00804017000100080020" + "0000"}},
		{name: "unknown command", program: "FF20000100020000", want: []string{"00804017000100080e000001"}},

		// TIC.
		{name: "TIC as the first CCW", program: "08000000000100080300000000000000", want: []string{"00804017000100080020" + "0000"}},
		{name: "TIC as the first CCW, format 0", control: f0, program: "F8010008000000000302000000000001", want: []string{"00004017000100080020" + "0000"}},
		{name: "TIC", program: "034000000000000008000000000100180000000000000000" + "0300000000000000", want: []string{"00804007000100200c000000"}},
		{name: "TIC in format 0 has any high digit", control: f0, program: "0302000040000001" + "F801001855555555" + "0000000000000000" + "0302000000000001",
			want: []string{"00004007000100200c000001"}},
		{name: "TIC to TIC", program: "0360000100000000" + "0800000000010010" + "0800000000010018" + "0300000000000000", want: []string{"00804017000100180020" + "0001"}},
		{name: "TIC to an address off the doubleword", program: "03600001000200000800000000010014", want: []string{"00804017000100100020" + "0001"}},
		{name: "TIC beyond storage", program: "0360000100020000080000007fe00000", want: []string{"00804017000100100020" + "0001"}},
		{name: "TIC with a flag", program: "03600001000200000820000000010010", want: []string{"00804017000100100020" + "0001"}},
		{name: "TIC with a count", program: "03600001000200000800000100010010", want: []string{"00804017000100100020" + "0001"}},
		{name: "TIC with address bit 0", program: "03600001000200000800000080010010", want: []string{"00804017000100100020" + "0001"}},
		{name: "status modifier skips a CCW", program: "3140000500011000" + "0800000000010000" + "0300000000000000",
			mem: stored{0x11000: "0000000005"}, want: []string{"00804007000100180c000000"}},
		{name: "no status modifier, the search goes on", program: "3140000500011000" + "0300000000000000", mem: stored{0x11000: "0000000004"},
			want: []string{"00804007000100100c000000"}},
		{name: "status modifier at the end", program: "3100000500011000", mem: stored{0x11000: "0000000005"},
			want: []string{"00804017000100084c000000"}},
		{name: "last CCW of storage, then none", program: "0340000000000000" + "080000007ffffff8", mem: stored{0x7FFFFFF8: "0340000000000000"},
			want: []string{"00804017800000080020" + "0000"}},

		// Data addresses.
		{name: "data address beyond storage", program: "020000107f000000", want: []string{"00804017000100080c200000"}},
		{name: "data runs over the end of storage", program: "02000010" + "7ffffffa", want: []string{"00804017000100080c200000"},
			after: stored{0x7FFFFFFA: "010203040506"}},
		{name: "data address of format 0 runs over 24 bits", control: f0, program: "02fffff800000010", want: []string{"00004017000100080c200000"}},
		{name: "data beyond storage on a write", program: "010000107f000000", want: []string{"008040170001000800200000"}},
		{name: "unit check by a check: the check is shown", program: "070000067f000000", want: []string{"008040170001000800200000"}},

		// IDAWs.
		{name: "IDAW of format 1, split at 2K", program: "0204001000030000", mem: stored{0x30000: "000207fc00021000"},
			want: []string{"00804007000100080c000000"}, after: stored{0x207FC: "0102030400", 0x21000: "05060708090a0b0c0d0e0f1000"}},
		{name: "IDAW of format 1, second not at a block", program: "0204001000030000", mem: stored{0x30000: "000207fc00021004"},
			want: []string{"00804017000100080c200000"}, after: stored{0x21004: "00"}},
		{name: "IDAW of format 1, bit 0", program: "0204001000030000", mem: stored{0x30000: "80020000"}, want: []string{"00804017000100080c200000"}},
		{name: "IDA list off the word", program: "0204001000030002", want: []string{"00804017000100080c200000"}},
		{name: "IDA list beyond storage", program: "020400107f000000", want: []string{"00804017000100080c200000"}},
		{name: "IDAW of format 2, blocks of 4K", control: f1 | ORBFormat2IDAW, program: "0204001000030000",
			mem: stored{0x30000: "0000000000020ffc0000000000022000"}, want: []string{"00804007000100080c000000"},
			after: stored{0x20FFC: "01020304", 0x22000: "05060708090a0b0c0d0e0f1000"}},
		{name: "IDAW of format 2, blocks of 2K", control: f1 | ORBFormat2IDAW | ORB2KIDAW, program: "0204001000030000",
			mem: stored{0x30000: "00000000000207fc0000000000022000"}, want: []string{"00804007000100080c000000"},
			after: stored{0x207FC: "01020304", 0x22000: "05060708090a0b0c0d0e0f1000"}},
		{name: "IDAW of format 2 above 31 bits", control: f1 | ORBFormat2IDAW, program: "0204001000030000", mem: stored{0x30000: "0000000180020000"},
			want: []string{"00804017000100080c200000"}},
		{name: "IDA list of format 2 off the doubleword", control: f1 | ORBFormat2IDAW, program: "0204001000030004", want: []string{"00804017000100080c200000"}},
		{name: "IDA on a data chain", program: "02840006000300000004000a00030010", mem: stored{0x30000: "000207fc00021000", 0x30010: "00022000"},
			want: []string{"00804007000100100c000000"}, after: stored{0x207FC: "01020304", 0x21000: "050600", 0x22000: "0708090a0b0c0d0e0f1000"}},

		// MIDAWs.
		{name: "MIDAWs", control: mida, program: "0201001000030000", mem: stored{0x30000: "00000000000000040000000000020001" + "000000000080000c0000000000020105"},
			want: []string{"00804007000100080c000000"}, after: stored{0x20000: "000102030400", 0x20105: "05060708090a0b0c0d0e0f1000"}},
		{name: "MIDAW skip takes data away", control: mida, program: "0201001000030000",
			mem:  stored{0x30000: "00000000004000040000000000020001" + "000000000080000c0000000000020105"},
			want: []string{"00804007000100080c000000"}, after: stored{0x20000: "000000000000", 0x20105: "05060708090a0b0c0d0e0f1000"}},
		{name: "MIDAW interruption", control: mida, program: "0201001000030000",
			mem:  stored{0x30000: "00000000000000040000000000020001" + "00000000" + "00a0000c" + "0000000000020105"},
			want: []string{"008040c9000100080080" + "0000", "00804007000100080c000000"}},
		{name: "MIDAW without ORB D", program: "0201001000030000", want: []string{"00804017000100080020" + "0000"}},
		{name: "MIDAW and IDA", control: mida, program: "0205001000030000", want: []string{"00804017000100080020" + "0000"}},
		{name: "MIDAW and skip", control: mida, program: "0211001000030000", want: []string{"00804017000100080020" + "0000"}},
		{name: "MIDA list off the quadword", control: mida, program: "0201001000030008", want: []string{"00804017000100080c200000"}},
		{name: "MIDAW count zero", control: mida, program: "0201001000030000", mem: stored{0x30000: "00000000008000000000000000020001"},
			want: []string{"00804017000100080c200000"}},
		{name: "MIDAW crosses 4K", control: mida, program: "0201001000030000", mem: stored{0x30000: "00000000008000100000000000020ff1"},
			want: []string{"00804017000100080c200000"}},
		{name: "MIDAW reserved bits", control: mida, program: "0201001000030000", mem: stored{0x30000: "01000000008000100000000000020000"},
			want: []string{"00804017000100080c200000"}},
		{name: "MIDAWs end before the count", control: mida, program: "0201001000030000", mem: stored{0x30000: "00000000008000080000000000020000"},
			want: []string{"00804017000100080c200000"}},
		{name: "MIDAW count above the CCW's", control: mida, program: "0201001000030000", mem: stored{0x30000: "00000000008000110000000000020000"},
			want: []string{"00804017000100080c200000"}},
		{name: "MIDAW counts above the CCW's", control: mida, program: "0201001000030000",
			mem: stored{0x30000: "00000000000000080000000000020000" + "00000000008000090000000000020100"}, want: []string{"00804017000100080c200000"}},
		{name: "MIDA list crosses 4K", control: mida, program: "0201001000030ff0",
			mem: stored{0x30FF0: "00000000000000080000000000020000" + "00000000008000080000000000020100"}, want: []string{"00804017000100080c200000"}},

		// Keys and limits.
		{name: "key mismatch on a store", control: key1, program: "0200001000020000", keys: map[machine.Address]byte{0x20000: 0x20, 0x10000: 0x20},
			want: []string{"10804017000100080c100000"}},
		{name: "key mismatch on a store, keys as they are at first", control: key1, program: "0200001000020000",
			want: []string{"10804017000100080c100000"}, after: stored{0x20000: "00"}},
		{name: "key match on a store", control: key1, program: "0200001000020000", keys: map[machine.Address]byte{0x20000: 0x18},
			want: []string{"10804007000100080c000000"}},
		{name: "key mismatch on a fetch that is not protected", control: key1, program: "0100001000020000", keys: map[machine.Address]byte{0x20000: 0x20},
			want: []string{"10804007000100080c000000"}, got: "00000000000000000000000000000000"},
		{name: "key mismatch on a protected fetch", control: key1, program: "0100001000020ffc", keys: map[machine.Address]byte{0x21000: 0x28},
			want: []string{"10804017000100080c100000"}, got: "00000000"},
		{name: "key zero goes everywhere", program: "0200001000020000", keys: map[machine.Address]byte{0x20000: 0x28, 0x10000: 0x28},
			want: []string{"00804007000100080c000000"}},
		{name: "CCW not fetchable", control: key1, program: "0200001000020000", keys: map[machine.Address]byte{0x10000: 0x28},
			want: []string{"10804017000100080010" + "0000"}},
		{name: "IDA list not fetchable", control: key1, program: "0204001000030000", keys: map[machine.Address]byte{0x30000: 0x28},
			want: []string{"10804017000100080c100000"}},
		{name: "limit, data below", control: f1 | ORBAddressLimit, program: "0200001000020000", limit: 0x30000, mode: PMCWLimitAbove,
			want: []string{"00904017000100080c200000"}},
		{name: "limit, data above", control: f1 | ORBAddressLimit, program: "0200001000030000", limit: 0x30000, mode: PMCWLimitAbove,
			want: []string{"00904007000100080c000000"}},
		{name: "limit, data runs above", control: f1 | ORBAddressLimit, program: "020000100002fffc", limit: 0x30000, mode: PMCWLimitBelow,
			want: []string{"00904017000100080c200000"}, after: stored{0x2FFFC: "0102030400"}},
		{name: "limit not asked for", program: "0200001000020000", limit: 0x30000, mode: PMCWLimitAbove, want: []string{"00804007000100080c000000"}},

		// Suspend, PCI, initial status.
		{name: "suspend flag without ORB S", program: "0340000000000000" + "0202001000020000", want: []string{"00804017000100100020" + "0000"}},
		{name: "suspended", control: susp, program: "0340000000000000" + "0202001000020000", want: []string{"08804029000100100000" + "0010"}},
		{name: "suspended at the first CCW", control: susp, program: "0202001000020000", want: []string{"08804029000100080000" + "0010"}},
		{name: "suspend flag beside one that is not valid", control: susp, program: "0203001000020000", want: []string{"08804017000100080020" + "0000"}},
		{name: "suspended, interruption suppressed", control: susp | ORBSuppressSuspended, program: "0202001000020000", want: nil},
		{name: "PCI", program: "0208001000020000", want: []string{"008040c9000100080080" + "0000", "00804007000100080c000000"}},
		{name: "PCI on a data chain", program: "02800004000200000008000c00020100",
			want: []string{"008040c9000100100080" + "0000", "00804007000100100c000000"}},
		{name: "PCI of a CCW that is not valid", program: "020a001000020000", want: []string{"00804017000100080020" + "0000"}},
		{name: "initial status", control: f1 | ORBInitialStatus, program: "0200001000020000",
			want: []string{"00a440c9000100080000" + "0000", "00a04007000100080c000000"}},
		{name: "initial status with PCI", control: f1 | ORBInitialStatus, program: "0208001000020000",
			want: []string{"00a440c9000100080080" + "0000", "00a04007000100080c000000"}},
		{name: "initial status of an immediate command alone", control: f1 | ORBInitialStatus, program: "0300000000020000",
			want: []string{"00a04007000100080c000000"}},
		{name: "initial status of an immediate command that is chained", control: f1 | ORBInitialStatus, program: "03400000000200000300000000020000",
			want: []string{"00a440c9000100080000" + "0000", "00a04007000100100c000000"}},

		// Unit status.
		{name: "unit check before data: residual is the count", program: "1200001000020000", want: []string{"00804017000100080e400010"}},
		{name: "unit check before data, SLI", program: "1220001000020000", want: []string{"00804017000100080e000010"}},
		{name: "unit check after data", program: "0700000300020000", want: []string{"00804017000100080e000000"}},
		{name: "unit exception", program: "1620001000020000", want: []string{"00804017000100080d000010"}},
		{name: "unit exception ends the chain", program: "16600010000200000300000000000000", want: []string{"00804017000100080d000010"}},
		{name: "channel end alone", program: "4320000100020000", want: []string{"00804045000100080800" + "0001"}},
		{name: "busy", program: "5320000100020000", want: []string{"00804017000100081000" + "0001"}},
		{name: "command retry", program: "73600001000200000320000200000000", want: []string{"00804007000100100c000002"}, counts: []int{1, 1, 1, 2}},
		{name: "no status", program: "6320000100020000", want: []string{"00804017000100080002" + "0001"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.unit.record = counting(16)
			r.unit.found = 5
			r.put(0x10000, c.program)
			for a, text := range c.mem {
				r.put(a, text)
			}
			for a, key := range c.keys {
				r.m.Storage.SetKey(a, key)
			}
			require.NoError(t, r.s.SetAddressLimit(c.limit))
			r.sch.pmcw.Flags |= c.mode
			control := c.control
			if control == 0 {
				control = f1
			}
			require.Equal(t, CC(0), r.start(control))
			r.run()
			assert.Equal(t, c.want, r.shown())
			for a, text := range c.after {
				assert.Equal(t, text, r.get(a, len(text)/2), "storage at %x", uint64(a))
			}
			if c.got != "" {
				assert.Equal(t, c.got, hexed(r.unit.got))
			}
			if c.counts != nil {
				assert.Equal(t, c.counts, r.unit.counts)
			}
		})
	}
}

func TestChannelProgramAddress(t *testing.T) {
	for _, c := range []struct {
		name    string
		control uint32
		address uint32
		want    string
	}{
		{"off the doubleword", f1, 0x10004, "008040170001000c00200000"},
		{"beyond storage", f1, 0x7F000000, "008040177f00000800200000"},
		{"format 0 beyond 24 bits", f0, 0x1010000, "000040170101000800200000"},
		{"synthetic storage is storage", f1, 0x100000, "008040170010000800200000"},
	} {
		r := newRig(t)
		require.Equal(t, CC(0), r.s.StartSubchannel(0, r.sch, &ORB{Control: c.control, ChannelProgram: c.address}))
		r.run()
		assert.Equal(t, []string{c.want}, r.shown(), c.name)
	}
}

func hexed(p []byte) string {
	const digits = "0123456789abcdef"
	var b []byte
	for _, x := range p {
		b = append(b, digits[x>>4], digits[x&15])
	}
	return string(b)
}
