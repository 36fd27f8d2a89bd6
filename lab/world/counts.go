package world

import (
	"maps"
	"slices"
)

// Counts counts things by group and name.
type Counts map[string]map[string]int

// Add counts n things of a name.
func (c Counts) Add(group, name string, n int) {
	if c[group] == nil {
		c[group] = make(map[string]int)
	}
	c[group][name] += n
}

// AddAll adds other counts.
func (c Counts) AddAll(o Counts) {
	for group, names := range o {
		for name, n := range names {
			c.Add(group, name, n)
		}
	}
}

// Groups are the groups, in order, and Names the names of one.
func (c Counts) Groups() []string { return slices.Sorted(maps.Keys(c)) }

// Names are the names of a group, in order.
func (c Counts) Names(group string) []string { return slices.Sorted(maps.Keys(c[group])) }
