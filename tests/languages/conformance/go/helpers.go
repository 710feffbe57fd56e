package main

import "backroom.local/sdk"

// The SDK's own helpers, beside the functions of the contract.
var helpers = map[string]func(args []any) (any, error){
	"sdk.plus": func(args []any) (any, error) {
		return money(sdk.Plus(read_types_money(args[0]), read_types_money(args[1])))
	},
	"sdk.times": func(args []any) (any, error) {
		return money(sdk.Times(read_types_money(args[0]), number[uint64](args[1])))
	},
	"sdk.share": func(args []any) (any, error) {
		return money(sdk.Share(read_types_money(args[0]), number[uint64](args[1]), number[uint64](args[2])))
	},
	"sdk.minor-digits": func(args []any) (any, error) { return sdk.MinorDigits(text(args[0])), nil },
	"sdk.parse-money":  func(args []any) (any, error) { return money(sdk.ParseMoney(text(args[0]))) },
	"sdk.parse-amount": func(args []any) (any, error) { return money(sdk.ParseAmount(text(args[0]), text(args[1]))) },
	"sdk.show-money":   func(args []any) (any, error) { return sdk.ShowMoney(read_types_money(args[0])), nil },
	"sdk.show-amount":  func(args []any) (any, error) { return sdk.ShowAmount(read_types_money(args[0])), nil },
	"sdk.parse-decimal": func(args []any) (any, error) {
		decimal, err := sdk.ParseDecimal(text(args[0]))
		return write_types_decimal(decimal.Decimal), err
	},
	"sdk.show-decimal": func(args []any) (any, error) {
		return sdk.Decimal{Decimal: read_types_decimal(args[0])}.String(), nil
	},
	"sdk.date":           func(args []any) (any, error) { return day(sdk.ParseDate(text(args[0]))) },
	"sdk.show-date":      func(args []any) (any, error) { return shown(sdk.ParseDate(text(args[0]))) },
	"sdk.first-of-month": ofDate(func(date sdk.Date) (any, error) { return day(date.FirstOfMonth(), nil) }),
	"sdk.last-of-month":  ofDate(func(date sdk.Date) (any, error) { return day(date.LastOfMonth(), nil) }),
	"sdk.month-of":       ofDate(func(date sdk.Date) (any, error) { return sdk.MonthOf(date).String(), nil }),
	"sdk.parse-month":    func(args []any) (any, error) { return shown(sdk.ParseMonth(text(args[0]))) },
	"sdk.month-first":    ofMonth(func(month sdk.Month) (any, error) { return day(month.First(), nil) }),
	"sdk.month-last":     ofMonth(func(month sdk.Month) (any, error) { return day(month.Last(), nil) }),
	"sdk.month-next":     ofMonth(func(month sdk.Month) (any, error) { return shown(month.Next()) }),
	"sdk.month-previous": ofMonth(func(month sdk.Month) (any, error) { return shown(month.Previous()) }),
}

func money(money sdk.Money, err error) (any, error) { return write_types_money(money), err }

func day(date sdk.Date, err error) (any, error) { return write_types_business_date(date.BusinessDate), err }

func shown[T interface{ String() string }](value T, err error) (any, error) { return value.String(), err }

func ofDate(then func(sdk.Date) (any, error)) func(args []any) (any, error) {
	return func(args []any) (any, error) {
		date, err := sdk.ParseDate(text(args[0]))
		if err != nil {
			return nil, err
		}
		return then(date)
	}
}

func ofMonth(then func(sdk.Month) (any, error)) func(args []any) (any, error) {
	return func(args []any) (any, error) {
		month, err := sdk.ParseMonth(text(args[0]))
		if err != nil {
			return nil, err
		}
		return then(month)
	}
}
