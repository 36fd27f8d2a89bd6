package world

import "github.com/iosrun/iosrun/lab/scenario"

// A policy of a world is one of those that ship with the program, with settings of
// its detours from this table. The policy's promise must hold with each of these
// settings: a setting that is part of the promise, such as the number of mirrors
// that a completion waits for, is not here.
type policy struct {
	name                string
	frontEnd, postState []setting
}

// setting is a setting of a detour with its possible values.
type setting struct {
	name   string
	values []any
}

// The settings of the shipped detours.
var (
	interloper         = setting{"interloper", []any{"reject", "inhibit"}}
	interruptingWrites = setting{"interrupting-writes", []any{"leave", "copy"}}
	lag                = setting{"lag", []any{1, 4, 32}}
	caughtUp           = setting{"caught-up", []any{0, 2}}
	selector           = setting{"selector", []any{"lowest-latency", "least-pending", "round-robin", "stripe", "sequential", "prefer-primary"}}
	stripeTracks       = setting{"stripe-tracks", []any{1, 2, 15}}
	congestion         = setting{"congestion", []any{0, 1, 4}}
	onMirrorFailure    = setting{"on-mirror-failure", []any{"mirror", "pair", "group"}}
	onPrimaryFailure   = setting{"on-primary-failure", []any{"report", "promote"}}
	onChainError       = setting{"on-chain-error", []any{"retry", "dissociate"}}
	chainRetries       = setting{"chain-retries", []any{0, 3, 20}}
	onTimeOut          = setting{"on-time-out", []any{"release", "fail"}}
)

// policies lists the shipped policies. A test compares them with those in the
// program.
var policies = []policy{
	{"adaptive", []setting{interloper, lag, caughtUp}, []setting{onMirrorFailure, onPrimaryFailure, onChainError, chainRetries, onTimeOut}},
	{"audit", nil, nil},
	{"consistency-group", []setting{interloper}, []setting{onPrimaryFailure, onChainError, chainRetries, onTimeOut}},
	{"constant-copy", []setting{interloper}, []setting{onMirrorFailure, onPrimaryFailure, onChainError, chainRetries}},
	{"multi-mirror", []setting{interloper, interruptingWrites}, []setting{onMirrorFailure, onPrimaryFailure, onChainError, chainRetries, onTimeOut}},
	{"none", nil, nil},
	{"read-select", []setting{interloper, selector, stripeTracks, congestion}, []setting{onMirrorFailure, onPrimaryFailure, onChainError, chainRetries, onTimeOut}},
	{"sync", []setting{interloper, interruptingWrites}, []setting{onMirrorFailure, onPrimaryFailure, onChainError, chainRetries, onTimeOut}},
}

// settings draws settings for a policy; about half of them stay as they are.
func (d *draw) settings(p *policy) scenario.Settings {
	some := func(all []setting) map[string]any {
		var m map[string]any
		for _, s := range all {
			if !d.chance(1, 2) {
				continue
			}
			if m == nil {
				m = make(map[string]any)
			}
			m[s.name] = s.values[d.IntN(len(s.values))]
		}
		return m
	}
	return scenario.Settings{FrontEnd: some(p.frontEnd), PostStatus: some(p.postState)}
}
