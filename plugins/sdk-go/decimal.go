package sdk

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	types "backroom.local/sdk/bindings/backroom_types_types"
)

// Decimal is an exact decimal of the contract, for quantities and rates, written 12.5 as a text in JSON.
type Decimal struct {
	types.Decimal
}

// ParseDecimal reads 12, 12.5 or 0.125, with at most nine decimals. Errors: decimal-invalid.
func ParseDecimal(text string) (Decimal, error) {
	mantissa, scale, good := readDigits(text)
	if !good || mantissa > MaxMinor || scale > 9 {
		return Decimal{}, Invalid("decimal-invalid", "decimal", fmt.Sprintf("%q is no decimal such as 12.5", text))
	}
	return Decimal{types.Decimal{Mantissa: mantissa, Scale: uint8(scale)}}, nil
}

// String is the decimal as 12.50.
func (d Decimal) String() string { return writeDigits(d.Mantissa, int(d.Scale)) }

// MarshalJSON writes the decimal as a text.
func (d Decimal) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads the decimal from a text.
func (d *Decimal) UnmarshalJSON(bytes []byte) error { return fromText(bytes, ParseDecimal, d) }

// The digits of 12.50 as a number, and how many of them are decimals: no sign, no exponent, no grouping.
func readDigits(text string) (number uint64, scale int, good bool) {
	whole, decimals, point := strings.Cut(text, ".")
	if whole == "" || (point && decimals == "") || strings.Trim(whole+decimals, "0123456789") != "" {
		return 0, 0, false
	}
	number, err := strconv.ParseUint(whole+decimals, 10, 64)
	return number, len(decimals), err == nil
}

// A number with its last scale digits behind a point.
func writeDigits(number uint64, scale int) string {
	if scale == 0 {
		return strconv.FormatUint(number, 10)
	}
	digits := fmt.Sprintf("%0*d", scale+1, number)
	return digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

// Reads what is written as a text in JSON.
func fromText[T any](bytes []byte, parse func(string) (T, error), to *T) error {
	var text string
	if err := json.Unmarshal(bytes, &text); err != nil {
		return err
	}
	read, err := parse(text)
	*to = read
	return err
}
