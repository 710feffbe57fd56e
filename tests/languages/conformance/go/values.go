// Plain and composed values out of JSON and back.
package main

import (
	"encoding/hex"
	"encoding/json"
	"strconv"

	"backroom.local/sdk"
	types "backroom.local/sdk/bindings/backroom_types_types"
	"backroom.local/sdk/wit"
)

type unsigned interface {
	uint8 | uint16 | uint32 | uint64
}

func boolean(v any) bool { return v.(bool) }

func text(v any) string { return v.(string) }

func number[T unsigned](v any) T {
	read, err := strconv.ParseUint(v.(json.Number).String(), 10, 64)
	if err != nil {
		panic(err)
	}
	return T(read)
}

func data(v any) []byte {
	read, err := hex.DecodeString(v.(string))
	if err != nil {
		panic(err)
	}
	return read
}

func option[T any](read func(any) T) func(any) wit.Option[T] {
	return func(v any) wit.Option[T] {
		if v == nil {
			return wit.None[T]()
		}
		return wit.Some(read(v))
	}
}

func many[T any](read func(any) T) func(any) []T {
	return func(v any) []T {
		var all []T
		for _, item := range v.([]any) {
			all = append(all, read(item))
		}
		return all
	}
}

// What a case of a variant carries.
func payload(v any, name string) (any, bool) {
	object, is := v.(map[string]any)
	if !is {
		return nil, false
	}
	value, has := object[name]
	return value, has
}

func plain[T any](v T) any { return v }

func hexadecimal(v []byte) any { return hex.EncodeToString(v) }

func some[T any](write func(T) any) func(wit.Option[T]) any {
	return func(v wit.Option[T]) any {
		if !v.IsSome() {
			return nil
		}
		return write(v.Some())
	}
}

func each[T any](write func(T) any) func([]T) any {
	return func(v []T) any {
		all := make([]any, len(v))
		for i, item := range v {
			all[i] = write(item)
		}
		return all
	}
}

func either[T, E any](ok func(T) any, err func(E) any) func(wit.Result[T, E]) any {
	return func(v wit.Result[T, E]) any {
		if v.IsErr() {
			return map[string]any{"err": err(v.Err())}
		}
		return map[string]any{"ok": ok(v.Ok())}
	}
}

func nothing(wit.Unit) any { return nil }

// What a call of the service gave.
func answer[T any](result wit.Result[T, types.Error], write func(T) any) (any, error) {
	value, err := sdk.Value(result)
	if err != nil {
		return nil, err
	}
	return write(value), nil
}
