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
	Unseen                    // not visible as a whole; ReadsWritesSpecial as well
	MirrorReadable            // a mirror could have served the read
	Interlopers               // may write to a mirror
	DrivenAgain               // which time the request came, from the second on
	Records                   // how many there are
)

// FrontEnd answers for the DDTSIO slot. Chains that are longer than the frame
// carries are Unseen.
func FrontEnd(f *abi.Frame) { FrontEndLong(f, nil) }

// FrontEndLong is FrontEnd with the means to read long chains.
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

// classRecord is the record of a class: they are numbered in the order of the
// classes, whose step numbers are two apart.
func classRecord(c chain.Class) uint8 { return uint8(c-chain.WritesPlain) / 2 }
