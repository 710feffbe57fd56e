//! The whole journal as text for other programs.

use std::io::{self, Write};

use backroom_domain::ledger::Account;
use backroom_domain::ledger::text::{self, Chart, Format};
use backroom_domain::rights::Operation;
use serde::{Deserialize, Serialize};

use crate::error::{Failure, Result};
use crate::ledger::list_entries;
use crate::page::{Page, PageRequest};
use crate::work::Work;

/// Accounts read at once.
const CHUNK: usize = 1_000;

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailure {
    /// The records could not be read.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The text could not be written.
    #[error("the export could not be written")]
    Io(#[from] io::Error),
}

/// What an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Accounts that it declares, headers included.
    pub accounts: u64,
    /// Entries.
    pub entries: u64,
}

/// Writes the journal in `format`: all accounts and entries that may be read (see [`list_entries`]), in one revision. However many
/// there are, only the chart of accounts and one page of entries are in memory.
///
/// # Errors
/// What reading and writing report.
pub fn export(work: &Work, format: Format, out: &mut impl Write) -> std::result::Result<Exported, ExportFailure> {
    let chart = chart(work)?;
    let mut exported = Exported { accounts: 0, entries: 0 };
    exported.accounts = u64::try_from(chart.accounts().count()).unwrap_or(u64::MAX);
    out.write_all(text::head(format, &chart).as_bytes())?;
    let mut request = PageRequest::first(PageRequest::MAX);
    loop {
        let Page { items, next } = list_entries(work, &request)?;
        let mut page = String::new();
        for entry in &items {
            text::entry(format, &chart, entry, &mut page);
        }
        out.write_all(page.as_bytes())?;
        exported.entries += u64::try_from(items.len()).unwrap_or(0);
        match next {
            Some(next) => request.cursor = Some(next),
            None => return Ok(exported),
        }
    }
}

/// Every account that may be read.
pub(crate) fn chart(work: &Work) -> Result<Chart> {
    Ok(Chart::new(all_accounts(work, Operation::AccountsList)?))
}

/// Every account that may be read in an operation, in order of the codes.
pub(crate) fn all_accounts(work: &Work, operation: Operation) -> Result<Vec<Account>> {
    let mut accounts = Vec::new();
    let mut after = None;
    loop {
        let rows = work.tx().scan::<Account>(&(), after.as_deref(), CHUNK)?;
        let last = rows.len() < CHUNK;
        after = rows.last().map(|(key, _)| key.clone());
        let may = |account: &Account| work.rights().read_account(operation, &account.new.code, Some(account.new.kind));
        accounts.extend(rows.into_iter().map(|(_, account)| account).filter(may));
        if last {
            return Ok(accounts);
        }
    }
}
