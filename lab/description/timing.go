package description

import (
	"strconv"
	"time"

	"github.com/iosrun/iosrun/emulator/dasd"
	"github.com/iosrun/iosrun/emulator/machine"
)

// Timing changes figures of the service-time model of a place (docs/performance.md
// lists all of them). Zero leaves a figure unchanged. -1 stands for none when the
// field's comment says so.
type Timing struct {
	// Program is the control unit's time for a channel program; -1 stands for none.
	Program time.Duration `koanf:"program" json:"program,omitempty"`
	// Command is its time for a command; -1 stands for none.
	Command time.Duration `koanf:"command" json:"command,omitempty"`
	// StageBytes is the least number of bytes that an arm reads when a track is not in
	// the cache (CKD devices); -1 stands for none: it reads only the records asked
	// for.
	StageBytes int `koanf:"stage-bytes" json:"stage_bytes,omitempty"`
	// NonVolatileMegabytes is the size of the storage for fast writes; -1 stands for
	// none: a write then takes the device's time.
	NonVolatileMegabytes float64 `koanf:"nonvolatile-megabytes" json:"nonvolatile_megabytes,omitempty"`
	// DestageMegabytes is the rate, in megabytes a second, at which that storage is
	// written to the devices; -1 stands for no limit: it never fills.
	DestageMegabytes float64 `koanf:"destage-megabytes" json:"destage_megabytes,omitempty"`
	// Exchanges is the largest number of channel programs that are under way on the
	// link at a time.
	Exchanges int `koanf:"exchanges" json:"exchanges,omitempty"`
	// WriteRoundTrips is the number of round trips that a channel program that
	// writes takes on a FICON link.
	WriteRoundTrips int `koanf:"write-round-trips" json:"write_round_trips,omitempty"`
}

// Limits of Timing; those in megabytes hold for the speed of a link as well.
const (
	maxTime       = time.Second
	maxStageBytes = 1 << 20
	minMegabytes  = 0.001
	maxMegabytes  = 1_000_000
	maxRoundTrips = 16
)

// over fills fields that t leaves out from base.
func (t Timing) over(base Timing) Timing {
	inherit(&t.Program, base.Program)
	inherit(&t.Command, base.Command)
	inherit(&t.StageBytes, base.StageBytes)
	inherit(&t.NonVolatileMegabytes, base.NonVolatileMegabytes)
	inherit(&t.DestageMegabytes, base.DestageMegabytes)
	inherit(&t.Exchanges, base.Exchanges)
	inherit(&t.WriteRoundTrips, base.WriteRoundTrips)
	return t
}

func inherit[T comparable](v *T, base T) {
	var zero T
	if *v == zero {
		*v = base
	}
}

// plain returns the text of a number without an exponent.
func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// check reports the first setting that is invalid, by its key within the place.
func (t *Timing) check() *setting {
	for _, f := range []struct {
		key      string
		is, most time.Duration
	}{{"program", t.Program, maxTime}, {"command", t.Command, maxTime}} {
		if f.is != -1 && (f.is < 0 || f.is > f.most) {
			return unfit("timing."+f.key, "is %v: want -1ns (none), 0 (the default) or up to %v", f.is, f.most)
		}
	}
	for _, f := range []struct {
		key             string
		is, least, most float64
	}{
		{"stage-bytes", float64(t.StageBytes), 1, maxStageBytes},
		{"nonvolatile-megabytes", t.NonVolatileMegabytes, minMegabytes, maxMegabytes},
		{"destage-megabytes", t.DestageMegabytes, minMegabytes, maxMegabytes},
	} {
		if f.is != -1 && f.is != 0 && !(f.is >= f.least && f.is <= f.most) {
			return unfit("timing."+f.key, "is %s: want -1 (none), 0 (the default) or %s up to %s", plain(f.is), plain(f.least), plain(f.most))
		}
	}
	switch {
	case t.Exchanges < 0 || t.Exchanges > dasd.MaxExchanges:
		return unfit("timing.exchanges", "is %d: want 0 (the link type's own) to %d", t.Exchanges, dasd.MaxExchanges)
	case t.WriteRoundTrips < 0 || t.WriteRoundTrips > maxRoundTrips:
		return unfit("timing.write-round-trips", "is %d: want 0 (the link type's own) to %d", t.WriteRoundTrips, maxRoundTrips)
	}
	return nil
}

// subsystem returns the figures of the place's control unit and devices.
func (p *Place) subsystem() dasd.Timing {
	t := &p.Timing
	return dasd.Timing{
		Chain: machine.Time(t.Program), Command: machine.Time(t.Command), StageBytes: t.StageBytes,
		NonVolatileBytes: int64(t.NonVolatileMegabytes * 1e6), DestageBytesPerSecond: int64(t.DestageMegabytes * 1e6),
		Arms: p.Arms, ReadHitRatio: p.HitRatio,
	}
}

// link returns the figures of the place's link, which is of the given type.
func (p *Place) link(kind dasd.LinkType) dasd.LinkConfig {
	return dasd.LinkConfig{
		Type: kind, Kilometres: p.Kilometres, BytesPerSecond: int64(p.Megabytes * 1e6),
		Exchanges: p.Timing.Exchanges, WriteRoundTrips: p.Timing.WriteRoundTrips,
	}
}
