// Package adaptive is a front-end detour that changes the mode of a pair. Mirroring
// is synchronous until a mirror lags, and then in constant copy, in which
// applications do not wait for the mirrors, until all mirrors have caught up. The
// lag of a mirror is counted in writes: it is the number of requests on its unit, or
// the number of acknowledged writes that it lacks, whichever is larger.
//
// There are two limits, a lower one for the change back, so that the mode does not
// change at every write. The detour keeps nothing from call to call: the host keeps
// the mode of the pair. Each request is treated as by the detour standard; the mode
// that this detour asks for applies from the next request on.
package adaptive
