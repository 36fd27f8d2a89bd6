package meter

// insertion is code that the pass adds at one place of a function.
type insertion struct {
	at    int // offset in the module of the instruction before which it goes
	units int64
	kind  insert
	// For a branch back to a loop's head: the index of the piece that it ends, and of
	// the previous branch to that head.
	piece, next int
}

// insert is the kind of an insertion.
type insert uint8

const (
	insNothing  insert = iota // an insertion that turned out not to be needed
	insPiece                  // charge for a piece of code
	insTest                   // charge for a piece of code, and test the counter
	insEntry                  // insTest at the function's entry, with the frame
	insStack                  // before a call: say how much of the stack is left
	insBytes                  // before a bulk operation: charge for the length, and test
	insElements               // before an operation on a table: the same
	insGrow                   // before memory.grow and table.grow: keep the number
	insPages                  // after memory.grow: charge for what it has grown by, and test
	insGrown                  // after table.grow: the same
)

// label is a block that the analysis is inside of.
type label struct {
	op       uint16
	live     bool  // its first instruction can be reached
	reached  bool  // a branch goes to its end
	outer    int   // outermost label that a branch from inside it goes to
	piece    int   // piece in which it begins
	head     int   // of a loop: the piece at its head
	back     int   // of a loop: the last branch to its head, noPiece if there is none
	several  bool  // of a loop: an instruction that has other ways too goes to its head
	untested int64 // largest number of units since a test, at its end
	begun    int64 // the same at its beginning
	height   int   // operands below it
	results  int
}

// function analyses one function after the other.
type function struct {
	m *module

	insertions []insertion
	labels     []label
	// piece is the index of the insertion that charges for the next instruction, or
	// noPiece where no instruction can be reached.
	piece int
	// untested is the largest number of units that this function can have used since
	// the last test, on any path to the next instruction.
	untested int64

	last int64 // value of an i32.const that was the last instruction, -1 if it was none

	height int  // operands on the stack
	locals int  // parameters included
	kept   bool // needs the locals for numbers of 32 bits
	frame  frame
}

const noPiece = -1

// analyse reads the code of a function and finds the insertions.
func (f *function) analyse(b *body, d *decoder) {
	f.insertions, f.labels = f.insertions[:0], f.labels[:0]
	f.height, f.untested, f.kept = 0, 0, false
	f.locals = b.locals
	f.frame.reset(b)
	f.last = -1
	f.piece = f.insert(b.code, insEntry)
	f.labels = append(f.labels, label{op: opBlock, live: true, piece: f.piece, results: b.results})
	var o operation
	for len(f.labels) != 0 && d.err == nil {
		d.next(&o)
		if d.err == nil {
			f.step(&o, d)
		}
	}
	if d.err == nil && d.at != d.end {
		d.fail(d.at, "function has %d bytes behind its end", d.end-d.at)
	}
}

func (f *function) insert(at int, kind insert) int {
	f.insertions = append(f.insertions, insertion{at: at, kind: kind})
	return len(f.insertions) - 1
}

// begin starts a piece of code at an offset.
func (f *function) begin(at int, kind insert) {
	f.piece = f.insert(at, kind)
}

// spend charges the present piece.
func (f *function) spend(units int64) {
	f.insertions[f.piece].units += units
	f.untested += units
}

// step counts one instruction in.
func (f *function) step(o *operation, d *decoder) {
	if f.piece != noPiece {
		if f.untested >= MaxUntested {
			f.begin(o.at, insTest)
			f.untested = 0
		} else if f.m.exact && o.units != 0 {
			f.begin(o.at, insPiece)
		}
		f.spend(int64(o.units))
	}
	last := f.last
	f.last = -1
	f.pop(int(o.pops))
	f.frame.note(o, f.height)
	switch o.op {
	case opBlock, opLoop, opIf:
		f.open(o, d)
	case opElse:
		f.otherwise(o, d)
	case opEnd:
		f.close(o)
	case opBr:
		f.branch(o, o.index, d)
		f.dead()
	case opBrIf:
		f.branch(o, o.index, d)
		f.after(o)
	case opBrTable:
		for _, l := range o.labels {
			f.branch(o, l, d)
		}
		f.dead()
	case opReturn:
		f.branch(o, uint32(len(f.labels)-1), d)
		f.dead()
	case opUnreachable:
		f.dead()
	case opCall, opCallIndirect:
		f.call(o, d)
	case opLocalGet, opLocalSet, opLocalTee:
		if o.index >= uint32(f.locals) {
			d.fail(o.at, "%s %d: the function has %d locals", o.name, o.index, f.locals)
		}
	case opGlobalGet, opGlobalSet:
		f.m.global(o, d)
	case opRefFunc:
		f.m.functionIndex(o.index, o.at, d)
	case opMemoryFill, opMemoryCopy, opMemoryInit:
		f.bulk(o, insBytes, last, last/BytesPerUnit)
	case opTableFill, opTableCopy, opTableInit:
		f.bulk(o, insElements, last, last*UnitsPerElement)
	case opI32Const:
		f.last = o.value
	case opMemoryGrow:
		f.grow(o, insPages)
	case opTableGrow:
		f.grow(o, insGrown)
	}
	f.push(int(o.pushes))
}

func (f *function) pop(n int) {
	f.lower(max(f.height-n, f.labelHeight()))
}

// lower removes the operands above a height from the stack.
func (f *function) lower(height int) {
	f.height = height
	f.frame.crossing = min(f.frame.crossing, height)
}

func (f *function) push(n int) {
	f.height += n
	f.frame.push(n, f.height)
}

func (f *function) labelHeight() int {
	if len(f.labels) == 0 {
		return 0
	}
	return f.labels[len(f.labels)-1].height
}

// open begins a block.
func (f *function) open(o *operation, d *decoder) {
	if len(f.labels) >= MaxNesting {
		d.fail(o.at, "%s within %d others: at most %d", o.name, len(f.labels), MaxNesting)
		return
	}
	params, results := f.m.arity(o.block, o.at, d)
	f.pop(params)
	l := label{op: o.op, live: f.piece != noPiece, outer: len(f.labels), piece: f.piece, back: noPiece,
		begun: f.untested, height: f.height, results: results}
	if l.live && o.op == opLoop {
		f.begin(o.end, insTest)
		l.head = f.piece
	}
	if l.live && o.op == opIf {
		f.begin(o.end, insPiece)
	}
	f.labels = append(f.labels, l)
	f.push(params)
}

// otherwise begins the else part of an if.
func (f *function) otherwise(o *operation, d *decoder) {
	l := &f.labels[len(f.labels)-1]
	if l.op != opIf {
		d.fail(o.at, "else without an if")
		return
	}
	l.op = opElse
	if f.piece != noPiece {
		l.reached, l.untested = true, max(l.untested, f.untested)
	}
	f.lower(l.height)
	f.piece, f.untested = noPiece, l.begun
	if l.live {
		f.begin(o.end, insPiece)
	}
}

// close ends a block, or the function.
func (f *function) close(o *operation) {
	l := f.labels[len(f.labels)-1]
	f.labels = f.labels[:len(f.labels)-1]
	f.frame.end(l.op, f.height)
	if l.op == opIf && l.live { // the path without an else
		l.reached, l.untested = true, max(l.untested, l.begun)
	}
	if l.reached {
		if f.piece == noPiece {
			f.untested = 0
		}
		f.untested = max(f.untested, l.untested)
	}
	if l.op == opLoop && l.live && !l.several && !f.m.exact {
		f.shift(&l)
	}
	live := l.reached || f.piece != noPiece
	if n := len(f.labels); n != 0 {
		outer := &f.labels[n-1]
		outer.outer = min(outer.outer, l.outer)
		switch {
		case !live:
			f.piece = noPiece
		case l.live && l.outer >= n:
			// Whatever enters the block reaches its end, so the code behind it belongs to
			// the piece in which it began.
			f.piece = l.piece
		case l.reached:
			f.begin(o.end, insPiece)
		}
	}
	f.lower(l.height)
	f.push(l.results)
}

// shift moves the charge at a loop's head to the places that lead to the head: to
// the piece before the loop, which is charged once for both, and to the branches
// back, which then test the counter. It pays because most loops of compiled code
// that waits for something unusual are never repeated.
func (f *function) shift(l *label) {
	head := &f.insertions[l.head]
	units := head.units
	*head = insertion{at: head.at}
	f.insertions[l.piece].units += units
	for b := l.back; b != noPiece; b = f.insertions[b].next {
		back := &f.insertions[b]
		back.kind = insTest
		if ends := &f.insertions[back.piece]; ends.kind != insNothing {
			ends.units += units
		} else {
			back.units = units
		}
	}
	if f.piece == l.head {
		f.piece = l.piece
	}
}

// branch notes a branch to the label of that depth.
func (f *function) branch(o *operation, depth uint32, d *decoder) {
	if depth >= uint32(len(f.labels)) {
		d.fail(o.at, "%s to label %d: %d are open", o.name, depth, len(f.labels))
		return
	}
	target := len(f.labels) - 1 - int(depth)
	from := &f.labels[len(f.labels)-1]
	from.outer = min(from.outer, target)
	to := &f.labels[target]
	switch {
	case f.piece == noPiece:
	case to.op != opLoop:
		to.reached, to.untested = true, max(to.untested, f.untested)
	case o.op != opBr:
		to.several = true
	default:
		b := f.insert(o.at, insNothing)
		f.insertions[b].piece, f.insertions[b].next = f.piece, to.back
		to.back = b
	}
}

// dead marks the code behind an instruction that never continues: it cannot be
// reached.
func (f *function) dead() {
	f.piece, f.untested = noPiece, 0
	f.lower(f.labelHeight())
}

// after begins a new piece behind an instruction that may continue there or
// elsewhere.
func (f *function) after(o *operation) {
	if f.piece != noPiece {
		f.begin(o.end, insPiece)
	}
}

func (f *function) call(o *operation, d *decoder) {
	t, ok := f.m.callee(o, d)
	if !ok {
		return
	}
	f.pop(len(t.Params))
	f.frame.call(t, f.height)
	f.push(len(t.Results))
	if o.op == opCall && o.index < uint32(f.m.imported) {
		return
	}
	if f.piece == noPiece {
		return
	}
	f.untested = 0 // the callee tests
	if o.op == opCallIndirect || !f.m.bodies[o.index-uint32(f.m.imported)].small {
		f.insert(o.at, insStack)
	}
}

// bulk charges for an operation whose length is on top of the stack. When the length
// is a small constant its charge is known beforehand.
func (f *function) bulk(o *operation, kind insert, length, units int64) {
	switch {
	case f.piece == noPiece:
	case length >= 0 && units <= MaxUntested:
		f.spend(units)
	default:
		f.insert(o.at, kind)
		f.kept, f.untested = true, 0
	}
}

func (f *function) grow(o *operation, kind insert) {
	if f.piece == noPiece {
		return
	}
	f.insert(o.at, insGrow)
	f.insert(o.end, kind)
	f.kept, f.untested = true, 0
}
