// Package constantcopy is the post-status detour of constant copy: the
// application learns that its write is done when the primary has it. (FIG. 16
// without step 312.)
package constantcopy
