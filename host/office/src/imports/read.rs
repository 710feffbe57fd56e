//! From bytes to rows, and what can be said about the files without the tenant's records.

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::hr::{NewEmployment, NewWorker, Place};
use backroom_domain::inventory::{NewItem, NewLocation, NewLot, Tracking, Usage};
use backroom_domain::ledger::journal::{self, Plan};
use backroom_domain::ledger::{AccountType, NewAccount};
use backroom_domain::{BusinessDate, Currency, Decimal, Id, Money, Side, minor_text};

use super::cells::{Amount, Header, Row};
use super::csv::{Record, Records};
use super::files::File;
use super::problems::{Problems, RowProblem};

/// 16 MiB a file: 100,000 rows of 160 bytes. All files of an import are held in memory at once, so this also bounds what one
/// caller can make the service hold (128 MiB).
pub const MAX_FILE: usize = 16 << 20;

/// 100,000 rows a file: more than one commit of the store carries (65,536 changes), so that it is never the lower limit.
pub const MAX_ROWS: usize = 100_000;

/// What the ids of a journal's entries begin with that have none of their own.
const PREFIX: &str = "journal";

/// A row and where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    /// The physical line on which it begins.
    pub(super) line: u64,
    /// The number of the row in the file, from 1, the header row not counted.
    pub(super) number: usize,
    pub(super) row: T,
}

/// A row of `opening-balances.csv`.
#[derive(Debug, Clone)]
pub(super) struct OpeningRow {
    pub(super) account: Id,
    pub(super) date: BusinessDate,
    pub(super) side: Side,
    pub(super) amount: Money,
}

/// A row of `stock.csv`.
#[derive(Debug, Clone)]
pub(super) struct StockRow {
    pub(super) item: Id,
    pub(super) location: Id,
    pub(super) lot: Option<Id>,
    pub(super) quantity: Decimal,
    pub(super) value: Money,
    pub(super) source: Id,
}

/// What the files hold, and what was wrong with them. [`apply`](super::apply()) refuses a set with problems after it has looked for
/// more of them.
#[derive(Debug, Clone, Default)]
pub struct ImportSet {
    pub(super) accounts: Vec<At<NewAccount>>,
    pub(super) opening: Vec<At<OpeningRow>>,
    pub(super) journal: Plan,
    pub(super) workers: Vec<At<NewWorker>>,
    pub(super) employments: Vec<At<NewEmployment>>,
    pub(super) items: Vec<At<NewItem>>,
    pub(super) locations: Vec<At<NewLocation>>,
    pub(super) lots: Vec<At<NewLot>>,
    pub(super) stock: Vec<At<StockRow>>,
    /// Files that were sent.
    pub(super) sent: BTreeSet<File>,
    opening_totals: Totals,
    pub(super) doubt: Doubt,
    pub(super) problems: Problems,
}

/// What was in the files but could not be read as a whole: what refers to it must not be reported as referring to nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubt {
    ids: BTreeSet<(File, Id)>,
    files: BTreeSet<File>,
}

impl Doubt {
    /// `id` (all of the file, if it is not even known which) is in `file`, but not as a good row.
    pub(super) fn add(&mut self, file: File, id: Option<&Id>) {
        match id {
            Some(id) => drop(self.ids.insert((file, id.clone()))),
            None => drop(self.files.insert(file)),
        }
    }

    pub(super) fn has(&self, file: File, id: &Id) -> bool {
        self.files.contains(&file) || self.ids.contains(&(file, id.clone()))
    }

    /// Could anything at all be in `file`, unread?
    pub(super) fn has_file(&self, file: File) -> bool {
        self.files.contains(&file)
    }

    /// The ids that are in `file`, but not as good rows.
    pub(super) fn ids(&self, file: File) -> impl Iterator<Item = &Id> {
        self.ids.iter().filter(move |(f, _)| *f == file).map(|(_, id)| id)
    }

    /// Notes a record that has not the form of a row. Where its cells can be told apart, each of them could be its id;
    /// elsewhere it could hide any number of rows.
    fn add_record(&mut self, file: File, record: &Record) {
        if record.fault.as_ref().is_some_and(|fault| fault.code != "quote-misplaced") {
            return self.add(file, None);
        }
        let texts = record.cells.iter().filter_map(|cell| std::str::from_utf8(cell).ok());
        for id in texts.filter_map(|text| Id::parse(text, "id").ok()) {
            self.add(file, Some(&id));
        }
    }
}

/// Sums of the opening balances by currency: debits and credits. Every readable amount counts, also of rows that are
/// wrong elsewhere.
#[derive(Debug, Clone, Default)]
struct Totals {
    sums: BTreeMap<Currency, (u128, u128)>,
    /// An amount could not be read, so any difference would be a wrong one.
    incomplete: bool,
}

impl Totals {
    fn add(&mut self, amount: Option<(Side, Money)>) {
        let Some((side, amount)) = amount else {
            self.incomplete = true;
            return;
        };
        let (debits, credits) = self.sums.entry(amount.currency).or_default();
        let sum = if side == Side::Debit { debits } else { credits };
        *sum = sum.saturating_add(amount.minor.into());
    }
}

impl ImportSet {
    /// Everything that is wrong with the files by themselves, by file and line; empty if nothing is.
    pub fn problems(&self) -> Vec<RowProblem> {
        self.problems.clone().into_rows()
    }
}

/// Reads the files (name and content) and refuses at the first stage if anything is wrong with them by themselves. Use [`read`]
/// to have [`apply`](super::apply()) report these problems together with those that only the tenant's records can show.
pub fn parse(files: &[(String, Vec<u8>)]) -> Result<ImportSet, Vec<RowProblem>> {
    let set = read(files);
    if set.problems.is_empty() { Ok(set) } else { Err(set.problems()) }
}

/// Reads the files (name and content), each of them at most once and at least one. What is wrong with them stands in the result.
pub fn read(files: &[(String, Vec<u8>)]) -> ImportSet {
    let mut set = ImportSet::default();
    if files.is_empty() {
        set.problems.file("", "no-files", format!("send at least one of {}", names()));
    }
    for (name, bytes) in files {
        let shown: String = name.chars().take(100).collect();
        match File::named(name) {
            None => {
                set.problems.file(&shown, "file-unknown", format!("there is no file of this name; send {}", names()));
            }
            Some(file) if !set.sent.insert(file) => {
                set.problems.file(name, "file-duplicate", "this file was sent twice");
            }
            Some(file) => set.file(file, bytes),
        }
    }
    set.check_opening();
    set.check_employments();
    set
}

fn names() -> String {
    File::ALL.map(File::name).join(", ")
}

impl ImportSet {
    fn file(&mut self, file: File, bytes: &[u8]) {
        let read = if file == File::Journal { self.journal(bytes) } else { self.rows(file, bytes) };
        if read.is_none() {
            // Without its rows nothing can be said about what refers to them.
            self.doubt.add(file, None);
            self.opening_totals.incomplete |= file == File::OpeningBalances;
        }
    }

    /// Reads a journal. `None` if anything is wrong with it, as its entries build on one another.
    fn journal(&mut self, bytes: &[u8]) -> Option<()> {
        let file = File::Journal;
        let bytes = self.text_of(file, bytes)?;
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.problems.file(file.name(), "encoding-invalid", "the file is no UTF-8");
            return None;
        };
        let prefix = Id::parse(PREFIX, "prefix").ok()?;
        let plan = journal::plan(&journal::read(text), &journal::Options::new(prefix));
        for fault in &plan.faults {
            let column = fault.column.to_string();
            self.problems.row(file, fault.line, Some(&column), &fault.code, fault.message.as_str());
        }
        if !plan.faults.is_empty() {
            return None;
        }
        self.journal = plan;
        Some(())
    }

    /// Reads all rows. `None`: the file cannot be read at all, and why was reported.
    fn rows(&mut self, file: File, bytes: &[u8]) -> Option<()> {
        let bytes = self.text_of(file, bytes)?;
        let mut records = Records::new(bytes);
        let Some(first) = records.next() else {
            self.problems.file(file.name(), "header-missing", "the file is empty; it needs a header row");
            return None;
        };
        if let Some(fault) = &first.fault {
            self.problems.row(file, fault.line, None, fault.code, fault.message);
            return None;
        }
        let header = Header::read(file, &first, &mut self.problems)?;
        let mut seen = BTreeMap::new();
        for (index, record) in records.enumerate() {
            if index == MAX_ROWS {
                let message = format!("a file has at most {MAX_ROWS} rows; split it up");
                self.problems.row(file, record.line, None, "too-many-rows", message);
                return None;
            }
            self.row(&header, index + 1, &record, file, &mut seen);
        }
        Some(())
    }

    /// The bytes without a byte order mark, if they are few enough and can be UTF-8.
    fn text_of<'a>(&mut self, file: File, bytes: &'a [u8]) -> Option<&'a [u8]> {
        if bytes.len() > MAX_FILE {
            let message = format!("the file has {} bytes; a file has at most {MAX_FILE}", bytes.len());
            self.problems.file(file.name(), "file-too-large", message);
            return None;
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            self.problems.file(file.name(), "encoding-invalid", "the file is UTF-16; save it as UTF-8");
            return None;
        }
        Some(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
    }

    fn row(&mut self, header: &Header, number: usize, record: &Record, file: File, seen: &mut BTreeMap<Key, u64>) {
        let Some(mut row) = Row::new(header, record, &mut self.problems) else {
            self.opening_totals.incomplete |= file == File::OpeningBalances;
            return self.doubt.add_record(file, record);
        };
        let mut keep = Keep { number, seen, doubt: &mut self.doubt };
        match file {
            File::Accounts => keep.row(&mut self.accounts, &mut row, account),
            File::OpeningBalances => {
                let (found, amount) = opening(&mut row);
                self.opening_totals.add(amount);
                keep.found(&mut self.opening, &mut row, found);
            }
            // It has no rows.
            File::Journal => {}
            File::Workers => keep.row(&mut self.workers, &mut row, worker),
            File::Employments => keep.row(&mut self.employments, &mut row, employment),
            File::Items => keep.row(&mut self.items, &mut row, item),
            File::Locations => keep.row(&mut self.locations, &mut row, location),
            File::Lots => keep.row(&mut self.lots, &mut row, lot),
            File::Stock => keep.row(&mut self.stock, &mut row, stock),
        }
    }

    /// One date, no more lines than an entry has, and debits equal to credits in each currency.
    fn check_opening(&mut self) {
        let file = File::OpeningBalances;
        let Some(first) = self.opening.first() else { return };
        for at in self.opening.iter().filter(|at| at.row.date != first.row.date) {
            let message = format!("the books are opened on one day: line {} says {}", first.line, first.row.date);
            self.problems.row(file, at.line, Some("date"), "date-differs", message);
        }
        if self.opening.len() > 1_000 {
            let message = "a journal entry has at most 1,000 lines; open the books with fewer accounts";
            self.problems.file(file.name(), "too-many-lines", message);
        }
        if self.opening_totals.incomplete {
            return;
        }
        for (&currency, &(debits, credits)) in self.opening_totals.sums.iter().filter(|(_, (d, c))| d != c) {
            let more = if debits > credits { "debits" } else { "credits" };
            let message = format!(
                "debits are {}, credits {}: {} more {more} in {currency}",
                minor_text(debits, currency),
                minor_text(credits, currency),
                minor_text(debits.abs_diff(credits), currency)
            );
            self.problems.file(file.name(), "opening-unbalanced", message);
        }
    }

    /// Stretches of one worker in the file that overlap. (Those on record are the use case's to compare.)
    fn check_employments(&mut self) {
        let mut rows: Vec<&At<NewEmployment>> = self.employments.iter().collect();
        rows.sort_by_key(|at| (&at.row.worker, at.row.from));
        let mut bad = BTreeSet::new();
        // The stretch that reaches furthest so far, of the worker at hand.
        let mut furthest: Option<&At<NewEmployment>> = None;
        for at in rows {
            let before = furthest.filter(|f| f.row.worker == at.row.worker);
            if let Some(before) = before.filter(|f| f.row.to.is_none_or(|to| to >= at.row.from)) {
                let until = before.row.to.map_or_else(|| "without an end".to_owned(), |to| format!("to {to}"));
                let message = format!(
                    "{} is already employed from {} {until} in line {}; stretches must not overlap",
                    at.row.worker, before.row.from, before.line
                );
                self.problems.row(File::Employments, at.line, Some("first-day"), "overlapping-employment", message);
                bad.insert(at.line);
            }
            let reaches = |e: &NewEmployment| e.to.map_or(u32::MAX, BusinessDate::number);
            if before.is_none_or(|f| reaches(&at.row) > reaches(&f.row)) {
                furthest = Some(at);
            }
        }
        self.employments.retain(|at| !bad.contains(&at.line));
    }
}

/// What must not stand in a file twice.
type Key = (Id, Option<Id>, Option<Id>, Option<BusinessDate>);

/// What a row gave: the id that others refer to it by, if it could be read; the key that must be unique with the column
/// it is reported for, likewise; and the row itself if all of it could be read.
struct Found<T> {
    id: Option<Id>,
    key: Option<(Key, &'static str)>,
    row: Option<T>,
}

/// Keeps rows, and reports those that repeat an id.
struct Keep<'a> {
    number: usize,
    seen: &'a mut BTreeMap<Key, u64>,
    doubt: &'a mut Doubt,
}

impl Keep<'_> {
    fn row<T>(&mut self, rows: &mut Vec<At<T>>, row: &mut Row<'_>, read: fn(&mut Row<'_>) -> Found<T>) {
        let found = read(row);
        self.found(rows, row, found);
    }

    fn found<T>(&mut self, rows: &mut Vec<At<T>>, row: &mut Row<'_>, found: Found<T>) {
        let (file, line) = (row.file, row.line);
        // Values of these two are added up and compared by account, so that each row counts.
        let counts = matches!(file, File::OpeningBalances | File::Stock);
        if let Some((key, column)) = found.key
            && let Some(first) = self.seen.get(&key).copied().or_else(|| self.seen.insert(key, line))
        {
            row.wrong(column, "duplicate-id", format!("the same stands in line {first} already"));
            if counts {
                self.doubt.add(file, found.id.as_ref());
            }
            return;
        }
        match found.row {
            Some(row) => rows.push(At { line, number: self.number, row }),
            None if counts || found.id.is_some() => self.doubt.add(file, found.id.as_ref()),
            // What cannot be read as an id can nowhere be referred to either.
            None => {}
        }
    }
}

fn by_id<T>(id: Option<Id>, column: &'static str, row: Option<T>) -> Found<T> {
    let key = id.clone().map(|id| ((id, None, None, None), column));
    Found { id, key, row }
}

fn account(row: &mut Row<'_>) -> Found<NewAccount> {
    use AccountType::{Asset, Equity, Expense, Income, Liability};
    let kinds =
        [("asset", Asset), ("liability", Liability), ("equity", Equity), ("income", Income), ("expense", Expense)];
    let code = row.id("code");
    let (name, kind) = (row.words("name"), row.one_of("type", &kinds));
    let (parent, currency) = (row.optional("parent", Id::parse), row.currency());
    let (posting, stock_control) = (row.yes_or_no("posting"), row.yes_or_no("stock-control"));
    let all = || {
        Some(NewAccount {
            code: code.clone()?,
            name: name?,
            kind: kind?,
            parent: parent?,
            currency: currency?,
            posting: posting?,
            stock_control: stock_control?,
            rules: Default::default(),
        })
    };
    let read = all();
    by_id(code, "code", read)
}

fn opening(row: &mut Row<'_>) -> (Found<OpeningRow>, Option<(Side, Money)>) {
    let (account, date, currency) = (row.id("account"), row.date("date"), row.currency());
    let (debit, credit) = (row.amount("debit", currency), row.amount("credit", currency));
    let one = match (debit, credit) {
        (Some(Amount::None), Some(Amount::None)) => {
            row.wrong("debit", "value-missing", "a row has a debit or a credit; leave out accounts without a balance");
            None
        }
        (Some(Amount::Money(amount)), Some(Amount::None)) => Some((Side::Debit, "debit", amount)),
        (Some(Amount::None), Some(Amount::Money(amount))) => Some((Side::Credit, "credit", amount)),
        (Some(Amount::Unvalued), Some(Amount::None))
        | (Some(Amount::None), Some(Amount::Unvalued))
        | (None, _)
        | (_, None) => None,
        _ => {
            row.wrong("credit", "debit-and-credit", "a row has a debit or a credit, not both");
            None
        }
    };
    let one = one.filter(|(_, column, amount)| {
        if amount.minor == 0 {
            row.wrong(column, "amount-zero", "an amount is more than zero; leave out accounts without a balance");
        }
        amount.minor > 0
    });
    let amount = one.map(|(side, _, amount)| (side, amount));
    let id = account.clone();
    let all = || Some(OpeningRow { account: account?, date: date?, side: amount?.0, amount: amount?.1 });
    let read = all();
    (by_id(id, "account", read), amount)
}

fn worker(row: &mut Row<'_>) -> Found<NewWorker> {
    let (id, name) = (row.id("id"), row.words("name"));
    let (email, bank_account) = (row.optional_words("email"), row.optional_words("bank-account"));
    let all = || Some(NewWorker { id: id.clone()?, name: name?, email: email?, bank_account: bank_account? });
    let read = all();
    by_id(id, "id", read)
}

fn employment(row: &mut Row<'_>) -> Found<NewEmployment> {
    let places = [("office", Place::Office), ("remote", Place::Remote), ("hybrid", Place::Hybrid)];
    let (worker, from, to) = (row.id("worker"), row.date("first-day"), row.optional("last-day", BusinessDate::parse));
    let (position, place) = (row.id("position"), row.one_of("place", &places));
    let cost_center = row.id("cost-center");
    let salary = salary(row);
    let all = || {
        Some(NewEmployment {
            worker: worker.clone()?,
            from: from?,
            to: to?,
            position: position?,
            place: place?,
            cost_center: cost_center?,
            salary: salary?,
        })
    };
    let read = all();
    let key = worker.clone().zip(from).map(|(worker, from)| ((worker, None, None, Some(from)), "first-day"));
    Found { id: worker, key, row: read }
}

/// A salary with its currency, or neither. The outer `None`: something is wrong, and reported.
fn salary(row: &mut Row<'_>) -> Option<Option<Money>> {
    let currency = row.optional("currency", Currency::parse);
    let amount = row.amount("salary", currency.flatten())?;
    match (currency?, amount) {
        (Some(_), Amount::None) => row.wrong("salary", "value-missing", "there is a currency without a salary"),
        (None, Amount::Unvalued) => row.wrong("currency", "value-missing", "a salary needs its currency"),
        (_, Amount::None) => return Some(None),
        (_, Amount::Money(money)) => return Some(Some(money)),
        (Some(_), Amount::Unvalued) => {}
    }
    None
}

fn item(row: &mut Row<'_>) -> Found<NewItem> {
    let kinds = [("none", Tracking::None), ("lot", Tracking::Lot), ("serial", Tracking::Serial)];
    let digits = [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("4", 4), ("5", 5), ("6", 6)];
    let (id, name, unit) = (row.id("id"), row.words("name"), row.words("unit"));
    let (decimals, tracking) = (row.one_of("decimals", &digits), row.one_of("tracking", &kinds));
    let stock_account = row.id("stock-account");
    let all = || {
        Some(NewItem {
            id: id.clone()?,
            name: name?,
            unit: unit?,
            decimals: decimals?,
            tracking: tracking?,
            stock_account: stock_account?,
        })
    };
    let read = all();
    by_id(id, "id", read)
}

fn location(row: &mut Row<'_>) -> Found<NewLocation> {
    use Usage::{Adjustment, Consumption, Customer, Internal, Supplier, Transit};
    let usages = [
        ("internal", Internal),
        ("transit", Transit),
        ("supplier", Supplier),
        ("customer", Customer),
        ("consumption", Consumption),
        ("adjustment", Adjustment),
    ];
    let (id, name, usage) = (row.id("id"), row.words("name"), row.one_of("usage", &usages));
    let all = || Some(NewLocation { id: id.clone()?, name: name?, usage: usage? });
    let read = all();
    by_id(id, "id", read)
}

fn lot(row: &mut Row<'_>) -> Found<NewLot> {
    let (id, item, expiry) = (row.id("id"), row.id("item"), row.optional("expiry", BusinessDate::parse));
    let all = || Some(NewLot { id: id.clone()?, item: item?, expiry: expiry? });
    let read = all();
    by_id(id, "id", read)
}

fn stock(row: &mut Row<'_>) -> Found<StockRow> {
    let (item, location, lot) = (row.id("item"), row.id("location"), row.optional("lot", Id::parse));
    let (quantity, currency) = (row.decimal("quantity"), row.currency());
    let value = row.amount("value", currency);
    if matches!(value, Some(Amount::None)) {
        row.wrong("value", "value-missing", "this cell must not be empty");
    }
    let source = row.id("source");
    let all = || {
        Some(StockRow {
            item: item.clone()?,
            location: location.clone()?,
            lot: lot.clone()?,
            quantity: quantity?,
            value: value?.money()?,
            source: source?,
        })
    };
    let read = all();
    let key =
        item.clone().zip(location).zip(lot).map(|((item, location), lot)| ((item, Some(location), lot, None), "item"));
    Found { id: item, key, row: read }
}
