package audit

import (
	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/abi/step"
	"github.com/iosrun/iosrun/plugins/frontend/chain"
	"github.com/iosrun/iosrun/plugins/internal/pair"
)

// The records, in the manifest's order.
const (
	WritesPlain        = iota // by the classes of FIG. 8
	WritesSpecial             //
	ReadsPlain                //
	ReadsSpecial              //
	ReadsWritesPlain          //
	ReadsWritesSpecial        //
	Neither                   //
	Unseen                    // the program cannot be seen as a whole; counts as ReadsWritesSpecial, too
	MirrorReadable            // a mirror could have served the read
	Interlopers               // an application's requests that may write to a mirror
	DrivenAgain               // calls for a request after its first; the value is the number of the call
	Records                   // number of records
)

// FrontEnd answers for the DDTSIO slot, before a request is started. Chains that are
// longer than the frame carries are Unseen.
func FrontEnd(f *abi.Frame) { FrontEndLong(f, nil) }

// FrontEndLong is FrontEnd, but reads long chains with rest; without rest it is the
// same.
func FrontEndLong(f *abi.Frame, rest *chain.Rest) {
	if f.Target.Origin == abi.OriginApplication {
		record(f, rest)
	}
	f.Took(step.BypassBackEnd)
	f.Took(step.ContinueWithDDTSIO)
}

func record(f *abi.Frame, rest *chain.Rest) {
	if f.Head.Call != 0 {
		f.Response.Record(DrivenAgain, uint64(f.Head.Call)+1)
		return
	}
	var p chain.Program
	p.Judge(f, rest)
	bytes := uint64(f.Target.DataLength)
	if f.Target.Role == abi.RoleMirror && !p.OnlyReads() {
		f.Response.Record(Interlopers, bytes)
	}
	f.Response.Record(classRecord(p.Class()), bytes)
	if !p.Whole {
		f.Response.Record(Unseen, bytes)
	}
	if f.Target.Role == abi.RolePrimary && p.Routable() && pair.Readable(&f.Pair) != 0 {
		f.Response.Record(MirrorReadable, bytes)
	}
}

// classRecord returns the record of a class: records are numbered in the order of
// the classes, whose step numbers are two apart.
func classRecord(c chain.Class) uint8 { return uint8(c-chain.WritesPlain) / 2 }
