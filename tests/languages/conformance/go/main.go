// Calls the functions that the input names, and tells what they answered. contract.go is made of the contract.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"backroom.local/sdk"
)

type input struct {
	Calls []struct {
		Call string            `json:"call"`
		Args []json.RawMessage `json:"args"`
	} `json:"calls"`
	// How the run ends, if not well.
	End *string `json:"end"`
}

type output struct {
	Answers []map[string]any `json:"answers"`
}

// Numbers as they are written: a float has no room for all of them.
func values(raw []json.RawMessage) ([]any, error) {
	read := make([]any, len(raw))
	for i, text := range raw {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&read[i]); err != nil {
			return nil, err
		}
	}
	return read, nil
}

func run(in input) (output, error) {
	out := output{Answers: []map[string]any{}}
	var last error
	for _, one := range in.Calls {
		args, err := values(one.Args)
		if err != nil {
			return out, err
		}
		made := calls[one.Call]
		if strings.HasPrefix(one.Call, "sdk.") {
			made = helpers[one.Call]
		}
		value, err := made(args)
		if err != nil {
			last = err
			out.Answers = append(out.Answers, map[string]any{"err": write_types_error(sdk.AsError(err).Contract)})
		} else {
			out.Answers = append(out.Answers, map[string]any{"ok": value})
		}
	}
	if in.End == nil {
		return out, nil
	}
	switch *in.End {
	case "error":
		return out, last
	case "refuse":
		return out, sdk.Refused("conformance-refused", "Nein – 否 🛑")
	case "invalid":
		return out, sdk.Invalid("conformance-invalid", "input.calls[0]", "Ünï: \"1\"")
	}
	panic(errors.New("as the input says"))
}

func init() { sdk.Workflow(run) }

// A plugin has no main of its own: the service calls the workflow.
func main() {}
