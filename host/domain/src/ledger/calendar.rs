//! The fiscal calendar of a book: years of twelve months that begin on the first of a month.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{BusinessDate, Error, Result};

/// A fiscal year. It is named after the calendar year in which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FiscalYear {
    /// Its name, 1900 to 2999.
    pub year: u16,
    /// The first day.
    pub first: BusinessDate,
    /// The last day.
    pub last: BusinessDate,
}

/// A month of a fiscal year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Period {
    /// 1 to 12, in the order of the fiscal year.
    pub number: u8,
    /// The first day.
    pub first: BusinessDate,
    /// The last day.
    pub last: BusinessDate,
}

impl FiscalYear {
    /// The year of this name in a calendar that begins in `month` (1 to 12), or `year-invalid` if a day of it is outside of the
    /// dates there are.
    pub fn named(year: u16, month: u8) -> Result<Self> {
        let bad = |_| {
            let message = format!("there is no fiscal year {year}; write the calendar year in which it begins");
            Error::invalid("year-invalid", "year", message)
        };
        let first = BusinessDate::new(year, month, 1, "year").map_err(bad)?;
        let (last_year, last_month) = month_after(year, month, 11);
        Ok(Self { year, first, last: end_of_month(last_year, last_month).map_err(bad)? })
    }

    /// The year that a day is in.
    pub fn of(day: BusinessDate, month: u8) -> Result<Self> {
        let before = u16::from(day.month() < month);
        Self::named(day.year().saturating_sub(before), month)
    }

    /// Its twelve months.
    pub fn periods(&self) -> Vec<Period> {
        let period = |number: u8| {
            let (year, month) = month_after(self.first.year(), self.first.month(), number.saturating_sub(1));
            let first = BusinessDate::new(year, month, 1, "period").ok()?;
            Some(Period { number, first, last: end_of_month(year, month).ok()? })
        };
        (1..=12).filter_map(period).collect()
    }
}

/// The month that is `months` (at most 11) behind one.
fn month_after(year: u16, month: u8, months: u8) -> (u16, u8) {
    let sum = month.saturating_add(months);
    match sum.checked_sub(12) {
        Some(next) if next > 0 => (year.saturating_add(1), next),
        _ => (year, sum),
    }
}

fn end_of_month(year: u16, month: u8) -> Result<BusinessDate> {
    let day = |day| BusinessDate::new(year, month, day, "period");
    day(31).or_else(|_| day(30)).or_else(|_| day(29)).or_else(|_| day(28))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_have_twelve_months_without_a_gap() {
        for month in 1..=12 {
            for year in [1900, 1999, 2000, 2023, 2024, 2100, 2997] {
                let fiscal = FiscalYear::named(year, month).unwrap();
                let periods = fiscal.periods();
                assert_eq!(periods.len(), 12);
                assert_eq!((periods[0].first, periods[11].last), (fiscal.first, fiscal.last));
                for (one, next) in periods.iter().zip(&periods[1..]) {
                    assert_eq!(one.last.next_day(), Some(next.first));
                    assert_eq!((one.first.day(), one.number + 1), (1, next.number));
                }
                assert_eq!(FiscalYear::of(fiscal.first, month).unwrap(), fiscal);
                assert_eq!(FiscalYear::of(fiscal.last, month).unwrap(), fiscal);
                let next = fiscal.last.next_day().unwrap();
                assert_eq!(FiscalYear::of(next, month).unwrap().year, year + 1);
            }
        }
        assert_eq!(FiscalYear::named(2999, 2).unwrap_err().code(), "year-invalid");
        assert_eq!(FiscalYear::named(1899, 1).unwrap_err().code(), "year-invalid");
        assert_eq!(FiscalYear::named(2999, 1).unwrap().last, BusinessDate::MAX);
    }
}
