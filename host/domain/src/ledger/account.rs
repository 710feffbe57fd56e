//! Adding an account to the chart.

use crate::ledger::{
    Account, AccountChange, AccountTotal, Balance, EntryDetails, Line, LineDetails, NewAccount, NewEntry, Sweep,
};
use crate::shape::Problems;
use crate::{BusinessDate, Class, Error, Id, Money, Result, Side};

/// The form of the request: `text-invalid`, `header-with-stock-control` (a header account carries no balance that could
/// equal the value of stock), `amount-too-large`, `limits-exclude-each-other`, `dimensions-invalid`. All problems together.
pub fn check_account(new: &NewAccount) -> Result<()> {
    let mut problems = Problems::default();
    problems.text(|| "name".to_owned(), &new.name, 1, 200);
    if !new.posting && new.stock_control {
        problems.add(
            "header-with-stock-control",
            || "stock-control".to_owned(),
            || "a header account carries no postings, so it cannot be a stock control account".to_owned(),
        );
    }
    new.rules.check(&mut problems);
    problems.finish()
}

/// `exists-with-different` unless `new` says what is on record.
pub fn same_account(existing: &Account, new: &NewAccount) -> Result<()> {
    let old = &existing.new;
    let field = match () {
        () if old.name != new.name => "name",
        () if old.kind != new.kind => "type",
        () if old.parent != new.parent => "parent",
        () if old.currency != new.currency => "currency",
        () if old.posting != new.posting => "posting",
        () if old.stock_control != new.stock_control => "stock-control",
        () if old.rules != new.rules => "rules",
        () => return Ok(()),
    };
    Err(Error::exists_with_different("account", &new.code, field))
}

/// Whether `new` fits below its parent. `parent` is the record of the account that it names, if there is one.
///
/// Refusals, in order: `parent-not-found`, `parent-is-posting`, `type-differs-from-parent`.
pub fn check_parent(new: &NewAccount, parent: Option<&Account>) -> Result<()> {
    let Some(code) = &new.parent else { return Ok(()) };
    let Some(parent) = parent else {
        let message = format!("there is no account {code}; create the header account first");
        return Err(Error::at(Class::NotFound, "parent-not-found", "parent", message));
    };
    if parent.new.posting {
        let message = format!("account {code} is a posting account; only a header account can be a parent");
        return Err(Error::at(Class::Refused, "parent-is-posting", "parent", message));
    }
    if parent.new.kind != new.kind {
        let message = format!("header account {code} is of another type; a child has its parent's type");
        return Err(Error::at(Class::Refused, "type-differs-from-parent", "type", message));
    }
    Ok(())
}

/// The account with a change, if it may be made to `account`, which is what there is under `code`.
///
/// Refusals, in order: the form of the account, `not-found`, `version-conflict`.
pub fn changed_account(account: Option<&Account>, code: &Id, change: AccountChange) -> Result<Account> {
    let mut problems = Problems::default();
    if let Some(name) = &change.name {
        problems.text(|| "name".to_owned(), name, 1, 200);
    }
    if let Some(rules) = &change.rules {
        rules.check(&mut problems);
    }
    problems.finish()?;
    let mut changed = account.cloned().ok_or_else(|| Error::not_found("account", code))?;
    if changed.version != change.expected_version {
        let message = format!("account {code} is at version {} by now; look at it again", changed.version);
        return Err(Error::at(Class::Conflict, "version-conflict", "expected-version", message));
    }
    changed.version = changed.version.saturating_add(1);
    if let Some(name) = change.name {
        changed.new.name = name;
    }
    if let Some(rules) = change.rules {
        changed.new.rules = rules;
    }
    Ok(changed)
}

/// The entry that takes the balance off an account that is closed; none if there is none.
///
/// Refusals, in order: `has-open-holds`, `non-zero-balance` without a sweep.
pub fn sweep_entry(
    total: &AccountTotal,
    sweep: Option<&Sweep>,
    today: BusinessDate,
    reason: &str,
) -> Result<Option<NewEntry>> {
    let Balance { account, currency, debits, credits, debits_held, credits_held, .. } = &total.balance;
    if *debits_held > 0 || *credits_held > 0 {
        let message = format!("account {account} has open holds; settle or release them first");
        return Err(Error::at(Class::Refused, "has-open-holds", "account", message));
    }
    let base = total.base();
    let base_left = base.map_or(0, |base| base.debits.abs_diff(base.credits));
    let minor = debits.abs_diff(*credits);
    let foreign = base.is_some_and(|base| base.currency != *currency);
    if minor == 0 && (base_left == 0 || !foreign) {
        return Ok(None);
    }
    // Both columns must stand on the same side, or one entry cannot take both away.
    let apart =
        foreign && base.is_some_and(|base| base.debits.cmp(&base.credits) == credits.cmp(debits)) && base_left > 0;
    let Some(sweep) = sweep.filter(|sweep| minor > 0 && !apart && sweep.to != *account) else {
        // Without the figure: whoever may set accounts up need not be one who may read them.
        let message = format!("account {account} has a balance; say where it goes");
        return Err(Error::at(Class::Refused, "non-zero-balance", "account", message));
    };
    let (from, to) = if debits > credits { (Side::Credit, Side::Debit) } else { (Side::Debit, Side::Credit) };
    let base = base.filter(|_| foreign).map(|base| Money { minor: base_left, currency: base.currency });
    let details = base.map(|base| Box::new(LineDetails { base: Some(base), ..LineDetails::default() }));
    let line = |account: &Id, side| Line {
        details: details.clone(),
        ..Line::new(account.clone(), side, Money { minor, currency: *currency })
    };
    let lines = vec![line(account, from), line(&sweep.to, to)];
    let kind = EntryDetails { kind: Some(Id::parse("host:sweep", "kind")?), ..EntryDetails::default() };
    let new = NewEntry::new(sweep.entry.clone(), today, reason.to_owned(), lines);
    Ok(Some(NewEntry { details: Some(Box::new(kind)), ..new }))
}
