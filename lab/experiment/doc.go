// Package experiment runs policies on a workload. It calls the packages that take
// part, between which data goes one way: lab/description parses the settings,
// lab/rig builds the machine, lab/player plays the workload on it, lab/checks checks
// the properties that must hold, and this package brings them together, makes the
// report of a run and compares runs.
//
// A run is a function of the description, the workload, the modules and the
// seed. Machines share nothing, so several policies run side by side.
package experiment
