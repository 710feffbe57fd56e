//! Days of one month, as numbers: 1 to its last day, and 0 for the day before it.

use backroom_sdk::{BusinessDate, Error, Month};

/// Day `day` of the month, 1 to its length.
pub fn day_of(month: Month, day: u8) -> BusinessDate {
    BusinessDate { day, ..month.first() }
}

/// The day before the first. Errors: `month-invalid` (of the first month that there is).
pub fn eve(month: Month) -> Result<BusinessDate, Error> {
    month.previous().map(Month::last)
}

/// From which day to which day of the month (its eve counted as day 0) a stretch reaches; none if it does not. Errors: as [`eve`].
pub fn reach(month: Month, first: BusinessDate, last: Option<BusinessDate>) -> Result<Option<(u8, u8)>, Error> {
    let last = last.map_or(month.last(), |last| last.min(month.last()));
    let first = first.max(eve(month)?);
    let number = |date: BusinessDate| if date < month.first() { 0 } else { date.day };
    Ok((first <= last).then(|| (number(first), number(last))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_has_its_days_and_an_eve() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        assert_eq!(day_of(month("2026-06"), 16), date("2026-06-16"));
        assert_eq!(eve(month("2026-01")), Ok(date("2025-12-31")));
        assert_eq!(eve(month("2024-03")), Ok(date("2024-02-29")));
        assert_eq!(eve(month("1900-01")).unwrap_err().code(), "month-invalid");
    }

    #[test]
    fn a_stretch_is_cut_to_the_month_and_its_eve() {
        let june = "2026-06".parse().unwrap();
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
            assert_eq!(reach(june, date(first), last.map(date)), Ok(want), "{first} to {last:?}");
        }
    }
}
