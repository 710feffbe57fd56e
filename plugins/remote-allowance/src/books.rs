//! Benefit lines, and one journal entry per cost centre that carries them.

use std::collections::BTreeMap;

use backroom_sdk::hr::benefits::{self, NewBenefit};
use backroom_sdk::ledger::accounts;
use backroom_sdk::ledger::balances;
use backroom_sdk::ledger::journal::{self, Dimension, Line, NewEntry};
use backroom_sdk::{BusinessDate, Error, Id, Money, Month, Side};

use crate::config::Config;
use crate::days::day_of;
use crate::laptops::Laptop;
use crate::output::{Balance, Entry, amount};
use crate::people::Person;

/// The journal entry of a cost centre for the month.
pub fn entry_id(month: Month, cost_center: &str) -> Id {
    format!("allowance:{month}:{cost_center}")
}

/// A benefit line that was recorded.
pub struct Recorded {
    pub id: Id,
    pub worker: Id,
    pub cost_center: Id,
    pub first_day: BusinessDate,
    pub last_day: BusinessDate,
    pub days: u8,
    pub money: Money,
    pub replayed: bool,
}

/// What was recorded and posted.
pub struct Books {
    pub lines: Vec<Recorded>,
    pub entries: Vec<Entry>,
}

impl Books {
    /// Records the lines, in order of the workers, and posts the entries, in order of the cost centres.
    pub fn keep(config: &Config, month: Month, people: &[Person], laptops: &[Laptop]) -> Result<Self, Error> {
        let mut lines = Vec::new();
        for person in people {
            record(config, month, person, &mut lines)?;
        }
        let mut centers: BTreeMap<&str, Center<'_>> = BTreeMap::new();
        for line in &lines {
            centers.entry(&line.cost_center).or_default().lines.push(line);
        }
        for laptop in laptops {
            centers.entry(&laptop.cost_center).or_default().laptops.push(laptop);
        }
        let mut entries = Vec::new();
        for (cost_center, center) in centers {
            entries.extend(center.post(config, month, cost_center)?);
        }
        Ok(Self { lines, entries })
    }
}

fn record(config: &Config, month: Month, person: &Person, lines: &mut Vec<Recorded>) -> Result<(), Error> {
    let amounts = person.amounts(&config.monthly_amount, month)?;
    for (line, minor) in person.lines.iter().zip(amounts) {
        if minor == 0 {
            // A day of a very small amount; a benefit line is more than zero.
            continue;
        }
        let new = NewBenefit {
            id: format!("benefit:{}:{month}:{}:{:02}", config.plan, person.worker, line.first),
            worker: person.worker.clone(),
            plan: config.plan.clone(),
            first_day: day_of(month, line.first),
            last_day: day_of(month, line.last),
            amount: Money::new(minor, &config.monthly_amount.currency),
            cost_center: line.cost_center.clone(),
            entry: Some(entry_id(month, &line.cost_center)),
        };
        let recorded = benefits::record(&new)?;
        lines.push(Recorded {
            id: new.id,
            worker: new.worker,
            cost_center: new.cost_center,
            first_day: new.first_day,
            last_day: new.last_day,
            days: line.last - line.first + 1,
            money: new.amount,
            replayed: recorded.replayed,
        });
    }
    Ok(())
}

/// What one cost centre bears.
#[derive(Default)]
struct Center<'a> {
    lines: Vec<&'a Recorded>,
    laptops: Vec<&'a Laptop>,
}

impl Center<'_> {
    /// Posts its entry; none if nothing in it is worth anything.
    fn post(&self, config: &Config, month: Month, cost_center: &str) -> Result<Option<Entry>, Error> {
        let mut allowance = Money::new(0, &config.monthly_amount.currency);
        for line in &self.lines {
            allowance = allowance.plus(&line.money)?;
        }
        let mut equipment: Option<Money> = None;
        for laptop in &self.laptops {
            equipment = Some(match equipment {
                Some(sum) => sum.plus(&laptop.value)?,
                None => laptop.value.clone(),
            });
        }
        let stock = self.laptops.first().map(|laptop| laptop.stock_account.clone());
        let pairs = [
            (
                Some(&allowance),
                &config.allowance_account,
                Some(&config.payable_account),
                "Housing allowance",
                self.lines.len(),
            ),
            (equipment.as_ref(), &config.equipment_account, stock.as_ref(), "Laptops issued", self.laptops.len()),
        ];
        let mut lines = Vec::new();
        for (money, debit, credit, what, count) in pairs {
            if let (Some(money), Some(credit)) = (money.filter(|money| money.minor > 0), credit) {
                let memo = format!("{what}: {count}");
                let dimension = Dimension { name: "cost-center".to_owned(), value: cost_center.to_owned() };
                lines.push(line(debit, Side::Debit, money, vec![dimension], &memo));
                lines.push(line(credit, Side::Credit, money, Vec::new(), &memo));
            }
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let id = entry_id(month, cost_center);
        let description = format!("Remote housing allowance {month}, {cost_center}");
        let posted = journal::post(&NewEntry { id: id.clone(), date: month.last(), description, lines })?;
        Ok(Some(Entry {
            id,
            number: posted.number,
            cost_center: cost_center.to_owned(),
            allowance: amount(&allowance),
            equipment: equipment.as_ref().map(amount),
            replayed: posted.replayed,
        }))
    }
}

fn line(account: &str, side: Side, amount: &Money, dimensions: Vec<Dimension>, memo: &str) -> Line {
    Line { account: account.to_owned(), side, amount: amount.clone(), dimensions, memo: Some(memo.to_owned()) }
}

/// The accounts that were posted to, as they stand now, with this run's own entries.
pub fn balances(config: &Config) -> Result<Vec<Balance>, Error> {
    let item = backroom_sdk::inventory::items::get(&config.laptop_item)?;
    let accounts = [&config.allowance_account, &config.payable_account, &config.equipment_account, &item.stock_account];
    let read = |account: &&Id| {
        let name = accounts::get(account)?.name;
        balances::get(account, None).map(|balance| Balance::of(balance, name))
    };
    accounts.iter().map(read).collect()
}
