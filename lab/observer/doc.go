// Package observer checks a machine from outside. It watches two things: the changes
// that channel programs make on the media of a pair's volumes, and the programs that
// the channel has ended with good status. From these alone it finds out which writes
// each volume has, and checks three properties and the figures of the intercept
// process:
//
//   - durability: at the moment at which an application is told that its write is
//     done, the write is on the primary's medium and on as many mirrors as the policy
//     promises (durability.go);
//   - marks: when nothing is under way, each track that differs is marked
//     (marks.go);
//   - risk: the number, bytes and age of the writes that an application was told of
//     and that a mirror lacks (risk.go).
//
// It shares no code and no state with the intercept process, and calls no detour. It
// takes from there only declared facts, none that is derived: which volume is the
// primary, which mirrors follow it, the mode of the pair, the promise of the policy;
// and the figures that it judges (Claims).
//
// It cannot see these: a detour's request that the completion of a single I/O waits
// for no mirror (MirrorConstantCopy) outside of the mode of that name, except for
// chains that can suspend themselves; writes that a chain of an application's own
// could have made and has not made; and the difference between two writes of the
// same bytes to the same record.
package observer
