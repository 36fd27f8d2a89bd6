package audit

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/internal/status"
)

// The records, in the manifest's order. An end counts in one of the first six.
const (
	EndedWell    = iota // channel end and device end alone
	NoPath              // no path to the device
	Missing             // halted or cleared: no interruption came in time
	UnitChecks          // the device has presented unit check
	ChannelError        // program check, incorrect length and so on
	Otherwise           // any other end: failed before it was started, unit exception, busy
	Equipment           // of the unit checks: the device does not work
	Program             // of the unit checks: the channel program is invalid
	Recovered           // ended well after retries; the value is their number
	Records             // number of records
)

// PostStatus answers for SRBEP, the pointer to the routine that gets an I/O's
// status.
func PostStatus(f *abi.Frame) {
	f.Took(step.EnterPostStatus)
	if o := f.Target.Origin; (o == abi.OriginApplication || o == abi.OriginRouted) && fresh(f) {
		record(f)
	}
	f.Took(step.YieldToIECVPST)
}

// fresh reports whether the call is the first one for this end of the I/O. An I/O
// that was held back, or whose mirror I/Os end later, has further calls, so that the
// number of its calls is larger than that of its retries.
func fresh(f *abi.Frame) bool { return f.Head.Call == uint32(f.Target.Retries) }

func record(f *abi.Frame) {
	bytes := uint64(f.Target.DataLength)
	if f.Status.OK != 0 {
		f.Response.Record(EndedWell, bytes)
		if f.Target.Retries != 0 {
			f.Response.Record(Recovered, uint64(f.Target.Retries))
		}
		return
	}
	kind := outcome(f)
	f.Response.Record(kind, bytes)
	if kind != UnitChecks {
		return
	}
	switch sense := arch.SenseOf(&f.Status.Sense); {
	case sense&(arch.SenseIntervention|arch.SenseEquipmentCheck) != 0 && sense&arch.SenseWriteInhibited == 0:
		f.Response.Record(Equipment, bytes)
	case sense&(arch.SenseCommandReject|arch.SenseInvalidFormat|arch.SenseNoRecord|arch.SenseFileProtected) != 0:
		f.Response.Record(Program, bytes)
	}
}

// outcome returns the record of an I/O that has not ended well.
func outcome(f *abi.Frame) uint8 {
	s := &f.Status
	switch {
	case f.Target.CompletionCode == abi.CompletionNoPath:
		return NoPath
	case f.Target.CompletionCode != abi.CompletionNone:
		return Otherwise // not started: the status belongs to an earlier start
	case status.NoPath(s):
		return NoPath
	case status.Missing(s):
		return Missing
	case status.UnitCheck(s):
		return UnitChecks
	case status.ChannelError(s):
		return ChannelError
	}
	return Otherwise
}
