// Package mirror is the mirror process: it brings held requests back when their
// mirror I/Os have ended, watches over those that nobody answers, and makes and
// keeps primary and mirrors identical.
//
// A copier copies tracks, whatever it is for. It has two drivers: Sync, which makes
// a mirror identical while applications go on, and changedCopy, which copies what one
// request has changed.
//
// The package knows the intercept process and the I/O supervisor. It sees no frame
// and no detour.
package mirror
