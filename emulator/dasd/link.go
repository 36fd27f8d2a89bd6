package dasd

import (
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/emulator/machine"
)

// LinkType is the protocol and speed of a channel link.
type LinkType uint8

// The link types. A plain FICON is the first of 1 Gb/s.
const (
	FICON LinkType = iota
	ESCON
	FICONExpress2
	FICONExpress4
	FICONExpress8
	FICONExpress16S
	FICONExpress32S

	linkTypes
)

// linkFacts are the facts of the link types; a LinkConfig that leaves a value
// zero gets the one here.
type linkFacts struct {
	name           string
	bytesPerSecond int64
	exchanges      int
	// Round trips over the fibre that a channel program takes: for each command
	// (handshaken one by one), or for a whole program that reads or writes.
	perCommand, perRead, perWrite int
	// command is what the channel and the control unit need for the protocol of
	// one command.
	command machine.Time
	// From so many kilometres on the rate droops for want of buffers (FICON) or
	// because every frame is answered (ESCON); half as many again as droopHalf
	// halve it.
	droop, droopHalf float64
}

// Rates and distances are the vendors': ESCON 200 Mb/s on the fibre, 17 MB/s of
// data, no droop up to 9 km and half the rate at 20 km, 2000 to 2500 operations
// of 4 KiB a second; FICON 100 MB/s for each Gb/s, 32 exchanges, no droop up to
// 100 km. Two round trips for a write (command, then data on the control unit's
// transfer-ready) and one for a read are those of the protocol; two for each
// ESCON command (command, then data or status) likewise. The time for an ESCON
// command is what makes 2300 operations of three commands.
var links = [linkTypes]linkFacts{
	FICON:           {"ficon", 100_000_000, 32, 0, 1, 2, 2 * machine.Microsecond, 100, 100},
	ESCON:           {"escon", 17_000_000, 1, 2, 0, 0, 38 * machine.Microsecond, 9, 11},
	FICONExpress2:   {"ficon-2", 200_000_000, 32, 0, 1, 2, 2 * machine.Microsecond, 100, 100},
	FICONExpress4:   {"ficon-4", 400_000_000, 32, 0, 1, 2, machine.Microsecond, 100, 100},
	FICONExpress8:   {"ficon-8", 800_000_000, 32, 0, 1, 2, machine.Microsecond, 100, 100},
	FICONExpress16S: {"ficon-16", 1_600_000_000, 64, 0, 1, 2, machine.Microsecond / 2, 100, 100},
	FICONExpress32S: {"ficon-32", 3_200_000_000, 64, 0, 1, 2, machine.Microsecond / 2, 100, 100},
}

func (t LinkType) String() string {
	if t < linkTypes {
		return links[t].name
	}
	return fmt.Sprintf("link type %d", uint8(t))
}

// ParseLinkType finds a link type by its name: "ficon" or "escon", or with the
// line rate in Gb/s "ficon-2", "-4", "-8", "-16", "-32".
func ParseLinkType(name string) (LinkType, error) {
	for t := range linkTypes {
		if links[t].name == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("link type %q: want %s", name, strings.Join(LinkNames(), ", "))
}

// LinkNames are the names of the link types.
func LinkNames() []string {
	names := make([]string, linkTypes)
	for t := range linkTypes {
		names[t] = links[t].name
	}
	return names
}

// Limits of a link.
const (
	// MaxKilometres is the longest link.
	MaxKilometres = 40_000
	// MaxExchanges is the most exchanges that a link can have open.
	MaxExchanges = 256
	// PropagationPerKilometre is how long light takes for a kilometre of fibre.
	PropagationPerKilometre = 5 * machine.Microsecond
)

// LinkConfig describes a link. Where a field other than Kilometres is zero, the
// type's own value holds.
type LinkConfig struct {
	Type LinkType
	// Kilometres is the length of the fibre, one way.
	Kilometres float64
	// BytesPerSecond is the rate of data, each way where the type is full duplex
	// (FICON). Over long distances the rate is less; see LinkType.
	BytesPerSecond int64
	// Exchanges is how many channel programs are under way at a time.
	Exchanges int
	// Round trips over the fibre: for each command, or for a channel program
	// that only reads, or that writes.
	CommandRoundTrips, ReadRoundTrips, WriteRoundTrips int
	// Command is the protocol's cost of a command at both ends.
	Command machine.Time
	// Host tells apart the systems that share a subsystem, for reserve and
	// release: links with the same number are the same system's.
	Host uint8
}

// LinkStats is what a link has carried.
type LinkStats struct {
	// Programs is how many channel programs (start and resume functions) were
	// sent, Commands how many commands they had.
	Programs, Commands uint64
	// BytesOut and BytesIn are the data and parameters to and from the control
	// unit; MessagesOut and MessagesIn count commands and blocks of data out,
	// blocks of data and ending statuses in.
	BytesOut, BytesIn       uint64
	MessagesOut, MessagesIn uint64
	// RoundTrips is how many times somebody waited for the other end.
	RoundTrips uint64
	// Lost is how many functions and statuses a failure swallowed.
	Lost uint64
	// Waited is how long programs have waited for others to leave the link.
	Waited machine.Time
	// Busy is how long data was on the way out and in.
	BusyOut, BusyIn machine.Time
}

// Link is a channel path's fibre between the host and control units. It
// belongs to one machine.
type Link struct {
	m           *machine.Machine
	config      LinkConfig
	latency     machine.Time // one way
	duplex      bool
	picoseconds int64 // a byte
	stats       LinkStats

	failAt, restoreAt machine.Time // down from the one until the other

	// When the next program can arrive on each exchange. An exchange that looks free
	// at once is taken, else the one that is free first.
	free []machine.Time
	next int
	// When the data taken so far has passed, out and in; without duplex the
	// same for both.
	passed [2]machine.Time
}

// The directions of data.
const (
	outward = iota
	inward
)

// NewLink makes a link.
func NewLink(m *machine.Machine, config LinkConfig) (*Link, error) {
	if config.Type >= linkTypes {
		return nil, fmt.Errorf("link: type %d: want 0 to %d", config.Type, linkTypes-1)
	}
	f := &links[config.Type]
	if config.BytesPerSecond == 0 {
		config.BytesPerSecond = f.bytesPerSecond
	}
	if config.Exchanges == 0 {
		config.Exchanges = f.exchanges
	}
	for _, trips := range []struct {
		is  *int
		own int
	}{{&config.CommandRoundTrips, f.perCommand}, {&config.ReadRoundTrips, f.perRead}, {&config.WriteRoundTrips, f.perWrite}} {
		if *trips.is == 0 {
			*trips.is = trips.own
		}
	}
	if config.Command == 0 {
		config.Command = f.command
	}
	switch {
	case !(config.Kilometres >= 0 && config.Kilometres <= MaxKilometres):
		return nil, fmt.Errorf("link: %v kilometres: want 0 to %d", config.Kilometres, MaxKilometres)
	case config.BytesPerSecond < 1000 || config.BytesPerSecond > 1e12:
		return nil, fmt.Errorf("link: %d bytes a second: want 1000 to 10^12", config.BytesPerSecond)
	case config.Exchanges < 1 || config.Exchanges > MaxExchanges:
		return nil, fmt.Errorf("link: %d exchanges: want 1 to %d", config.Exchanges, MaxExchanges)
	case config.CommandRoundTrips < 0 || config.ReadRoundTrips < 0 || config.WriteRoundTrips < 0 || config.Command < 0:
		return nil, fmt.Errorf("link: %d, %d and %d round trips, %v a command: want none negative",
			config.CommandRoundTrips, config.ReadRoundTrips, config.WriteRoundTrips, config.Command)
	}
	rate := float64(config.BytesPerSecond)
	if over := config.Kilometres - f.droop; over > 0 {
		rate *= f.droopHalf / (f.droopHalf + over)
	}
	return &Link{
		m: m, config: config,
		latency:     machine.Time(config.Kilometres * float64(PropagationPerKilometre)),
		duplex:      config.Type != ESCON,
		picoseconds: max(1, int64(1e12/rate)),
		free:        make([]machine.Time, config.Exchanges),
		failAt:      machine.Never,
		restoreAt:   machine.Never,
	}, nil
}

// Config is the link's configuration with the type's values filled in.
func (l *Link) Config() LinkConfig { return l.config }

// Latency is how long light takes from one end to the other.
func (l *Link) Latency() machine.Time { return l.latency }

// Stats is what the link has carried so far.
func (l *Link) Stats() LinkStats { return l.stats }

// Fail takes the link down now: what is sent over it is lost.
func (l *Link) Fail() { l.FailAt(l.m.Clock.Now()) }

// FailAt takes the link down at time t, which may be to come: what would be on
// the way then is lost too.
func (l *Link) FailAt(t machine.Time) { l.failAt, l.restoreAt = t, machine.Never }

// Restore brings the link up again now.
func (l *Link) Restore() { l.RestoreAt(l.m.Clock.Now()) }

// RestoreAt brings the link up again at time t, after a failure.
func (l *Link) RestoreAt(t machine.Time) { l.restoreAt = max(t, l.failAt) }

// Down reports whether the link is down now.
func (l *Link) Down() bool { return l.cut(l.m.Clock.Now(), l.m.Clock.Now()) }

// cut reports whether the link is down at some time from `from` to `to`.
func (l *Link) cut(from, to machine.Time) bool {
	return l.failAt <= to && from < l.restoreAt
}

// send takes a start or resume function at now and says when it arrives.
func (l *Link) send(now machine.Time) machine.Time {
	l.stats.Programs++
	at := now + l.latency
	if l.cut(now, at) {
		l.stats.Lost++
		return machine.Never
	}
	return at
}

// enter takes an exchange for a program that arrives at now: it begins then or
// when one is free. leave gives it back.
func (l *Link) enter(now machine.Time) (exchange int, start machine.Time) {
	i := l.next
	if l.next++; l.next == len(l.free) {
		l.next = 0
	}
	if l.free[i] > now {
		for k, t := range l.free {
			if t < l.free[i] {
				i = k
			}
		}
	}
	start = max(now, l.free[i])
	l.stats.Waited += start - now
	return i, start
}

// traffic is what a channel program moved over the link.
type traffic struct {
	commands int
	blocks   [2]int
	bytes    [2]int64
	wrote    bool // data for the medium went out
}

// trips is how many round trips a program has taken that moved t.
func (l *Link) trips(t *traffic) int {
	trips := t.commands * l.config.CommandRoundTrips
	if t.wrote {
		return trips + l.config.WriteRoundTrips
	}
	return trips + l.config.ReadRoundTrips
}

// handshake is what the protocol of a program takes that moved t, its beginning
// and its ending status apart.
func (l *Link) handshake(t *traffic) machine.Time {
	return machine.Time(max(0, l.trips(t)-1))*2*l.latency + machine.Time(t.commands)*l.config.Command
}

// leave ends a program that entered at start and has lasted elapsed at the
// control unit, apart of it while the device was busy on its own: it adds the time
// that the link itself takes and says when the status is at the channel.
//
// An exchange is open from when the channel sends the program until it has
// accepted the ending status: for all of the program's round trips. The next
// program can be sent then, and arrives a latency later.
func (l *Link) leave(exchange int, start, elapsed, apart machine.Time, t *traffic) machine.Time {
	s := &l.stats
	s.Commands += uint64(t.commands)
	s.BytesOut += uint64(t.bytes[outward])
	s.BytesIn += uint64(t.bytes[inward])
	s.MessagesOut += uint64(t.commands + t.blocks[outward])
	s.MessagesIn += uint64(t.blocks[inward] + 1)

	s.RoundTrips += uint64(l.trips(t))
	handshake := l.handshake(t)

	var wait machine.Time
	for d, n := range t.bytes {
		if n == 0 {
			continue
		}
		busy := machine.Time(n * l.picoseconds / 1000)
		if d == outward {
			s.BusyOut += busy
		} else {
			s.BusyIn += busy
		}
		elapsed += busy
		if l.duplex {
			wait = max(wait, l.passed[d]-start)
			l.passed[d] = max(l.passed[d], start) + busy
		}
	}
	s.Waited += wait
	end := start + wait + elapsed + handshake + l.latency
	l.free[exchange] = end + l.latency
	if !l.duplex {
		l.free[exchange] -= apart // the circuit is free while the device positions itself
	}
	if l.cut(start, end) {
		s.Lost++
		return machine.Never
	}
	return end
}
