"""The SDK's own helpers, beside the functions of the contract."""

from backroom import (
    Month, date, first_of_month, last_of_month, minor_digits, parse_amount, parse_decimal, parse_money, parse_month, plus, share,
    show_amount, show_date, show_decimal, show_money, times,
)
from contract import read_types_decimal, read_types_money, write_types_business_date, write_types_decimal, write_types_money


def same(value):
    return value


money, amount, day = read_types_money, write_types_money, write_types_business_date

HELPERS = {
    "sdk.plus": (plus, (money, money), amount),
    "sdk.times": (times, (money, same), amount),
    "sdk.share": (share, (money, same, same), amount),
    "sdk.minor-digits": (minor_digits, (same,), same),
    "sdk.parse-money": (parse_money, (same,), amount),
    "sdk.parse-amount": (parse_amount, (same, same), amount),
    "sdk.show-money": (show_money, (money,), same),
    "sdk.show-amount": (show_amount, (money,), same),
    "sdk.parse-decimal": (parse_decimal, (same,), write_types_decimal),
    "sdk.show-decimal": (show_decimal, (read_types_decimal,), same),
    "sdk.date": (date, (same,), day),
    "sdk.show-date": (show_date, (date,), same),
    "sdk.first-of-month": (first_of_month, (date,), day),
    "sdk.last-of-month": (last_of_month, (date,), day),
    "sdk.month-of": (Month.of, (date,), str),
    "sdk.parse-month": (parse_month, (same,), str),
    "sdk.month-first": (Month.first, (parse_month,), day),
    "sdk.month-last": (Month.last, (parse_month,), day),
    "sdk.month-next": (Month.next, (parse_month,), str),
    "sdk.month-previous": (Month.previous, (parse_month,), str),
}
"""Function, what reads its arguments, what writes its answer."""
