// Package intercept is the intercept process: it stands behind the three slots
// of the I/O supervisor, fills the frames of the detours there, calls them,
// checks what they ask for and carries it out. It keeps the shadow queue, the
// flag table and the host's own account of what is in sync.
//
// It knows the ABI, hooks and the I/O supervisor. It trusts no detour: whatever
// one answers, a mirror differs from its primary only on tracks that the account
// has marked.
package intercept
