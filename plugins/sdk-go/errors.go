package sdk

import (
	"errors"

	types "backroom.local/sdk/bindings/backroom_types_types"
	"backroom.local/sdk/wit"
)

// Error is an error of the contract as Go has errors.
type Error struct {
	// Contract is the error as the service gave it, or takes it.
	Contract types.Error
}

// Error is the message for people.
func (e *Error) Error() string {
	problem := e.first()
	return problem.Message + " (" + problem.Code + ")"
}

// Code is the code of the error; of several the first. Treat a code that you do not know by the error's class.
func (e *Error) Code() string { return e.first().Code }

func (e *Error) first() types.Problem {
	switch e.Contract.Tag() {
	case types.Error_Refused:
		return e.Contract.Refused()
	case types.Error_Denied:
		return e.Contract.Denied()
	case types.Error_Conflict:
		return e.Contract.Conflict()
	case types.Error_Unavailable:
		return e.Contract.Unavailable()
	case types.Error_NotFound:
		return e.Contract.NotFound()
	}
	if problems := e.Contract.Invalid(); len(problems) > 0 {
		return problems[0]
	}
	return types.Problem{}
}

// Refused says that a rule of this workflow forbids it. The code is a stable word in kebab-case, for programs; the message is for people.
func Refused(code, message string) *Error {
	return &Error{types.MakeErrorRefused(types.Problem{Code: code, Message: message})}
}

// Invalid says that the input is not as it has to be; the field is the place in it.
func Invalid(code, field, message string) *Error {
	return &Error{types.MakeErrorInvalid([]types.Problem{{Code: code, Field: wit.Some(field), Message: message}})}
}

// AsError is the error of the contract in any error: itself, or a refusal with the code failed.
func AsError(err error) *Error {
	var found *Error
	if errors.As(err, &found) {
		return found
	}
	return Refused("failed", err.Error())
}

// Value is what a call of the service gave, as Go has it.
func Value[T any](result wit.Result[T, types.Error]) (T, error) {
	if result.IsErr() {
		var none T
		return none, &Error{result.Err()}
	}
	return result.Ok(), nil
}
