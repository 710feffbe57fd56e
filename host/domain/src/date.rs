//! Business dates and instants: different types, since a day of the books is no moment in time.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A calendar date of the books (proleptic Gregorian, no time zone), from 1900-01-01 to 2999-12-31.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BusinessDate(Date);

impl BusinessDate {
    /// The first day there is.
    pub const MIN: Self = Self(jiff::civil::date(1900, 1, 1));

    /// The last day there is.
    pub const MAX: Self = Self(jiff::civil::date(2999, 12, 31));

    /// Checks that the day exists and lies within 1900 to 2999.
    pub fn new(year: u16, month: u8, day: u8, field: &str) -> Result<Self> {
        let part = |n: u8| i8::try_from(n).ok();
        let date = part(month).zip(part(day)).and_then(|(m, d)| Date::new(i16::try_from(year).ok()?, m, d).ok());
        match date {
            Some(date) if (1900..=2999).contains(&year) => Ok(Self(date)),
            found => {
                let day = format!("{year:04}-{month:02}-{day:02}");
                let message = match found {
                    Some(_) => format!("{day} is not between 1900-01-01 and 2999-12-31"),
                    None => format!("there is no day {day}"),
                };
                Err(Error::invalid("date-invalid", field, message))
            }
        }
    }

    /// Reads exactly `YYYY-MM-DD` (ISO 8601 extended format).
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        let number = |range: std::ops::Range<usize>| text.get(range).filter(|s| s.bytes().all(|b| b.is_ascii_digit()));
        let dashes = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        let parts = number(0..4).zip(number(5..7)).zip(number(8..10)).filter(|_| dashes);
        let Some(((y, m), d)) = parts else {
            let shown: String = text.chars().take(20).collect();
            return Err(Error::invalid(
                "date-invalid",
                field,
                format!("{shown:?} is not a date of the form YYYY-MM-DD"),
            ));
        };
        Self::new(y.parse().unwrap_or(0), m.parse().unwrap_or(0), d.parse().unwrap_or(0), field)
    }

    /// Year, 1900 to 2999.
    pub fn year(self) -> u16 {
        u16::try_from(self.0.year()).unwrap_or(0)
    }

    /// Month, 1 to 12.
    pub fn month(self) -> u8 {
        u8::try_from(self.0.month()).unwrap_or(0)
    }

    /// Day of the month, 1 to 31.
    pub fn day(self) -> u8 {
        u8::try_from(self.0.day()).unwrap_or(0)
    }

    /// The date as the number `yyyymmdd`, whose order is the order of the dates; for keys and encodings.
    pub fn number(self) -> u32 {
        let (y, m, d) = (u32::from(self.year()), u32::from(self.month()), u32::from(self.day()));
        y.saturating_mul(10_000).saturating_add(m.saturating_mul(100)).saturating_add(d)
    }

    /// The inverse of [`BusinessDate::number`].
    pub fn from_number(number: u32) -> Result<Self> {
        let part = |unit: u32, modulus: u32| number.checked_div(unit).and_then(|n| n.checked_rem(modulus)).unwrap_or(0);
        let year = u16::try_from(part(10_000, 1_000_000)).unwrap_or(0);
        let small = |n: u32| u8::try_from(n).unwrap_or(0);
        Self::new(year, small(part(100, 100)), small(part(1, 100)), "date")
    }

    /// The day before, if there is one.
    pub fn day_before(self) -> Option<Self> {
        self.0.yesterday().ok().map(Self).filter(|day| day.year() >= 1900)
    }

    /// The day behind, if there is one.
    pub fn next_day(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self).filter(|day| *day <= Self::MAX)
    }

    /// The first day of its month.
    pub fn first_of_month(self) -> Self {
        Self(self.0.first_of_month())
    }

    /// The last day of its month.
    pub fn last_of_month(self) -> Self {
        Self(self.0.last_of_month())
    }

    /// Calendar days from `self` to `last`, both counted; 0 if `last` is earlier.
    pub fn days_through(self, last: Self) -> u32 {
        let days = self.0.until(last.0).map(|span| span.get_days()).unwrap_or(-1);
        u32::try_from(days.saturating_add(1)).unwrap_or(0)
    }

    /// Days from `first` to `self`; 0 if `first` is later. Computed at once (the count of days of the proleptic Gregorian
    /// calendar), for checks that have no time.
    pub fn days_since(self, first: Self) -> u32 {
        self.ordinal().saturating_sub(first.ordinal())
    }

    /// Days since the first of March of the year 0, so that the leap day ends a year.
    fn ordinal(self) -> u32 {
        let (year, month, day) = (u32::from(self.year()), u32::from(self.month()), u32::from(self.day()));
        let before_march = u32::from(month <= 2);
        let year = year.saturating_sub(before_march);
        let month = month.saturating_add(before_march.saturating_mul(12)).saturating_sub(3);
        let of_year = month.saturating_mul(153).saturating_add(2).div_euclid(5).saturating_add(day);
        let leap_days = year.div_euclid(4).saturating_sub(year.div_euclid(100)).saturating_add(year.div_euclid(400));
        year.saturating_mul(365).saturating_add(leap_days).saturating_add(of_year)
    }
}

impl fmt::Debug for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl TryFrom<String> for BusinessDate {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text, "date")
    }
}

impl std::str::FromStr for BusinessDate {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, "date")
    }
}

impl From<BusinessDate> for String {
    fn from(date: BusinessDate) -> Self {
        date.to_string()
    }
}

impl<C> minicbor::Encode<C> for BusinessDate {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> std::result::Result<(), minicbor::encode::Error<W::Error>> {
        e.u32(self.number())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for BusinessDate {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> std::result::Result<Self, minicbor::decode::Error> {
        Self::from_number(d.u32()?).map_err(|_| minicbor::decode::Error::message("not a business date"))
    }
}

/// A moment: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Instant(#[n(0)] pub u64);

impl Instant {
    /// The UTC calendar date of this moment.
    pub fn utc_date(self) -> Result<BusinessDate> {
        let date = self.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date();
        let year = u16::try_from(date.year()).unwrap_or(0);
        BusinessDate::new(year, u8::try_from(date.month()).unwrap_or(0), u8::try_from(date.day()).unwrap_or(0), "now")
    }

    fn timestamp(self) -> jiff::Timestamp {
        let micros = i64::try_from(self.0).unwrap_or(i64::MAX);
        jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX)
    }
}

impl fmt::Display for Instant {
    /// RFC 3339 in UTC, with microseconds where there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), f)
    }
}

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let timestamp: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        u64::try_from(timestamp.as_microsecond()).map(Self).map_err(|_| serde::de::Error::custom("before 1970"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_read_count_and_keep_their_order() {
        let d = |s: &str| BusinessDate::parse(s, "d").unwrap();
        assert_eq!(d("2026-06-16").days_through(d("2026-06-30")), 15);
        assert_eq!(d("2024-01-01").days_through(d("2024-12-31")), 366);
        assert_eq!(d("2026-06-30").days_through(d("2026-06-29")), 0);
        assert_eq!(d("2026-06-30").days_through(d("2026-05-01")), 0);
        assert_eq!(d("2026-06-30").days_since(d("2026-06-30")), 0);
        assert_eq!(d("2026-06-29").days_since(d("2026-06-30")), 0);
        assert_eq!(BusinessDate::from_number(d("2026-02-28").number()).unwrap(), d("2026-02-28"));
        for bad in [
            "2026-02-29",
            "2026-2-01",
            "26-02-01",
            "2026/02/01",
            "1899-12-31",
            "2026-13-01",
            "2026-00-10",
            "",
            "2026-01-011",
            "２026-01-1",
        ] {
            assert!(BusinessDate::parse(bad, "d").is_err(), "{bad}");
        }
        assert_eq!(Instant(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Instant(86_400_000_000).utc_date().unwrap(), d("1970-01-02"));
    }

    proptest::proptest! {
        #[test]
        fn days_are_counted_as_the_calendar_has_them(a in (1900_u16..=2999, 1_u8..=12, 1_u8..=28), b in (1900_u16..=2999, 1_u8..=12, 1_u8..=31)) {
            let date = |(y, m, d)| BusinessDate::new(y, m, d, "d");
            let (Ok(a), Ok(b)) = (date(a), date(b)) else { return Ok(()) };
            proptest::prop_assert_eq!(b.days_since(a), a.days_through(b).saturating_sub(1));
        }
    }
}
