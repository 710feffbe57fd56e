//! Files as a client sends them, and the rows in them.

use backroom_domain::hr::{NewEmployment, NewWorker};
use backroom_domain::inventory::NewMove;
use backroom_domain::ledger::{AccountType, Line, NewAccount, NewEntry};
use backroom_domain::{Decimal, Side};

use crate::script::{currency, day, id, money, new_employment, new_worker};

/// What the files of one import say; numbered, so that the same can be sent again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    pub(crate) accounts: Vec<NewAccount>,
    pub(crate) workers: Vec<NewWorker>,
    pub(crate) employments: Vec<NewEmployment>,
    /// Sets up the books: opening balances, items and places, and stock.
    pub(crate) opens: bool,
}

const FIRST: [(&str, &str, AccountType, bool, bool); 8] = [
    ("0", "USD", AccountType::Expense, false, false),
    ("1000", "USD", AccountType::Asset, true, false),
    ("1100", "EUR", AccountType::Asset, true, false),
    ("1400", "USD", AccountType::Asset, true, true),
    ("2000", "USD", AccountType::Liability, true, false),
    ("3000", "USD", AccountType::Equity, true, false),
    ("5000", "USD", AccountType::Expense, true, false),
    ("7000", "USD", AccountType::Expense, true, false),
];
/// Opening balances: cash, stock, and the owners' part.
const OPENING: [(&str, Side, u64); 3] =
    [("1000", Side::Debit, 900_000), ("1400", Side::Debit, 12_345), ("3000", Side::Credit, 912_345)];

const MASTER: [(&str, &str); 3] = [
    (
        "items.csv",
        "id,name,unit,decimals,tracking,stock-account\nDESK,Desk,each,0,none,1400\nMILK,Milk,l,0,lot,1400\nLAPTOP,Laptop,each,0,serial,1400\n",
    ),
    (
        "locations.csv",
        "id,name,usage\nSTORE,Store,internal\nBACK,Back,internal\nROAD,Road,transit\nVENDOR,Vendor,supplier\nSTAFF,Staff,consumption\nCOUNT,Count,adjustment\n",
    ),
    ("lots.csv", "id,item,expiry\nM1,MILK,\nM2,MILK,\nS1,LAPTOP,\nS2,LAPTOP,\n"),
];

fn account(code: &str, of: &str, kind: AccountType, posting: bool, stock_control: bool) -> NewAccount {
    let (code, currency) = (id(code), currency(of));
    NewAccount {
        name: format!("Account {code}"),
        code,
        kind,
        parent: None,
        currency,
        posting,
        stock_control,
        rules: Default::default(),
    }
}

impl Files {
    /// The files with this number; 0 opens the books.
    pub(crate) fn of(set: u8) -> Self {
        if set == 0 {
            let accounts =
                FIRST.iter().map(|(code, of, kind, posting, stock)| account(code, of, *kind, *posting, *stock));
            // Some people are there from the first day to the last but some.
            let workers = (0..4).map(|who| new_worker(who, 0)).collect();
            let employments = (0..3).map(|who| new_employment(who, who, Some(45 + who))).collect();
            return Self { accounts: accounts.collect(), workers, employments, opens: true };
        }
        let own = NewWorker { id: id(&format!("I-{set}")), ..new_worker(set, 0) };
        // A worker that scripts add as well, under the same name or another one.
        let shared = new_worker(set % crate::script::WORKERS, 0);
        let stretch = NewEmployment { worker: own.id.clone(), ..new_employment(set, set, None) };
        let accounts = vec![account(&format!("7{set}00"), "USD", AccountType::Expense, true, false)];
        Self { accounts, workers: vec![own, shared], employments: vec![stretch], opens: false }
    }

    /// The same with a row that names somebody who is not there.
    pub(crate) fn spoilt(mut self) -> Self {
        self.employments.push(NewEmployment { worker: id("nobody"), ..new_employment(0, 0, None) });
        self
    }

    pub(crate) fn opening(&self) -> Option<NewEntry> {
        let line = |(account, side, minor): &(&str, Side, u64)| Line {
            account: id(account),
            side: *side,
            amount: money(*minor, "USD"),
            dimensions: Vec::new(),
            memo: None,
            details: None,
        };
        self.opens.then(|| NewEntry {
            id: id("opening:2024-02-01"),
            date: day(0),
            description: "Opening balances".into(),
            lines: OPENING.iter().map(line).collect(),
            details: None,
        })
    }

    pub(crate) fn moves(&self) -> Vec<NewMove> {
        let opened = |(n, units, minor): (u8, u64, u64)| NewMove {
            id: id(&format!("opening-stock:{n}")),
            date: day(0),
            item: id("DESK"),
            quantity: Decimal { mantissa: units, scale: 0 },
            from: id("COUNT"),
            to: id(if n == 1 { "STORE" } else { "BACK" }),
            lot: None,
            cost: Some(money(minor, "USD")),
            worker: None,
            reason: "Opening stock".into(),
            entry: Some(id("opening:2024-02-01")),
        };
        if self.opens { [(1, 7, 12_000), (2, 3, 345)].into_iter().map(opened).collect() } else { Vec::new() }
    }

    /// As they are sent.
    pub(crate) fn sent(&self) -> Vec<(String, Vec<u8>)> {
        let word = |yes| if yes { "yes" } else { "no" };
        let mut accounts = "code,name,type,parent,currency,posting,stock-control\n".to_owned();
        for a in &self.accounts {
            let kind = format!("{:?}", a.kind).to_lowercase();
            let (posting, stock) = (word(a.posting), word(a.stock_control));
            accounts += &format!("{},{},{kind},,{},{posting},{stock}\n", a.code, a.name, a.currency);
        }
        let mut files = vec![("accounts.csv", accounts)];
        if !self.workers.is_empty() {
            let rows = self.workers.iter().map(|w| format!("{},{},,\n", w.id, w.name));
            files.push(("workers.csv", format!("id,name,email,bank-account\n{}", rows.collect::<String>())));
        }
        if !self.employments.is_empty() {
            let row = |e: &NewEmployment| {
                let pay = e.salary.map(|pay| pay.amount_text()).unwrap_or_default();
                let to = e.to.map(|day| day.to_string()).unwrap_or_default();
                format!("{},{},{to},{},remote,{},{pay},USD\n", e.worker, e.from, e.position, e.cost_center)
            };
            let head = "worker,first-day,last-day,position,place,cost-center,salary,currency\n";
            files.push(("employments.csv", head.to_owned() + &self.employments.iter().map(row).collect::<String>()));
        }
        if let Some(opening) = self.opening() {
            let row = |line: &Line| {
                let amount = line.amount.amount_text();
                let sides = if line.side == Side::Debit { format!("{amount},") } else { format!(",{amount}") };
                format!("{},{},{sides},USD\n", line.account, opening.date)
            };
            let rows = opening.lines.iter().map(row).collect::<String>();
            files.push(("opening-balances.csv", format!("account,date,debit,credit,currency\n{rows}")));
            files.extend(MASTER.map(|(name, text)| (name, text.to_owned())));
            let row = |m: NewMove| {
                let cost = m.cost.map(|cost| cost.amount_text()).unwrap_or_default();
                format!("{},{},,{},{cost},USD,{}\n", m.item, m.to, m.quantity, m.from)
            };
            let rows = self.moves().into_iter().map(row).collect::<String>();
            files.push(("stock.csv", format!("item,location,lot,quantity,value,currency,source\n{rows}")));
        }
        files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
    }
}
