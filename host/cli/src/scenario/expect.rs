//! What came of a step against what must: every difference, by its place.

use std::cmp::Ordering;

use backroom_domain::hr::Benefit;
use backroom_domain::{BusinessDate, Decimal, Error, Id, Money};
use backroom_office::{PageRequest, Work, hr, inventory, ledger};
use backroom_runtime::{RunReport, Status};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::file::{Effects, OnHand, Then};
use super::world::{World, all_days};
use crate::exit::{Failure, Result};

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Where, such as `effects[0].lines[1].account`.
    pub(crate) at: String,
    /// What must be there; nothing, if nothing may be.
    pub(crate) expected: Value,
    /// What is there; nothing, if nothing is.
    pub(crate) actual: Value,
}

/// Whether fields that are not named may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Whole,
    Named,
}

/// Compares a run with what must come of it; `kept` are the effects of the snapshot, if there is one.
pub(super) fn check(
    world: &World,
    then: &Then,
    run: &std::result::Result<RunReport, Error>,
    kept: Option<&Value>,
) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    ending(then, run, &mut found);
    match run {
        Ok(report) => report_of(then, report, kept, &mut found),
        Err(_) => found.extend(untold(then)),
    }
    let work = world.look()?;
    for (account, expected) in &then.balances {
        balance(&work, account, expected, &mut found)?;
    }
    for (number, row) in then.on_hand.iter().enumerate() {
        on_hand(&work, number, row, &mut found)?;
    }
    for (number, line) in then.benefits.iter().enumerate() {
        benefit(&work, number, line, &mut found)?;
    }
    Ok(found)
}

/// How it ended.
fn ending(then: &Then, run: &std::result::Result<RunReport, Error>, found: &mut Vec<Difference>) {
    let (status, error, fault) = match run {
        Ok(report) => (report.status, report.error.as_ref(), report.fault.as_ref()),
        Err(error) => (Status::Refused, Some(error), None),
    };
    let actual = match (error, fault) {
        (Some(error), _) => refusal(error),
        (None, Some(fault)) => json!({ "failed": fault.kind.as_str(), "message": fault.message }),
        (None, None) => json!(status),
    };
    let mut wrong = |at: &str, expected: Value| {
        found.push(Difference { at: at.to_owned(), expected, actual: actual.clone() });
    };
    match (&then.refused, &then.failed) {
        (Some(code), _) if status != Status::Refused => wrong("refused", code.clone()),
        (Some(Value::String(code)), _) => compare("refused", &json!({ "code": code }), &actual, Match::Named, found),
        (Some(some), _) => compare("refused", some, &actual, Match::Named, found),
        (None, Some(kind)) if fault.is_none_or(|fault| fault.kind.as_str() != kind) => wrong("failed", json!(kind)),
        (None, None) if !matches!(status, Status::Ok | Status::Committed) => wrong("status", json!("ok")),
        _ => {}
    }
}

fn refusal(error: &Error) -> Value {
    let problem = error.problems.first();
    let mut told = Map::from_iter([("class".to_owned(), json!(error.class))]);
    if let Some(problem) = problem {
        told.extend([("code".to_owned(), json!(problem.code)), ("message".to_owned(), json!(problem.message))]);
        told.extend(problem.field.as_ref().map(|field| ("field".to_owned(), json!(field))));
    }
    Value::Object(told)
}

/// What is expected of a run that there was none of: the service refused it before it began.
fn untold(then: &Then) -> Vec<Difference> {
    let asked = [
        ("output", then.output.is_some()),
        ("effects", then.effects.is_some()),
        ("log", then.log.is_some()),
        ("fuel-max", then.fuel_max.is_some()),
        ("host-calls-max", then.host_calls_max.is_some()),
    ];
    let asked = asked.into_iter().filter(|(_, asked)| *asked);
    let difference = |(at, _): (&str, bool)| Difference {
        at: at.to_owned(),
        expected: json!("a run that tells it"),
        actual: json!("the run was refused before it began"),
    };
    asked.map(difference).collect()
}

/// What the run itself tells.
fn report_of(then: &Then, report: &RunReport, kept: Option<&Value>, found: &mut Vec<Difference>) {
    if let Some(expected) = &then.output {
        let actual = report.output.as_ref().and_then(|output| serde_json::from_str(output.get()).ok());
        compare("output", expected, &actual.unwrap_or_default(), Match::Whole, found);
    }
    let effects = json!(report.effects);
    match &then.effects {
        Some(Effects::Kept(_)) => match kept {
            Some(kept) => compare("effects", kept, &effects, Match::Whole, found),
            None => found.push(Difference {
                at: "effects".to_owned(),
                expected: json!("a snapshot: `backroom plugin test --update` writes it"),
                actual: effects,
            }),
        },
        Some(Effects::List(list)) => compare("effects", &json!(list), &effects, Match::Named, found),
        None => {}
    }
    if let Some(lines) = &then.log {
        let actual: Vec<&str> = report.log.iter().map(|line| line.message.as_str()).collect();
        compare("log", &json!(lines), &json!(actual), Match::Whole, found);
    }
    let most = [
        ("fuel-max", then.fuel_max, report.fuel),
        ("host-calls-max", then.host_calls_max.map(u64::from), u64::from(report.host_calls)),
    ];
    for (at, most, actual) in most {
        if let Some(most) = most.filter(|most| actual > *most) {
            found.push(Difference { at: at.to_owned(), expected: json!(most), actual: json!(actual) });
        }
    }
}

/// Finds every place where two values differ.
pub(super) fn compare(at: &str, expected: &Value, actual: &Value, how: Match, found: &mut Vec<Difference>) {
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (name, value) in wanted {
                compare(&format!("{at}.{name}"), value, there.get(name).unwrap_or(&Value::Null), how, found);
            }
            let more = there.iter().filter(|(name, _)| how == Match::Whole && !wanted.contains_key(*name));
            more.for_each(|(name, value)| compare(&format!("{at}.{name}"), &Value::Null, value, how, found));
        }
        // A list has its length, whatever of its elements is named.
        (Value::Array(wanted), Value::Array(there)) => {
            for number in 0..wanted.len().max(there.len()) {
                let one = |list: &[Value]| list.get(number).cloned().unwrap_or_default();
                compare(&format!("{at}[{number}]"), &one(wanted), &one(there), how, found);
            }
        }
        _ if expected == actual => {}
        _ => found.push(Difference { at: at.to_owned(), expected: expected.clone(), actual: actual.clone() }),
    }
}

fn balance(work: &Work, account: &str, expected: &str, found: &mut Vec<Difference>) -> Result {
    let at = format!("balances.{account}");
    let wrong = |error: Error| Failure::usage(format!("{at}: {error}"));
    let (minus, plain) = expected.strip_prefix('-').map_or((false, expected), |rest| (true, rest));
    let wanted: Money = plain.parse().map_err(wrong)?;
    let signed = |minus: bool, money: Money| format!("{}{money}", if minus && money.minor > 0 { "-" } else { "" });
    let actual = match ledger::balance(work, &Id::parse(account, "account").map_err(wrong)?, None) {
        Ok(balance) => {
            let minor = balance.debits.abs_diff(balance.credits);
            let money = Money { minor, currency: balance.currency };
            json!(signed(balance.credits > balance.debits, money))
        }
        Err(error) => json!(error.to_string()),
    };
    compare(&at, &json!(signed(minus, wanted)), &actual, Match::Whole, found);
    Ok(())
}

fn on_hand(work: &Work, number: usize, row: &OnHand, found: &mut Vec<Difference>) -> Result {
    let at = format!("on-hand[{number}]");
    let wrong = |error: Error| Failure::usage(format!("{at}: {error}"));
    let wanted = Decimal::parse(&row.quantity, "quantity").map_err(wrong)?;
    let item = Id::parse(&row.item, "item").map_err(wrong)?;
    let location = Id::parse(&row.location, "location").map_err(wrong)?;
    let mut page = PageRequest::first(PageRequest::MAX);
    let (mut units, mut scale) = (0_u64, 0);
    loop {
        let rows = inventory::list_on_hand(work, &item, Some(&location), &page);
        let rows = rows.map_err(|error| Failure::usage(format!("{at}: {error}")))?;
        for there in rows
            .items
            .iter()
            .filter(|there| row.lot.is_none() || there.lot.as_ref().map(Id::as_str) == row.lot.as_deref())
        {
            (units, scale) = (units.saturating_add(there.entered.saturating_sub(there.left)), there.decimals);
        }
        match rows.next {
            Some(next) => page.cursor = Some(next),
            None => break,
        }
    }
    let actual = Decimal::new(units, scale, "quantity").map_err(wrong)?;
    if actual.cmp(&wanted) != Ordering::Equal {
        let at = format!("{at} {} at {}", row.item, row.location);
        found.push(Difference { at, expected: json!(wanted.to_string()), actual: json!(actual.to_string()) });
    }
    Ok(())
}

/// Is there a line with all that is named?
fn benefit(work: &Work, number: usize, line: &Map<String, Value>, found: &mut Vec<Difference>) -> Result {
    let at = format!("benefits[{number}]");
    let plan = line.get("plan").and_then(Value::as_str);
    let plan = plan.ok_or_else(|| Failure::usage(format!("{at}: name the plan")))?;
    let plan = Id::parse(plan, "plan").map_err(|error| Failure::usage(format!("{at}: {error}")))?;
    let (first, last) = all_days()?;
    let lines: Vec<Value> = benefits(work, &plan, first, last)?.iter().map(shown).collect();
    let wanted = Value::Object(line.clone());
    let fits = |there: &&Value| {
        let mut differences = Vec::new();
        compare("", &wanted, there, Match::Named, &mut differences);
        differences.is_empty()
    };
    if lines.iter().any(|there| fits(&there)) {
        return Ok(());
    }
    let of_worker: Vec<Value> = lines
        .iter()
        .filter(|there| line.get("worker").is_none_or(|w| there.get("worker") == Some(w)))
        .cloned()
        .collect();
    found.push(Difference { at, expected: wanted, actual: Value::Array(of_worker) });
    Ok(())
}

fn benefits(work: &Work, plan: &Id, first: BusinessDate, last: BusinessDate) -> Result<Vec<Benefit>> {
    let (mut all, mut page) = (Vec::new(), PageRequest::first(PageRequest::MAX));
    loop {
        let rows = hr::list_benefits(work, plan, first, last, &page).map_err(Failure::usage)?;
        all.extend(rows.items);
        match rows.next {
            Some(next) => page.cursor = Some(next),
            None => return Ok(all),
        }
    }
}

/// A benefit line as the service tells it, with its amount as people write it.
fn shown(benefit: &Benefit) -> Value {
    let mut line = json!(benefit);
    if let Some(amount) = line.get_mut("amount") {
        *amount = json!(benefit.new.amount.to_string());
    }
    line
}
