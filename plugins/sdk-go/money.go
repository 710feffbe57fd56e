package sdk

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"strings"

	types "backroom.local/sdk/bindings/backroom_types_types"
)

// Money is an amount in minor units of a currency: cents for USD.
type Money = types.Money

// Amount is Money that is written 1234.50 USD in JSON.
type Amount struct {
	Money
}

// MaxMinor is the largest amount of the contract: exact in every guest language.
const MaxMinor uint64 = 1<<53 - 1

// MinorDigits is the number of digits after the decimal point of a currency (ISO 4217 "minor unit"): 2 unless listed.
func MinorDigits(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// ParseMoney reads 1234.50 USD. Errors: amount-invalid.
func ParseMoney(text string) (Money, error) {
	number, currency, _ := strings.Cut(text, " ")
	if money, good := readAmount(number, currency); good {
		return money, nil
	}
	return Money{}, Invalid("amount-invalid", "amount", fmt.Sprintf("%q is no amount such as 500.00 USD", text))
}

// ParseAmount reads 1234.50 of a currency: no sign, no grouping, no more decimals than the currency has. Errors: amount-invalid.
func ParseAmount(text, currency string) (Money, error) {
	if money, good := readAmount(text, currency); good {
		return money, nil
	}
	return Money{}, Invalid("amount-invalid", "amount", fmt.Sprintf("%q is no amount such as 500.00 in %q", text, currency))
}

func readAmount(text, currency string) (Money, bool) {
	minor, scale, good := readDigits(text)
	places := MinorDigits(currency)
	if !good || scale > places || len(currency) != 3 || strings.Trim(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return Money{}, false
	}
	for ; scale < places; scale++ {
		var high uint64
		if high, minor = bits.Mul64(minor, 10); high != 0 {
			return Money{}, false
		}
	}
	return Money{Minor: minor, Currency: currency}, minor <= MaxMinor
}

// ShowAmount is the amount as 1234.50, with all decimals of the currency.
func ShowAmount(money Money) string { return writeDigits(money.Minor, MinorDigits(money.Currency)) }

// ShowMoney is the amount as 1234.50 USD.
func ShowMoney(money Money) string { return ShowAmount(money) + " " + money.Currency }

// Plus is the sum of two amounts in one currency. Errors: currency-mismatch, overflow.
func Plus(one, other Money) (Money, error) {
	if one.Currency != other.Currency {
		return Money{}, Refused("currency-mismatch", one.Currency+" and "+other.Currency+" cannot be added")
	}
	minor, carry := bits.Add64(one.Minor, other.Minor, 0)
	return within(minor, carry, one.Currency)
}

// Times is so many times the amount. Errors: overflow.
func Times(one Money, count uint64) (Money, error) {
	high, minor := bits.Mul64(one.Minor, count)
	return within(minor, high, one.Currency)
}

// Share is the amount times part / whole, rounded once to whole minor units; a tie goes to the even neighbour. Errors: overflow (for a
// whole of zero, too).
func Share(one Money, part, whole uint64) (Money, error) {
	high, low := bits.Mul64(one.Minor, part)
	if high >= whole {
		return within(0, 1, one.Currency)
	}
	quotient, rest := bits.Div64(high, low, whole)
	// As far from the next whole one as from this one, or nearer to it; 2 * rest may be more than 64 bits.
	up := rest > whole-rest || (rest == whole-rest && quotient%2 == 1)
	if up && quotient <= MaxMinor {
		quotient++
	}
	return within(quotient, 0, one.Currency)
}

func within(minor, high uint64, currency string) (Money, error) {
	if high != 0 || minor > MaxMinor {
		return Money{}, Refused("overflow", "the result is larger than an amount can be")
	}
	return Money{Minor: minor, Currency: currency}, nil
}

// MarshalJSON writes the amount as a text.
func (a Amount) MarshalJSON() ([]byte, error) { return json.Marshal(ShowMoney(a.Money)) }

// UnmarshalJSON reads the amount from a text.
func (a *Amount) UnmarshalJSON(bytes []byte) error { return fromText(bytes, ParseMoney, &a.Money) }
