// Package checks holds a run against what must hold at its end. A Witness watches a
// rig and its player while the workload is played: every read and write, and, where
// somebody asks for it, the media and the channel. At the end it says what was Seen,
// and each row of a table of checks makes a report.Check of that.
//
// The package changes nothing that it watches, but that it ends a run on which it
// cannot watch any more.
package checks
