// Package player plays a workload on a rig, the emulated machine of an experiment:
// requests arrive at their times and are followed to their ends, and faults, swaps
// of the policy and synchronisations happen meanwhile. It counts requests and
// events, and judges and reports nothing.
//
// A Loop lets the machine's events happen, and Copies makes mirrors identical to
// their primaries; both work without a workload.
package player
