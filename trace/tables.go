package trace

import "bytes"

// letters are R and W, in either case.
var letters = []operationWord{{"R", Read}, {"r", Read}, {"W", Write}, {"w", Write}}

// eventsHeader is the first row of a trace of recorded events.
const eventsHeader = "us,op,offset,length,flags,response_us"

// events are recorded events. Times are microseconds, offset and length bytes; flags
// and response_us are not used.
var events = columns{
	names: eventsHeader, cut: commas, count: 6, header: mustHead,
	used: []column{
		{1, "op", operation, &operations{want: "read, write, flush, trim or zero", words: []operationWord{
			{"read", Read}, {"write", Write}, {"flush", Flush}, {"trim", Trim},
			{"zero", Trim}, // neither carries data; a zeroed range is a trimmed one here
		}}},
		{0, "time", ticks, nil},
		{2, "offset", offsetBytes, nil},
		{3, "length", lengthBytes, nil},
	},
}

// msr is the layout of the MSR Cambridge traces (Narayanan, Donnelly, Rowstron, FAST
// 2008), without a header. Times are ticks of 100 ns, in the published set since
// 1601 (Windows file time), so that nanoseconds since then exceed 63 bits.
// ResponseTime is not used.
var msr = columns{
	names: "Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime", cut: commas, count: 7, device: []int{1, 2},
	used: []column{
		{0, "timestamp", ticks, nil},
		{3, "type", operation, &operations{want: "Read or Write", words: []operationWord{
			{"Read", Read}, {"read", Read}, {"Write", Write}, {"write", Write},
		}}},
		{4, "offset", offsetBytes, nil},
		{5, "size", lengthBytes, nil},
	},
}

// spc is the layout of the Storage Performance Council's trace files (SPC Trace File
// Format Specification, revision 1.0.1): the application-specific unit, an address
// in sectors of 512 bytes, a size in bytes, R or W, and seconds with a fraction.
// Optional fields may follow and are not used.
var spc = columns{
	names: "ASU,LBA,Size,Opcode,Timestamp", cut: commas, count: 5, more: true, device: []int{0},
	used: []column{
		{0, "ASU", anyNumber, nil},
		{1, "LBA", offsetSectors, nil},
		{2, "size", lengthBytes, nil},
		{3, "opcode", operation, &operations{want: "R or W", words: letters}},
		{4, "time", decimalTime, nil},
	},
}

// alibaba is the layout of the block traces of Alibaba's cloud (Li, Wang, Lee and
// others, IISWC 2020), without a header: offset and length in bytes, times in
// microseconds.
var alibaba = columns{
	names: "device_id,opcode,offset,length,timestamp", cut: commas, count: 5, device: []int{0},
	used: []column{
		{1, "opcode", operation, &operations{want: "R or W", words: letters}},
		{2, "offset", offsetBytes, nil},
		{3, "length", lengthBytes, nil},
		{4, "timestamp", ticks, nil},
	},
}

// tencent is the layout of the block traces of Tencent's cloud (Zhang, Huang, Zhou
// and others, ATC 2020), without a header: times in whole seconds, offset and size
// in sectors, 0 for a read and 1 for a write.
var tencent = columns{
	names: "Timestamp,Offset,Size,IOType,VolumeID", cut: commas, count: 5, device: []int{4},
	used: []column{
		{0, "timestamp", ticks, nil},
		{1, "offset", offsetSectors, nil},
		{2, "size", lengthSectors, nil},
		{3, "type", operation, &operations{want: "0 (read) or 1 (write)", words: []operationWord{{"0", Read}, {"1", Write}}}},
	},
	telling: func(f *[maxFields][]byte) bool { return isNumber(f[4]) },
}

// systorHeader is the first row of the virtual-desktop traces of SYSTOR '17.
const systorHeader = "Timestamp,Response,IOType,LUN,Offset,Size"

// systor is the layout of the virtual-desktop traces of SYSTOR '17 (Lee, Kumano,
// Matsuki and others): times in seconds with a fraction, offset and size in bytes.
// Rows are written when a request ends, so that they are out of order. A piece that
// was cut out of a trace has no header. Response is not used.
var systor = columns{
	names: systorHeader, cut: commas, count: 6, header: mayHead, device: []int{3},
	used: []column{
		{0, "time", decimalTime, nil},
		{2, "type", operation, &operations{want: "R, W or nothing", words: letters, empty: true}},
		{4, "offset", offsetBytes, nil},
		{5, "size", lengthBytes, nil},
	},
	telling: func(f *[maxFields][]byte) bool { return isDecimal(f[1]) && isNumber(f[3]) },
}

const diskSimNames = "arrival device address sectors flags, separated by blanks"

// diskSim is the layout of DiskSim's ASCII traces: arrival time, device, address and
// size in sectors, and 1 for a read. Arrival times are milliseconds with a
// fraction.
var diskSim = columns{
	names: diskSimNames, cut: blanks, count: 5, device: []int{1},
	used:    diskSimColumns(decimalTime),
	telling: func(f *[maxFields][]byte) bool { return bytes.IndexByte(f[0], '.') >= 0 && isNumber(f[1]) },
}

// mqSim has DiskSim's columns with arrival times in whole nanoseconds, and that is
// how the two are told apart.
var mqSim = columns{
	names: diskSimNames, cut: blanks, count: 5, device: []int{1},
	used:    diskSimColumns(ticks),
	telling: func(f *[maxFields][]byte) bool { return isNumber(f[1]) },
}

func diskSimColumns(time form) []column {
	return []column{
		{0, "time", time, nil},
		{2, "address", offsetSectors, nil},
		{3, "size", lengthSectors, nil},
		{4, "flags", operation, &operations{want: "0 (write) or 1 (read)", words: []operationWord{{"0", Write}, {"1", Read}}}},
	}
}
