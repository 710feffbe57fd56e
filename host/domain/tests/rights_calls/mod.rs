//! Calls that are allowed, one for each kind of check, under three layers as a run has them: the caller's, the plugin's wants, and
//! eight grants with conditions of which the last one is the one that allows.

use std::sync::Arc;

use backroom_domain::hr::Place;
use backroom_domain::ledger::{AccountType, Line};
use backroom_domain::rights::{Employee, Grant, HrField, Layers, Moving, Operation, Pattern, Posting, Rights, Used};
use backroom_domain::{BusinessDate, Currency, Decimal, Id, Money, Side};

/// What the calls are about.
pub(crate) struct Calls {
    layers: [Arc<Rights>; 3],
    day: BusinessDate,
    lines: [Line; 2],
    account: Id,
    item: Id,
    from: Id,
    to: Id,
    plan: Id,
    cost_center: Id,
    position: Id,
    usd: Currency,
}

fn id(text: &str) -> Id {
    Id::parse(text, "id").unwrap()
}

/// Grants for others, then the one that counts.
fn grants() -> Rights {
    let mut grants: Vec<Grant> = (0..7).map(|_| Grant::default()).collect();
    for (n, grant) in grants.iter_mut().enumerate() {
        let patterns = |text: &str| vec![Pattern::parse(text).unwrap()];
        grant.ledger.post =
            vec![format!("7{n}* type=expense").try_into().unwrap(), format!("8{n}00..8{n}99").try_into().unwrap()];
        grant.ledger.max_entry = "500.00 USD".parse().ok();
        grant.ledger.read = grant.ledger.post.clone();
        grant.hr.read = [HrField::Employment].into();
        grant.hr.positions = patterns("CFO");
        grant.hr.benefits = patterns("meals");
        (grant.inventory.read, grant.inventory.move_items) = (patterns("DESK*"), patterns("DESK*"));
        (grant.inventory.move_from, grant.inventory.move_to) = (patterns("*"), patterns("*"));
    }
    let mut last = Grant::all();
    last.expires = BusinessDate::parse("2026-12-31", "d").ok();
    last.ledger.post = ["1000", "2*", "6000..6099", "6100..6199 type=expense", "type=liability"]
        .map(|text| text.to_owned().try_into().unwrap())
        .into();
    last.ledger.currencies = vec![Currency::parse("EUR", "c").unwrap(), Currency::parse("USD", "c").unwrap()];
    last.ledger.max_entry = "500.00 USD".parse().ok();
    last.ledger.max_run = "50000.00 USD".parse().ok();
    last.ledger.max_day = "500000.00 USD".parse().ok();
    last.ledger.window = Some(backroom_domain::rights::Window {
        from: BusinessDate::parse("2026-01-01", "d").ok(),
        days_before: Some(31),
        days_after: Some(0),
        ..Default::default()
    });
    last.hr.cost_centers = vec![Pattern::parse("CC-4*").unwrap()];
    last.inventory.max_quantity = Decimal::parse("5", "q").ok();
    last.inventory.max_quantity_day = Decimal::parse("500", "q").ok();
    last.inventory.max_value_run = "9000.00 USD".parse().ok();
    grants.push(last);
    Rights::from(grants)
}

impl Calls {
    pub(crate) fn new() -> Self {
        let usd = Currency::parse("USD", "c").unwrap();
        let line = |account: &str, side| Line {
            account: id(account),
            side,
            amount: Money { minor: 40_000, currency: usd },
            dimensions: Vec::new(),
            memo: None,
            details: None,
        };
        Self {
            layers: [Arc::new(Rights::all()), Arc::new(Rights::all()), Arc::new(grants())],
            day: BusinessDate::parse("2026-06-30", "d").unwrap(),
            lines: [line("6140", Side::Debit), line("2210", Side::Credit)],
            account: id("6140"),
            item: id("LAPTOP-14"),
            from: id("WH-EAST"),
            to: id("STAFF"),
            plan: id("REMOTE"),
            cost_center: id("CC-410"),
            position: id("CPA"),
            usd,
        }
    }

    fn layers(&self) -> Layers<'_> {
        Layers::new(&self.layers, self.day)
    }
}

/// A check, by name; `true` if it allows.
pub(crate) type Check = (&'static str, fn(&Calls) -> bool);

/// All of them are allowed.
pub(crate) fn allowed() -> [Check; 8] {
    [
        ("ledger.read", |c| c.layers().check_read_account(Operation::BalancesGet, &c.account, None).is_ok()),
        ("ledger.post, all conditions", |c| {
            let kinds = [Some(AccountType::Expense), Some(AccountType::Liability)];
            let used = [(c.usd, Used { run: 1_000_000, day: 9_000_000 })];
            let posting =
                Posting { lines: &c.lines, kinds: &kinds, date: Some(c.day), today: c.day, amounts: true, used: &used };
            c.layers().check_post(Operation::JournalPost, &posting).is_ok()
        }),
        ("hr.read, a field", |c| c.layers().check_read_hr(Operation::GetName, HrField::Name).is_ok()),
        ("hr.read, of a worker", |c| {
            let employee = Employee { cost_center: &c.cost_center, position: &c.position, place: Place::Remote };
            c.layers().sees(Operation::GetName, HrField::Name, Some(employee))
        }),
        ("hr.benefits", |c| {
            c.layers().check_benefit(Some(&c.plan), Some(Money { minor: 100, currency: c.usd })).is_ok()
        }),
        ("inventory.read", |c| c.layers().check_read_item(Operation::ItemsGet, &c.item).is_ok()),
        ("inventory.move, all conditions", |c| {
            let moving = Moving {
                item: Some(&c.item),
                from: Some(&c.from),
                to: Some(&c.to),
                quantity: Decimal::new(2, 0, "q").ok(),
                value: Some(Money { minor: 100_000, currency: c.usd }),
                used_quantity: Some(Used { run: 0, day: 9_000_000_000 }),
                used_value: Some(Used { run: 100_000, day: 0 }),
            };
            c.layers().check_move(&moving).is_ok()
        }),
        ("state", |c| c.layers().check_state(Operation::StateSet).is_ok()),
    ]
}
