//! Adding an account to the chart.

use crate::ledger::{Account, NewAccount};
use crate::shape::Problems;
use crate::{Class, Error, Result};

/// The form of the request: `text-invalid`, `header-with-stock-control` (a header account carries no balance that could
/// equal the value of stock). All problems together.
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
