package access

import (
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/program"
)

// Limits of the block access method.
const (
	// SmallBlocks is the largest number of blocks that fits a small data area.
	SmallBlocks = 16
	// MaxSmall and MaxLarge are the numbers of small and of large data areas. Each
	// channel program under way needs one, and keeps it while a mirror I/O of its
	// request still uses it. A request for which no area is free waits.
	MaxSmall = 8192
	MaxLarge = 2048

	storageBase machine.Address = 0x10000000
	largeSize                   = 256 << 10
	smallSize                   = SmallBlocks * BlockSize
	controlBase machine.Address = 0x08000000
	// Path is the processor time that the access method uses for one channel program:
	// an estimate of two thousand instructions at 1000 million a second.
	Path = 2 * machine.Microsecond
	// ContentShift leaves room in a tag for the units of the longest request: unit i,
	// from 0, of the write with number n, from 1, stores the tag n<<ContentShift + i +
	// 1.
	ContentShift = 18
	// MaxRequest is the largest size of a request in bytes.
	MaxRequest = 64 << 20
)

// Application is told of the end of its requests.
type Application interface {
	// Complete says that the request token has ended at now: code is
	// arch.CompletionNormal, or the completion code of the first part that failed. It
	// is called once for each request.
	Complete(token uint64, code uint8, now machine.Time)
}

// Counts holds the counters of the access method.
type Counts struct {
	Submitted  uint64
	Completed  uint64
	Failed     uint64
	Programs   uint64 // channel programs
	Overlapped uint64 // writes that waited for an earlier write to the same blocks
	Exhausted  uint64 // requests that waited for a data area
	Reread     uint64 // writes that had to read their blocks first
	Duplicates uint64 // completions of a request that had ended: always 0
}

// Volume is a device and the layout of the blocks on it.
type Volume struct {
	Unit   *ios.UCB
	Layout Layout
}

// Block is the block access method. Its blocks are the blocks of one volume, or
// are spread over several volumes in stripes, as a volume manager does it. A write
// to blocks that an earlier write is still changing is started after the earlier
// write has ended, so overlapping writes are carried out in the order of their
// submission.
type Block struct {
	// Identified, if not nil, is told the identity of each I/O of a request before
	// its STARTIO.
	Identified func(token, io uint64)
	// Witness, if not nil, is told of every part of every request. It is set before
	// the first request.
	Witness Witness

	s       *ios.Supervisor
	volumes []Volume
	stripe  int64 // in blocks
	blocks  int64 // number of blocks of all volumes together
	app     Application

	writing map[int64]*part // by block: the last write that was submitted and has not ended
	pools   [2]pool
	mapped  machine.Address
	control machine.Address
	free    *request
	parts   *part // list of the parts that are not in use
	written uint64
	counts  Counts
}

// pool holds the data areas of one size.
type pool struct {
	free  *buffer
	made  int
	limit int
	size  int
	wait  partQueue // parts that wait only for a free area
}

// buffer is a data area, with the storage of a channel program for it.
type buffer struct {
	control program.Control
	data    *machine.Segment
	next    *buffer
}

// request is a request of the application. It has ended when all of its parts have
// ended.
type request struct {
	token uint64
	parts int
	code  uint8
	ended machine.Time // end of the part that ended last so far
	next  *request
}

// part is one channel program of a request. It holds a data area from the moment
// at which it can run until nothing refers to the area any more.
type part struct {
	d       *Block
	block   ios.IOSB
	srb     machine.SRB
	request *request
	pool    *pool
	*buffer // its area

	write   bool
	reread  bool // the blocks are read first, then written
	first   int64
	volume  *Volume
	home    int64 // number of the block on the volume that holds first
	n       int
	offset  int64 // first byte on the volume
	length  int   // bytes
	content uint64
	seen    Transfer // the part as the witness sees it
	behind  int      // number of earlier writes to its blocks that have not ended
	waiters []*part  // writes to its blocks that were submitted after it
	next    *part
}

type partQueue struct{ head, tail *part }

func (q *partQueue) push(t *part) {
	t.next = nil
	if q.tail == nil {
		q.head = t
	} else {
		q.tail.next = t
	}
	q.tail = t
}

func (q *partQueue) pop() *part {
	t := q.head
	if t != nil {
		q.head = t.next
		if q.head == nil {
			q.tail = nil
		}
		t.next = nil
	}
	return t
}

// NewBlock makes the access method for the blocks of volumes. With more than one
// volume, each run of stripe blocks lies on the volume after that of the run
// before it, and what a smaller volume has no room for is left out on all.
func NewBlock(s *ios.Supervisor, volumes []Volume, stripe int64, app Application) (*Block, error) {
	if len(volumes) == 0 || len(volumes) > 1 && stripe < 1 {
		return nil, fmt.Errorf("block access method: %d volumes in stripes of %d blocks: want one volume, or stripes of 1 block or more", len(volumes), stripe)
	}
	d := &Block{s: s, volumes: volumes, stripe: stripe, app: app, writing: make(map[int64]*part)}
	least := volumes[0].Layout.Blocks()
	for _, v := range volumes {
		least = min(least, v.Layout.Blocks())
	}
	if len(volumes) == 1 {
		d.stripe = least
	}
	if d.blocks = least / d.stripe * d.stripe * int64(len(volumes)); d.blocks == 0 {
		return nil, fmt.Errorf("block access method: stripes of %d blocks: the smallest volume has %d", stripe, least)
	}
	d.pools[0] = pool{limit: MaxSmall, size: smallSize}
	d.pools[1] = pool{limit: MaxLarge, size: largeSize}
	return d, nil
}

// Place finds block b: it returns the number of the volume (from 0), the number of
// the block there, and the number of blocks from b on that follow one another
// there.
func (d *Block) Place(b int64) (volume int, home, run int64) {
	in, n := b%d.stripe, int64(len(d.volumes))
	b /= d.stripe
	return int(b % n), b/n*d.stripe + in, d.stripe - in
}

// Number is the inverse of Place: it returns the application's block that lies on
// block home of a volume, or false if none does.
func (d *Block) Number(volume int, home int64) (b int64, ok bool) {
	b = (home/d.stripe*int64(len(d.volumes))+int64(volume))*d.stripe + home%d.stripe
	return b, home >= 0 && b < d.blocks
}

// Counts returns the counts so far.
func (d *Block) Counts() Counts { return d.counts }

// Bytes returns the size in bytes of the volumes as the application sees them.
func (d *Block) Bytes() int64 { return d.blocks * BlockSize }

// Submit asks for length bytes at offset to be read or written, now. Both must be
// multiples of 512, within the volumes, and length at most MaxRequest; otherwise
// Submit returns an error and nothing is started. A write stores synthetic content
// that no other write has.
func (d *Block) Submit(token uint64, write bool, offset, length int64) error {
	switch {
	case length <= 0 || length > MaxRequest || length%machine.UnitSize != 0:
		return fmt.Errorf("request of %d bytes: want a multiple of %d up to %d", length, machine.UnitSize, MaxRequest)
	case offset < 0 || offset%machine.UnitSize != 0:
		return fmt.Errorf("request at offset %d: want a multiple of %d", offset, machine.UnitSize)
	case offset > d.Bytes()-length:
		return fmt.Errorf("request at offset %d, %d bytes: beyond the volume's %d bytes", offset, length, d.Bytes())
	}
	d.counts.Submitted++
	r := d.free
	if r == nil {
		r = &request{}
	} else {
		d.free = r.next
	}
	*r = request{token: token, code: arch.CompletionNormal, parts: 1} // 1: until all parts are made
	if write {
		d.written++
	}
	content := d.written << ContentShift
	for unit := uint64(0); length > 0; {
		first := offset / BlockSize
		volume, home, run := d.Place(first)
		n := int(min((offset+length-1)/BlockSize-first+1, program.MaxBlocks, run))
		bytes := int(min(length, (first+int64(n))*BlockSize-offset))
		r.parts++
		q := &d.pools[0]
		if n > SmallBlocks {
			q = &d.pools[1]
		}
		t := d.newPart()
		t.request, t.pool, t.write, t.content = r, q, write, content+unit
		t.first, t.n, t.offset, t.length = first, n, offset, bytes
		t.volume, t.home = &d.volumes[volume], home
		t.reread = write && (offset%BlockSize != 0 || bytes != n*BlockSize)
		if d.Witness != nil {
			t.seen = Transfer{Token: token, Write: write, ReadsFirst: t.reread, Offset: offset, Length: int64(bytes), Content: t.content, part: t}
			d.Witness.Submitted(&t.seen)
		}
		d.enter(t)
		unit += uint64(bytes / machine.UnitSize)
		offset += int64(bytes)
		length -= int64(bytes)
	}
	d.partEnded(r, arch.CompletionNormal, d.s.Machine.Clock.Now())
	return nil
}

func (d *Block) newPart() *part {
	t := d.parts
	if t == nil {
		t = &part{d: d}
		t.srb.Entry = t
		t.srb.Priority = machine.PriorityTask
		t.block.Exit = t
		return t
	}
	d.parts = t.next
	t.next = nil
	return t
}

// take returns a data area, or nil when the limit is reached.
func (d *Block) take(q *pool) *buffer {
	if a := q.free; a != nil {
		q.free = a.next
		a.next = nil
		return a
	}
	if q.made == q.limit {
		return nil
	}
	a := &buffer{}
	st := &d.s.Machine.Storage
	var err error
	if a.data, err = st.MapSynthetic(storageBase+d.mapped, q.size); err != nil {
		return nil
	}
	d.mapped += machine.Address(q.size)
	if d.control%machine.FrameSize == 0 {
		if _, err = st.MapBytes(controlBase+d.control, machine.FrameSize); err != nil {
			return nil
		}
	}
	at := controlBase + d.control
	a.control = program.Control{View: st.View(at, program.ControlSize), At: at}
	d.control += program.ControlSize
	q.made++
	return a
}

// enter starts a part. A write waits for the writes to its blocks that were
// submitted before it and have not ended, those that wait themselves included.
func (d *Block) enter(t *part) {
	if t.write {
		for b := t.first; b < t.first+int64(t.n); b++ {
			o := d.writing[b]
			d.writing[b] = t
			if o == nil || len(o.waiters) != 0 && o.waiters[len(o.waiters)-1] == t {
				continue
			}
			o.waiters = append(o.waiters, t)
			t.behind++
		}
		if t.behind != 0 {
			d.counts.Overlapped++
			return
		}
	}
	d.ready(t)
}

// ready starts a part as soon as a data area is free for it.
func (d *Block) ready(t *part) {
	if t.buffer = d.take(t.pool); t.buffer == nil {
		d.counts.Exhausted++
		t.pool.wait.push(t)
		return
	}
	d.schedule(t)
}

func (d *Block) schedule(t *part) {
	t.srb.Parm = t.request.token
	d.s.Machine.Dispatcher.Schedule(d.s.Machine.Clock.Now(), &t.srb)
}

// Enter is the application's unit of work: it builds the channel program and
// issues STARTIO.
func (t *part) Enter(p *machine.Processor, _ *machine.SRB) {
	d := t.d
	p.Charge(Path)
	write := t.write && !t.reread
	if write {
		t.store()
	}
	if t.reread {
		d.counts.Reread++
	}
	t.volume.Layout.build(t.control, t.data.Base, write, t.home, t.n)
	b := &t.block
	b.Init(d.s)
	b.ID = d.s.NextID()
	b.UCB = t.volume.Unit
	b.ChannelProgram = t.control.At + program.Start
	b.DriverID = ios.DriverBlock
	b.Writes = write
	d.counts.Programs++
	b.SRB.Parm = t.request.token
	if d.Identified != nil {
		d.Identified(t.request.token, b.ID)
	}
	if d.Witness != nil {
		t.seen.ID = b.ID
		d.Witness.Started(&t.seen)
	}
	d.s.STARTIO(p, b)
}

// store puts the content that the application writes into the data area.
func (t *part) store() {
	from := int(t.offset-t.first*BlockSize) / machine.UnitSize
	n := t.length / machine.UnitSize
	if tags := t.data.Tags(); tags != nil {
		for i := range n {
			tags[from+i] = machine.Tag(t.content + uint64(i) + 1)
		}
		return
	}
	bytes := t.data.Bytes()
	for i := range n {
		machine.Tag(t.content+uint64(i)+1).Fill(bytes[(from+i)*machine.UnitSize:(from+i+1)*machine.UnitSize], 0)
	}
}

// Done is called when the channel program of a part has ended.
func (t *part) Done(p *machine.Processor, b *ios.IOSB) {
	d := t.d
	if t.reread && b.OK() {
		if d.Witness != nil {
			d.Witness.Reread(&t.seen, p.Now())
		}
		return // Released goes on with the write
	}
	t.reread = false
	if d.Witness != nil {
		t.seen.Code = b.CompletionCode
		d.Witness.Ended(&t.seen, p.Now())
	}
	if t.write {
		for i := t.first; i < t.first+int64(t.n); i++ {
			if d.writing[i] == t {
				delete(d.writing, i)
			}
		}
		for i, w := range t.waiters {
			t.waiters[i] = nil
			if w.behind--; w.behind == 0 {
				d.ready(w)
			}
		}
		t.waiters = t.waiters[:0]
	}
	d.partEnded(t.request, b.CompletionCode, p.Now())
}

func (d *Block) partEnded(r *request, code uint8, now machine.Time) {
	if r.parts == 0 {
		d.counts.Duplicates++
		return
	}
	r.ended = max(r.ended, now)
	if code != arch.CompletionNormal && r.code == arch.CompletionNormal {
		r.code = code
	}
	if r.parts--; r.parts > 0 {
		return
	}
	d.counts.Completed++
	if r.code != arch.CompletionNormal {
		d.counts.Failed++
	}
	d.app.Complete(r.token, r.code, r.ended)
	r.next = d.free
	d.free = r
}

// Released gives the part's storage back once nothing refers to it.
func (t *part) Released(*ios.IOSB) {
	d := t.d
	if t.reread {
		t.reread = false
		d.schedule(t)
		return
	}
	if !t.data.Synthetic() {
		t.data.Synthesize()
	}
	a, q := t.buffer, t.pool
	t.buffer, t.request, t.volume = nil, nil, nil
	t.next, d.parts = d.parts, t
	if w := q.wait.pop(); w != nil {
		w.buffer = a
		d.schedule(w)
		return
	}
	a.next, q.free = q.free, a
}
