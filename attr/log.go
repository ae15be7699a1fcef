package attr

import (
	"fmt"
	"log/slog"
	"reflect"
)

// LogValue returns what [Key.Get] would find for every key of p that is not
// secret, as a group for log/slog. A fact that could not be told has its
// error for a value. Values that are neither numbers, text, times, nor lists
// of such, and that cannot say themselves what they are (slog.LogValuer,
// fmt.Stringer, error), are logged as their type: a certificate in JSON is
// longer than anybody wants.
func LogValue(p Provider) slog.Value {
	var facts []slog.Attr
	for e := range All(p) {
		if e.shadowed || e.id.secret {
			continue
		}
		if e.err != nil {
			facts = append(facts, slog.String(e.Name(), errorText(e.err)))
			continue
		}
		facts = append(facts, slog.Attr{Key: e.Name(), Value: brief(e.value)})
	}
	return slog.GroupValue(facts...)
}

func brief(value any) slog.Value {
	v := slog.AnyValue(value)
	if v.Kind() != slog.KindAny || value == nil {
		return v
	}
	switch value := value.(type) {
	case error:
		return slog.StringValue(value.Error())
	case fmt.Stringer:
		return slog.StringValue(value.String())
	}
	if isPlain(reflect.TypeOf(value)) {
		return v
	}
	return slog.StringValue(fmt.Sprintf("(%T)", value))
}

// isPlain reports whether t is a number or text by another name, or a list of
// such, but not of bytes.
func isPlain(t reflect.Type) bool {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		return t.Elem().Kind() != reflect.Uint8 && isPlain(t.Elem())
	}
	return t.Kind() == reflect.String || t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64
}

func errorText(err error) string { return "!ERROR: " + err.Error() }
