package hooks

// Chain is Sequence, by the name that packages have which do not know it yet.
func (g *Generation) Chain(s Slot) []*Attachment { return g.Sequence(s) }
