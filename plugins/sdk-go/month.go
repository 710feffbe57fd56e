package sdk

import (
	"encoding/json"
	"fmt"
)

// Month is a month of the books, from 1900-01 to 2999-12, written 2026-06 in JSON.
type Month struct {
	Year  uint16
	Month uint8
}

// ParseMonth reads 2026-06. Errors: month-invalid.
func ParseMonth(text string) (Month, error) {
	first, err := ParseDate(text + "-01")
	if err != nil {
		return Month{}, Invalid("month-invalid", "month", fmt.Sprintf("%q is no month such as 2026-06", text))
	}
	return MonthOf(first), nil
}

// MonthOf is the month of a day.
func MonthOf(day Date) Month { return Month{day.Year, day.Month} }

// String is the month as 2026-06.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year, m.Month) }

// First is the first day.
func (m Month) First() Date {
	first := Date{}
	first.Year, first.Month, first.Day = m.Year, m.Month, 1
	return first
}

// Last is the last day.
func (m Month) Last() Date { return m.First().LastOfMonth() }

// Length is the number of days.
func (m Month) Length() uint8 { return m.Last().Day }

// Next is the month behind it. Errors: month-invalid (of the last month that there is).
func (m Month) Next() (Month, error) { return m.moved(1) }

// Previous is the month before it. Errors: month-invalid (of the first month that there is).
func (m Month) Previous() (Month, error) { return m.moved(-1) }

func (m Month) moved(by int) (Month, error) {
	months := int(m.Year)*12 + int(m.Month) - 1 + by
	return ParseMonth(fmt.Sprintf("%04d-%02d", months/12, months%12+1))
}

// MarshalJSON writes the month as a text.
func (m Month) MarshalJSON() ([]byte, error) { return json.Marshal(m.String()) }

// UnmarshalJSON reads the month from a text.
func (m *Month) UnmarshalJSON(bytes []byte) error { return fromText(bytes, ParseMonth, m) }
