// Package pair answers what detours of every slot ask about a pair.
package pair
