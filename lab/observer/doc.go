// Package observer checks a machine from outside. It watches two things: what
// channel programs change on the media of a pair's volumes, and which of them the
// channel has ended with good status. From these alone it knows which writes each
// volume has, and holds three properties against what the intercept process says:
//
//   - durability: at the moment at which an application is told that its write is
//     done, the write is on the primary's medium and on as many mirrors as the policy
//     promises (durability.go);
//   - marks: when nothing is under way, each track that differs is marked
//     (marks.go);
//   - risk: the number, bytes and age of the writes that an application was told of
//     and that a mirror lacks (risk.go).
//
// It shares no code and no state with the intercept process, and calls no detour.
// What it takes from there is what is declared, and not derived: which volume is the
// primary, which mirrors follow it, the mode of the pair, the promise of the policy;
// and the figures that it judges (Claims).
//
// What it cannot see: a detour's word for a single request that its completion
// waits for no mirror (MirrorConstantCopy) outside of the mode of that name, but for
// chains that can suspend themselves; writes that a chain of an application's own
// might have made and has not; and the difference between two writes of the same
// bytes to the same record.
package observer
