//! Months of the books: written `2026-06`, from 1900-01 to 2999-12.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{BusinessDate, Error, invalid};

/// A month. In JSON it is a text such as `2026-06`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first: BusinessDate,
}

impl Month {
    /// A month between 1900-01 and 2999-12. Errors: `month-invalid`.
    pub fn new(year: u16, month: u8) -> Result<Self, Error> {
        let wrong = |_| invalid("month-invalid", "month", format!("{year:04}-{month:02} is no month"));
        BusinessDate::new(year, month, 1).map(|first| Self { first }).map_err(wrong)
    }

    /// The month of a day.
    pub fn of(day: BusinessDate) -> Self {
        Self { first: day.first_of_month() }
    }

    /// The first day.
    pub fn first(self) -> BusinessDate {
        self.first
    }

    /// The last day.
    pub fn last(self) -> BusinessDate {
        self.first.last_of_month()
    }

    /// The number of days.
    pub fn length(self) -> u8 {
        self.first.month_length()
    }

    /// The month behind it. Errors: `month-invalid` (of the last month that there is).
    pub fn next(self) -> Result<Self, Error> {
        match self.first {
            BusinessDate { year, month: 12, .. } => Self::new(year + 1, 1),
            BusinessDate { year, month, .. } => Self::new(year, month + 1),
        }
    }

    /// The month before it. Errors: `month-invalid` (of the first month that there is).
    pub fn previous(self) -> Result<Self, Error> {
        match self.first {
            BusinessDate { year, month: 1, .. } => Self::new(year - 1, 12),
            BusinessDate { year, month, .. } => Self::new(year, month - 1),
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year, self.first.month)
    }
}

impl FromStr for Month {
    type Err = Error;

    /// Reads `2026-06`. Errors: `month-invalid`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |_| invalid("month-invalid", "month", format!("{text:?} is no month such as 2026-06"));
        format!("{text}-01").parse().map(|first| Self { first }).map_err(wrong)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::from_text(deserializer, "month such as 2026-06")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_and_know_their_days() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        let june = month("2026-06");
        assert_eq!((june.first().to_string(), june.last().to_string()), ("2026-06-01".into(), "2026-06-30".into()));
        assert_eq!((june.next(), june.previous()), (Ok(month("2026-07")), Ok(month("2026-05"))));
        assert_eq!(
            (month("2025-12").next(), month("2026-01").previous()),
            (Ok(month("2026-01")), Ok(month("2025-12")))
        );
        assert_eq!(Month::of(june.last()), june);
        assert_eq!((month("2024-02").length(), serde_json::to_string(&june).unwrap().as_str()), (29, "\"2026-06\""));
        for edge in [month("2999-12").next(), month("1900-01").previous()] {
            assert_eq!(edge.unwrap_err().code(), "month-invalid");
        }
        for wrong in ["", "2026", "2026-6", "2026-13", "2026-00", "2026-06-01", "june", "2026/06", "1899-12", "3000-01"]
        {
            assert_eq!(wrong.parse::<Month>().unwrap_err().code(), "month-invalid", "{wrong}");
        }
    }
}
