//! Taking entries back.

use backroom_domain::MAX_MINOR;
use backroom_domain::ledger::{AccountType, LockKind, NewAccount, NewEntry, Reversal, ReversalDate, Scope};
use backroom_domain::rights::Rights;
use backroom_office::Work;
use backroom_office::ledger::{create_account, limit_future, lock_period, post, reverse};

use crate::books::{Books, account, code, day, entry, id, pair};
use crate::chart::close;
use crate::order::{Ordered, Table, defect, of, said};

pub(crate) fn tables() -> Vec<Box<dyn Ordered>> {
    vec![Box::new(REVERSE)]
}

/// What is in the way of taking an entry back: there is an entry for each set of these.
#[derive(Clone, Copy, Default)]
struct InTheWay {
    reversed: bool,
    shut: bool,
    locked: bool,
    spent: bool,
    full: bool,
}

impl InTheWay {
    fn of(bits: u8) -> Self {
        let [reversed, shut, locked, spent, full] = [1, 2, 4, 8, 16].map(|bit| bits & bit != 0);
        Self { reversed, shut, locked, spent, full }
    }

    fn name(self) -> String {
        let letter = |on: bool, letter: &str| if on { letter.to_owned() } else { String::new() };
        let Self { reversed, shut, locked, spent, full } = self;
        let letters =
            [(reversed, "r"), (shut, "s"), (locked, "l"), (spent, "m"), (full, "f")].map(|(on, of)| letter(on, of));
        format!("entry-{}", letters.concat())
    }

    fn entry(self) -> NewEntry {
        let date = if self.locked { "2026-01-15" } else { "2026-06-30" };
        let mut new = entry(&self.name(), date, pair("cash", "bank", 1, "USD"));
        for (on, account) in [(self.shut, "shut"), (self.spent, "till"), (self.full, "full")] {
            if on {
                new.lines.extend(pair(account, "cash", 1, "USD"));
            }
        }
        new
    }
}

fn books() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        for name in ["cash", "bank", "shut", "till", "far"] {
            create_account(work, account(name, "USD")).unwrap();
        }
        create_account(work, NewAccount { kind: AccountType::Liability, ..account("full", "USD") }).unwrap();
        post(work, entry("start", "2026-01-01", pair("cash", "far", 1_000, "USD"))).unwrap();
        // Taking back what was paid into the bank takes it from there.
        post(work, entry("loan", "2026-01-01", pair("bank", "far", 1_000, "USD"))).unwrap();
        let all: Vec<InTheWay> = (0..32).map(InTheWay::of).collect();
        for one in &all {
            post(work, one.entry()).unwrap();
        }
        for one in all.iter().filter(|one| one.reversed) {
            let name = format!("{}-back", one.name());
            let asked = Reversal { of: id(&one.name()), entry: id(&name), ..asked().new };
            reverse(work, &asked).unwrap();
        }
        spoil(work);
        assert_eq!(
            code(post(work, entry("burnt", "2026-06-30", pair("nowhere", "cash", 1, "USD")))),
            "account-not-found"
        );
    });
    books
}

/// Closes, empties and fills accounts, and locks days.
fn spoil(work: &mut Work) {
    // Half of the sixteen entries that paid into an account were taken back.
    post(work, entry("empty-shut", "2026-06-30", pair("far", "shut", 8, "USD"))).unwrap();
    post(work, entry("empty-till", "2026-06-30", pair("far", "till", 8, "USD"))).unwrap();
    // And what was taken back has been credited.
    create_account(work, account("sink", "USD")).unwrap();
    post(work, entry("fill-up", "2026-06-30", pair("sink", "full", MAX_MINOR - 8, "USD"))).unwrap();
    close(work, "shut");
    lock_period(work, &id("main"), Scope::All, LockKind::Soft, day("2026-01-31")).unwrap();
    // Today is the thirtieth of June, nine days ahead of the clock.
    limit_future(work, &id("main"), Some(9)).unwrap();
}

/// Who asks, and what is in the way of the entry that is to be taken back.
struct Asked {
    rights: fn() -> Rights,
    way: InTheWay,
    of: Option<&'static str>,
    today: &'static str,
    new: Reversal,
}

fn asked() -> Asked {
    let new = Reversal {
        of: id("later"),
        entry: id("new"),
        date: ReversalDate::Original,
        reason: "wrong".to_owned(),
        force: false,
    };
    Asked { rights: Rights::all, way: InTheWay::default(), of: None, today: "2026-06-30", new }
}

fn ask(books: &Books, asked: Asked) -> Result<(), String> {
    let of = asked.of.map_or_else(|| asked.way.name(), str::to_owned);
    let mut work = books.work((asked.rights)());
    work.today = day(asked.today);
    said(reverse(&mut work, &Reversal { of: id(&of), ..asked.new }))
}

const REVERSE: Table<Asked> = Table {
    operation: "reverse",
    books,
    good: asked,
    ask,
    defects: &[
        defect("ledger-post-denied", |a| a.rights = Rights::read_only),
        defect("text-invalid", |a| a.new.reason.clear()),
        defect("not-found", |a| a.of = Some("nowhere")),
        of("entry", "exists-with-different", |a| a.new.entry = id("start")),
        of("entry", "id-already-failed", |a| a.new.entry = id("burnt")),
        defect("already-reversed", |a| a.way.reversed = true),
        defect("account-closed", |a| a.way.shut = true),
        of("date", "period-locked", |a| a.way.locked = true),
        of("date", "future-date", |a| (a.new.date, a.today) = (ReversalDate::Now, "2026-07-01")),
        defect("would-overdraw", |a| a.way.spent = true),
        defect("overflow", |a| a.way.full = true),
    ],
};
