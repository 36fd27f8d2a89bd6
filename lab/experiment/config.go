package experiment

import "github.com/iosrun/iosrun/lab/description"

// The settings of an experiment: see lab/description.
type (
	Config      = description.Config
	Place       = description.Place
	Timing      = description.Timing
	Workload    = description.Workload
	Synchronise = description.Synchronise
	Expect      = description.Expect
)

// Default returns the experiment that runs without any settings.
func Default() Config { return description.Default() }
