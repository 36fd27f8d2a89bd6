// Package settings gathers the settings of an experiment: defaults, then what a
// YAML file says, then environment variables, then what the caller puts there.
//
// Every key and every value is checked where it stands, and an error names the
// line, the variable or the place that the caller gave. It knows the keys and types
// of experiment.Config and no flags; what a setting means is the experiment's
// affair.
package settings
