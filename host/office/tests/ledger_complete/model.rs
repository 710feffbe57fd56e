//! The plain reference: everything that was posted and held in plain lists, summed up anew for every question.

use std::collections::{BTreeMap, BTreeSet};

use crate::script::{BASE_OF_EU, Command, Item, Part, RATE_SCALE};

/// The refusal, by its code.
pub(crate) type Answer<T> = Result<T, &'static str>;

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) code: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) debit_normal: bool,
    pub(crate) header: bool,
    pub(crate) manual: bool,
    pub(crate) needs: bool,
    pub(crate) min: Option<i128>,
    pub(crate) max: Option<i128>,
    pub(crate) closed: bool,
    pub(crate) version: u64,
}

impl Account {
    fn in_eu(&self) -> bool {
        self.code.starts_with("eu/")
    }
}

/// A line as it was posted or held. Debits are positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) account: String,
    pub(crate) debit: bool,
    pub(crate) minor: u64,
    pub(crate) currency: &'static str,
    pub(crate) base: Option<u64>,
    pub(crate) rate: Option<u64>,
    pub(crate) tagged: bool,
    pub(crate) asked_base: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) asked: Option<Item>,
    pub(crate) day: u8,
    pub(crate) at: u64,
    pub(crate) lines: Vec<Line>,
    pub(crate) reverses: Option<String>,
    pub(crate) settles: Option<(String, Option<u64>)>,
    pub(crate) reversed: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) id: String,
    pub(crate) asked: (Item, Option<u64>),
    pub(crate) day: u8,
    pub(crate) lines: Vec<Line>,
    pub(crate) kept: Vec<u64>,
    pub(crate) ends: Option<u64>,
    pub(crate) state: &'static str,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<&'static str, Account>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) holds: Vec<Hold>,
    failed: BTreeSet<String>,
    failed_holds: BTreeSet<String>,
    references: BTreeSet<(bool, String)>,
    /// Seconds.
    pub(crate) now: u64,
    pub(crate) today: u8,
}

/// The four counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) debits: i128,
    pub(crate) credits: i128,
    pub(crate) debits_held: i128,
    pub(crate) credits_held: i128,
    pub(crate) base_debits: i128,
    pub(crate) base_credits: i128,
}

impl Counters {
    fn posted(&self, debit_normal: bool) -> i128 {
        if debit_normal { self.debits - self.credits } else { self.credits - self.debits }
    }

    fn held(&self, debit_normal: bool) -> i128 {
        if debit_normal { self.credits_held } else { self.debits_held }
    }

    pub(crate) fn available(&self, debit_normal: bool) -> i128 {
        self.posted(debit_normal) - self.held(debit_normal)
    }

    fn post(&mut self, line: &Line, base: Option<&str>) {
        let amount = i128::from(line.minor);
        let own = base == Some(line.currency);
        let of_base = if own { amount } else { i128::from(line.base.unwrap_or(0)) };
        match line.debit {
            true => (self.debits, self.base_debits) = (self.debits + amount, self.base_debits + of_base),
            false => (self.credits, self.base_credits) = (self.credits + amount, self.base_credits + of_base),
        }
    }

    fn hold(&mut self, line: &Line, kept: u64) {
        match line.debit {
            true => self.debits_held += i128::from(kept),
            false => self.credits_held += i128::from(kept),
        }
    }
}

/// What decides on limits besides the accounts' own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Floor {
    Limits,
    Zero,
    None,
}

/// What is posted or held, beyond its lines.
struct How<'a> {
    holds: bool,
    manual: bool,
    checked: bool,
    floor: Floor,
    reference: Option<&'a str>,
    guard: Option<(&'static str, u8, u8, i64)>,
    before: BTreeMap<String, i128>,
}

impl How<'_> {
    fn of(item: &Item) -> How<'_> {
        How {
            holds: false,
            manual: !item.system,
            checked: true,
            floor: Floor::Limits,
            reference: item.reference.as_deref(),
            guard: item.guard,
            before: BTreeMap::new(),
        }
    }
}

impl Model {
    fn open(&self, hold: &Hold) -> bool {
        hold.state == "held" && hold.ends.is_none_or(|ends| ends > self.now)
    }

    /// The state of a hold now.
    pub(crate) fn state(&self, hold: &Hold) -> &'static str {
        if hold.state == "held" && !self.open(hold) { "expired" } else { hold.state }
    }

    /// The counters of an account: up to a day of the books, up to a second of recording.
    pub(crate) fn counters(&self, code: &str, day: Option<u8>, at: Option<u64>) -> Counters {
        let mut sum = Counters::default();
        let base = code.starts_with("eu/").then_some(BASE_OF_EU);
        let entries =
            self.entries.iter().filter(|e| day.is_none_or(|day| e.day <= day) && at.is_none_or(|at| e.at <= at));
        for line in entries.flat_map(|entry| &entry.lines).filter(|line| line.account == code) {
            sum.post(line, base);
        }
        if at.is_none() {
            let holds = self.holds.iter().filter(|h| self.open(h) && day.is_none_or(|day| h.day <= day));
            for (line, kept) in
                holds.flat_map(|hold| hold.lines.iter().zip(&hold.kept)).filter(|(l, _)| l.account == code)
            {
                sum.hold(line, *kept);
            }
        }
        sum
    }

    pub(crate) fn available(&self, code: &str) -> i128 {
        self.counters(code, None, None).available(self.accounts[code].debit_normal)
    }

    /// What a command comes to: a number that says it in short, for each of its parts.
    pub(crate) fn perform(&mut self, command: &Command) -> Vec<Answer<u64>> {
        match command {
            Command::Post(item) => vec![self.post(item)],
            Command::Batch { items, all } => self.batch(items, *all),
            Command::Apart { .. } => vec![Err("group-apart")],
            Command::Hold { item, timeout } => vec![self.place(item, *timeout)],
            Command::Settle { hold, entry, amount, last, later } => {
                vec![self.settle(hold, entry, *amount, *last, *later)]
            }
            Command::Release { hold, amount } => vec![self.release(hold, *amount)],
            Command::Reverse { of, entry, original, force } => vec![self.reverse(of, entry, *original, *force)],
            Command::Limit { account, behind, min, max } => vec![self.limit(account, *behind, *min, *max)],
            Command::Close { account, sweep } => vec![self.close(account, sweep.as_ref())],
            Command::Reopen { account } => vec![self.reopen(account)],
        }
    }

    fn lines(&self, parts: &[Part]) -> Vec<Line> {
        let line = |part: &Part| Line {
            account: part.account.to_owned(),
            debit: part.debit,
            minor: part.minor,
            currency: part.currency,
            base: part.base,
            rate: part.rate,
            tagged: part.tagged,
            asked_base: part.base.is_some(),
        };
        parts.iter().map(line).collect()
    }

    fn form(item: &Item) -> Answer<()> {
        if item.parts.len() < 2 {
            return Err("too-few-lines");
        }
        if item.parts.iter().any(|part| part.minor == 0) {
            return Err("amount-zero");
        }
        Ok(())
    }

    fn post(&mut self, item: &Item) -> Answer<u64> {
        Self::form(item)?;
        if let Some(old) = self.entries.iter().find(|entry| entry.id == item.id) {
            let same = old.asked.as_ref() == Some(item);
            return if same { Ok(self.number(&item.id)) } else { Err("exists-with-different") };
        }
        if self.failed.contains(&item.id) {
            return Err("id-already-failed");
        }
        let lines = self.lines(&item.parts);
        let done = self.decide(lines, item.day, &How::of(item));
        let lines = self.burnt(&item.id, done)?;
        self.references.extend(item.reference.clone().map(|reference| (in_eu(&lines), reference)));
        self.record(&item.id, Some(item.clone()), item.day, lines);
        Ok(self.number(&item.id))
    }

    fn number(&self, id: &str) -> u64 {
        self.entries.iter().position(|entry| entry.id == id).map_or(0, |place| place as u64 + 1)
    }

    fn record(&mut self, id: &str, asked: Option<Item>, day: u8, lines: Vec<Line>) {
        let at = self.now;
        self.entries.push(Entry {
            id: id.to_owned(),
            asked,
            day,
            at,
            lines,
            reverses: None,
            settles: None,
            reversed: false,
        });
    }

    fn burnt<T>(&mut self, id: &str, done: Answer<T>) -> Answer<T> {
        if done.as_ref().is_err_and(|code| !["unbalanced", "id-already-failed"].contains(code)) {
            self.failed.insert(id.to_owned());
        }
        done
    }

    /// The lines with their base amounts, and that of the host, if they may be posted.
    fn decide(&self, mut lines: Vec<Line>, _day: u8, how: &How<'_>) -> Answer<Vec<Line>> {
        let found = |account: &str| self.accounts.get(account);
        if lines.iter().any(|line| found(&line.account).is_none()) {
            return Err("account-not-found");
        }
        if how.guard.is_some_and(|guard| found(guard.0).is_none_or(|account| account.header)) {
            return Err("account-not-found");
        }
        let books: BTreeSet<bool> =
            lines.iter().filter_map(|l| found(&l.account)).filter(|a| !a.header).map(Account::in_eu).collect();
        if books.len() > 1 {
            return Err("book-mismatch");
        }
        let eu = books.contains(&true);
        if eu && !how.holds {
            fill(&mut lines)?;
        }
        if how.checked {
            let bare = |line: &&Line| found(&line.account).is_some_and(|account| account.needs) && !line.tagged;
            // The dimension and the party come together here, and the dimension is asked for first.
            if lines.iter().any(|line| bare(&line)) {
                return Err("missing-dimension");
            }
        }
        if how.reference.is_some_and(|reference| self.references.contains(&(eu, reference.to_owned()))) {
            return Err("duplicate-reference");
        }
        for currency in ["EUR", "USD"] {
            let of = |debit: bool| -> u64 {
                lines.iter().filter(|l| l.debit == debit && l.currency == currency).map(|l| l.minor).sum()
            };
            if (!eu || how.holds || currency != BASE_OF_EU) && of(true) != of(false) {
                return Err("unbalanced");
            }
        }
        if eu && !how.holds {
            lines.extend(difference(&lines)?);
        }
        self.check_accounts(&lines, how)?;
        self.check_limits(&lines, how)?;
        Ok(lines)
    }

    fn check_accounts(&self, lines: &[Line], how: &How<'_>) -> Answer<()> {
        let any =
            |test: &dyn Fn(&Line, &Account) -> bool| lines.iter().any(|l| test(l, &self.accounts[l.account.as_str()]));
        match () {
            () if any(&|_, account| account.header) => Err("account-is-header"),
            () if any(&|_, account| account.closed) => Err("account-closed"),
            () if how.manual && any(&|_, account| !account.manual) => Err("manual-not-permitted"),
            () if any(&|line, account| line.currency != account.currency) => Err("currency-mismatch"),
            () => Ok(()),
        }
    }

    fn check_limits(&self, lines: &[Line], how: &How<'_>) -> Answer<()> {
        let after = |code: &str| {
            let mut sum = self.counters(code, None, None);
            for line in lines.iter().filter(|line| line.account == code) {
                if how.holds { sum.hold(line, line.minor) } else { sum.post(line, None) }
            }
            sum
        };
        let mut exceeded = false;
        for account in self.accounts.values().filter(|account| !account.header) {
            let was = how.before.get(account.code).copied().unwrap_or_else(|| self.available(account.code));
            let now = after(account.code).available(account.debit_normal);
            let min = match how.floor {
                Floor::None => None,
                Floor::Limits => account.min,
                Floor::Zero => Some(account.min.unwrap_or(0)),
            };
            if min.is_some_and(|min| now < min && now < was) {
                return Err("insufficient");
            }
            exceeded |= account.max.is_some_and(|max| now > max && now > was);
        }
        if exceeded {
            return Err("limit-exceeded");
        }
        let Some((code, figure, op, value)) = how.guard else { return Ok(()) };
        let (sum, debit_normal) = (after(code), self.accounts[code].debit_normal);
        let figure =
            [sum.available(debit_normal), sum.posted(debit_normal), sum.held(debit_normal)][usize::from(figure)];
        let value = i128::from(value);
        let holds = [figure >= value, figure <= value, figure == value][usize::from(op)];
        if holds { Ok(()) } else { Err("guard-failed") }
    }

    fn batch(&mut self, items: &[(Option<u32>, Item)], all: bool) -> Vec<Answer<u64>> {
        let mut answers = Vec::new();
        let mut rest = items;
        while let Some(((group, _), _)) = rest.split_first() {
            let count = match (all, group) {
                (true, _) => rest.len(),
                (false, None) => 1,
                (false, Some(_)) => rest.iter().take_while(|(other, _)| other == group).count(),
            };
            let (now, later) = rest.split_at(count);
            let before = self.clone();
            let old: Vec<bool> = now.iter().map(|(_, item)| self.entries.iter().any(|e| e.id == item.id)).collect();
            let mut told: Vec<Answer<u64>> = now.iter().map(|(_, item)| self.post(item)).collect();
            if count > 1 && told.iter().any(Result::is_err) {
                let failed = self.clone();
                *self = before;
                for ((answer, (_, item)), old) in told.iter_mut().zip(now).zip(old) {
                    match answer {
                        Err(_) if failed.failed.contains(&item.id) => drop(self.failed.insert(item.id.clone())),
                        Ok(_) if !old => *answer = Err("group-failed"),
                        _ => {}
                    }
                }
            }
            answers.extend(told);
            rest = later;
        }
        answers
    }

    fn place(&mut self, item: &Item, timeout: Option<u64>) -> Answer<u64> {
        Self::form(item)?;
        if item.reference.is_some() || item.parts.iter().any(|part| part.base.is_some()) {
            return Err("not-on-hold");
        }
        if let Some(old) = self.holds.iter().find(|hold| hold.id == item.id) {
            return if old.asked == (item.clone(), timeout) { Ok(0) } else { Err("exists-with-different") };
        }
        if self.failed_holds.contains(&item.id) {
            return Err("id-already-failed");
        }
        let lines = self.lines(&item.parts);
        if let Err(code) = self.decide(lines.clone(), item.day, &How { holds: true, ..How::of(item) }) {
            if code != "unbalanced" {
                self.failed_holds.insert(item.id.clone());
            }
            return Err(code);
        }
        let kept = lines.iter().map(|line| line.minor).collect();
        let ends = timeout.map(|timeout| self.now + timeout);
        let asked = (item.clone(), timeout);
        self.holds.push(Hold { id: item.id.clone(), asked, day: item.day, lines, kept, ends, state: "held" });
        Ok(0)
    }

    fn resolved(&self, hold: &Hold) -> Answer<()> {
        match self.state(hold) {
            "held" => Ok(()),
            "settled" => Err("already-settled"),
            "released" => Err("already-released"),
            _ => Err("expired"),
        }
    }

    fn settle(&mut self, hold: &str, entry: &str, amount: Option<u64>, last: bool, later: bool) -> Answer<u64> {
        if amount == Some(0) {
            return Err("amount-zero");
        }
        let place = self.holds.iter().position(|one| one.id == hold).ok_or("hold-not-found")?;
        let day = self.holds[place].day + u8::from(later);
        if let Some(old) = self.entries.iter().find(|one| one.id == entry) {
            let sum: u64 = old.lines.iter().filter(|l| l.debit).map(|l| l.minor).sum();
            let same = old.settles.as_ref().is_some_and(|(of, _)| of == hold)
                && old.day == day
                && amount.is_none_or(|amount| amount == sum);
            return if same { Ok(self.number(entry)) } else { Err("exists-with-different") };
        }
        if self.failed.contains(entry) {
            return Err("id-already-failed");
        }
        let done = self.settling(place, amount, last, day);
        let (lines, kept) = self.burnt(entry, done)?;
        let hold_of = &mut self.holds[place];
        if last || amount.is_none() || kept.iter().all(|kept| *kept == 0) {
            (hold_of.state, hold_of.kept) = ("settled", kept.iter().map(|_| 0).collect());
        } else {
            hold_of.kept = kept;
        }
        self.record(entry, None, day, lines);
        if let Some(new) = self.entries.last_mut() {
            new.settles = Some((hold.to_owned(), amount));
        }
        Ok(self.number(entry))
    }

    /// The lines to post, and what is still kept of each.
    fn settling(&self, place: usize, amount: Option<u64>, last: bool, day: u8) -> Answer<(Vec<Line>, Vec<u64>)> {
        let hold = &self.holds[place];
        self.resolved(hold)?;
        let mut parts = hold.kept.clone();
        if let Some(amount) = amount {
            let first = hold.lines.first().map(|line| line.currency);
            if first != Some("USD") || hold.lines.iter().any(|line| Some(line.currency) != first) {
                return Err("currency-mismatch");
            }
            for debit in [true, false] {
                let side: Vec<usize> = (0..parts.len()).filter(|i| hold.lines[*i].debit == debit).collect();
                let total: u64 = side.iter().map(|i| hold.kept[*i]).sum();
                if amount > total {
                    return Err("exceeds-hold");
                }
                for i in &side {
                    parts[*i] = amount * hold.kept[*i] / total;
                }
                let given: u64 = side.iter().map(|i| parts[*i]).sum();
                let room: Vec<usize> = side.into_iter().filter(|i| parts[*i] < hold.kept[*i]).collect();
                for i in room.into_iter().take(usize::try_from(amount - given).unwrap()) {
                    parts[i] += 1;
                }
            }
        }
        let mut lines: Vec<Line> = hold.lines.clone();
        lines.iter_mut().zip(&parts).for_each(|(line, part)| line.minor = *part);
        lines.retain(|line| line.minor > 0);
        let before = self.accounts.values().filter(|a| !a.header && hold.lines.iter().any(|l| l.account == a.code));
        let before = before.map(|account| (account.code.to_owned(), self.available(account.code))).collect();
        let mut without = self.clone();
        for (kept, part) in without.holds[place].kept.iter_mut().zip(&parts) {
            *kept -= if last || amount.is_none() { *kept } else { *part };
        }
        let kept = without.holds[place].kept.clone();
        let how = How { before, guard: None, reference: None, ..How::of(&hold.asked.0) };
        Ok((without.decide(lines, day, &how)?, kept))
    }

    fn release(&mut self, hold: &str, amount: Option<u64>) -> Answer<u64> {
        let place = self.holds.iter().position(|one| one.id == hold).ok_or("hold-not-found")?;
        let found = &self.holds[place];
        self.resolved(found)?;
        if let Some(amount) = amount {
            let kept: u64 = found.lines.iter().zip(&found.kept).filter(|(l, _)| l.debit).map(|(_, kept)| *kept).sum();
            if amount != kept || found.lines.iter().any(|line| line.currency != "USD") {
                return Err("different-amount");
            }
        }
        let found = &mut self.holds[place];
        (found.state, found.kept) = ("released", found.kept.iter().map(|_| 0).collect());
        Ok(0)
    }

    fn reverse(&mut self, of: &str, entry: &str, original: bool, force: bool) -> Answer<u64> {
        let place = self.entries.iter().position(|one| one.id == of).ok_or("not-found")?;
        if let Some(old) = self.entries.iter().find(|one| one.id == entry) {
            let same = old.reverses.as_deref() == Some(of);
            return if same { Ok(self.number(entry)) } else { Err("exists-with-different") };
        }
        if self.failed.contains(entry) {
            return Err("id-already-failed");
        }
        if self.entries[place].reversed {
            return self.burnt(entry, Err("already-reversed"));
        }
        let mut lines = self.entries[place].lines.clone();
        lines.iter_mut().for_each(|line| line.debit = !line.debit);
        let day = if original { self.entries[place].day } else { self.today };
        let floor = if force { Floor::None } else { Floor::Zero };
        let plain = Item::default();
        let how = How { manual: false, checked: false, floor, ..How::of(&plain) };
        let done = self.decide(lines, day, &how);
        let done = done.map_err(|code| if code == "insufficient" { "would-overdraw" } else { code });
        let lines = self.burnt(entry, done)?;
        self.record(entry, None, day, lines);
        self.entries[place].reversed = true;
        if let Some(new) = self.entries.last_mut() {
            new.reverses = Some(of.to_owned());
        }
        Ok(self.number(entry))
    }

    fn limit(&mut self, account: &'static str, behind: bool, min: Option<i64>, max: Option<i64>) -> Answer<u64> {
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            return Err("limits-exclude-each-other");
        }
        if behind {
            return Err("version-conflict");
        }
        let now = self.available(account);
        let (min, max) = (min.map(i128::from), max.map(i128::from));
        if min.is_some_and(|min| now < min) || max.is_some_and(|max| now > max) {
            return Err("limit-already-breached");
        }
        let found = self.accounts.get_mut(account).ok_or("not-found")?;
        (found.min, found.max, found.version) = (min, max, found.version + 1);
        Ok(found.version)
    }

    fn close(&mut self, account: &'static str, sweep: Option<&(&'static str, String)>) -> Answer<u64> {
        let found = self.accounts.get(account).ok_or("not-found")?.clone();
        if found.closed {
            return Ok(found.version);
        }
        let sum = self.counters(account, None, None);
        if sum.debits_held > 0 || sum.credits_held > 0 {
            return Err("has-open-holds");
        }
        let foreign = found.in_eu() && found.currency != BASE_OF_EU;
        let (minor, base) = (sum.debits - sum.credits, sum.base_debits - sum.base_credits);
        if minor != 0 || (foreign && base != 0) {
            let Some((to, id)) = sweep.filter(|(to, _)| minor != 0 && *to != account) else {
                return Err("non-zero-balance");
            };
            if foreign && minor.signum() * base.signum() < 0 {
                return Err("non-zero-balance");
            }
            let (minor, base) = (minor.unsigned_abs() as u64, base.unsigned_abs() as u64);
            let line = |account: &str, debit| Line {
                account: account.to_owned(),
                debit,
                minor,
                currency: found.currency,
                base: foreign.then_some(base),
                rate: None,
                tagged: false,
                asked_base: foreign,
            };
            let credit = sum.debits > sum.credits;
            let lines = vec![line(account, !credit), line(to, credit)];
            if self.entries.iter().any(|entry| entry.id == *id) {
                return Err("exists-with-different");
            }
            if self.failed.contains(id) {
                return Err("id-already-failed");
            }
            let plain = Item::default();
            let how = How { manual: false, ..How::of(&plain) };
            let lines = self.decide(lines, self.today, &how)?;
            self.record(&id.clone(), None, self.today, lines);
        }
        let found = self.accounts.get_mut(account).ok_or("not-found")?;
        (found.closed, found.version) = (true, found.version + 1);
        Ok(found.version)
    }

    fn reopen(&mut self, account: &'static str) -> Answer<u64> {
        let found = self.accounts.get_mut(account).ok_or("not-found")?;
        if found.closed {
            (found.closed, found.version) = (false, found.version + 1);
        }
        Ok(found.version)
    }
}

fn in_eu(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.account.starts_with("eu/"))
}

/// Works out the base amounts of the dollars.
fn fill(lines: &mut [Line]) -> Answer<()> {
    let open = |line: &Line| line.currency != BASE_OF_EU && line.base.is_none();
    if lines.iter().any(|line| open(line) && line.rate.is_none()) {
        return Err("rate-missing");
    }
    let rates: BTreeSet<u64> = lines.iter().filter(|line| open(line)).filter_map(|line| line.rate).collect();
    for rate in rates {
        let group: Vec<usize> = (0..lines.len()).filter(|i| open(&lines[*i]) && lines[*i].rate == Some(rate)).collect();
        let sum =
            |debit: bool| -> u64 { group.iter().filter(|i| lines[**i].debit == debit).map(|i| lines[*i].minor).sum() };
        let (debits, credits) = (sum(true), sum(false));
        for debit in [true, false] {
            let side: Vec<usize> = group.iter().copied().filter(|i| lines[*i].debit == debit).collect();
            let mut spare = 0;
            if debits == credits {
                let floors: u64 = side.iter().map(|i| lines[*i].minor * rate / RATE_SCALE).sum();
                spare = nearest(debits * rate) - floors;
            }
            for i in side {
                let worth = lines[i].minor * rate;
                let one = u64::from(spare > 0);
                lines[i].base = Some(if debits == credits { worth / RATE_SCALE + one } else { nearest(worth) });
                spare -= one;
            }
        }
    }
    Ok(())
}

fn nearest(product: u64) -> u64 {
    let (whole, rest) = (product / RATE_SCALE, product % RATE_SCALE);
    match (rest * 2).cmp(&RATE_SCALE) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole % 2,
    }
}

/// The line that the host adds for an exchange difference.
fn difference(lines: &[Line]) -> Answer<Option<Line>> {
    let signed = |line: &Line, minor: u64| if line.debit { i128::from(minor) } else { -i128::from(minor) };
    let own: i128 = lines.iter().filter(|l| l.currency == BASE_OF_EU).map(|l| signed(l, l.minor)).sum();
    let foreign: i128 =
        lines.iter().filter_map(|l| l.base.filter(|_| l.currency != BASE_OF_EU).map(|b| signed(l, b))).sum();
    if own + foreign == 0 {
        return Ok(None);
    }
    if own != 0 || !lines.iter().any(|l| l.currency != BASE_OF_EU) {
        return Err("unbalanced");
    }
    Ok(Some(Line {
        account: if foreign > 0 { "eu/gain" } else { "eu/loss" }.to_owned(),
        debit: foreign < 0,
        minor: foreign.unsigned_abs() as u64,
        currency: BASE_OF_EU,
        base: None,
        rate: None,
        tagged: false,
        asked_base: false,
    }))
}
