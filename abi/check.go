package abi

import "fmt"

// ResponseError says which field of a detour's response is invalid, and why.
type ResponseError struct {
	Hook   Hook
	Field  string
	Value  uint64
	Reason string
}

func (e *ResponseError) Error() string {
	return fmt.Sprintf("%s response: %s is %d: %s", e.Hook, e.Field, e.Value, e.Reason)
}

// Check validates every field of a response that can be judged without the
// machine's state: counts against limits, kinds against the table, slots and
// granted capabilities, recipes against the chain's length. It returns nil or a
// *ResponseError. It allocates only to report an error.
func (r *Response) Check(h Hook, granted Capability, chain int) error {
	if r.Intents == 0 && r.Recipes|r.Parameters == 0 && r.Steps <= MaxSteps {
		if r.Verdict == Return && h == PostStatus && granted&CapHold == 0 {
			return &ResponseError{h, "verdict", uint64(r.Verdict), `returning on SRBEP needs the capability "hold"`}
		}
		return nil
	}
	switch {
	case r.Intents > MaxIntents:
		return &ResponseError{h, "intents", uint64(r.Intents), fmt.Sprintf("at most %d", MaxIntents)}
	case r.Recipes > MaxRecipe:
		return &ResponseError{h, "recipes", uint64(r.Recipes), fmt.Sprintf("at most %d", MaxRecipe)}
	case r.Parameters > MaxResponseParameters:
		return &ResponseError{h, "parameters", uint64(r.Parameters), fmt.Sprintf("at most %d", MaxResponseParameters)}
	case r.Steps > MaxSteps:
		return &ResponseError{h, "steps", uint64(r.Steps), fmt.Sprintf("at most %d", MaxSteps)}
	case r.Verdict == Return && h == PostStatus && granted&CapHold == 0:
		return &ResponseError{h, "verdict", uint64(r.Verdict), `returning on SRBEP needs the capability "hold"`}
	}
	for i := range r.Intent[:r.Intents] {
		n := &r.Intent[i]
		if int(n.Kind) >= IntentKinds {
			return &ResponseError{h, fmt.Sprintf("intent[%d].kind", i), uint64(n.Kind), fmt.Sprintf("kinds are 0 to %d", IntentKinds-1)}
		}
		row := &IntentTable[n.Kind]
		if !row.Heard[h] {
			return &ResponseError{h, fmt.Sprintf("intent[%d].kind", i), uint64(n.Kind), row.Name + " is not heard on this hook"}
		}
		if row.Needs&^granted != 0 {
			return &ResponseError{h, fmt.Sprintf("intent[%d].kind", i), uint64(n.Kind), fmt.Sprintf("%s needs the capability %v, which is not granted", row.Name, (row.Needs &^ granted).Names())}
		}
		if n.First|n.Count != 0 && (n.Kind != IntentMirror || int(n.First)+int(n.Count) > int(r.Recipes)) {
			return &ResponseError{h, fmt.Sprintf("intent[%d].count", i), uint64(n.Count), fmt.Sprintf("a recipe from %d of that length does not fit the response's %d", n.First, r.Recipes)}
		}
		if n.Kind == IntentMirror && n.Flags&^(MirrorWithError|MirrorConstantCopy) != 0 {
			return &ResponseError{h, fmt.Sprintf("intent[%d].flags", i), uint64(n.Flags), "has unknown flags"}
		}
		if n.Kind == IntentFlag && n.Value&^uint64(FlagsKnown) != 0 {
			return &ResponseError{h, fmt.Sprintf("intent[%d].value", i), n.Value, "has unknown flags"}
		}
	}
	for i := range r.Recipe[:r.Recipes] {
		if err := r.Recipe[i].check(h, i, r, chain); err != nil {
			return err
		}
	}
	return nil
}

func (c *RecipeCCW) check(h Hook, i int, r *Response, chain int) error {
	switch c.Kind {
	case RecipeCopy, RecipePrivate:
		if int(c.Source) >= chain {
			return &ResponseError{h, fmt.Sprintf("recipe[%d].source", i), uint64(c.Source), fmt.Sprintf("the chain has %d CCWs", chain)}
		}
	case RecipeParameter:
		if c.Parameter >= uint8(r.Parameters) || int(c.Count) > ParameterSize*(int(r.Parameters)-int(c.Parameter)) {
			return &ResponseError{h, fmt.Sprintf("recipe[%d].parameter", i), uint64(c.Parameter), fmt.Sprintf("with count %d it does not fit the response's %d blocks", c.Count, r.Parameters)}
		}
	case RecipeTransfer:
		if int(c.Source) >= int(r.Recipes) {
			return &ResponseError{h, fmt.Sprintf("recipe[%d].source", i), uint64(c.Source), fmt.Sprintf("the recipe has %d CCWs", r.Recipes)}
		}
	case RecipeControl:
	default:
		return &ResponseError{h, fmt.Sprintf("recipe[%d].kind", i), uint64(c.Kind), fmt.Sprintf("kinds are 0 to %d", RecipeControl)}
	}
	return nil
}
