// Package experiment runs policies on a workload. It is the front door of the rooms
// that take part, through which data goes one way: lab/description parses what is
// to be done, lab/rig builds the machine, lab/player plays the workload on it,
// lab/checks holds what was seen against what must hold, and this package brings
// them together, makes the report of a run and compares runs.
//
// A run is a function of the description, the workload, the modules and the
// seed. Machines share nothing, so several policies run side by side.
package experiment
