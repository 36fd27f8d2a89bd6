// Package settings gathers the settings of an experiment from defaults, then a YAML
// file, then environment variables, then the caller's values; later ones replace
// earlier ones.
//
// Every key and every value is checked as it is read, and an error names the line,
// the variable or the place that the caller gave. The package knows the keys and
// types of experiment.Config, but no flags and not the meaning of a setting.
package settings
