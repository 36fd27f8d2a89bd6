// Package standard is the back-end detour: it learns from the condition code of
// the primary SSCH whether the mirror requests of an I/O are to be started, and
// has them started where that is allowed. (FIGs. 12 and 13.)
package standard
