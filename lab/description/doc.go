// Package description describes experiments. A Config has the settings as files, the
// environment and flags give them: numbers and text. Parse checks them and makes an
// Experiment of them, in which every setting is a value of its own type: links,
// geometries, times of events, actions of faults, modes of files. Later stages work
// with the Experiment, so that no text is parsed twice.
//
// The package opens files to look at them. It builds no machine, loads no policy
// and plays nothing.
package description
