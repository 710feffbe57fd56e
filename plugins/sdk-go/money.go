package sdk

import (
	"math/bits"

	types "backroom.local/sdk/bindings/backroom_types_types"
)

// Money is an amount in minor units of a currency: cents for USD.
type Money = types.Money

// MaxMinor is the largest amount of the contract: exact in every guest language.
const MaxMinor uint64 = 1<<53 - 1

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

func within(minor, high uint64, currency string) (Money, error) {
	if high != 0 || minor > MaxMinor {
		return Money{}, Refused("overflow", "the sum is larger than an amount can be")
	}
	return Money{Minor: minor, Currency: currency}, nil
}
