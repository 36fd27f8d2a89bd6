// Package intercept is the intercept process: it stands behind the three slots of
// the I/O supervisor, fills the frames of the detours there (the memory that host
// and detour share), calls them, checks their intents and carries them out. It
// keeps the shadow queue (mirror requests that wait for their start), the flag
// table and the account, the host's own record of the tracks that are in sync.
//
// A pair is a primary device and its mirrors; a leg is one of these devices. A
// mirror I/O brings a write of the primary to one mirror.
//
// The package knows the ABI, hooks and the I/O supervisor. It trusts no detour:
// whatever one answers, a mirror differs from its primary only on tracks that the
// account has marked.
package intercept
