//! What the run answers, as JSON. Every amount is there as text and as minor units.

use backroom_sdk::{BusinessDate, Error, Id, Money, ledger};
use serde::Serialize;

use crate::books::Recorded;
use crate::laptops::Laptop;

/// An amount.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// With all decimals of the currency: `500.00`.
    pub text: String,
    /// Minor units: cents for USD.
    pub minor: u64,
    pub currency: String,
}

/// The amount as the output has it.
pub fn amount(money: &Money) -> Amount {
    Amount { text: money.amount(), minor: money.minor, currency: money.currency.clone() }
}

/// The output.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Output {
    pub month: String,
    pub plan: Id,
    /// Workers who got an allowance.
    pub workers: usize,
    pub total_allowance: Amount,
    /// In order of the cost centres.
    pub entries: Vec<Entry>,
    /// In order of the workers.
    pub lines: Vec<Line>,
    pub laptops: Vec<Issued>,
    pub saving: Saving,
    /// What was posted to the accounts in all, this run included.
    pub balances: Vec<Balance>,
}

/// A journal entry.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    pub id: Id,
    pub number: u64,
    pub cost_center: Id,
    pub allowance: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equipment: Option<Amount>,
    pub replayed: bool,
}

/// A benefit line.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    pub id: Id,
    pub worker: Id,
    pub cost_center: Id,
    pub first_day: BusinessDate,
    pub last_day: BusinessDate,
    pub days: u8,
    pub amount: Amount,
    pub replayed: bool,
}

impl From<Recorded> for Line {
    fn from(line: Recorded) -> Self {
        let Recorded { id, worker, cost_center, first_day, last_day, days, money, replayed } = line;
        Self { id, worker, cost_center, first_day, last_day, days, amount: amount(&money), replayed }
    }
}

/// A laptop that was issued.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Issued {
    /// The stock move.
    pub id: Id,
    pub worker: Id,
    pub serial: Id,
    pub cost_center: Id,
    pub value: Amount,
    pub replayed: bool,
}

impl From<Laptop> for Issued {
    fn from(laptop: Laptop) -> Self {
        let Laptop { move_id: id, worker, serial, cost_center, value, replayed, .. } = laptop;
        Self { id, worker, serial, cost_center, value: amount(&value), replayed }
    }
}

/// What the plan saves against office seats.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Saving {
    /// How it is reckoned.
    pub definition: &'static str,
    pub seats: u64,
    pub seat_cost: Amount,
    pub monthly_allowance: Amount,
    pub monthly: Amount,
    pub yearly_per_seat: Amount,
    pub yearly: Amount,
}

impl Saving {
    /// For `seats` workers who were eligible on every day; a seat costs at least as much as the allowance. Errors: `overflow`.
    pub fn of(seat_cost: &Money, allowance: &Money, seats: u64) -> Result<Self, Error> {
        let per_seat = Money::new(seat_cost.minor.saturating_sub(allowance.minor), &seat_cost.currency);
        let monthly = per_seat.times(seats)?;
        Ok(Self {
            definition: "seats are workers who were eligible on every day of the month; each saves the cost of a seat less the \
                         allowance, a month; a year is twelve such months; laptops are not counted",
            seats,
            seat_cost: amount(seat_cost),
            monthly_allowance: amount(allowance),
            yearly_per_seat: amount(&per_seat.times(12)?),
            yearly: amount(&monthly.times(12)?),
            monthly: amount(&monthly),
        })
    }
}

/// What was posted to an account.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Balance {
    pub account: Id,
    pub name: String,
    pub debits: Amount,
    pub credits: Amount,
    /// The difference of the two.
    pub balance: Amount,
    /// Which of the two is larger; `debit` if none is.
    pub side: &'static str,
}

impl Balance {
    /// A balance with the name of its account.
    pub fn of(balance: ledger::balances::Balance, name: String) -> Self {
        let ledger::balances::Balance { account, currency, debits, credits } = balance;
        let in_currency = |minor| amount(&Money::new(minor, &currency));
        Self {
            account,
            name,
            debits: in_currency(debits),
            credits: in_currency(credits),
            balance: in_currency(debits.abs_diff(credits)),
            side: if debits >= credits { "debit" } else { "credit" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_for_1000_and_an_allowance_of_500_save_6000_a_year() {
        let usd = |minor| Money::new(minor, "USD");
        let saving = Saving::of(&usd(100_000), &usd(50_000), 16).unwrap();
        assert_eq!(saving.yearly_per_seat.text, "6000.00");
        assert_eq!((saving.monthly.text.as_str(), saving.yearly.text.as_str()), ("8000.00", "96000.00"));
        assert_eq!(Saving::of(&usd(100_000), &usd(50_000), 0).unwrap().yearly.minor, 0);
        assert_eq!(Saving::of(&usd(100_000), &usd(50_000), u64::MAX).unwrap_err().code(), "overflow");
    }
}
