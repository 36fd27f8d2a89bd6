// Package readselect is the front-end detour of synchronous mirroring that sends
// reads to the primary or to a mirror, whichever the configured selector picks.
// (FIG. 9, 190 and 192; all else is done as in the detour standard.)
//
// Every selector is a function of the frame alone, so that swapping the module
// for itself changes no decision.
package readselect
