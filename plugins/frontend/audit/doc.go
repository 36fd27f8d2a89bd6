// Package audit is a front-end detour that records the requests of applications and
// changes nothing: it mirrors nothing, holds nothing and rejects nothing. It can
// stand alone or in front of other detours.
//
// A request counts once, by the class of its channel program (FIG. 8 of the method),
// with the number of bytes that its counts transfer. Requests of the mirror process
// and mirror I/Os do not count.
package audit
