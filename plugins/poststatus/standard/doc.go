// Package standard is the post-status detour of synchronous mirroring: the
// application learns that its write is done when the primary and every mirror
// have it, unless the request is one of constant copy. (FIG. 16.)
package standard
