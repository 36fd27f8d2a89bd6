package meter

import (
	"math"
	"math/bits"

	"github.com/iosrun/iosrun/host/wasm"
)

// The compiler keeps a value that does not stay in a register in a place of its own
// in the function's frame, and gives no place to two values. So a frame can be much
// larger than the locals and operands of any one moment. Therefore values are
// counted here: for each call the values that are needed after it, and the values
// that are assigned to locals while more of them are needed than there are
// registers.

const (
	// frameBase is the size of a frame without values, in bytes: the return address,
	// saved registers and the compiler's own data.
	frameBase = 256
	// registers is the number of values that are certain to be in registers.
	registers = 8
	// maxFrameWork limits the analysis of one function, in words. A larger function
	// gets a coarser upper estimate without the analysis.
	maxFrameWork = 1 << 22
	// maxFramePasses is the largest number of passes; a function whose nested loops
	// need more gets the coarser upper estimate.
	maxFramePasses = 8
)

// event is an instruction that changes which locals hold a value that is needed
// later.
type event struct {
	op     uint16
	height uint16 // operands on the stack, at most all ones
	arg    uint32 // local, label, beginning of the block that ends, or first of the labels of br_table
	end    uint32 // behind the last of them
}

// frame estimates the size of a function's frame.
type frame struct {
	events []event
	labels []uint32 // labels of all br_tables
	locals int
	slot   int64 // bytes of a value
	sets   int64 // instructions that give a local a value
	meets  int64 // places where branches meet
	loops  int
	work   int64 // largest number of sets of locals that one pass looks at

	crossing int   // height of the operands that have been counted
	crossed  int64 // operands that waited while a function ran
	deep     int64 // operands above those in registers
	arity    int   // the most parameters and results of a call, which are passed in the frame

	live liveness
}

func (f *frame) reset(b *body) {
	*f = frame{events: f.events[:0], labels: f.labels[:0], live: f.live, locals: b.locals, slot: 8}
	if b.wide {
		f.slot = 16
	}
}

// note counts an instruction in.
func (f *frame) note(o *operation, height int) {
	e := event{op: o.op, arg: o.index, height: uint16(min(height, math.MaxUint16))}
	switch o.op {
	case opLocalGet:
	case opLocalSet, opLocalTee:
		f.sets++
	case opLoop:
		f.loops++
	case opBlock, opIf, opElse, opBr, opBrIf, opReturn, opUnreachable, opCall, opCallIndirect:
	case opBrTable:
		e.arg = uint32(len(f.labels))
		f.labels = append(f.labels, o.labels...)
		e.end = uint32(len(f.labels))
		f.work += int64(len(o.labels))
	case opEnd:
		return // see end
	default:
		if o.op>>8 == prefixVector {
			f.slot = 16
		}
		return
	}
	f.events = append(f.events, e)
	f.work++
}

// end counts the end of a block in; op is the instruction that began it.
func (f *frame) end(op uint16, height int) {
	f.events = append(f.events, event{op: opEnd, arg: uint32(op), height: uint16(min(height, math.MaxUint16))})
	f.meets++
	f.work++
}

// push counts n operands in; height is the number of operands on the stack with
// them.
func (f *frame) push(n, height int) {
	if height > registers {
		f.deep += int64(n)
	}
}

// call counts a call in; height is the number of operands below its parameters.
func (f *frame) call(t wasm.FuncType, height int) {
	f.crossed += int64(height - f.crossing)
	f.crossing = height
	f.arity = max(f.arity, len(t.Params)+len(t.Results))
	if wide(t.Params) || wide(t.Results) {
		f.slot = 16
	}
}

// size returns the estimate in bytes. It does not depend on the machine.
func (f *frame) size() int64 {
	return frameBase + f.slot*(f.live.values(f)+f.crossed+f.deep+int64(f.arity))
}

// liveness finds the values of locals that need a place in the frame: those that
// are still needed after a call, or while there are more values than registers.
// It goes through the function backwards, so that it meets the last use of a
// value before the instruction that gives it.
type liveness struct {
	words int
	now   []uint64 // present state: the set of locals that are needed, then the set of those whose values need a place
	count int      // locals that are needed

	assigned []uint64   // locals that get a value between here and the end of the innermost block
	sets     [][]uint64 // states and sets of the open blocks, and free ones behind them
	used     int        // number of sets in use
	open     []block
	heads    []uint64 // state at the head of each loop, the last loop first
}

// block is a block that the backward pass is inside of.
type block struct {
	op       uint16
	loop     int      // number of the loop
	after    []uint64 // state behind it
	other    []uint64 // state at the begin of the else, nil if there is none
	assigned []uint64 // the set of the block around it
}

// values returns the number of values that may need a place in the frame.
func (l *liveness) values(f *frame) int64 {
	if f.locals == 0 {
		return 0
	}
	most := int64(f.locals) + f.sets + f.meets*int64(f.locals)
	l.words = (f.locals + 63) / 64
	if f.work*int64(l.words) > maxFrameWork {
		return most
	}
	l.heads = cleared(l.heads, f.loops*2*l.words)
	for range maxFramePasses {
		if n, again := l.pass(f); !again {
			return n
		}
	}
	return most
}

// cleared returns a slice of n zeros, in the memory of s if that is large enough.
func cleared(s []uint64, n int) []uint64 {
	if cap(s) < n {
		return make([]uint64, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// copied keeps a copy of a state or a set until the block is left.
func (l *liveness) copied(s []uint64) []uint64 {
	if l.used == len(l.sets) {
		l.sets = append(l.sets, nil)
	}
	c := append(l.sets[l.used][:0], s...)
	l.sets[l.used] = c
	l.used++
	return c
}

// needed returns the state at the label of that depth.
func (l *liveness) needed(depth uint32) []uint64 {
	b := &l.open[len(l.open)-1-int(depth)]
	if b.op == opLoop {
		return l.head(b.loop)
	}
	return b.after
}

func (l *liveness) head(loop int) []uint64 { return l.heads[loop*2*l.words:][:2*l.words] }

// only makes s the present state.
func (l *liveness) only(s []uint64) {
	copy(l.now, s)
	l.recount()
}

// also adds s to the present state.
func (l *liveness) also(s []uint64) {
	for n, w := range s {
		l.now[n] |= w
	}
	l.recount()
}

func (l *liveness) recount() { l.count = number(l.now[:l.words]) }

func number(set []uint64) int {
	n := 0
	for _, w := range set {
		n += bits.OnesCount64(w)
	}
	return n
}

// place notes that the present values of all needed locals need a place.
func (l *liveness) place() {
	for n, w := range l.now[:l.words] {
		l.now[l.words+n] |= w
	}
}

// meeting counts the locals that can hold one of several values where branches meet,
// and that need a place for it: only locals that are assigned inside the block do.
func (l *liveness) meeting(state []uint64) int64 {
	n := 0
	for k, w := range state[l.words:] {
		n += bits.OnesCount64(w & l.assigned[k])
	}
	return int64(n)
}

// pass goes through the function once. It takes the state at the head of a loop from
// the pass before; again reports that this state was incomplete, so that another
// pass is needed.
func (l *liveness) pass(f *frame) (values int64, again bool) {
	l.now, l.assigned = cleared(l.now, 2*l.words), cleared(l.assigned, l.words)
	l.open, l.used, l.count = l.open[:0], 0, 0
	loop := 0
	for n := len(f.events) - 1; n >= 0; n-- {
		e := &f.events[n]
		if l.count+int(e.height) > registers {
			l.place()
		}
		k, bit := e.arg/64, uint64(1)<<(e.arg%64)
		switch e.op {
		case opLocalGet:
			if l.now[k]&bit == 0 {
				l.now[k] |= bit
				l.count++
			}
		case opLocalSet, opLocalTee:
			l.assigned[k] |= bit
			if l.now[k]&bit != 0 {
				l.now[k] &^= bit
				l.count--
			}
			if p := int(k) + l.words; l.now[p]&bit != 0 {
				l.now[p] &^= bit
				values++
			}
		case opCall, opCallIndirect:
			l.place()
		case opEnd:
			b := block{op: uint16(e.arg), loop: loop, after: l.copied(l.now), assigned: l.copied(l.assigned)}
			if b.op == opLoop {
				loop++
			}
			clear(l.assigned)
			l.open = append(l.open, b)
		case opElse:
			b := &l.open[len(l.open)-1]
			b.other = l.copied(l.now)
			l.only(b.after)
		case opBlock, opLoop, opIf:
			b := &l.open[len(l.open)-1]
			switch {
			case e.op == opLoop:
				values += l.meeting(l.now)
				head := l.head(b.loop)
				for k, w := range l.now {
					again = again || w&^head[k] != 0
					head[k] |= w
				}
			case e.op == opIf && b.other != nil:
				values += l.meeting(b.after)
				l.also(b.other)
			case e.op == opIf:
				values += l.meeting(b.after)
				l.also(b.after)
			default:
				values += l.meeting(b.after)
			}
			l.leave(b)
		case opBr:
			l.only(l.needed(e.arg))
		case opBrIf:
			l.also(l.needed(e.arg))
		case opBrTable:
			clear(l.now)
			for _, d := range f.labels[e.arg:e.end] {
				l.also(l.needed(d))
			}
		case opReturn, opUnreachable:
			clear(l.now)
			l.count = 0
		}
	}
	return values + int64(number(l.now[l.words:])), again
}

// leave goes on to the code in front of a block.
func (l *liveness) leave(b *block) {
	for k, w := range b.assigned {
		l.assigned[k] |= w
	}
	l.used -= 2
	if b.other != nil {
		l.used--
	}
	l.open = l.open[:len(l.open)-1]
}
