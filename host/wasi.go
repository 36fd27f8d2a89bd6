package host

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/iosrun/iosrun/host/meter"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// The part of WASI preview 1 that a module's run-time needs for its start. It is
// deterministic: time is the machine's virtual time, random numbers come from the
// instance's seed, there are no files, and nothing waits.

// The error numbers of WASI that the stub answers with.
const (
	errnoSuccess = 0
	errnoBadf    = 8
	errnoFault   = 21
	errnoInval   = 28
)

const (
	// maxVectors is the largest number of buffers of one fd_write, and maxWrite the
	// largest number of bytes that one takes; of a longer write it takes the first
	// maxWrite bytes, as a full pipe would.
	maxVectors = 1024
	maxWrite   = 64 << 10
	// maxSubscriptions is the largest number of subscriptions of one poll_oneoff.
	maxSubscriptions = 64
	// maxRandom is the largest number of bytes of one random_get.
	maxRandom = 64 << 10
)

func nothing(*Instance, api.Memory, []uint64) uint32 { return errnoSuccess }

func badFile(*Instance, api.Memory, []uint64) uint32 { return errnoBadf }

func procExit(_ *Instance, _ api.Memory, args []uint64) uint32 {
	panic(sys.NewExitError(uint32(args[0])))
}

func fault(ok bool) uint32 {
	if ok {
		return errnoSuccess
	}
	return errnoFault
}

// sizesGet says that there are no arguments and no environment.
func (i *Instance) sizesGet(mem api.Memory, args []uint64) uint32 {
	return fault(mem.WriteUint32Le(uint32(args[0]), 0) && mem.WriteUint32Le(uint32(args[1]), 0))
}

// clock returns the time that the instance sees, in nanoseconds. It is the machine's
// time, but never earlier than the end of the instance's last wait, because a wait
// ends at once (see pollOneoff), and never 0, which Go's run-time takes for a broken
// clock.
func (i *Instance) clock() int64 {
	if i.frame != nil {
		i.waited = max(i.waited, i.frame.Head.Now)
	}
	return i.waited
}

func (i *Instance) clockResGet(mem api.Memory, args []uint64) uint32 {
	if uint32(args[0]) > 1 {
		return errnoInval
	}
	return fault(mem.WriteUint64Le(uint32(args[1]), 1))
}

func (i *Instance) clockTimeGet(mem api.Memory, args []uint64) uint32 {
	if uint32(args[0]) > 1 { // 0 is the real-time clock, 1 the monotonic one
		return errnoInval
	}
	return fault(mem.WriteUint64Le(uint32(args[2]), uint64(i.clock())))
}

func (i *Instance) randomGet(mem api.Memory, args []uint64) uint32 {
	if uint32(args[1]) > maxRandom {
		return errnoInval
	}
	i.charge(int64(uint32(args[1])) / meter.BytesPerUnit)
	p, ok := mem.Read(uint32(args[0]), uint32(args[1]))
	for len(p) > 0 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], i.random.Uint64())
		p = p[copy(p, word[:]):]
	}
	return fault(ok)
}

// source returns the random source of an instance after the given number of
// renewals.
func source(seed uint64, life uint64) *rand.PCG { return rand.NewPCG(seed, life) }

// fdStatGet describes the three standard files as character devices.
func (i *Instance) fdStatGet(mem api.Memory, args []uint64) uint32 {
	if uint32(args[0]) > 2 {
		return errnoBadf
	}
	const size, characterDevice = 24, 2
	p, ok := mem.Read(uint32(args[1]), size)
	if ok {
		clear(p)
		p[0] = characterDevice
	}
	return fault(ok)
}

// fdWrite passes the module's standard output and standard error to the instance's
// log. It takes at most maxWrite bytes and returns the number of bytes that it took.
func (i *Instance) fdWrite(mem api.Memory, args []uint64) uint32 {
	fd, vectors, count, result := uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3])
	switch {
	case fd != 1 && fd != 2:
		return errnoBadf
	case count > maxVectors:
		return errnoInval
	}
	table, ok := mem.Read(vectors, count*8)
	if !ok {
		return errnoFault
	}
	i.charge(int64(len(table)))
	total := 0
	for ; len(table) > 0 && total < maxWrite; table = table[8:] {
		p, ok := mem.Read(binary.LittleEndian.Uint32(table), binary.LittleEndian.Uint32(table[4:]))
		if !ok {
			return errnoFault
		}
		p = p[:min(len(p), maxWrite-total)]
		i.charge(int64(len(p))) // the work grows with the number of bytes
		i.console[fd-1].write(p)
		total += len(p)
	}
	return fault(mem.WriteUint32Le(result, uint32(total)))
}

// pollOneoff never waits. When a call waits only for a clock, the instance's clock
// is moved to the end of the wait; there are no files to wait for.
func (i *Instance) pollOneoff(mem api.Memory, args []uint64) uint32 {
	in, out, count, result := uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3])
	const subscription, event = 48, 32
	if count == 0 || count > maxSubscriptions {
		return errnoInval
	}
	subs, ok := mem.Read(in, count*subscription)
	if !ok {
		return errnoFault
	}
	events, ok := mem.Read(out, count*event)
	if !ok {
		return errnoFault
	}
	i.charge(int64(len(subs) + len(events)))
	now := i.clock()
	first := int64(math.MaxInt64)
	for n := range count {
		s := subs[n*subscription:][:subscription]
		if s[8] != 0 { // not a clock
			first = now
			break
		}
		first = min(first, deadline(s, now))
	}
	i.waited = max(now, first)
	n := uint32(0)
	for k := range count {
		s := subs[k*subscription:][:subscription]
		if s[8] == 0 && deadline(s, now) > i.waited {
			continue
		}
		var e [event]byte
		copy(e[:8], s[:8])
		if e[10] = s[8]; s[8] != 0 {
			e[8] = errnoBadf
		}
		copy(events[n*event:], e[:])
		n++
	}
	return fault(mem.WriteUint32Le(result, n))
}

// deadline returns the time at which the wait of a clock subscription ends, in
// nanoseconds.
func deadline(s []byte, now int64) int64 {
	timeout := binary.LittleEndian.Uint64(s[24:])
	if s[40]&1 == 0 { // not an absolute time
		timeout += uint64(now)
		if timeout < uint64(now) {
			return math.MaxInt64
		}
	}
	return int64(min(timeout, math.MaxInt64))
}

// chainRead copies CCWs of the request's chain into the module's memory.
func (i *Instance) chainRead(mem api.Memory, args []uint64) uint32 {
	first, at, count := uint32(args[0]), uint32(args[1]), uint32(args[2])
	if i.chain == nil || i.granted&capChain == 0 || count == 0 || first > maxChain {
		return 0
	}
	count = min(count, maxChain)
	i.charge(int64(count) * int64(ccwSize) / meter.BytesPerUnit)
	p, ok := mem.Read(at, count*ccwSize)
	if !ok || at%ccwAlign != 0 {
		panic(fmt.Errorf("%s into %d CCWs at %#x: want a multiple of %d within the memory", chainRead, count, at, ccwAlign))
	}
	return uint32(i.chain.ReadChain(int(first), ccws(p)))
}
