package settings

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
)

// fits returns an error when a value does not have a setting's type.
func fits(value any, t reflect.Type) error {
	into := reflect.New(t)
	return decodeText(decode(value, into.Interface()))
}

// decode stores settings in the value that into points at.
func decode(from, into any) error {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: into, TagName: "koanf", ErrorUnused: true, WeaklyTypedInput: true, DecodeHook: settingHook(),
	})
	if err != nil {
		return err
	}
	return d.Decode(from)
}

// settingHook converts text to values, and refuses values that a setting could not
// hold exactly.
func settingHook() mapstructure.DecodeHookFunc {
	return mapstructure.ComposeDecodeHookFunc(mapstructure.DecodeHookFuncType(exactly), mapstructure.StringToSliceHookFunc(","))
}

// exactly returns the value in a setting's type. It refuses a number with a fraction
// for a whole number, a number that is too large, and a number without a unit for a
// time.
func exactly(_, to reflect.Type, value any) (any, error) {
	text, isText := value.(string)
	text = strings.TrimSpace(text)
	from := reflect.ValueOf(value)
	switch {
	case to == reflect.TypeFor[time.Duration]():
		if _, is := value.(time.Duration); is {
			return value, nil
		}
		if !isText {
			return nil, fmt.Errorf("%v: want a time with its unit, such as 5s or 200ms", value)
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("%q: want a time with its unit, such as 5s or 200ms", text)
		}
		return d, nil
	case to.Kind() == reflect.Bool:
		if b, err := strconv.ParseBool(text); isText && err == nil {
			return b, nil
		}
		if from.Kind() != reflect.Bool {
			return nil, fmt.Errorf("%s: want true or false", quotedValue(value))
		}
	case from.Kind() == reflect.Bool && to.Kind() != reflect.Interface:
		return nil, fmt.Errorf("%v: want %s", value, kindText(to))
	case to.Kind() == reflect.Float64:
		if isText {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, fmt.Errorf("%q: want a number", text)
			}
			return f, nil
		}
	case reflect.New(to).Elem().CanInt() || reflect.New(to).Elem().CanUint():
		return whole(to, value)
	}
	return value, nil
}

// whole returns a value as a whole number of a type.
func whole(to reflect.Type, value any) (any, error) {
	wrong := fmt.Errorf("%s: want %s", quotedValue(value), kindText(to))
	from, target := reflect.ValueOf(value), reflect.New(to).Elem()
	var i int64
	var u uint64
	switch {
	case from.CanInt():
		i, u = from.Int(), uint64(max(0, from.Int()))
	case from.CanUint():
		u = from.Uint()
		if i = int64(min(u, math.MaxInt64)); target.CanInt() && u > math.MaxInt64 {
			return nil, wrong
		}
	case from.CanFloat():
		f := from.Float()
		if f != math.Trunc(f) || !(math.Abs(f) < 1<<53) { // whole numbers below are exact
			return nil, wrong
		}
		i, u = int64(f), uint64(max(0, f))
	case from.Kind() == reflect.String:
		var err error
		if text := strings.TrimSpace(from.String()); target.CanInt() {
			i, err = strconv.ParseInt(text, 10, 64)
		} else {
			u, err = strconv.ParseUint(text, 10, 64)
			i = int64(min(u, math.MaxInt64))
		}
		if err != nil {
			return nil, wrong
		}
	default:
		return value, nil // the decoder reports the error
	}
	if target.CanInt() {
		if target.OverflowInt(i) {
			return nil, wrong
		}
		return i, nil
	}
	if i < 0 || target.OverflowUint(u) {
		return nil, wrong
	}
	return u, nil
}

func quotedValue(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(text)
	}
	return fmt.Sprint(value)
}

// kindText returns the words for values of a type.
func kindText(t reflect.Type) string {
	v := reflect.New(t).Elem()
	switch {
	case t.Kind() == reflect.Bool:
		return "true or false"
	case v.CanFloat():
		return "a number"
	case v.CanInt():
		return "a whole number"
	case v.CanUint():
		return fmt.Sprintf("a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	case t.Kind() == reflect.Slice:
		return "a list"
	}
	return "a text"
}

// decodeText turns the decoder's error into one line, without the name of the
// decoded value when that is empty.
func decodeText(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.Join(decodeTexts(err), "; "))
}

func decodeTexts(err error) []string {
	if named, ok := err.(*mapstructure.DecodeError); ok {
		texts := decodeTexts(named.Unwrap())
		if named.Name() != "" {
			texts[0] = named.Name() + ": " + texts[0]
		}
		return texts
	}
	var many interface{ Unwrap() []error }
	if !errors.As(err, &many) {
		return []string{strings.TrimSpace(err.Error())}
	}
	var texts []string
	for _, e := range many.Unwrap() {
		texts = append(texts, decodeTexts(e)...)
	}
	return texts
}
