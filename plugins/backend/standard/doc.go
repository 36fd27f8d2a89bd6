// Package standard is the back-end detour. It gets the condition code of the
// primary's start subchannel (SSCH), the instruction that starts an I/O. If the
// primary was started it has the mirror requests of the I/O started, where the state
// of the mirror allows that; otherwise it drops them. (FIGs. 12 and 13 of the
// method.)
package standard
