package abi

// A detour's own code uses the methods of this file; they allocate nothing.

// Ask adds an intent to the response and returns it for its fields to be set. After
// MaxIntents intents it returns a spare that the host never sees, and still counts
// it: the host then refuses the response as a whole.
func (r *Response) Ask(kind IntentKind) *Intent {
	i := int(r.Intents)
	r.Intents++
	if i >= MaxIntents {
		i = MaxIntents - 1
	}
	r.Intent[i] = Intent{Kind: kind}
	return &r.Intent[i]
}

// SetFlags asks for flags of the flag table to be set.
func (r *Response) SetFlags(f FlagTable) { r.Ask(IntentFlag).Value = uint64(f) }

// Record asks for a value to be added to record number code of the manifest.
func (r *Response) Record(code uint8, value uint64) {
	n := r.Ask(IntentRecord)
	n.Code, n.Value = code, value
}

// Add appends a CCW to the response's recipes and reports whether it fitted.
func (r *Response) Add(c RecipeCCW) bool {
	if r.Recipes >= MaxRecipe {
		return false
	}
	r.Recipe[r.Recipes] = c
	r.Recipes++
	return true
}

// Block appends a parameter block of zeros and returns it with its index, or nil
// when the response has no room for another.
func (r *Response) Block() (*[ParameterSize]byte, uint8) {
	if r.Parameters >= MaxResponseParameters {
		return nil, 0
	}
	i := r.Parameters
	r.Parameters++
	r.Parameter[i] = [ParameterSize]byte{}
	return &r.Parameter[i], uint8(i)
}

// Took reports a step of the method to the host; it does nothing when the head's
// flag Tracing is off.
func (f *Frame) Took(step uint16) {
	if f.Head.Flags&Tracing == 0 {
		return
	}
	if f.Response.Steps < MaxSteps {
		f.Response.Step[f.Response.Steps] = step
		f.Response.Steps++
	}
}

// ParameterBlock returns the first parameter block of a CCW of the chain, or nil
// when the frame does not carry it.
func (c *Chain) ParameterBlock(w *CCW) *[ParameterSize]byte {
	if w.Parameter == 0 || uint16(w.Parameter) > c.Parameters || w.Parameter > InlineParameters {
		return nil
	}
	return &c.Parameter[w.Parameter-1]
}
