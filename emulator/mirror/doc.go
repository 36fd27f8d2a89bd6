// Package mirror is the mirror process: it brings held requests back when their
// mirror I/Os have ended, watches over those that nobody answers, and makes and
// keeps primary and mirrors identical.
//
// It knows the intercept process and the I/O supervisor. It sees no frame and no
// detour.
package mirror
