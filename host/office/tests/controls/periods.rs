//! Locks, exceptions, and what they let pass (L11).

use std::collections::{BTreeMap, BTreeSet};

use backroom_domain::ledger::{EntryDetails, Holder, LockKind, NewEntry, NewException, Reversal, ReversalDate, Scope};
use backroom_domain::rights::{Grant, LedgerRights, Rights};
use backroom_domain::{BusinessDate, Instant};
use backroom_office::Work;
use backroom_office::ledger::{
    PeriodState, create_account, grant_exception, limit_future, list_entries, list_exception_uses, list_exceptions,
    list_periods, lock_period, post, reopen_period, reverse, revoke_exception,
};
use backroom_store::records::StoredEntry;
use proptest::prelude::*;

use crate::answer;
use crate::books::{Books, NOW, account, all, code, commit, day, entry, id, pair, told};

/// Days of June 2026. `NOW` is at the beginning of the 21st.
fn june(n: u8) -> BusinessDate {
    BusinessDate::new(2026, 6, n, "d").unwrap()
}

const HOUR: u64 = 3_600_000_000;

/// The day of all work, in June.
const TODAY: u8 = 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Ann,
    Bob,
    /// An installation that Ann started.
    Robot,
}

#[derive(Debug, Clone)]
enum Call {
    Lock(Scope, LockKind, u8),
    Reopen(Scope, u8),
    Grant {
        name: u8,
        scope: Scope,
        holder: Holder,
        hours: u64,
    },
    Revoke(u8),
    Future(Option<u16>),
    /// By whom, for which day of June, and whether its kind is of the scope `sales`.
    Post(Who, u8, bool),
    /// By whom, which of the entries, and whether on its own day or else on that of the work.
    Reverse(Who, usize, bool),
    Wait(u64),
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![3 => Just(Scope::All), 1 => Just(Scope::Sales)]
}

fn call() -> impl Strategy<Value = Call> {
    let kind = prop_oneof![4 => Just(LockKind::Soft), 1 => Just(LockKind::Hard)];
    let holder = prop_oneof![
        Just(Holder::Actor(id("ann"))),
        Just(Holder::Actor(id("robot"))),
        Just(Holder::Installation(id("robot"))),
        Just(Holder::Everyone),
    ];
    let who = prop_oneof![Just(Who::Ann), Just(Who::Bob), Just(Who::Robot)];
    prop_oneof![
        3 => (scope(), kind, 1_u8..=30).prop_map(|(scope, kind, until)| Call::Lock(scope, kind, until)),
        2 => (scope(), 1_u8..=30).prop_map(|(scope, from)| Call::Reopen(scope, from)),
        3 => (0_u8..4, scope(), holder, 0_u64..6)
            .prop_map(|(name, scope, holder, hours)| Call::Grant { name, scope, holder, hours }),
        1 => (0_u8..5).prop_map(Call::Revoke),
        1 => prop::option::of(0_u16..10).prop_map(Call::Future),
        8 => (who.clone(), 1_u8..=30, any::<bool>()).prop_map(|(who, day, sales)| Call::Post(who, day, sales)),
        4 => (who, 0_usize..12, any::<bool>()).prop_map(|(who, which, own)| Call::Reverse(who, which, own)),
        2 => (1_u64..4).prop_map(Call::Wait),
    ]
}

/// Sets of locked days instead of ends, and lists instead of keys.
#[derive(Debug, Default)]
struct Model {
    soft: BTreeMap<Scope, BTreeSet<u8>>,
    hard: BTreeMap<Scope, BTreeSet<u8>>,
    exceptions: Vec<Exception>,
    future: Option<u16>,
    /// Name, day, whether it is of `sales`; and whether it can be taken back, which it was not yet.
    posted: Vec<(String, u8, bool, bool)>,
    uses: Vec<(String, String)>,
    /// Entries that were tried: an id that is refused once is refused for good.
    tried: u32,
    at: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct Exception {
    name: String,
    scope: Scope,
    holder: Holder,
    until: u64,
    revoked: bool,
}

type Said = Result<bool, String>;

fn no(code: &str) -> Said {
    Err(code.to_owned())
}

impl Model {
    fn lock(&mut self, scope: Scope, kind: LockKind, until: u8) -> Said {
        let hard = self.hard.entry(scope).or_default();
        let soft = self.soft.entry(scope).or_default();
        let others = hard.clone();
        let days = if kind == LockKind::Soft { soft } else { hard };
        if days.last() == Some(&until) {
            return Ok(true);
        }
        let behind = |days: &BTreeSet<u8>| days.iter().any(|day| *day >= until);
        if behind(days) || (kind == LockKind::Soft && behind(&others)) {
            return no("lock-not-forward");
        }
        days.extend(1..=until);
        Ok(false)
    }

    fn reopen(&mut self, scope: Scope, from: u8) -> Said {
        if self.hard.entry(scope).or_default().range(from..).next().is_some() {
            return no("hard-lock");
        }
        let soft = self.soft.entry(scope).or_default();
        let before = soft.len();
        soft.retain(|day| *day < from);
        Ok(soft.len() == before)
    }

    fn grant(&mut self, new: Exception) -> Said {
        if let Some(old) = self.exceptions.iter().find(|old| old.name == new.name) {
            let same = Exception { revoked: false, ..old.clone() } == new;
            return if same { Ok(true) } else { no("exists-with-different") };
        }
        if new.until <= self.at {
            return no("exception-expired");
        }
        self.exceptions.push(new);
        Ok(false)
    }

    fn revoke(&mut self, name: &str) -> Said {
        let at = self.at;
        let Some(old) = self.exceptions.iter_mut().find(|old| old.name == name) else { return no("not-found") };
        if old.revoked {
            return Ok(true);
        }
        if old.until <= at {
            return no("exception-expired");
        }
        old.revoked = true;
        Ok(false)
    }

    fn reverse(&mut self, who: Who, which: usize, own: bool) -> Said {
        let Some((_, day, sales, open)) = self.posted.get(which).cloned() else { return no("not-found") };
        if !open {
            return no("already-reversed");
        }
        let said = self.post(who, if own { day } else { TODAY }, sales);
        if said.is_ok() {
            self.posted[which].3 = false;
        }
        said
    }

    fn post(&mut self, who: Who, day: u8, sales: bool) -> Said {
        let scopes = if sales { vec![Scope::All, Scope::Sales] } else { vec![Scope::All] };
        let has = |days: &BTreeMap<Scope, BTreeSet<u8>>, scope: &Scope| {
            days.get(scope).is_some_and(|days| days.contains(&day))
        };
        if scopes.iter().any(|scope| has(&self.hard, scope)) {
            return no("period-locked");
        }
        let mut used = Vec::new();
        for scope in scopes.iter().filter(|scope| has(&self.soft, scope)) {
            let own = match who {
                Who::Ann => Holder::Actor(id("ann")),
                Who::Bob => Holder::Actor(id("bob")),
                Who::Robot => Holder::Installation(id("robot")),
            };
            let theirs = |holder: &Holder| -> Vec<&Exception> {
                let all = self.exceptions.iter().filter(|one| one.scope == *scope && !one.revoked);
                let mut all: Vec<_> = all.filter(|one| one.holder == *holder).collect();
                all.sort_by(|a, b| b.until.cmp(&a.until).then(a.name.cmp(&b.name)));
                all
            };
            let candidates: Vec<_> = [theirs(&own), theirs(&Holder::Everyone)].concat();
            match candidates.iter().find(|one| one.until > self.at) {
                Some(one) => used.push(one.name.clone()),
                None if candidates.is_empty() => return no("period-locked"),
                None => return no("exception-expired"),
            }
        }
        // It begins with the 21st.
        let today = 21 + u16::try_from(self.at / (24 * HOUR)).unwrap();
        if self.future.is_some_and(|days| u16::from(day) > today + days) {
            return no("future-date");
        }
        let name = format!("e{}", self.tried);
        self.posted.push((name.clone(), day, sales, true));
        self.uses.extend(used.into_iter().map(|exception| (exception, name.clone())));
        Ok(false)
    }
}

fn by(books: &Books, who: Who, now: Instant) -> Work {
    match who {
        Who::Ann => books.work_by("ann", None, now),
        Who::Bob => books.work_by("bob", None, now),
        Who::Robot => books.work_by("ann", Some("robot"), now),
    }
}

/// Does one call to both, and gives both answers.
#[expect(clippy::too_many_lines, reason = "one arm for each call")]
fn both(books: &Books, model: &mut Model, call: Call) -> (Said, Said) {
    let main = id("main");
    let now = Instant(NOW.0 + model.at);
    let mut work = books.work_by("boss", None, now);
    let posting = matches!(call, Call::Post(..) | Call::Reverse(..));
    let (got, want) = match call {
        Call::Lock(scope, kind, until) => (
            answer(lock_period(&mut work, &main, scope, kind, june(until))).map(|changed| changed.replayed),
            model.lock(scope, kind, until),
        ),
        Call::Reopen(scope, from) => (
            answer(reopen_period(&mut work, &main, scope, june(from), "late".to_owned()))
                .map(|changed| changed.replayed),
            model.reopen(scope, from),
        ),
        Call::Grant { name, scope, holder, hours } => {
            let until = hours * HOUR;
            let name = format!("x{name}");
            let new = NewException {
                id: id(&name),
                scope,
                holder: holder.clone(),
                until: Instant(NOW.0 + until),
                reason: "late invoice".to_owned(),
            };
            let got = answer(grant_exception(&mut work, &main, new)).map(|changed| changed.replayed);
            (got, model.grant(Exception { name, scope, holder, until, revoked: false }))
        }
        Call::Revoke(name) => {
            let name = format!("x{name}");
            let got = answer(revoke_exception(&mut work, &main, &id(&name))).map(|changed| changed.replayed);
            (got, model.revoke(&name))
        }
        Call::Future(days) => {
            let same = model.future == days;
            model.future = days;
            (answer(limit_future(&mut work, &main, days)).map(|changed| changed.replayed), Ok(same))
        }
        Call::Post(who, day, sales) => {
            drop(work);
            model.tried += 1;
            work = by(books, who, now);
            let date = june(day).to_string();
            let mut new = entry(&format!("e{}", model.tried), &date, pair("1000", "2000", 5, "USD"));
            if sales {
                let details = EntryDetails { kind: Some(id("sales:invoice")), ..EntryDetails::default() };
                new.details = Some(Box::new(details));
            }
            (answer(post(&mut work, new)).map(|posted| posted.replayed), model.post(who, day, sales))
        }
        Call::Reverse(who, which, own) => {
            drop(work);
            model.tried += 1;
            work = by(books, who, now);
            let of = model.posted.get(which).map_or("nowhere", |(name, ..)| name);
            let date = if own { ReversalDate::Original } else { ReversalDate::Now };
            let entry = id(&format!("e{}", model.tried));
            let asked = Reversal { of: id(of), entry, date, reason: "wrong".to_owned(), force: true };
            (answer(reverse(&mut work, &asked)).map(|posted| posted.replayed), model.reverse(who, which, own))
        }
        Call::Wait(hours) => {
            model.at += hours * HOUR;
            (Ok(true), Ok(true))
        }
    };
    if got == Ok(false) {
        commit(work);
    } else {
        // What was refused or repeated left nothing, but that the id of a refused entry is failed.
        assert!(work.effects().is_empty());
        assert!(posting || work.tx().changes() == 0);
    }
    (got, want)
}

proptest! {
    #![proptest_config(crate::books::sequences())]

    #[test]
    fn nothing_is_posted_to_a_locked_day_but_under_an_exception(calls in prop::collection::vec(call(), 1..60)) {
        let books = with_accounts();
        let mut model = Model::default();
        for call in calls {
            let shown = format!("{call:?}");
            let (got, want) = both(&books, &mut model, call);
            prop_assert_eq!(got, want, "{}", shown);
        }
        let work = books.work(Rights::all());
        let main = id("main");
        let dates: Vec<_> = all(7, |page| list_entries(&work, page)).into_iter().map(|entry| entry.new.date).collect();
        prop_assert_eq!(dates, model.posted.iter().map(|(_, day, ..)| june(*day)).collect::<Vec<_>>());
        let mut uses = Vec::new();
        for exception in all(2, |page| list_exceptions(&work, &main, page)) {
            for used in all(2, |page| list_exception_uses(&work, &main, &exception.new.id, page)) {
                uses.push((used.exception.to_string(), used.entry.to_string()));
            }
        }
        model.uses.sort();
        uses.sort();
        prop_assert_eq!(uses, model.uses);
        let june_row = list_periods(&work, &main, Some(2026)).unwrap().periods.remove(5);
        for state in june_row.scopes.iter().filter(|state| matches!(state.scope, Scope::All | Scope::Sales)) {
            let has = |days: &BTreeMap<Scope, BTreeSet<u8>>, day: u8| {
                [Scope::All, state.scope].iter().any(|scope| days.get(scope).is_some_and(|days| days.contains(&day)))
            };
            let hard = (1..=30).all(|day| has(&model.hard, day));
            let soft = (1..=30).all(|day| has(&model.hard, day) || has(&model.soft, day));
            let some = (1..=30).any(|day| has(&model.hard, day) || has(&model.soft, day));
            let want = match (hard, soft, some) {
                (true, ..) => PeriodState::Hard,
                (_, true, _) => PeriodState::Soft,
                (_, _, true) => PeriodState::Partly,
                _ => PeriodState::Open,
            };
            prop_assert_eq!(state.state, want, "{:?}", state.scope);
        }
    }
}

fn with_accounts() -> Books {
    let books = Books::new();
    books.set_up(|work| {
        for code in ["1000", "2000"] {
            create_account(work, account(code, "USD")).unwrap();
        }
    });
    books
}

fn exception(name: &str, hours: u64) -> NewException {
    NewException {
        id: id(name),
        scope: Scope::All,
        holder: Holder::Everyone,
        until: Instant(NOW.0 + hours * HOUR),
        reason: "late".to_owned(),
    }
}

/// The property above says little if its calls never get far.
#[test]
fn the_calls_of_the_model_reach_every_outcome() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..400 {
        let books = with_accounts();
        let mut model = Model::default();
        for call in prop::collection::vec(call(), 30..60).new_tree(&mut runner).unwrap().current() {
            let kind = format!("{call:?}").split([' ', '(']).next().unwrap().to_owned();
            let (got, want) = both(&books, &mut model, call);
            assert_eq!(got, want);
            seen.insert(match got {
                Ok(replayed) => format!("{kind} {replayed}"),
                Err(code) => format!("{kind} {code}"),
            });
        }
    }
    for want in [
        "Lock lock-not-forward",
        "Lock true",
        "Reopen hard-lock",
        "Reopen false",
        "Reopen true",
        "Grant exists-with-different",
        "Grant exception-expired",
        "Grant true",
        "Revoke not-found",
        "Revoke exception-expired",
        "Revoke false",
        "Revoke true",
        "Reverse already-reversed",
        "Reverse exception-expired",
        "Reverse false",
        "Reverse future-date",
        "Reverse period-locked",
        "Post period-locked",
        "Post exception-expired",
        "Post future-date",
        "Post false",
    ] {
        assert!(seen.contains(want), "{want}: {seen:?}");
    }
}

#[test]
fn refusals_come_in_the_order_of_the_contract() {
    let books = with_accounts();
    let main = id("main");
    let nobody = || Rights::from(Grant::read_only());
    let mut work = books.work(nobody());
    let (no, none) = (id("none"), String::new);
    assert_eq!(code(lock_period(&mut work, &no, Scope::All, LockKind::Soft, june(1))), "periods-denied");
    assert_eq!(code(reopen_period(&mut work, &no, Scope::All, june(1), none())), "periods-denied");
    assert_eq!(code(limit_future(&mut work, &no, None)), "periods-denied");
    let empty = NewException { reason: none(), ..exception("x", 0) };
    assert_eq!(code(grant_exception(&mut work, &no, empty.clone())), "periods-denied");
    assert_eq!(code(revoke_exception(&mut work, &main, &no)), "periods-denied");
    drop(work);
    let work = books.work(Rights::default());
    assert_eq!(code(list_periods(&work, &no, Some(1))), "ledger-read-denied");
    let page = backroom_office::PageRequest::first(0);
    assert_eq!(code(list_exceptions(&work, &main, &page)), "ledger-read-denied");
    assert_eq!(code(list_exception_uses(&work, &main, &no, &page)), "ledger-read-denied");
    drop(work);

    let mut work = books.work(Rights::all());
    assert_eq!(code(lock_period(&mut work, &no, Scope::All, LockKind::Soft, june(1))), "book-not-found");
    assert_eq!(told(reopen_period(&mut work, &no, Scope::All, june(1), none())).2, "reason");
    assert_eq!(code(reopen_period(&mut work, &no, Scope::All, june(1), "r".to_owned())), "book-not-found");
    assert_eq!(code(grant_exception(&mut work, &no, empty)), "text-invalid");
    assert_eq!(code(grant_exception(&mut work, &no, exception("x", 0))), "book-not-found");
    assert_eq!(code(list_periods(&work, &no, Some(1))), "book-not-found");
    assert_eq!(code(list_periods(&work, &main, Some(1))), "year-invalid");
    // Locked, and too far ahead: the lock is what is said.
    limit_future(&mut work, &main, Some(0)).unwrap();
    lock_period(&mut work, &main, Scope::All, LockKind::Soft, june(30)).unwrap();
    let new = |name: &str| entry(name, "2026-06-30", pair("1000", "2000", 5, "USD"));
    let (class, code_word, field) = told(post(&mut work, new("e1")));
    assert_eq!((class, code_word.as_str(), field.as_str()), (backroom_domain::Class::Refused, "period-locked", "date"));
    reopen_period(&mut work, &main, Scope::All, june(1), "r".to_owned()).unwrap();
    assert_eq!(told(post(&mut work, new("e2"))).1, "future-date");
    // A refused entry is no use of an exception.
    lock_period(&mut work, &main, Scope::All, LockKind::Soft, june(30)).unwrap();
    grant_exception(&mut work, &main, exception("x", 1)).unwrap();
    assert_eq!(told(post(&mut work, new("e3"))).1, "future-date");
    assert_eq!(all(9, |page| list_exception_uses(&work, &main, &id("x"), page)), []);
}

#[test]
fn rights_are_by_book() {
    let books = with_accounts();
    let of = |book: &str| {
        let periods = crate::books::patterns(&[book]);
        Rights::from(Grant { ledger: LedgerRights { periods, ..LedgerRights::default() }, ..Grant::default() })
    };
    let mut work = books.work(of("other"));
    assert_eq!(code(lock_period(&mut work, &id("main"), Scope::All, LockKind::Soft, june(1))), "periods-denied");
    drop(work);
    let mut work = books.work(of("ma*"));
    assert!(lock_period(&mut work, &id("main"), Scope::All, LockKind::Soft, june(1)).is_ok());
}

/// What is locked for an entry is locked for taking it back, and an open day takes it.
#[test]
fn a_reversal_goes_to_an_open_day() {
    let books = with_accounts();
    let main = id("main");
    books.set_up(|work| {
        let details = EntryDetails { kind: Some(id("sales")), ..EntryDetails::default() };
        let new = entry("e", "2026-06-05", pair("1000", "2000", 5, "USD"));
        post(work, NewEntry { details: Some(Box::new(details)), ..new }).unwrap();
        lock_period(work, &main, Scope::Sales, LockKind::Soft, june(10)).unwrap();
    });
    let mut work = books.work(Rights::all());
    let take_back =
        |name: &str, date| Reversal { of: id("e"), entry: id(name), date, reason: "wrong".to_owned(), force: true };
    assert_eq!(told(reverse(&mut work, &take_back("r1", ReversalDate::Original))).1, "period-locked");
    assert_eq!(reverse(&mut work, &take_back("r2", ReversalDate::Now)).unwrap().entry.new.date, day("2026-06-30"));
}

/// Back and forth, over and over: the lock of the first entry counts for each, and none looks at more than the one it takes back.
#[test]
fn what_takes_back_a_reversal_belongs_where_the_first_entry_does() {
    let books = with_accounts();
    let main = id("main");
    let take_back = |of: &str, name: &str, date| {
        let (of, entry) = (id(of), id(name));
        Reversal { of, entry, date, reason: "wrong".to_owned(), force: true }
    };
    books.set_up(|work| {
        let details = EntryDetails { kind: Some(id("sales")), ..EntryDetails::default() };
        let new = entry("e0", "2026-06-05", pair("1000", "2000", 5, "USD"));
        post(work, NewEntry { details: Some(Box::new(details)), ..new }).unwrap();
        for n in 1..50 {
            let (of, name) = (format!("e{}", n - 1), format!("e{n}"));
            reverse(work, &take_back(&of, &name, ReversalDate::Original)).unwrap();
        }
        lock_period(work, &main, Scope::Sales, LockKind::Soft, june(10)).unwrap();
        // Whoever looked at the beginning of the chain would find that it is damaged.
        work.tx_mut().delete::<StoredEntry>(&id("e0"));
    });
    let mut work = books.work(Rights::all());
    assert_eq!(told(reverse(&mut work, &take_back("e49", "r1", ReversalDate::Original))).1, "period-locked");
    let back = reverse(&mut work, &take_back("e49", "r2", ReversalDate::Now)).unwrap();
    assert_eq!(back.entry.reverses, Some(id("e49")));
    drop(work);
    let mut work = books.work(Rights::all());
    reopen_period(&mut work, &main, Scope::Sales, june(1), "late".to_owned()).unwrap();
    assert!(reverse(&mut work, &take_back("e49", "r1", ReversalDate::Original)).is_ok());
}

/// Reversals from before they said where they belong are gone back through.
#[test]
fn a_reversal_that_does_not_say_where_it_belongs_belongs_where_the_first_entry_does() {
    let books = with_accounts();
    let take_back = |of: &str, name: &str| {
        let (of, entry, date) = (id(of), id(name), ReversalDate::Original);
        Reversal { of, entry, date, reason: "wrong".to_owned(), force: true }
    };
    books.set_up(|work| {
        let details = EntryDetails { kind: Some(id("sales")), ..EntryDetails::default() };
        let new = entry("e0", "2026-06-05", pair("1000", "2000", 5, "USD"));
        post(work, NewEntry { details: Some(Box::new(details)), ..new }).unwrap();
        for (of, name) in [("e0", "e1"), ("e1", "e2")] {
            reverse(work, &take_back(of, name)).unwrap();
            let stored = work.tx().get::<StoredEntry>(&id(name)).unwrap().unwrap();
            assert_eq!(stored.scope, Some(Scope::Sales));
            work.put(&StoredEntry { scope: None, ..stored }).unwrap();
        }
        lock_period(work, &id("main"), Scope::Sales, LockKind::Soft, june(10)).unwrap();
    });
    let mut work = books.work(Rights::all());
    assert_eq!(told(reverse(&mut work, &take_back("e2", "e3"))).1, "period-locked");
}

#[test]
fn a_year_is_shown_with_its_locks() {
    let books = with_accounts();
    let main = id("main");
    let mut work = books.work(Rights::all());
    lock_period(&mut work, &main, Scope::All, LockKind::Hard, day("2026-02-28")).unwrap();
    lock_period(&mut work, &main, Scope::All, LockKind::Soft, day("2026-04-30")).unwrap();
    lock_period(&mut work, &main, Scope::Sales, LockKind::Soft, day("2026-05-10")).unwrap();
    let shown = list_periods(&work, &main, None).unwrap();
    assert_eq!((shown.year.year, shown.locks.len(), shown.periods.len()), (2026, 2, 12));
    let states = |scope: usize| shown.periods.iter().map(|row| row.scopes[scope].state).collect::<Vec<_>>();
    use PeriodState::{Hard, Open, Partly, Soft};
    assert_eq!(states(0)[..5], [Hard, Hard, Soft, Soft, Open]);
    assert_eq!(states(2)[..6], [Hard, Hard, Soft, Soft, Partly, Open]);
}
