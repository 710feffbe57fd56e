package sdk

import (
	"encoding/json"
	"fmt"
	"time"

	types "backroom.local/sdk/bindings/backroom_types_types"
	"backroom.local/sdk/wit"
)

// Date is a day of the books, written 2026-06-30 in JSON.
type Date struct {
	types.BusinessDate
}

// ParseDate reads a date that exists, between 1900 and 2999. Errors: date-invalid.
func ParseDate(text string) (Date, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1900 || day.Year() > 2999 {
		return Date{}, Invalid("date-invalid", "date", fmt.Sprintf("%q is no date such as 2026-06-30", text))
	}
	return dateOf(day), nil
}

func dateOf(day time.Time) Date {
	return Date{types.BusinessDate{Year: uint16(day.Year()), Month: uint8(day.Month()), Day: uint8(day.Day())}}
}

func (d Date) time() time.Time {
	return time.Date(int(d.Year), time.Month(d.Month), int(d.Day), 0, 0, 0, 0, time.UTC)
}

// String is the date as 2026-06-30.
func (d Date) String() string { return d.time().Format(time.DateOnly) }

// FirstOfMonth is the first day of the same month.
func (d Date) FirstOfMonth() Date { return dateOf(d.time().AddDate(0, 0, 1-int(d.Day))) }

// LastOfMonth is the last day of the same month.
func (d Date) LastOfMonth() Date { return dateOf(d.FirstOfMonth().time().AddDate(0, 1, -1)) }

// MarshalJSON writes the date as a text.
func (d Date) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads the date from a text.
func (d *Date) UnmarshalJSON(bytes []byte) error { return fromText(bytes, ParseDate, d) }

// Optional is a date as calls of the service take one that may be missing.
func Optional(date *Date) wit.Option[types.BusinessDate] {
	if date == nil {
		return wit.None[types.BusinessDate]()
	}
	return wit.Some(date.BusinessDate)
}
