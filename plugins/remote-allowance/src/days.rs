//! Days of one month, as numbers: 1 to its last day, and 0 for the day before it.

use std::fmt;

use backroom_sdk::{BusinessDate, Error, invalid};

/// A month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    first: BusinessDate,
}

impl Month {
    /// Reads `2026-06`. Errors: `month-invalid`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let first = format!("{text}-01").parse::<BusinessDate>();
        let wrong = |_| invalid("month-invalid", "month", format!("{text:?} is no month such as 2026-06"));
        first.map(|first| Self { first }).map_err(wrong)
    }

    /// The number of days.
    pub fn length(self) -> u8 {
        self.first.month_length()
    }

    /// Day `day` of the month, 1 to its length.
    pub fn day(self, day: u8) -> BusinessDate {
        BusinessDate { day, ..self.first }
    }

    /// The last day.
    pub fn last(self) -> BusinessDate {
        self.first.last_of_month()
    }

    /// The day before the first.
    pub fn eve(self) -> BusinessDate {
        let BusinessDate { year, month, .. } = self.first;
        let (year, month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
        BusinessDate { year, month, day: 1 }.last_of_month()
    }

    /// From which day to which day of the month (its eve counted as day 0) a stretch reaches; none if it does not.
    pub fn reach(self, first: BusinessDate, last: Option<BusinessDate>) -> Option<(u8, u8)> {
        let last = last.map_or(self.last(), |last| last.min(self.last()));
        let first = first.max(self.eve());
        let number = |date: BusinessDate| if date < self.first { 0 } else { date.day };
        (first <= last).then(|| (number(first), number(last)))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year, self.first.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_read_and_know_their_days() {
        let june = Month::parse("2026-06").unwrap();
        assert_eq!((june.to_string().as_str(), june.length()), ("2026-06", 30));
        assert_eq!(
            (june.eve(), june.day(16), june.last()),
            (date("2026-05-31"), date("2026-06-16"), date("2026-06-30"))
        );
        assert_eq!(Month::parse("2026-01").unwrap().eve(), date("2025-12-31"));
        assert_eq!(Month::parse("2024-03").unwrap().eve(), date("2024-02-29"));
        for wrong in ["", "2026", "2026-6", "2026-13", "2026-06-01", "june", "2026/06"] {
            assert_eq!(Month::parse(wrong).unwrap_err().code(), "month-invalid", "{wrong}");
        }
    }

    #[test]
    fn a_stretch_is_cut_to_the_month_and_its_eve() {
        let june = Month::parse("2026-06").unwrap();
        let rows = [
            ("2020-01-01", None, Some((0, 30))),
            ("2026-06-01", None, Some((1, 30))),
            ("2026-06-16", Some("2026-06-20"), Some((16, 20))),
            ("2026-06-30", Some("2026-12-31"), Some((30, 30))),
            ("2020-01-01", Some("2026-05-31"), Some((0, 0))),
            ("2020-01-01", Some("2026-05-30"), None),
            ("2026-07-01", None, None),
        ];
        for (first, last, want) in rows {
            assert_eq!(june.reach(date(first), last.map(date)), want, "{first} to {last:?}");
        }
    }
}
