// Package standard is the front-end detour of synchronous mirroring: every write
// to a primary device goes to its mirrors as well, every read stays with the
// primary, and nobody else writes to a mirror. (FIGs. 5 to 11.)
package standard
