//! The chart of accounts and the entries that a journal becomes.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Complete, Step, check_assertions, complete};
use super::{At, Declared, Fault, Journal, MAX_FAULTS, Transaction};
use crate::ledger::{AccountRules, AccountType, EntryDetails, Line, Metadata, NewAccount, NewEntry};
use crate::{Currency, Id, Money, Side};

/// What an import is told beside the text.
#[derive(Debug, Clone)]
pub struct Options {
    /// What commodities mean, before ISO 4217 codes and the common signs ($ is USD, € EUR, £ GBP, ¥ JPY, ₹ INR).
    pub currencies: BTreeMap<String, Currency>,
    /// The currency of amounts that have none.
    pub default: Option<Currency>,
    /// What the ids of entries begin with that have no tag `id`: `<prefix>:<date>:<number within the day>`.
    pub prefix: Id,
    /// The account that conversions go through. It is equity.
    pub conversion: String,
}

impl Options {
    /// The usual: every currency by its code or sign, `equity:conversion`.
    pub fn new(prefix: Id) -> Self {
        Self { currencies: BTreeMap::new(), default: None, prefix, conversion: "equity:conversion".to_owned() }
    }

    pub(super) fn currency(&self, symbol: &str) -> Option<Currency> {
        let code = match symbol {
            "$" => "USD",
            "€" => "EUR",
            "£" => "GBP",
            "¥" => "JPY",
            "₹" => "INR",
            code => code,
        };
        self.currencies.get(symbol).copied().or_else(|| Currency::parse(code, "").ok())
    }
}

/// Something to be created, and where the text says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned<T> {
    /// Where.
    pub at: At,
    /// What.
    pub new: T,
}

/// What a journal becomes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Headers before what is below them.
    pub accounts: Vec<Planned<NewAccount>>,
    /// In the order of the text.
    pub entries: Vec<Planned<NewEntry>>,
    /// Transactions that move nothing, and are left out.
    pub empty: u64,
    /// Market prices, which are left out.
    pub prices: u64,
    /// All that is wrong; nothing may be imported if there is anything.
    pub faults: Vec<Fault>,
}

/// A name of an account, or the beginning of one.
#[derive(Debug, Default)]
struct Node<'a> {
    /// Where it is named first.
    at: At,
    declared: Option<&'a Declared>,
    currencies: BTreeSet<Currency>,
    children: bool,
}

/// The codes of the posting accounts: by name and currency.
type Codes<'a> = BTreeMap<(&'a str, Currency), Id>;

/// Makes a chart of accounts and entries out of a journal.
///
/// An account that is used in one currency and has none below it becomes a posting account; every other one a header, and for each
/// currency that it is used in itself a posting account below it, with the currency behind its code. The code is the tag `code` of
/// its `account` directive, or else its name: blanks become `-`, and a name that is no id as it is, or longer than one, gets eight
/// digits behind it that tell it from others.
pub fn plan(journal: &Journal, options: &Options) -> Plan {
    let mut faults = journal.faults.clone();
    let mut completed = Vec::new();
    for transaction in &journal.transactions {
        match complete(transaction, options) {
            Ok(complete) => completed.push(complete),
            Err(more) => faults.extend(more),
        }
    }
    // Where a transaction is missing, balances say nothing.
    if faults.is_empty() {
        faults.extend(check_assertions(&completed));
    }
    let nodes = nodes(journal, &completed, options, &mut faults);
    let (accounts, codes) = accounts(&nodes, &mut faults);
    let mut plan = Plan { accounts, prices: journal.prices, faults, ..Plan::default() };
    entries(&mut plan, &completed, &codes, options);
    plan.faults.sort_by_key(|fault| (fault.line, fault.column));
    plan.faults.truncate(MAX_FAULTS);
    plan
}

fn nodes<'a>(
    journal: &'a Journal,
    completed: &[Complete<'a>],
    options: &'a Options,
    faults: &mut Vec<Fault>,
) -> BTreeMap<&'a str, Node<'a>> {
    let mut nodes = BTreeMap::<&str, Node<'_>>::new();
    for step in completed.iter().flat_map(|complete| &complete.steps).filter(|step| step.minor != 0) {
        let name = step.account.unwrap_or(&options.conversion);
        let node = nodes.entry(name).or_insert_with(|| Node { at: step.at, ..Node::default() });
        node.currencies.insert(step.currency);
    }
    for (name, declared) in &journal.accounts {
        let at = declared.at;
        let node = nodes.entry(name).or_insert_with(|| Node { at, ..Node::default() });
        node.declared = Some(declared);
        if let Some(text) = &declared.currency {
            match options.currency(text) {
                Some(currency) => drop(node.currencies.insert(currency)),
                None => faults.push(at.fault("commodity-unknown", format!("{text:?} is no currency such as USD"))),
            }
        }
    }
    // Declared, but neither used nor with a currency: nothing can be said of it.
    nodes
        .retain(|name, node| !node.currencies.is_empty() || journal.accounts.keys().any(|other| is_below(other, name)));
    let names: Vec<(&str, At)> = nodes.iter().map(|(name, node)| (*name, node.at)).collect();
    for (name, at) in names {
        let mut above = name;
        while let Some((parent, _)) = above.rsplit_once(':') {
            nodes.entry(parent).or_insert_with(|| Node { at, ..Node::default() }).children = true;
            above = parent;
        }
    }
    nodes
}

fn is_below(name: &str, header: &str) -> bool {
    name.strip_prefix(header).is_some_and(|rest| rest.starts_with(':'))
}

/// The accounts, headers first, and the codes that entries post to.
fn accounts<'a>(nodes: &BTreeMap<&'a str, Node<'a>>, faults: &mut Vec<Fault>) -> (Vec<Planned<NewAccount>>, Codes<'a>) {
    let mut accounts = Vec::new();
    let mut codes = Codes::new();
    let mut taken = BTreeMap::<Id, &str>::new();
    let mut unknown = BTreeSet::new();
    for (name, node) in nodes {
        if is_silent_root(name, node, nodes) {
            continue;
        }
        let Some(kind) = kind_of(name, nodes) else {
            if unknown.insert(name.split(':').next().unwrap_or(name)) {
                faults.push(node.at.fault("account-type-unknown", no_type(name)));
            }
            continue;
        };
        let Some(code) = code_of(name, node, faults) else { continue };
        let parent = name.rsplit_once(':').map(|(parent, _)| parent);
        let parent = parent.and_then(|parent| Some((parent, nodes.get(parent)?)));
        let parent = parent.filter(|(name, node)| !is_silent_root(name, node, nodes));
        let parent = parent.and_then(|(name, node)| code_of(name, node, &mut Vec::new()));
        let own = node.declared.and_then(|declared| declared.name.as_deref());
        let shown = own.or_else(|| name.rsplit(':').next()).unwrap_or(name);
        let header = node.children || node.currencies.len() > 1;
        let mut add = |code: &Id, name: String, parent: Option<&Id>, currency: Currency, posting: bool| {
            let new = NewAccount {
                code: code.clone(),
                name,
                kind,
                parent: parent.cloned(),
                currency,
                posting,
                stock_control: false,
                rules: AccountRules::default(),
            };
            accounts.push(Planned { at: node.at, new });
        };
        let Some(first) = node.currencies.first().copied().or_else(|| currency_below(name, nodes)) else { continue };
        claim(&mut taken, &code, name, node.at, faults);
        add(&code, shown.to_owned(), parent.as_ref(), first, !header);
        for currency in &node.currencies {
            let own = if header { with_currency(&code, *currency) } else { code.clone() };
            if header {
                claim(&mut taken, &own, name, node.at, faults);
                add(&own, format!("{shown} {currency}"), Some(&code), *currency, true);
            }
            codes.insert((name, *currency), own);
        }
    }
    (accounts, codes)
}

/// Notes that a code is used, or that two accounts would have the same.
fn claim<'a>(taken: &mut BTreeMap<Id, &'a str>, code: &Id, name: &'a str, at: At, faults: &mut Vec<Fault>) {
    if let Some(other) = taken.insert(code.clone(), name) {
        let message =
            format!("{name:?} and {other:?} would both have the code {code}; give one of them a code with a tag");
        faults.push(at.fault("account-code-taken", message));
    }
}

/// A header wants a currency as well; it gets that of the first account below it.
fn currency_below(name: &str, nodes: &BTreeMap<&str, Node<'_>>) -> Option<Currency> {
    let mut below = nodes.iter().filter(|(other, _)| is_below(other, name));
    below.find_map(|(_, node)| node.currencies.first().copied())
}

/// A top account that is not declared and not used itself, with accounts right below it that all have a code of their own, stands for
/// their type alone: so an export of these books comes back with the same chart.
fn is_silent_root(name: &str, node: &Node<'_>, nodes: &BTreeMap<&str, Node<'_>>) -> bool {
    let coded = |node: &Node<'_>| node.declared.is_some_and(|declared| declared.code.is_some());
    let mut children =
        nodes.iter().filter(|(other, _)| other.rsplit_once(':').is_some_and(|(parent, _)| parent == name));
    !name.contains(':')
        && node.declared.is_none()
        && node.currencies.is_empty()
        && children.all(|(_, node)| coded(node))
}

/// The declared type of the account or of the nearest one above it, or what the top name says, as hledger has it.
fn kind_of(name: &str, nodes: &BTreeMap<&str, Node<'_>>) -> Option<AccountType> {
    let mut here = name;
    loop {
        let declared = nodes.get(here).and_then(|node| node.declared).and_then(|declared| declared.kind);
        if declared.is_some() {
            return declared;
        }
        match here.rsplit_once(':') {
            Some((parent, _)) => here = parent,
            None => break,
        }
    }
    match here.to_lowercase().as_str() {
        "asset" | "assets" => Some(AccountType::Asset),
        "debt" | "debts" | "liability" | "liabilities" => Some(AccountType::Liability),
        "equity" => Some(AccountType::Equity),
        "income" | "incomes" | "revenue" | "revenues" => Some(AccountType::Income),
        "expense" | "expenses" => Some(AccountType::Expense),
        _ => None,
    }
}

fn no_type(name: &str) -> String {
    let top = name.split(':').next().unwrap_or(name);
    format!(
        "what type is {top:?}? The top accounts are assets, liabilities, equity, income or revenues, and expenses; for others write \
         account {top}  ; type: A (or L, E, R, X)"
    )
}

/// The code of an account, or of a header.
fn code_of(name: &str, node: &Node<'_>, faults: &mut Vec<Fault>) -> Option<Id> {
    if let Some(code) = node.declared.and_then(|declared| declared.code.as_deref()) {
        let id = Id::parse(code, "").ok();
        if id.is_none() {
            faults.push(node.at.fault("id-invalid", format!("{code:?} is no code of an account")));
        }
        return id;
    }
    // Room for a currency behind it.
    let long = Id::MAX.saturating_sub(4);
    let dashed = name.replace(' ', "-");
    if dashed.len() <= long
        && let Ok(id) = Id::parse(&dashed, "")
    {
        return Some(id);
    }
    let letter = |c: char| if c.is_ascii_alphanumeric() || "._:/-".contains(c) { c } else { '_' };
    let plain: String = dashed.chars().map(letter).take(long.saturating_sub(10)).collect();
    let first = if plain.starts_with(|c: char| c.is_ascii_alphanumeric()) { "" } else { "0" };
    Id::parse(&format!("{first}{plain}.{:08x}", checksum(name)), "").ok()
}

/// FNV-1a, folded to 32 bits: the same on every machine and in every release.
fn checksum(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash ^ hash.wrapping_shr(32)) & 0xffff_ffff
}

fn with_currency(code: &Id, currency: Currency) -> Id {
    // A declared code may be as long as an id can be: then its end makes room.
    let room = code.as_str().get(..Id::MAX.saturating_sub(4)).unwrap_or(code.as_str());
    Id::parse(&format!("{room}:{currency}"), "").unwrap_or_else(|_| code.clone())
}

fn entries(plan: &mut Plan, completed: &[Complete<'_>], codes: &Codes<'_>, options: &Options) {
    let mut days = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for Complete { transaction, steps } in completed {
        let number: &mut u64 = days.entry(transaction.date).or_default();
        *number = number.saturating_add(1);
        let own = transaction.tags.iter().find(|(name, _)| name == "id").map(|(_, value)| value.clone());
        let id = own.unwrap_or_else(|| format!("{}:{}:{number}", options.prefix, transaction.date));
        let Ok(id) = Id::parse(&id, "") else {
            plan.faults.push(transaction.at.fault("id-invalid", format!("{id:?} is no id of an entry")));
            continue;
        };
        let code = |step: &Step<'_>| codes.get(&(step.account.unwrap_or(&options.conversion), step.currency)).cloned();
        let lines: Option<Vec<Line>> =
            steps.iter().filter(|step| step.minor != 0).map(|step| Some(line(step, code(step)?))).collect();
        // An account without a code has a fault of its own.
        let Some(lines) = lines else { continue };
        if lines.is_empty() {
            plan.empty = plan.empty.saturating_add(1);
            continue;
        }
        if !ids.insert(id.clone()) {
            plan.faults.push(transaction.at.fault("id-twice", format!("another transaction has the id {id}")));
            continue;
        }
        let texts = [transaction.description.as_str(), transaction.code.as_str(), "Imported transaction"];
        let description = texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned();
        let details = details(transaction);
        let new = NewEntry { details, ..NewEntry::new(id, transaction.date, description, lines) };
        plan.entries.push(Planned { at: transaction.at, new });
    }
}

/// Tags that an export writes of what the books know by themselves.
const OWN: [&str; 10] =
    ["id", "recorded-at", "run", "book", "reference", "kind", "source-document", "reverses", "reversed-by", "settles"];

/// Code and tags become metadata, those with a name that an id can be. Of a transaction with an id of its own, the code is the
/// number that an export gives.
fn details(transaction: &Transaction) -> Option<Box<EntryDetails>> {
    let exported = transaction.tags.iter().any(|(name, _)| name == "id");
    let code = (!exported && !transaction.code.is_empty()).then(|| ("code".to_owned(), transaction.code.clone()));
    let mut metadata: Vec<Metadata> = Vec::new();
    for (name, value) in code.iter().chain(&transaction.tags).filter(|(name, _)| !OWN.contains(&name.as_str())) {
        let name = name.strip_prefix("meta-").unwrap_or(name).replace('~', ":");
        if let Ok(name) = Id::parse(&name, "")
            && !metadata.iter().any(|known| known.name == name)
        {
            metadata.push(Metadata { name, value: value.clone() });
        }
    }
    (!metadata.is_empty()).then(|| Box::new(EntryDetails { metadata, ..EntryDetails::default() }))
}

fn line(step: &Step<'_>, account: Id) -> Line {
    let side = if step.minor < 0 { Side::Credit } else { Side::Debit };
    // Amounts were checked to be below 2^53.
    let minor = u64::try_from(step.minor.unsigned_abs()).unwrap_or(u64::MAX);
    let amount = Money { minor, currency: step.currency };
    Line { dimensions: step.dimensions.clone(), memo: step.memo.clone(), ..Line::new(account, side, amount) }
}
