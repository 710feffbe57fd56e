//! The book that is posted to, and the entries: the same ones for everything that is measured.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use backroom_domain::ledger::{AccountType, NewAccount};
use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Currency, Id, Instant};
use backroom_office::{Caller, Office, Work, ledger};
use backroom_store::{Meta, Options, Store, TenantNo};

/// A made-up moment, behind all days of the entries.
pub(super) const NOW: Instant = Instant(1_782_777_600_000_000);
pub(super) const TENANT: &str = "tenant-1";
/// Accounts are named by numbers from this one on.
pub(super) const FIRST_ACCOUNT: u64 = 10_000;
pub(super) const ACCOUNTS: u64 = 1_000;
/// Entries on one day, before the next day's.
pub(super) const PER_DAY: u64 = 500;
pub(super) const FIRST_YEAR: u16 = 2020;
const YEARS: u64 = 6;
/// Days of a month that are used: what every month has.
const DAYS: u64 = 28;

/// A store with a tenant that has its accounts.
pub(super) struct Book {
    pub(super) store: Store,
    pub(super) office: Office,
    pub(super) tenant: TenantNo,
}

impl Book {
    /// Makes it in `dir`.
    pub(super) fn make(dir: &Path) -> anyhow::Result<Self> {
        let store = Store::open(dir, Options::default()).context("cannot open a store to measure on")?;
        let office = Office::new(store.clone());
        let id = Id::parse(TENANT, "id")?;
        let tenant = TenantNo(office.create_tenant("bench", NOW, id, "A tenant")?.value.number);
        let mut work = office.write(tenant, caller(), NOW)?;
        for number in 0..ACCOUNTS {
            ledger::create_account(&mut work, account(number)?)?;
        }
        let meta = Meta { at: NOW.0, actor: "bench".to_owned(), kind: "setup".to_owned(), ..Meta::default() };
        work.seal()?.commit(meta)?.ticket.wait()?;
        Ok(Self { store, office, tenant })
    }

    /// Reads, with every right.
    pub(super) fn read(&self) -> anyhow::Result<Work> {
        Ok(self.office.read(self.tenant, caller(), NOW)?)
    }

    /// Ends what it does behind the scenes.
    pub(super) fn close(self) -> anyhow::Result<()> {
        drop(self.office);
        self.store.close().map_err(|why| anyhow!("cannot close the measured store: {why}"))
    }
}

fn caller() -> Caller {
    Caller { actor: "bench".to_owned(), layers: vec![Arc::new(Rights::all())], installation: None, run: None }
}

fn account(number: u64) -> anyhow::Result<NewAccount> {
    let code = code(number);
    Ok(NewAccount {
        code: Id::parse(&code, "code")?,
        name: format!("Account {code}"),
        kind: AccountType::Asset,
        parent: None,
        currency: Currency::parse("USD", "currency")?,
        posting: true,
        stock_control: false,
        rules: Default::default(),
    })
}

/// The code of an account.
pub(super) fn code(number: u64) -> String {
    (FIRST_ACCOUNT + number).to_string()
}

/// An entry: what is debited and credited with how much on which day. As the guest `poster` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posting {
    pub(super) debit: u64,
    pub(super) credit: u64,
    pub(super) minor: u64,
    /// Counted from the first one; see [`date`].
    pub(super) day: u64,
}

/// Entry `n`.
pub(super) fn posting(n: u64) -> Posting {
    let random = mix(n);
    let debit = random % ACCOUNTS;
    let credit = (debit + 1 + (random >> 32) % (ACCOUNTS - 1)) % ACCOUNTS;
    Posting { debit, credit, minor: 1 + (random >> 20) % 10_000, day: n / PER_DAY }
}

/// Year, month and day of the month.
pub(super) fn date(day: u64) -> (u16, u8, u8) {
    let month = day / DAYS % (YEARS * 12);
    let part = |value: u64| u8::try_from(value).unwrap_or(1);
    (FIRST_YEAR + u16::try_from(month / 12).unwrap_or(0), part(month % 12 + 1), part(day % DAYS + 1))
}

/// The day as the ledger takes it.
pub(super) fn business_date(day: u64) -> anyhow::Result<BusinessDate> {
    let (year, month, day) = date(day);
    Ok(BusinessDate::new(year, month, day, "date")?)
}

/// SplitMix64: numbers that look random and are the same each time.
pub(super) fn mix(n: u64) -> u64 {
    let z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_two_accounts_and_days_go_over_six_years() {
        for n in 0..10_000 {
            let Posting { debit, credit, minor, .. } = posting(n);
            assert!(debit != credit && debit < ACCOUNTS && credit < ACCOUNTS && (1..=10_000).contains(&minor), "{n}");
        }
        let rows = [
            (0, (2020, 1, 1)),
            (27, (2020, 1, 28)),
            (28, (2020, 2, 1)),
            (2_015, (2025, 12, 28)),
            (2_016, (2020, 1, 1)),
        ];
        for (day, expected) in rows {
            assert_eq!(date(day), expected, "{day}");
        }
    }
}
