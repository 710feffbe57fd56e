// Package sdk is for workflows of Backroom in Go.
//
// A plugin registers a function in an init; it gets the input, calls the service through the packages below bindings, and returns the output.
// Everything that a run changed is kept if the function returns no error, and nothing of it if it does.
package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	log "backroom.local/sdk/bindings/backroom_host_log"
	types "backroom.local/sdk/bindings/backroom_types_types"
	world "backroom.local/sdk/bindings/export_wit_world"
	_ "backroom.local/sdk/bindings/exports" // What the service calls.
	"backroom.local/sdk/wit"
)

// Workflow makes the function what the service calls: JSON in, JSON out. Once in a plugin, in an init. That, and what packages set up when
// the program starts, is done when the plugin is built: every run begins with what was in memory then.
func Workflow[Input, Output any](run func(Input) (Output, error)) {
	prepare[Input, Output]()
	world.Handler = func(text string) (result wit.Result[string, types.Error]) {
		defer func() {
			if reason := recover(); reason != nil {
				// The run ends without a word of its own: what is known of the reason goes into its log.
				for line := range strings.SplitSeq(fmt.Sprintf("panic: %v\n%s", reason, debug.Stack()), "\n") {
					log.Write(log.Level_Error, line)
				}
				panic(reason)
			}
		}()
		output, err := call(text, run)
		if err != nil {
			return wit.Err[string](AsError(err).Contract)
		}
		return wit.Ok[string, types.Error](output)
	}
}

// Makes the tables that reading and writing these types takes. What comes of it does not matter.
func prepare[Input, Output any]() {
	defer func() { _ = recover() }()
	prepareRead(reflect.TypeFor[Input](), map[reflect.Type]bool{})
	_, _ = write(*new(Output))
}

// Each type's table is made when the first field of one is looked for, be there such a field or not.
func prepareRead(of reflect.Type, done map[reflect.Type]bool) {
	if done[of] {
		return
	}
	done[of] = true
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		prepareRead(of.Elem(), done)
	case reflect.Struct:
		_ = read([]byte(`{"":null}`), reflect.New(of).Interface())
		for field := range of.NumField() {
			prepareRead(of.Field(field).Type, done)
		}
	}
}

func call[Input, Output any](text string, run func(Input) (Output, error)) (string, error) {
	var input Input
	if err := read([]byte(text), &input); err != nil {
		return "", Invalid("input-invalid", "input", err.Error())
	}
	output, err := run(input)
	if err != nil {
		return "", err
	}
	written, err := write(output)
	if err != nil {
		return "", Refused("output-invalid", err.Error())
	}
	return written, nil
}

func read(text []byte, value any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(value)
}

func write(value any) (string, error) {
	var written bytes.Buffer
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(written.String(), "\n"), err
}

// Info writes a line into the run's log.
func Info(format string, arguments ...any) { log.Write(log.Level_Info, fmt.Sprintf(format, arguments...)) }

// Warn writes a line into the run's log that somebody should look at.
func Warn(format string, arguments ...any) { log.Write(log.Level_Warn, fmt.Sprintf(format, arguments...)) }
