// Package checks checks the properties that must hold at the end of a run. A Witness
// watches a rig, the emulated machine of an experiment, and its player while the
// workload is played: every read and write, and, on request, the media and the
// channel. At the end it returns its observations (Seen), and each row of a table of
// checks makes a report.Check of them.
//
// The package changes nothing that it watches, but it ends a run that it cannot
// watch any more.
package checks
