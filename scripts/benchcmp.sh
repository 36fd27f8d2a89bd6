#!/usr/bin/env bash
# Compares the benchmarks of two commits: scripts/benchcmp.sh OLD NEW [PACKAGE [PATTERN]]
set -euo pipefail
old=${1:?"usage: $0 OLD NEW [PACKAGE [PATTERN]]"} new=${2:?"usage: $0 OLD NEW [PACKAGE [PATTERN]]"}
package=${3:-./...} pattern=${4:-.}
work=$(mktemp -d)
trap 'git worktree prune; rm -rf "$work"' EXIT
for side in old new; do
	git worktree add -q --detach "$work/$side" "${!side}"
done
# In turn, so that a drift of the machine's speed meets both.
for _ in 1 2 3 4 5 6; do
	for side in old new; do
		(cd "$work/$side" && go test -run '^$' -bench "$pattern" -benchmem -count 1 "$package") >>"$work/$side.txt"
	done
done
go run golang.org/x/perf/cmd/benchstat@latest "$work/old.txt" "$work/new.txt"
