package observer

import (
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// judgement is a write whose completion came before enough mirrors had it.
type judgement struct {
	w     *write
	leave leave
	text  string
}

// Told is called by the I/O supervisor when it tells an application of an end. At
// this moment a write must be on the volumes that the policy has promised.
func (o *Observer) Told(cpu *machine.Processor, b *ios.IOSB) {
	o.looked = false
	if !application(b.DriverID) {
		return
	}
	id := uint32(b.ID)
	begun, began := o.begun[id]
	if !began {
		return
	}
	delete(o.begun, id)
	v := o.units[base(b.UCB)]
	w := o.writes[id]
	if w == nil {
		if b.OK() && v != nil && v == v.pair.primary {
			if b.DriverID == o.blockDriver {
				o.say(durability, "at %v: the application was told that its write is done, I/O %d to device %04X: no channel program has written anything for it", cpu.Now(), id, b.UCB.DeviceNumber)
			} else {
				v.pair.blur(false) // the account cannot know that the program has written nothing
			}
		}
		return
	}
	delete(o.writes, id)
	w.done = true
	if !b.OK() {
		return
	}
	w.told, w.toldAt = true, cpu.Now()
	o.told++
	p := w.pair
	o.roles(p)
	p.fresh = true
	if text := o.lacks(w, p.primary); text != "" {
		o.say(durability, "%s: the application was told at %v that it is done: device %04X, the primary, %s", w.text(), w.toldAt, p.primary.unit.DeviceNumber, text)
	}
	have, made, following := 0, 0, 0
	var texts []string
	for _, m := range p.mirrors {
		text := o.lacks(w, m.volume)
		if m.state == abi.MirrorInSync {
			following++
			if text == "" {
				have++
				if w.own && w.foreign[m.volume.index] == 0 {
					made++
				}
			} else {
				texts = append(texts, fmt.Sprintf("mirror %d %s", m.index+1, text))
			}
		}
	}
	o.tell(p, w)
	want := following
	if n := begun.promise.Copies; n != 0 {
		want = min(n, following)
	}
	if !begun.promise.Mirrors || made >= want {
		return
	}
	if have >= want {
		o.judged = append(o.judged, judgement{w: w, leave: had})
		return
	}
	if p.roles.ConstantCopy() {
		begun.leave = allowed
	}
	o.judged = append(o.judged, judgement{w, begun.leave, fmt.Sprintf("%s, told at %v: %d of %d mirrors have it, %d are promised; %s", w.text(), w.toldAt, have, following, want, strings.Join(texts, ", "))})
}

// lacks describes the part of a write that a volume lacks; it returns an empty
// string when it lacks nothing.
func (o *Observer) lacks(w *write, v *volume) string {
	if w.lacking[v.index] != 0 {
		for i := range w.spots {
			if s := &w.spots[i]; s.had&(1<<v.index) == 0 {
				if o.read.digest(v.device, s.spot) == s.digest {
					return "has it on its medium, by a channel program that has not ended with good status"
				}
				return "does not have it at " + w.pair.where(s.spot)
			}
		}
	}
	if s, ok := o.holds(w, v); !ok {
		return fmt.Sprintf("has had it, and no longer has it at %s", w.pair.where(s))
	}
	return ""
}

// judgements compares the completions since the last look with the counts.
func (o *Observer) judgements() {
	if len(o.judged) == 0 {
		return
	}
	broken, allowedToo := o.claims.Early()
	o.settle(broken, allowedToo)
	o.judged = o.judged[:0]
}

// settle compares the counts with the observations.
func (o *Observer) settle(broken, withLeave uint64) {
	claimed := [2]uint64{broken - o.counted[0], withLeave - o.counted[1]}
	o.counted = [2]uint64{broken, withLeave}
	var by [had + 1]uint64
	var texts []string
	for _, j := range o.judged {
		if by[j.leave]++; j.leave != had {
			texts = append(texts, j.text)
		}
	}
	total := uint64(len(texts))
	switch {
	case !between(total, claimed[0]+claimed[1], total+by[had], false):
		o.say(durability, "%d completions before enough mirrors had the write, of which the account counts %d: %s", total, claimed[0]+claimed[1], strings.Join(texts, "; "))
	case !between(by[noLeave], claimed[0], by[noLeave]+by[unclear]+by[had], false):
		o.say(durability, "%d completions that break the promise and %d that the leave for constant copy allows (of %d it cannot be seen), of which the account counts %d and %d: %s",
			by[noLeave], by[allowed], by[unclear], claimed[0], claimed[1], strings.Join(texts, "; "))
	}
}
