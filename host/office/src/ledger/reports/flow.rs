//! The cash flow statement, by counter-account.
//!
//! The direct method: within each entry and currency, what the lines on cash accounts gain is what the other lines lose, so every
//! other line of an entry that touches cash is a flow by its own account, with its own amount. Nothing is estimated, and the flows
//! of a span add up to the change of the cash accounts exactly.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::ledger::reports::{Net, Span};
use backroom_domain::ledger::{AccountType, Sums};
use backroom_domain::rights::{Operation, Pattern};
use backroom_domain::{Currency, Error, Id, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scan::each_entry;
use super::{figures, readable};
use crate::error::Result;
use crate::ledger::accounts::kind_of;
use crate::work::Work;

/// What cash came from and went to by one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashRow {
    /// The counter-account.
    pub account: Id,
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: AccountType,
    /// The currency.
    pub currency: Currency,
    /// Cash that came in, in minor units.
    pub inflow: u128,
    /// Cash that went out.
    pub outflow: u128,
}

/// The cash accounts together in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashTotal {
    /// The currency.
    pub currency: Currency,
    /// Their balance before the first day.
    pub opening: Net,
    /// The inflow of all rows.
    pub inflow: u128,
    /// The outflow of all rows.
    pub outflow: u128,
    /// Their balance at the end of the last day: the opening balance and the flows.
    pub closing: Net,
}

/// A cash flow statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashFlow {
    /// The accounts that are cash.
    pub cash: Vec<Id>,
    /// By type and code.
    pub rows: Vec<CashRow>,
    /// By currency.
    pub totals: Vec<CashTotal>,
}

/// The cash flow of a span, `cash` being the accounts that are cash. Every account must be readable, as one that is not could be either.
///
/// # Errors
/// In order: `ledger-read-denied` without the right to read every account; `period-invalid`; `cash-missing` if no posting account of
/// type asset is among `cash`; `history-not-kept` of one that is; `too-many-entries`; `too-many-rows`.
pub fn cash_flow(work: &Work, cash: &[Pattern], span: &Span) -> Result<CashFlow> {
    work.rights().check_read_ledger(Operation::CashFlow)?;
    span.check("span")?;
    let accounts = readable(work, Operation::CashFlow)?;
    let is_cash = |code: &Id| cash.iter().any(|pattern| pattern.matches(code));
    let own: BTreeSet<&Id> = accounts
        .iter()
        .filter(|account| account.new.posting && account.new.kind == AccountType::Asset && is_cash(&account.new.code))
        .map(|account| &account.new.code)
        .collect();
    if own.is_empty() {
        return Err(Error::invalid("cash-missing", "cash", "no asset account is among the cash accounts").into());
    }
    let mut totals = BTreeMap::<Currency, (Sums, Sums, Sums)>::new();
    for account in accounts.iter().filter(|account| own.contains(&account.new.code)) {
        let (before, through) = figures(work, &account.new.code, span)?;
        let total = totals.entry(account.new.currency).or_default();
        plus(&mut total.0, before);
        plus(&mut total.1, through);
    }
    let mut flows = BTreeMap::<Id, Sums>::new();
    each_entry(work, span, |entry| {
        let touched: BTreeSet<Currency> = entry
            .new
            .lines
            .iter()
            .filter(|line| own.contains(&line.account))
            .map(|line| line.amount.currency)
            .collect();
        for line in &entry.new.lines {
            if own.contains(&line.account) || !touched.contains(&line.amount.currency) {
                continue;
            }
            work.rights().check_read_account(Operation::CashFlow, &line.account, kind_of(work, &line.account)?)?;
            let sums = flows.entry(line.account.clone()).or_default();
            let side = if line.side == Side::Debit { &mut sums.debits } else { &mut sums.credits };
            *side = side.saturating_add(line.amount.minor.into());
        }
        Ok(())
    })?;
    let mut rows = Vec::new();
    for account in accounts.iter() {
        let Some(sums) = flows.get(&account.new.code) else { continue };
        let (currency, kind) = (account.new.currency, account.new.kind);
        plus(&mut totals.entry(currency).or_default().2, *sums);
        let (name, account) = (account.new.name.clone(), account.new.code.clone());
        rows.push(CashRow { account, name, kind, currency, inflow: sums.credits, outflow: sums.debits });
    }
    rows.sort_by(|a, b| (a.kind, &a.account).cmp(&(b.kind, &b.account)));
    let total = |(currency, (before, through, flow)): (Currency, (Sums, Sums, Sums))| CashTotal {
        currency,
        opening: Net::of(before),
        inflow: flow.credits,
        outflow: flow.debits,
        closing: Net::of(through),
    };
    let cash = own.into_iter().cloned().collect();
    Ok(CashFlow { cash, rows, totals: totals.into_iter().map(total).collect() })
}

fn plus(sum: &mut Sums, more: Sums) {
    sum.debits = sum.debits.saturating_add(more.debits);
    sum.credits = sum.credits.saturating_add(more.credits);
}
