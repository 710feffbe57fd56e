//! Posting, batches and placing holds.

use backroom_domain::ledger::{
    Amount, BatchItem, BatchMode, Comparison, Dimension, Figure, Guard, LineDetails, MAX_BATCH, MAX_LINES, Made,
    Metadata, NewEntry, NewHold,
};
use backroom_domain::rights::Rights;
use backroom_domain::{Decimal, MAX_MINOR, Side};
use backroom_office::ledger::{hold, post, post_batch};

use crate::books::{Books, day, id, line, money, pair};
use crate::chart::{chart, details, rent};
use crate::order::{Ordered, Table, defect, of, said};

pub(crate) fn tables() -> Vec<Box<dyn Ordered>> {
    vec![Box::new(POST), Box::new(FORM), Box::new(HOLD), Box::new(BATCH), Box::new(GROUP)]
}

fn add(entry: &mut NewEntry, debit: &str, credit: &str, minor: u64) {
    entry.lines.extend(pair(debit, credit, minor, "USD"));
}

fn unbalance(entry: &mut NewEntry) {
    entry.lines.push(line("b/cash", Side::Debit, 1, "USD"));
}

fn sell(entry: &mut NewEntry) {
    details(entry).kind = Some(id("sales:invoice"));
}

fn guard(entry: &mut NewEntry) {
    let (account, value) = (id("b/bank"), Amount::of(5));
    details(entry).guards.push(Guard { account, balance: Figure::Posted, op: Comparison::Eq, value });
}

fn ask(books: &Books, new: NewEntry) -> Result<(), String> {
    said(post(&mut books.work(Rights::all()), new))
}

const POST: Table<NewEntry> = Table {
    operation: "post",
    books: chart,
    good: || rent("new"),
    ask,
    defects: &[
        defect("text-invalid", |e| e.description.clear()),
        of("id", "exists-with-different", |e| e.id = id("taken")),
        of("id", "id-already-failed", |e| e.id = id("burnt")),
        defect("account-not-found", |e| add(e, "b/nowhere", "b/cash", 1)),
        defect("book-mismatch", |e| add(e, "other", "other", 1)),
        defect("rate-missing", |e| e.lines.extend(pair("b/eur", "b/eur", 1, "EUR"))),
        defect("missing-dimension", |e| add(e, "b/need", "b/cash", 1)),
        defect("party-required", |e| add(e, "b/party", "b/cash", 1)),
        defect("duplicate-reference", |e| details(e).reference = Some("INV 1".to_owned())),
        defect("unbalanced", unbalance),
        defect("account-is-header", |e| add(e, "b/head", "b/cash", 1)),
        defect("account-closed", |e| add(e, "b/shut", "b/cash", 1)),
        of("kind", "manual-not-permitted", |e| add(e, "b/auto", "b/cash", 1)),
        defect("currency-mismatch", |e| add(e, "b/eur", "b/cash", 1)),
        // A day that is locked for all is not too far ahead, one that is locked for sales can be.
        of("date", "period-locked", |e| e.date = day("2026-01-31")),
        of("kind", "period-locked", sell),
        of("date", "future-date", |e| e.date = day("2026-07-04")),
        defect("insufficient", |e| add(e, "b/cash", "b/till", 1)),
        defect("limit-exceeded", |e| add(e, "b/top", "b/cash", 1)),
        defect("guard-failed", guard),
        defect("budget-exceeded", |e| add(e, "b/cost", "b/cash", 6)),
        defect("overflow", |e| add(e, "b/full", "b/cash", 101)),
    ],
};

fn detail(entry: &mut NewEntry) -> &mut LineDetails {
    entry.lines[0].details.get_or_insert_with(Box::default)
}

fn named(n: usize) -> Dimension {
    Dimension { name: id(&format!("d{n}")), value: id("v") }
}

fn text(n: usize) -> Metadata {
    Metadata { name: id(&format!("m{n}")), value: "x".to_owned() }
}

/// The form of an entry: all problems come at once, in this order.
const FORM: Table<NewEntry> = Table {
    operation: "post",
    books: chart,
    good: || rent("new"),
    ask,
    defects: &[
        defect("text-invalid", |e| e.description.clear()),
        of("lines", "too-few-lines", |e| e.lines.truncate(1)),
        of("lines", "too-many-lines", |e| e.lines.resize(MAX_LINES + 1, e.lines[0].clone())),
        of("amount", "amount-zero", |e| e.lines[0].amount.minor = 0),
        of("amount", "amount-too-large", |e| e.lines[0].amount.minor = MAX_MINOR + 1),
        defect("dimensions-invalid", |e| e.lines[0].dimensions = (0..9).map(named).collect()),
        defect("made-by-host", |e| detail(e).made = Some(Made::Line)),
        defect("base-invalid", |e| detail(e).base = Some(money(77, "USD"))),
        defect("rate-zero", |e| detail(e).rate = Some(Decimal::ZERO)),
        defect("kind-reserved", |e| details(e).kind = Some(id("host:mine"))),
        defect("too-many-guards", |e| (0..17).for_each(|_| guard(e))),
        defect("metadata-invalid", |e| details(e).metadata = (0..17).map(text).collect()),
    ],
};

fn place(books: &Books, new: NewHold) -> Result<(), String> {
    said(hold(&mut books.work(Rights::all()), new))
}

const HOLD: Table<NewHold> = Table {
    operation: "hold",
    books: chart,
    good: || NewHold { entry: rent("new"), timeout_seconds: None },
    ask: place,
    defects: &[
        defect("text-invalid", |h| h.entry.description.clear()),
        defect("too-many-lines", |h| (0..10).for_each(|_| add(&mut h.entry, "b/cash", "b/bank", 1))),
        defect("not-on-hold", |h| details(&mut h.entry).reference = Some("INV 2".to_owned())),
        of("timeout", "timeout-zero", |h| h.timeout_seconds = Some(0)),
        of("timeout", "timeout-overflow", |h| h.timeout_seconds = Some(MAX_MINOR)),
        of("id", "exists-with-different", |h| h.entry.id = id("open")),
        of("id", "id-already-failed", |h| h.entry.id = id("burnt")),
        defect("account-not-found", |h| add(&mut h.entry, "b/nowhere", "b/cash", 1)),
        defect("book-mismatch", |h| add(&mut h.entry, "other", "other", 1)),
        defect("missing-dimension", |h| add(&mut h.entry, "b/need", "b/cash", 1)),
        defect("party-required", |h| add(&mut h.entry, "b/party", "b/cash", 1)),
        defect("unbalanced", |h| unbalance(&mut h.entry)),
        defect("account-is-header", |h| add(&mut h.entry, "b/head", "b/cash", 1)),
        defect("account-closed", |h| add(&mut h.entry, "b/shut", "b/cash", 1)),
        of("kind", "manual-not-permitted", |h| add(&mut h.entry, "b/auto", "b/cash", 1)),
        defect("currency-mismatch", |h| add(&mut h.entry, "b/eur", "b/cash", 1)),
        of("date", "period-locked", |h| h.entry.date = day("2026-01-31")),
        of("kind", "period-locked", |h| sell(&mut h.entry)),
        of("date", "future-date", |h| h.entry.date = day("2026-07-04")),
        defect("insufficient", |h| add(&mut h.entry, "b/cash", "b/till", 1)),
        // What a hold keeps never adds to what is available, so that no hold exceeds a limit from below.
        defect("guard-failed", |h| guard(&mut h.entry)),
        defect("overflow", |h| (0..2).for_each(|_| add(&mut h.entry, "b/cash", "b/bank", MAX_MINOR))),
    ],
};

type Batch = (Vec<BatchItem>, BatchMode);

fn item(group: Option<u32>, name: &str) -> BatchItem {
    BatchItem { group, entry: rent(name) }
}

const BATCH: Table<Batch> = Table {
    operation: "post_batch",
    books: chart,
    good: || (vec![item(Some(1), "a"), item(Some(1), "b"), item(Some(2), "c")], BatchMode::Independent),
    ask: |books, (items, mode)| said(post_batch(&mut books.work(Rights::all()), items, mode)),
    defects: &[
        defect("batch-too-large", |(items, _)| items.resize(MAX_BATCH + 1, item(None, "a"))),
        defect("group-apart", |(items, _)| items.rotate_left(1)),
    ],
};

/// What the first of a group says: what is wrong with it, before what is wrong with the others.
const GROUP: Table<Vec<BatchItem>> = Table {
    operation: "post_batch, the outcome of one of a group",
    books: chart,
    good: || vec![item(Some(1), "a"), item(Some(1), "b")],
    ask: |books, items| {
        let outcomes = post_batch(&mut books.work(Rights::all()), items, BatchMode::Independent).unwrap();
        said(outcomes.into_iter().next().unwrap().map_err(Into::into))
    },
    defects: &[
        defect("unbalanced", |items| unbalance(&mut items[0].entry)),
        defect("group-failed", |items| unbalance(&mut items[1].entry)),
    ],
};
