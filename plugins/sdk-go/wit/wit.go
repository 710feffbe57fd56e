// Package wit has what the generated bindings are made of: values that may be missing, results, and memory that the service writes to.
package wit

import (
	"runtime"
	"unsafe"
)

// Option is a value or none; its zero value is none.
type Option[T any] struct {
	tag   uint8
	value T
}

// Tags of an Option.
const (
	OptionNone uint8 = 0
	OptionSome uint8 = 1
)

// Some is an Option with a value.
func Some[T any](value T) Option[T] { return Option[T]{OptionSome, value} }

// None is an Option without a value.
func None[T any]() Option[T] { return Option[T]{} }

// Tag is OptionSome or OptionNone.
func (o Option[T]) Tag() uint8 { return o.tag }

// IsSome says whether there is a value.
func (o Option[T]) IsSome() bool { return o.tag == OptionSome }

// Some is the value, which must be there.
func (o Option[T]) Some() T {
	if o.tag != OptionSome {
		panic("an option without a value was asked for it")
	}
	return o.value
}

// SomeOr is the value, or another one if there is none.
func (o Option[T]) SomeOr(other T) T {
	if o.tag == OptionSome {
		return o.value
	}
	return other
}

// Result is a value or an error of the contract.
type Result[T, E any] struct {
	tag uint8
	ok  T
	err E
}

// Tags of a Result.
const (
	ResultOk  uint8 = 0
	ResultErr uint8 = 1
)

// Ok is a Result with a value.
func Ok[T, E any](value T) Result[T, E] { return Result[T, E]{tag: ResultOk, ok: value} }

// Err is a Result with an error.
func Err[T, E any](err E) Result[T, E] { return Result[T, E]{tag: ResultErr, err: err} }

// Tag is ResultOk or ResultErr.
func (r Result[T, E]) Tag() uint8 { return r.tag }

// IsErr says whether it is an error.
func (r Result[T, E]) IsErr() bool { return r.tag == ResultErr }

// Ok is the value, which must be there.
func (r Result[T, E]) Ok() T {
	if r.tag != ResultOk {
		panic("a result with an error was asked for its value")
	}
	return r.ok
}

// Err is the error, which must be there.
func (r Result[T, E]) Err() E {
	if r.tag != ResultErr {
		panic("a result with a value was asked for its error")
	}
	return r.err
}

// Unit is nothing.
type Unit struct{}

// Allocate gives memory that stays where it is until the pinner lets go of it.
func Allocate(pinner *runtime.Pinner, size, align uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	// Eight bytes are the largest alignment of the contract's types.
	memory := unsafe.Pointer(unsafe.SliceData(make([]uint64, (size+7)/8)))
	pinner.Pin(memory)
	return memory
}

// What the service has written stays until the call that it was for is under way.
var pinner runtime.Pinner

// Unpin lets go of everything that the service has written.
func Unpin() { pinner.Unpin() }

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, align, size uintptr) unsafe.Pointer {
	memory := Allocate(&pinner, size, align)
	if old != nil && memory != nil {
		copy(unsafe.Slice((*byte)(memory), size), unsafe.Slice((*byte)(old), min(oldSize, size)))
	}
	return memory
}
