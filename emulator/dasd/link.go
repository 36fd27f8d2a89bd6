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

// linkFacts holds the properties of a link type. They are the defaults for the
// zero fields of a LinkConfig.
type linkFacts struct {
	name           string
	bytesPerSecond int64
	exchanges      int
	// perCommand, perRead and perWrite are numbers of round trips over the fibre: for
	// each command (handshaken one by one), and for a whole program that reads or
	// writes.
	perCommand, perRead, perWrite int
	// command is the time that the channel and the control unit need for the protocol
	// of one command.
	command machine.Time
	// droop is the distance in kilometres from which on the rate falls, for want of
	// buffers (FICON) or because every frame is answered (ESCON); droopHalf
	// kilometres further it is half.
	droop, droopHalf float64
}

// links holds the properties of the link types. Rates and distances come from the
// vendors: ESCON 200 Mb/s on the fibre, 17 MB/s of data, no droop up to 9 km and
// half the rate at 20 km, 2000 to 2500 operations of 4 KiB a second; FICON 100
// MB/s for each Gb/s, 32 exchanges, no droop up to 100 km. The protocol has two
// round trips for a write (command, then data on the control unit's
// transfer-ready), one for a read, and two for each ESCON command (command, then
// data or status). The time for an ESCON command is chosen such that 2300
// operations of three commands take a second.
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

// LinkNames returns the names of the link types.
func LinkNames() []string {
	names := make([]string, linkTypes)
	for t := range linkTypes {
		names[t] = links[t].name
	}
	return names
}

// Limits of a link.
const (
	// MaxKilometres is the largest length of a link.
	MaxKilometres = 40_000
	// MaxExchanges is the largest number of exchanges of a link: channel programs
	// that are under way on it at a time.
	MaxExchanges = 256
	// PropagationPerKilometre is the time that light takes for a kilometre of fibre.
	PropagationPerKilometre = 5 * machine.Microsecond
)

// LinkConfig describes a link. A field other than Kilometres that is zero stands
// for the value of the link type.
type LinkConfig struct {
	Type LinkType
	// Kilometres is the length of the fibre, one way.
	Kilometres float64
	// BytesPerSecond is the rate of data, in each direction if the type is full
	// duplex (FICON). Over long distances the rate is less; see LinkType.
	BytesPerSecond int64
	// Exchanges is the largest number of channel programs that are under way at a
	// time.
	Exchanges int
	// The numbers of round trips over the fibre: for each command, for a channel
	// program that only reads, and for one that writes.
	CommandRoundTrips, ReadRoundTrips, WriteRoundTrips int
	// Command is the time that the protocol of one command takes at both ends.
	Command machine.Time
	// Host numbers the systems that share a subsystem, for reserve and release: links
	// with the same number belong to the same system.
	Host uint8
}

// LinkStats counts the traffic of a link.
type LinkStats struct {
	// Programs is the number of channel programs (start and resume functions) that
	// were sent, Commands the number of their commands.
	Programs, Commands uint64
	// BytesOut and BytesIn count the data and parameters to and from the control
	// unit; MessagesOut and MessagesIn count commands and blocks of data out, blocks
	// of data and ending statuses in.
	BytesOut, BytesIn       uint64
	MessagesOut, MessagesIn uint64
	// RoundTrips is the number of times that one end waited for the other.
	RoundTrips uint64
	// Lost is the number of functions and statuses that a failure swallowed.
	Lost uint64
	// Waited is the time that programs have waited for others to leave the link.
	Waited machine.Time
	// BusyOut and BusyIn are the times for which data was on the way out and in.
	BusyOut, BusyIn machine.Time
}

// Link is the fibre of a channel path between the host and control units. It
// belongs to one machine.
type Link struct {
	m           *machine.Machine
	config      LinkConfig
	latency     machine.Time // time for one way
	duplex      bool
	picoseconds int64 // for each byte
	stats       LinkStats

	failAt, restoreAt machine.Time // the link is down from failAt until restoreAt

	// free holds for each exchange the time at which the next program can arrive. An
	// exchange that is free at once is preferred, else the one that is free first is
	// taken.
	free []machine.Time
	next int
	// passed holds the times at which the data taken so far has passed, out and in.
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

// Config returns the link's configuration, completed with the values of its type.
func (l *Link) Config() LinkConfig { return l.config }

// Latency returns the time that light takes from one end to the other.
func (l *Link) Latency() machine.Time { return l.latency }

// Stats returns the counts of the link so far.
func (l *Link) Stats() LinkStats { return l.stats }

// Fail takes the link down now: everything that is sent over it is lost.
func (l *Link) Fail() { l.FailAt(l.m.Clock.Now()) }

// FailAt takes the link down at time t, which may be in the future: everything
// that is on the way then is lost too.
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

// send sends a start or resume function at now and returns the time at which it
// arrives.
func (l *Link) send(now machine.Time) machine.Time {
	l.stats.Programs++
	at := now + l.latency
	if l.cut(now, at) {
		l.stats.Lost++
		return machine.Never
	}
	return at
}

// enter takes an exchange for a program that arrives at now. It returns the
// exchange and the time at which the program begins: now, or when an exchange is
// free. leave gives the exchange back.
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

// traffic counts the commands and the data that a channel program has moved over
// the link.
type traffic struct {
	commands int
	blocks   [2]int
	bytes    [2]int64
	wrote    bool // data for the medium went out
}

// trips returns the number of round trips of a program that has moved t.
func (l *Link) trips(t *traffic) int {
	trips := t.commands * l.config.CommandRoundTrips
	if t.wrote {
		return trips + l.config.WriteRoundTrips
	}
	return trips + l.config.ReadRoundTrips
}

// handshake returns the time that the protocol takes for a program that has moved t,
// without its beginning and its ending status.
func (l *Link) handshake(t *traffic) machine.Time {
	return machine.Time(max(0, l.trips(t)-1))*2*l.latency + machine.Time(t.commands)*l.config.Command
}

// leave ends a program that entered at start and has lasted elapsed at the control
// unit; for the part apart of that time the device was busy on its own. leave adds
// the time that the link itself takes and returns the time at which the status
// reaches the channel.
//
// An exchange stays open from the time at which the channel sends the program
// until the channel has accepted the ending status: for all of the program's round
// trips. The next program can be sent then, and arrives a latency later.
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
