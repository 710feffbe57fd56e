//! A history before it happens: what is asked for, in which order, of whom. Drawn from the seed alone, so that a command can be left
//! out without changing the others.

use std::fmt;

use backroom_domain::{MAX_MINOR, Side};

use crate::random::Random;
use crate::script::{ACCOUNTS, Call, DAYS, PLACES, PLANS, THINGS, WORKERS};

pub(crate) const TENANTS: u8 = 3;
pub(crate) const INSTALLATIONS: [&str; 3] = ["books", "clerk", "late"];

/// One request of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// Its place in the plan.
    pub(crate) index: usize,
    /// Whose; 1 is the first.
    pub(crate) tenant: u8,
    pub(crate) ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    Run(Script),
    /// The files with this number; `bad` ones have a row that cannot be.
    Import {
        set: u8,
        bad: bool,
    },
    /// Puts a release to use, or changes how.
    Install {
        name: u8,
        clerk: bool,
        config: u8,
    },
    /// Adds a client company.
    Company {
        number: u8,
        name: u8,
    },
}

/// A run as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    /// The run's id: its idempotency key.
    pub(crate) run: u16,
    pub(crate) installation: u8,
    pub(crate) dry: Dry,
    /// Goes on after a call was refused.
    pub(crate) tolerant: bool,
    pub(crate) calls: Vec<Call>,
}

/// Is there a dry run?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dry {
    No,
    Only,
    /// A dry run first, then the real one.
    Before,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: tenant {}: {:?}", self.index, self.tenant, self.ask)
    }
}

/// The commands of a history.
pub(crate) fn commands(seed: u64, count: usize) -> Vec<Command> {
    let mut random = Random::new(seed);
    let mut ids = Ids::default();
    let mut commands: Vec<Command> = Vec::with_capacity(count);
    for index in 0..count {
        let command = match random.below(100) {
            // The same again, now and then from long ago.
            0..8 if index > 0 => Command { index, ..commands[random.below(index)].clone() },
            8..12 => {
                let ask = Ask::Import { set: random.small(8), bad: random.chance(25) };
                Command { index, tenant: 1 + random.small(TENANTS), ask }
            }
            12..15 => {
                let (name, clerk) = (random.small(3), random.chance(30));
                Command {
                    index,
                    tenant: 1 + random.small(TENANTS),
                    ask: Ask::Install { name, clerk, config: random.small(2) },
                }
            }
            15..17 => {
                let ask = Ask::Company { number: random.small(12), name: random.small(4) / 3 };
                Command { index, tenant: 0, ask }
            }
            _ => Command { index, tenant: 1 + random.small(TENANTS), ask: Ask::Run(script(&mut random, &mut ids)) },
        };
        commands.push(command);
    }
    commands
}

/// Ids used so far. Mostly a new one is taken, now and then one that there was.
#[derive(Default)]
struct Ids {
    runs: u16,
    things: u16,
}

fn fresh(random: &mut Random, last: &mut u16, old: usize) -> u16 {
    if *last > 0 && random.chance(old) {
        return random.below(usize::from(*last)) as u16;
    }
    *last += 1;
    *last - 1
}

fn script(random: &mut Random, ids: &mut Ids) -> Script {
    Script {
        run: fresh(random, &mut ids.runs, 3),
        installation: match random.below(10) {
            0 => 1,
            1 => 2,
            _ => 0,
        },
        dry: match random.below(10) {
            0 => Dry::Only,
            1 | 2 => Dry::Before,
            _ => Dry::No,
        },
        tolerant: random.chance(70),
        calls: (0..random.below(5)).map(|_| call(random, ids)).collect(),
    }
}

fn call(random: &mut Random, ids: &mut Ids) -> Call {
    let day = random.small(DAYS);
    let who = random.small(WORKERS);
    let some_entry = |random: &mut Random, ids: &Ids| random.below(usize::from(ids.things) + 3) as u16;
    match random.below(40) {
        0..11 => Call::Post { id: fresh(random, &mut ids.things, 4), day, lines: lines(random) },
        11..13 => Call::Reverse { of: some_entry(random, ids) },
        13 => Call::Account { code: random.small(6), shape: random.small(20).min(5) },
        14 => Call::Worker { who, name: random.small(8) / 7 },
        15 | 16 => {
            let to = random.maybe(80, |random| (day + random.small(12)).min(DAYS - 1));
            // Backwards, once in a while.
            let to = if random.chance(5) { to.map(|_| day.saturating_sub(1)) } else { to };
            Call::Employ { who, from: day, to }
        }
        17..22 => {
            let to = (day + random.small(5)).min(DAYS - 1);
            let entry = random.maybe(20, |random| some_entry(random, ids));
            let plan = random.small(PLANS.len() as u8);
            Call::Benefit { id: fresh(random, &mut ids.things, 4), who, plan, from: day, to, entry }
        }
        22..31 => movement(random, ids, day),
        31 | 32 => Call::Set { key: random.small(5), value: random.small(3) },
        33 => Call::Delete { key: random.small(5) },
        34 => Call::AskState { key: random.small(5) },
        35 | 36 => {
            let account = random.small(ACCOUNTS.len() as u8);
            Call::AskBalance { account, as_of: random.maybe(60, |random| random.small(DAYS)) }
        }
        37 => Call::AskTrial { as_of: day },
        38 => Call::AskValue { thing: random.small(THINGS.len() as u8) },
        _ => Call::AskPay { who, day },
    }
}

/// Mostly pairs that balance, between accounts that may have other currencies, be headers, or not be there.
fn lines(random: &mut Random) -> Vec<(u8, Side, u64)> {
    let mut lines = Vec::new();
    for _ in 0..1 + random.below(3) {
        let account = |random: &mut Random| match random.below(30) {
            0 => 3,
            1 => 4,
            2 => 6,
            3 => 7,
            4 => 5,
            _ => random.small(3),
        };
        let (debit, credit) = (account(random), account(random));
        let credit = if (debit == 3 || debit == 5) && random.chance(90) { 3 } else { credit };
        let minor = match random.below(400) {
            0 => 0,
            1 => MAX_MINOR / 2 - random.below(3) as u64,
            _ => 1 + random.below(90) as u64,
        };
        lines.push((debit, Side::Debit, minor));
        lines.push((credit, Side::Credit, minor));
    }
    match random.below(30) {
        0 => drop(lines.pop()),
        1 => lines[0].2 += 1,
        2 => lines.truncate(1),
        _ => {}
    }
    lines
}

fn movement(random: &mut Random, ids: &mut Ids, day: u8) -> Call {
    let place = |random: &mut Random| if random.chance(3) { 6 } else { random.small(PLACES.len() as u8 - 1) };
    let thing = if random.chance(6) { 5 + random.small(3) } else { random.small(5) };
    let (from, to) = (place(random), place(random));
    let inside = |place: u8| place < 3;
    // Stock has to come from somewhere: out of the supplier more often than from elsewhere.
    let from = if random.chance(30) { 3 } else { from };
    let entering = !inside(from) && inside(to);
    let cost = if random.chance(5) { !entering } else { entering };
    let cost = cost.then(|| random.below(900) as u64);
    let units = match random.below(20) {
        0 => 0,
        1..9 => 1,
        _ if thing == 3 || thing == 4 => 1,
        _ => 1 + random.below(9) as u64,
    };
    let who = random.maybe(15, |random| random.small(WORKERS + 1));
    Call::Move {
        id: fresh(random, &mut ids.things, 4),
        day,
        thing,
        from,
        to,
        units,
        cost,
        who,
        book: random.chance(92),
    }
}
