//! What a run did or would do.

use backroom_domain::files::{Deletion, File};
use backroom_domain::hr::Benefit;
use backroom_domain::inventory::Move;
use backroom_domain::ledger::Entry;
use backroom_domain::{Currency, Effect, Money, Side, StateChange};
use serde_json::Value;

use crate::figures::{amount, count, counted, money, quantity};
use crate::output::{Grid, Out, left, right};

/// The effects of a run in groups. What this version does not know is kept as it came.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) entries: Vec<Entry>,
    pub(crate) benefits: Vec<Benefit>,
    pub(crate) moves: Vec<Move>,
    pub(crate) states: Vec<StateChange>,
    pub(crate) files: Vec<FileChange>,
    pub(crate) others: Vec<Value>,
}

/// A file that was written or deleted.
#[derive(Debug)]
pub(crate) enum FileChange {
    Written(File),
    Deleted(Deletion),
}

impl Effects {
    /// Sorts the service's JSON into groups; the order within each stays.
    pub(crate) fn of(effects: &[Value]) -> Self {
        let mut groups = Self::default();
        for value in effects {
            match serde_json::from_value::<Effect>(value.clone()) {
                Ok(Effect::EntryPosted(entry)) => groups.entries.push(entry),
                Ok(Effect::BenefitRecorded(benefit)) => groups.benefits.push(benefit),
                Ok(Effect::MovePosted(moved)) => groups.moves.push(moved),
                Ok(Effect::StateSet(change)) => groups.states.push(change),
                Ok(Effect::FileWritten(file)) => groups.files.push(FileChange::Written(file)),
                Ok(Effect::FileDeleted(file)) => groups.files.push(FileChange::Deleted(file)),
                Ok(_) | Err(_) => groups.others.push(value.clone()),
            }
        }
        groups
    }

    /// `3 entries, 60 benefit lines, 2 moves`.
    pub(crate) fn counts(&self) -> String {
        let mut parts = vec![
            counted(self.entries.len() as u64, "journal entry", "journal entries"),
            counted(self.benefits.len() as u64, "benefit line", "benefit lines"),
            counted(self.moves.len() as u64, "stock move", "stock moves"),
        ];
        if !self.states.is_empty() {
            parts.push(counted(self.states.len() as u64, "key of its own state", "keys of its own state"));
        }
        if !self.files.is_empty() {
            parts.push(counted(self.files.len() as u64, "file", "files"));
        }
        if !self.others.is_empty() {
            parts.push(counted(self.others.len() as u64, "other effect", "other effects"));
        }
        parts.join(", ")
    }

    /// The benefit lines' sums, per currency.
    pub(crate) fn benefit_total(&self) -> Vec<Money> {
        sums(self.benefits.iter().map(|benefit| benefit.new.amount))
    }

    /// Shows every group that has something in it.
    pub(crate) fn show(&self, out: Out) {
        for one in &self.entries {
            entry(out, one);
        }
        benefits(out, &self.benefits);
        moves(out, &self.moves);
        if !self.states.is_empty() {
            let keys: Vec<&str> = self.states.iter().map(|change| change.key.as_str()).collect();
            out.line(format_args!("State kept by the plugin: {}\n", keys.join(", ")));
        }
        files(out, &self.files);
        for other in &self.others {
            out.line(format_args!("  {other}"));
        }
    }
}

/// Files without their content.
fn files(out: Out, files: &[FileChange]) {
    if files.is_empty() {
        return;
    }
    let mut grid = Grid::new(&[left("File"), left("Folder"), left("Path"), right("Bytes"), left("BLAKE3")]);
    for one in files {
        let (what, folder, path, size, digest) = match one {
            FileChange::Written(file) => ("written", &file.folder, &file.path, file.size, &file.digest),
            FileChange::Deleted(file) => ("deleted", &file.folder, &file.path, file.size, &file.digest),
        };
        grid.row([what.to_owned(), folder.to_string(), path.to_string(), count(size), digest.clone()]);
    }
    out.table(&grid);
    out.line("");
}

/// Sums per currency, in order of appearance.
fn sums(amounts: impl Iterator<Item = Money>) -> Vec<Money> {
    let mut sums: Vec<Money> = Vec::new();
    for amount in amounts {
        match sums.iter_mut().find(|sum| sum.currency == amount.currency) {
            Some(sum) => sum.minor = sum.minor.saturating_add(amount.minor),
            None => sums.push(amount),
        }
    }
    sums
}

/// A journal entry with its sums.
pub(crate) fn entry(out: Out, entry: &Entry) {
    out.line(format_args!("{}  {}  {}", entry.new.date, entry.new.id, entry.new.description));
    let mut grid =
        Grid::new(&[left("Account"), right("Debit"), right("Credit"), left(""), left("Dimensions"), left("Memo")]);
    let mut totals: Vec<(Currency, i128, i128)> = Vec::new();
    for line in &entry.new.lines {
        let (minor, currency) = (i128::from(line.amount.minor), line.amount.currency);
        if !totals.iter().any(|total| total.0 == currency) {
            totals.push((currency, 0, 0));
        }
        let total = totals.iter_mut().find(|total| total.0 == currency);
        let figure = amount(minor, currency);
        let (debit, credit) = match line.side {
            Side::Debit => (figure, String::new()),
            Side::Credit => (String::new(), figure),
        };
        if let Some((_, debits, credits)) = total {
            match line.side {
                Side::Debit => *debits += minor,
                Side::Credit => *credits += minor,
            }
        }
        let dimensions: Vec<String> = line.dimensions.iter().map(|d| format!("{}={}", d.name, d.value)).collect();
        let memo = line.memo.clone().unwrap_or_default();
        grid.row([line.account.to_string(), debit, credit, currency.to_string(), dimensions.join(" "), memo]);
    }
    for (currency, debits, credits) in totals {
        let cells = ["total".to_owned(), amount(debits, currency), amount(credits, currency), currency.to_string()];
        grid.row(cells.into_iter().chain([String::new(), String::new()]));
    }
    out.table(&grid);
    out.line("");
}

/// Benefit lines with their sum.
pub(crate) fn benefits(out: Out, benefits: &[Benefit]) {
    if benefits.is_empty() {
        return;
    }
    let heads = [
        left("Benefit"),
        left("Worker"),
        left("From"),
        left("To"),
        right("Amount"),
        left("Cost centre"),
        left("Entry"),
    ];
    let mut grid = Grid::new(&heads);
    for Benefit { new, .. } in benefits {
        let entry = new.entry.as_ref().map(ToString::to_string).unwrap_or_default();
        grid.row([
            new.plan.to_string(),
            new.worker.to_string(),
            new.from.to_string(),
            new.to.to_string(),
            money(new.amount),
            new.cost_center.to_string(),
            entry,
        ]);
    }
    for sum in sums(benefits.iter().map(|benefit| benefit.new.amount)) {
        let total = counted(benefits.len() as u64, "line", "lines");
        grid.row(["total".to_owned(), total, String::new(), String::new(), money(sum), String::new(), String::new()]);
    }
    out.table(&grid);
    out.line("");
}

/// Stock moves.
pub(crate) fn moves(out: Out, moves: &[Move]) {
    if moves.is_empty() {
        return;
    }
    let heads = [
        left("Move"),
        left("Item"),
        left("Lot"),
        right("Quantity"),
        left("From"),
        left("To"),
        left("Worker"),
        right("Value"),
        left("Account"),
    ];
    let mut grid = Grid::new(&heads);
    for one in moves {
        let text = |id: &Option<backroom_domain::Id>| id.as_ref().map(ToString::to_string).unwrap_or_default();
        grid.row([
            one.new.date.to_string(),
            one.new.item.to_string(),
            text(&one.new.lot),
            quantity(one.new.quantity),
            one.new.from.to_string(),
            one.new.to.to_string(),
            text(&one.new.worker),
            money(one.value),
            one.stock_account.to_string(),
        ]);
    }
    out.table(&grid);
    out.line("");
}
