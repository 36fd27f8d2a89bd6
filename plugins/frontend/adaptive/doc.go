// Package adaptive is the front-end detour of mirroring that is synchronous until
// a mirror lags, and in constant copy from then on until all mirrors have caught
// up. How far a mirror lags is counted in writes: the requests on its unit, or
// the writes that it lacks although an application was told that they are done,
// whichever is more.
//
// Two limits, one for the way there and a lower one for the way back, keep it
// from changing to and fro at every write. Nothing is kept from call to call: the
// mode is the pair's, and the host keeps it. What becomes of each request is what
// standard does; the mode that this detour asks for holds from the next one on.
package adaptive
