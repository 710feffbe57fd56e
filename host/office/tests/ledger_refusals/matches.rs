//! Open items, their matches, and bank statements.

use backroom_domain::ledger::{
    AccountRules, Amount, ItemRef, MAX_MATCHES, NewAccount, NewBankLine, NewEntry, NewMatch, NewStatement, Pair,
    WriteOff,
};
use backroom_domain::rights::Rights;
use backroom_domain::{Id, MAX_MINOR, Side};
use backroom_office::Work;
use backroom_office::ledger::{
    ItemFilter, ageing, confirm_line, create_account, create_book, import_statement, match_items, post,
    undo_confirmation, unmatch,
};

use crate::books::{Books, account, day, entry, id, line, money, pair};
use crate::chart::book;
use crate::order::{Ordered, Table, defect, of, said};

pub(crate) fn tables() -> Vec<Box<dyn Ordered>> {
    vec![
        Box::new(MATCH),
        Box::new(POSTED),
        Box::new(UNMATCH),
        Box::new(AGEING),
        Box::new(IMPORT),
        Box::new(CONFIRM),
        Box::new(UNDO),
    ]
}

/// Who asks, and for what.
struct Asked<T> {
    rights: fn() -> Rights,
    new: T,
}

impl<T> Asked<T> {
    fn of(new: T) -> Self {
        Self { rights: Rights::all, new }
    }

    fn work(&self, books: &Books) -> Work {
        books.work((self.rights)())
    }
}

fn item(entry: &str, line: u32) -> ItemRef {
    ItemRef { entry: id(entry), line }
}

fn matching(name: &str, debit: ItemRef, credit: ItemRef, minor: u64) -> NewMatch {
    NewMatch {
        id: id(name),
        date: day("2026-05-01"),
        pairs: vec![Pair { debit, credit, minor }],
        write_off: None,
        tolerance: 0,
        entry: None,
    }
}

fn dollars(name: &str, debit: &str, credit: &str, minor: u64, party: Option<&str>) -> NewEntry {
    let mut new = entry(name, "2026-03-01", pair(debit, credit, minor, "USD"));
    for line in &mut new.lines {
        line.details.get_or_insert_default().party = party.map(id);
    }
    new
}

fn euros(name: &str, debit: &str, credit: &str, worth: u64) -> NewEntry {
    let mut new =
        entry(name, "2026-03-01", vec![line(debit, Side::Debit, 100, "EUR"), line(credit, Side::Credit, 100, "EUR")]);
    for line in &mut new.lines {
        line.details.get_or_insert_default().base = Some(money(worth, "USD"));
    }
    new
}

/// Debtors in both currencies, a bank, and an item for each reason. Exchange differences have no account.
fn books() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        create_book(work, book("main")).unwrap();
        for (code, currency, reconcilable) in [
            ("debtors", "USD", true),
            ("foreign", "EUR", true),
            ("bank", "USD", true),
            ("sales", "USD", false),
            ("exports", "EUR", false),
        ] {
            let rules = AccountRules { reconcilable, ..AccountRules::default() };
            create_account(work, NewAccount { rules, ..account(code, currency) }).unwrap();
        }
        for new in [
            dollars("inv", "debtors", "sales", 1_000, Some("acme")),
            dollars("pay", "bank", "debtors", 1_000, Some("acme")),
            dollars("other", "bank", "debtors", 1_000, Some("other")),
            dollars("closed", "debtors", "sales", 7, Some("acme")),
            dollars("many", "debtors", "sales", 1_000, Some("acme")),
            dollars("back", "sales", "bank", 1_000, None),
            dollars("small-0", "bank", "debtors", 500, Some("acme")),
            dollars("small-1", "bank", "debtors", 500, Some("acme")),
            dollars("small-2", "bank", "debtors", 500, Some("acme")),
            euros("export", "foreign", "exports", 110),
            euros("even", "exports", "foreign", 110),
            euros("paid", "exports", "foreign", 115),
        ] {
            post(work, new).unwrap();
        }
        let all = matching("whole", item("closed", 0), item("pay", 1), 7);
        match_items(work, all).unwrap();
        for n in 0..MAX_MATCHES {
            let part = matching(&format!("part-{n}"), item("many", 0), item(&format!("small-{}", n % 2), 1), 1);
            match_items(work, part).unwrap();
        }
        bank(work);
    });
    books
}

fn ask_match(books: &Books, asked: Asked<NewMatch>) -> Result<(), String> {
    said(match_items(&mut asked.work(books), asked.new))
}

fn give_up(asked: &mut Asked<NewMatch>, minor: u64, tolerance: u64) {
    asked.new.write_off = Some(WriteOff { item: item("inv", 0), account: id("sales"), minor });
    asked.new.tolerance = tolerance;
}

const MATCH: Table<Asked<NewMatch>> = Table {
    operation: "match_items",
    books,
    good: || Asked::of(matching("new", item("inv", 0), item("pay", 1), 5)),
    ask: ask_match,
    defects: &[
        defect("ledger-post-denied", |a| a.rights = Rights::read_only),
        defect("pairs-invalid", |a| a.new.pairs.clear()),
        of("minor", "amount-zero", |a| a.new.pairs[0].minor = 0),
        defect("exists-with-different", |a| a.new.id = id("whole")),
        of("debit", "item-not-found", |a| a.new.pairs[0].debit = item("nowhere", 0)),
        of("debit", "wrong-side", |a| a.new.pairs[0].debit = item("small-0", 1)),
        of("credit", "different-account", |a| a.new.pairs[0].credit = item("even", 1)),
        of("credit", "different-party", |a| a.new.pairs[0].credit = item("other", 1)),
        of("debit", "item-closed", |a| a.new.pairs[0].debit = item("closed", 0)),
        of("minor", "over-match", |a| a.new.pairs[0].minor = 1_001),
        of("debit", "too-many-matches", |a| a.new.pairs[0].debit = item("many", 0)),
        of("given up", "tolerance-exceeded", |a| give_up(a, 2, 1)),
        of("given up", "over-match", |a| give_up(a, 1_001, 1_001)),
        of("given up", "entry-needed", |a| give_up(a, 2, 2)),
    ],
};

/// What a match posts.
const POSTED: Table<Asked<NewMatch>> = Table {
    operation: "match_items",
    books,
    good: || Asked::of(matching("new", item("export", 0), item("even", 1), 100)),
    ask: ask_match,
    defects: &[
        defect("exists-with-different", |a| a.new.id = id("whole")),
        defect("exchange-account-missing", |a| a.new.pairs[0].credit = item("paid", 1)),
        defect("entry-needed", |a| {
            a.new.pairs[0].minor = 98;
            a.new.write_off = Some(WriteOff { item: item("export", 0), account: id("exports"), minor: 2 });
            a.new.tolerance = 2;
        }),
    ],
};

type Undoing = (Id, &'static str);

const UNMATCH: Table<Asked<Undoing>> = Table {
    operation: "unmatch",
    books: || {
        let books = books();
        books.set_up(|work| {
            match_items(work, matching("undone", item("inv", 0), item("pay", 1), 1)).unwrap();
            unmatch(work, &id("undone"), "wrong", None).unwrap();
            let mut asked = Asked::of(matching("posted", item("inv", 0), item("pay", 1), 1));
            give_up(&mut asked, 2, 2);
            asked.new.entry = Some(id("given-up"));
            match_items(work, asked.new).unwrap();
        });
        books
    },
    good: || Asked::of((id("whole"), "mistaken")),
    ask: |books, asked| said(unmatch(&mut asked.work(books), &asked.new.0, asked.new.1, None)),
    defects: &[
        defect("ledger-post-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.1 = ""),
        of("id", "not-found", |a| a.new.0 = id("nowhere")),
        of("id", "already-undone", |a| a.new.0 = id("undone")),
        of("id", "entry-needed", |a| a.new.0 = id("posted")),
    ],
};

const AGEING: Table<Asked<Vec<u16>>> = Table {
    operation: "ageing",
    books,
    good: || Asked::of(vec![30, 60]),
    ask: |books, asked| said(ageing(&asked.work(books), &ItemFilter::default(), asked.new)),
    defects: &[
        defect("ledger-read-denied", |a| a.rights = Rights::default),
        defect("buckets-invalid", |a| a.new.push(60)),
    ],
};

fn shown(name: &str, side: Side, minor: u64) -> NewBankLine {
    let date = day("2026-03-01");
    NewBankLine { id: id(name), date, side, minor, counterparty: None, reference: None }
}

fn statement(name: &str, opening: i128, closing: i128, lines: Vec<NewBankLine>) -> NewStatement {
    let (opening, closing) = (Amount::of(opening), Amount::of(closing));
    NewStatement { id: id(name), account: id("bank"), opening, closing, lines }
}

/// Three lines, of which two are confirmed.
fn bank(work: &mut Work) {
    let lines = vec![shown("b1", Side::Debit, 1_000), shown("b2", Side::Debit, 500), shown("b4", Side::Debit, 500)];
    import_statement(work, &statement("s1", 0, 2_000, lines)).unwrap();
    confirm_line(work, &id("bank"), &id("b4"), &item("small-2", 0)).unwrap();
    confirm_line(work, &id("bank"), &id("b2"), &item("small-0", 0)).unwrap();
}

const IMPORT: Table<Asked<NewStatement>> = Table {
    operation: "import_statement",
    books,
    good: || Asked::of(statement("new", 2_000, 2_001, vec![shown("b3", Side::Debit, 1)])),
    ask: |books, asked| said(import_statement(&mut asked.work(books), &asked.new)),
    defects: &[
        // Whether there is such an account is told to whoever may read it.
        of("account", "ledger-post-denied", |a| a.rights = Rights::read_only),
        of("lines", "lines-invalid", |a| a.new.lines.clear()),
        of("minor", "amount-zero", |a| a.new.lines[0].minor = 0),
        of("minor", "amount-too-large", |a| a.new.lines[0].minor = MAX_MINOR + 1),
        defect("text-invalid", |a| a.new.lines[0].reference = Some("x".repeat(281))),
        of("closing", "balance-chain-broken", |a| a.new.closing = Amount::of(77)),
        of("account", "account-not-found", |a| a.new.account = id("nowhere")),
        of("account", "not-reconcilable", |a| a.new.account = id("sales")),
        of("id", "exists-with-different", |a| a.new.id = id("s1")),
        of("lines", "exists-with-different", |a| a.new.lines[0].id = id("b1")),
        of("lines", "duplicate-statement", |a| {
            a.new.lines = vec![shown("b2", Side::Debit, 500)];
            a.new.closing = Amount::of(a.new.opening.value() + 500);
        }),
        of("closing", "balance-chain-broken", |a| {
            (a.new.opening, a.new.closing) = (Amount::of(0), Amount::of(1));
        }),
    ],
};

type Confirming = (Id, ItemRef);

const CONFIRM: Table<Asked<Confirming>> = Table {
    operation: "confirm_line",
    books,
    good: || Asked::of((id("b1"), item("pay", 0))),
    ask: |books, asked| said(confirm_line(&mut asked.work(books), &id("bank"), &asked.new.0, &asked.new.1)),
    defects: &[
        defect("ledger-post-denied", |a| a.rights = Rights::read_only),
        of("line", "bank-line-not-found", |a| a.new.0 = id("nowhere")),
        of("item", "item-not-found", |a| a.new.1 = item("nowhere", 0)),
        of("line", "already-confirmed", |a| a.new.0 = id("b2")),
        of("item", "different-account", |a| a.new.1 = item("inv", 0)),
        of("item", "wrong-side", |a| a.new.1 = item("back", 1)),
        of("item", "item-closed", |a| a.new.1 = item("small-2", 0)),
        of("item", "amount-differs", |a| a.new.1 = item("small-1", 0)),
    ],
};

const UNDO: Table<Asked<Undoing>> = Table {
    operation: "undo_confirmation",
    books,
    good: || Asked::of((id("b2"), "mistaken")),
    ask: |books, asked| said(undo_confirmation(&mut asked.work(books), &id("bank"), &asked.new.0, asked.new.1)),
    defects: &[
        defect("ledger-post-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.1 = ""),
        defect("bank-line-not-found", |a| a.new.0 = id("nowhere")),
    ],
};
