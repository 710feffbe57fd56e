//! Who worked remotely on which days of the month, and what that comes to.

use std::collections::BTreeMap;

use backroom_sdk::hr::workers::{self, EmploymentFilter, Place};
use backroom_sdk::{Error, Id, Money, Month};

use crate::days::{eve, reach};

/// Rows asked for at once: as many as a page can have.
const PAGE: u32 = 500;

/// A stretch of remote work, cut to the month and its eve (day 0).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch {
    first: u8,
    last: u8,
    /// In the position that gets the allowance.
    eligible: bool,
    cost_center: Id,
}

/// An unbroken stretch of eligible days that one cost centre bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// First day of the month, from 1.
    pub first: u8,
    /// Last day, counted.
    pub last: u8,
    pub cost_center: Id,
}

/// A worker who is eligible on at least one day.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    pub worker: Id,
    /// In order of their days.
    pub lines: Vec<Line>,
    /// The first day on which the worker became remote, and the cost centre of that day; none if the worker was before.
    pub newly_remote: Option<(u8, Id)>,
}

/// Everybody who worked remotely in `position` in `month`, in order of the worker numbers.
///
/// All remote employments are read, in whatever position, and from the eve of the month on: whoever was remote as something else
/// has been equipped before.
pub fn of(month: Month, position: &str) -> Result<Vec<Person>, Error> {
    let filter = EmploymentFilter {
        first_day: Some(eve(month)?),
        last_day: Some(month.last()),
        position: None,
        place: Some(Place::Remote),
    };
    let mut stretches: BTreeMap<Id, Vec<Stretch>> = BTreeMap::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = workers::list_employments(&filter, cursor.as_deref(), PAGE)?;
        for e in page.items {
            if let Some((first, last)) = reach(month, e.first_day, e.last_day)? {
                let eligible = e.position == position;
                let stretch = Stretch { first, last, eligible, cost_center: e.cost_center };
                stretches.entry(e.worker).or_default().push(stretch);
            }
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let people = stretches.into_iter().map(|(worker, stretches)| person(worker, stretches));
    Ok(people.filter(|person| !person.lines.is_empty()).collect())
}

fn person(worker: Id, mut stretches: Vec<Stretch>) -> Person {
    stretches.sort_by_key(|stretch| stretch.first);
    let mut lines: Vec<Line> = Vec::new();
    let mut newly_remote = None;
    let mut last_remote: Option<u8> = None;
    for Stretch { first, last, eligible, cost_center } in stretches {
        // Days are numbered from the eve, so that a stretch from day 0 on is never new.
        let is_new = first > 0 && last_remote.is_none_or(|day| day + 1 < first);
        last_remote = Some(last);
        if !eligible || last == 0 {
            continue;
        }
        if is_new && newly_remote.is_none() {
            newly_remote = Some((first, cost_center.clone()));
        }
        let first = first.max(1);
        match lines.last_mut() {
            Some(line) if line.last + 1 == first && line.cost_center == cost_center => line.last = last,
            _ => lines.push(Line { first, last, cost_center }),
        }
    }
    Person { worker, lines, newly_remote }
}

impl Person {
    /// Was the worker eligible on every day?
    pub fn full_month(&self, month: Month) -> bool {
        self.lines.iter().map(|line| line.last - line.first + 1).sum::<u8>() == month.length()
    }

    /// What each line comes to: the days so far, less the days before, each rounded. So the lines of a whole month come
    /// to exactly one monthly amount, however it is divided.
    pub fn amounts(&self, monthly: &Money, month: Month) -> Result<Vec<u64>, Error> {
        let mut days = 0;
        let mut paid = 0;
        let due = |line: &Line| {
            days += line.last - line.first + 1;
            let so_far = monthly.share(days.into(), month.length().into())?.minor;
            let now = so_far - paid;
            paid = so_far;
            Ok(now)
        };
        self.lines.iter().map(due).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (u8, u8, bool, &'static str);

    fn made(rows: &[Row]) -> Person {
        let stretch =
            |&(first, last, eligible, cc): &Row| Stretch { first, last, eligible, cost_center: cc.to_owned() };
        person("W-1".to_owned(), rows.iter().map(stretch).collect())
    }

    /// What is on record; the lines; the amounts of 500.00 in June; the first day of remote work.
    type Case = (&'static str, &'static [Row], &'static [(u8, u8, &'static str, u64)], Option<(u8, &'static str)>);

    const CASES: &[Case] = &[
        ("all along", &[(0, 30, true, "A")], &[(1, 30, "A", 50_000)], None),
        ("joins on the 16th", &[(16, 30, true, "A")], &[(16, 30, "A", 25_000)], Some((16, "A"))),
        ("joins on the 1st", &[(1, 30, true, "A")], &[(1, 30, "A", 50_000)], Some((1, "A"))),
        ("leaves on the 20th", &[(0, 20, true, "A")], &[(1, 20, "A", 33_333)], None),
        ("from the office on the 11th", &[(11, 30, true, "A")], &[(11, 30, "A", 33_333)], Some((11, "A"))),
        ("a raise", &[(0, 14, true, "A"), (15, 30, true, "A")], &[(1, 30, "A", 50_000)], None),
        ("a raise on the 1st", &[(0, 0, true, "A"), (1, 30, true, "A")], &[(1, 30, "A", 50_000)], None),
        (
            "another cost centre",
            &[(0, 10, true, "A"), (11, 30, true, "B")],
            &[(1, 10, "A", 16_667), (11, 30, "B", 33_333)],
            None,
        ),
        ("was remote as something else", &[(0, 14, false, "A"), (15, 30, true, "A")], &[(15, 30, "A", 26_667)], None),
        (
            "a break",
            &[(0, 5, true, "A"), (9, 30, true, "A")],
            &[(1, 5, "A", 8_333), (9, 30, "A", 36_667)],
            Some((9, "A")),
        ),
        ("left on the eve", &[(0, 0, true, "A")], &[], None),
        ("something else", &[(3, 30, false, "A")], &[], None),
        ("not in order", &[(20, 30, true, "A"), (0, 19, true, "A")], &[(1, 30, "A", 50_000)], None),
    ];

    #[test]
    fn lines_amounts_and_newcomers() {
        let june = "2026-06".parse().unwrap();
        for (what, rows, lines, new) in CASES {
            let person = made(rows);
            let amounts = person.amounts(&Money::new(50_000, "USD"), june).unwrap();
            let found: Vec<_> = person
                .lines
                .iter()
                .zip(amounts)
                .map(|(line, amount)| (line.first, line.last, line.cost_center.as_str(), amount))
                .collect();
            assert_eq!(&found, lines, "{what}");
            let newly = person.newly_remote.as_ref().map(|(day, cc)| (*day, cc.as_str()));
            assert_eq!(&newly, new, "{what}");
        }
    }

    /// However a month is divided among cost centres, and whatever the amount: it comes to the share of its days, in any month.
    #[test]
    fn lines_add_up_to_the_share_of_their_days() {
        let mut cases = 0;
        for text in ["2026-02", "2024-02", "2026-04", "2026-05"] {
            let month: Month = text.parse().unwrap();
            for monthly in [1, 2, 7, 50_000, 33_333, 99_999].map(|minor| Money::new(minor, "USD")) {
                for cut in 1..month.length() {
                    for gap in 0..=month.length() - cut - 1 {
                        let rows = [(0, cut, true, "A"), (cut + gap + 1, month.length(), true, "B")];
                        let person = made(&rows);
                        let days = month.length() - gap;
                        let sum: u64 = person.amounts(&monthly, month).unwrap().iter().sum();
                        let whole = monthly.share(days.into(), month.length().into()).unwrap();
                        assert_eq!(sum, whole.minor, "{text} {monthly} {cut} {gap}");
                        assert_eq!(person.full_month(month), gap == 0);
                        cases += 1;
                    }
                }
            }
        }
        assert!(cases > 5_000, "{cases}");
    }
}
