//! Days of the books: written `2026-06-30`, counted without a clock.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{BusinessDate, Error, invalid};

impl BusinessDate {
    /// A date that exists, between 1900 and 2999. Errors: `date-invalid`.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, Error> {
        let date = Self { year, month, day };
        let exists =
            (1900..=2999).contains(&year) && (1..=12).contains(&month) && (1..=date.month_length()).contains(&day);
        if exists { Ok(date) } else { Err(invalid("date-invalid", "date", format!("{date} is no date"))) }
    }

    /// The first day of the same month.
    pub fn first_of_month(self) -> Self {
        Self { day: 1, ..self }
    }

    /// The last day of the same month.
    pub fn last_of_month(self) -> Self {
        Self { day: self.month_length(), ..self }
    }

    /// The number of days of the month.
    pub fn month_length(self) -> u8 {
        let leap = self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for BusinessDate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || invalid("date-invalid", "date", format!("{text:?} is no date such as 2026-06-30"));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        match parts.as_slice() {
            [year, month, day] if text.len() == 10 && parts.iter().all(|part| digits(part)) && year.len() == 4 => {
                let year = year.parse().map_err(|_| wrong())?;
                let month = month.parse().map_err(|_| wrong())?;
                Self::new(year, month, day.parse().map_err(|_| wrong())?).map_err(|_| wrong())
            }
            _ => Err(wrong()),
        }
    }
}

impl Serialize for BusinessDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BusinessDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text(deserializer, "date such as 2026-06-30")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        let date: BusinessDate = "2026-06-30".parse().unwrap();
        assert_eq!((date.year, date.month, date.day), (2026, 6, 30));
        assert_eq!(serde_json::to_string(&date).unwrap(), "\"2026-06-30\"");
        for wrong in
            ["", "2026-6-30", "2026-06-31", "2026-13-01", "1899-12-31", "2026-06-3x", "+026-06-30", "2025-02-29"]
        {
            assert!(wrong.parse::<BusinessDate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn months() {
        let length = |year, month| BusinessDate::new(year, month, 1).unwrap().month_length();
        assert_eq!([length(2024, 2), length(2025, 2), length(2000, 2), length(2100, 2)], [29, 28, 29, 28]);
        let date = BusinessDate::new(2026, 6, 15).unwrap();
        assert_eq!(date.first_of_month().to_string(), "2026-06-01");
        assert_eq!(date.last_of_month().to_string(), "2026-06-30");
        assert!(date.first_of_month() < date);
    }
}
