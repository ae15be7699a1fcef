package attr

import (
	"fmt"
	"log/slog"
	"reflect"
)

// LogValue returns what [Key.Get] would find for every key of p that is not
// secret, as a group for log/slog. A fact that could not be told has its
// error for a value. Values that are neither numbers, text, times, nor lists
// or structs of such, and that cannot say themselves what they are
// (slog.LogValuer, fmt.Stringer, error), are logged as their type: a
// certificate in JSON is longer than anybody wants.
func LogValue(p Provider) slog.Value {
	var facts []slog.Attr
	for e := range All(p) {
		if e.shadowed || e.id.secret {
			continue
		}
		facts = append(facts, slog.Attr{Key: e.Name(), Value: e.logValue()})
	}
	return slog.GroupValue(facts...)
}

func (e Entry) logValue() slog.Value {
	if e.err != nil {
		return slog.StringValue("!ERROR: " + e.err.Error())
	}
	return brief(e.value)
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

// isPlain reports whether t is a number or text by another name, or a list, but
// not of bytes, or a struct of such.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return t.Elem().Kind() != reflect.Uint8 && isPlain(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if !f.IsExported() || !isPlain(f.Type) {
				return false
			}
		}
		return true
	}
	return t.Kind() == reflect.String || t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64
}
