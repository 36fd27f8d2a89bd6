// Package audit is a post-status detour that records how applications' I/Os end
// and changes nothing: it holds nothing and cuts nothing off. It can stand alone
// or in front of other detours.
//
// Each end counts once, with the number of bytes that the chain's counts transfer.
// An I/O that error recovery starts again ends again.
package audit
