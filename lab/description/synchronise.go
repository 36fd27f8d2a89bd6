package description

import "github.com/iosrun/iosrun/emulator/mirror"

// Synchronise says how mirrors are made identical to their primaries while the
// workload goes on (FIG. 2).
type Synchronise struct {
	// Full copies every track, not only those that are marked.
	Full bool `koanf:"full" json:"full,omitempty"`
	// Threshold is how many changed tracks are left to the last copy, with writes
	// held; 0 is DefaultThreshold.
	Threshold int `koanf:"threshold" json:"threshold,omitempty"`
	// Rounds, Streams and TracksPerSecond are as in mirror.SyncOptions.
	Rounds          int `koanf:"rounds" json:"rounds,omitempty"`
	Streams         int `koanf:"streams" json:"streams,omitempty"`
	TracksPerSecond int `koanf:"tracks-per-second" json:"tracks_per_second,omitempty"`
}

// DefaultThreshold is the usual threshold of a synchronisation, in tracks.
const DefaultThreshold = 8

// check reports the first setting that is wrong.
func (s *Synchronise) check() *setting {
	switch {
	case s.Threshold < 0:
		return unfit("synchronise.threshold", "is %d: want 0 tracks or more", s.Threshold)
	case s.Rounds < 0:
		return unfit("synchronise.rounds", "is %d: want 0 (%d of them) or more", s.Rounds, mirror.DefaultRounds)
	case s.Streams < 0 || s.Streams > mirror.MaxStreams:
		return unfit("synchronise.streams", "is %d: want 0 (%d of them) to %d", s.Streams, mirror.DefaultStreams, mirror.MaxStreams)
	case s.TracksPerSecond < 0:
		return unfit("synchronise.tracks-per-second", "is %d: want 0 (no limit) or more", s.TracksPerSecond)
	}
	return nil
}

// options are the settings as the mirror process takes them.
func (s *Synchronise) options() mirror.SyncOptions {
	o := mirror.SyncOptions{Full: s.Full, Threshold: s.Threshold, MaxRounds: s.Rounds, Streams: s.Streams, TracksPerSecond: s.TracksPerSecond}
	if o.Threshold == 0 {
		o.Threshold = DefaultThreshold
	}
	return o
}
