package description

import "github.com/iosrun/iosrun/emulator/mirror"

// Synchronise holds the options for making mirrors identical to their primaries
// while the workload goes on (FIG. 2 of the method).
type Synchronise struct {
	// Full copies every track, not only those that are marked.
	Full bool `koanf:"full" json:"full,omitempty"`
	// Threshold is the largest number of changed tracks that are left to the last
	// copy, during which writes are held; 0 stands for DefaultThreshold.
	Threshold int `koanf:"threshold" json:"threshold,omitempty"`
	// Rounds, Streams and TracksPerSecond are as in mirror.SyncOptions.
	Rounds          int `koanf:"rounds" json:"rounds,omitempty"`
	Streams         int `koanf:"streams" json:"streams,omitempty"`
	TracksPerSecond int `koanf:"tracks-per-second" json:"tracks_per_second,omitempty"`
}

// DefaultThreshold is the usual threshold of a synchronisation, in tracks.
const DefaultThreshold = 8

// check reports the first setting that is invalid.
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

// options returns the settings in the form of the mirror process.
func (s *Synchronise) options() mirror.SyncOptions {
	o := mirror.SyncOptions{Full: s.Full, Threshold: s.Threshold, MaxRounds: s.Rounds, Streams: s.Streams, TracksPerSecond: s.TracksPerSecond}
	if o.Threshold == 0 {
		o.Threshold = DefaultThreshold
	}
	return o
}
