//! Ids of another company: not found, as if there were no such company, and free to use.

use backroom_domain::Class::{Denied, NotFound};
use backroom_runtime::{Mode, Status};

use crate::books::{Service, clerk};
use crate::guest::{Guest, answers, manifest, with_manifest};
use crate::harness::{End, LIMITS, Row};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = reading();
    rows.extend(naming());
    rows.extend(without_a_grant());
    rows.push(denied_before());
    rows.extend(taking());
    rows
}

const DAY: &str = "(i32.const 2026) (i32.const 6) (i32.const 30)";

/// Every function that reads by id.
fn readers(mark: &str) -> Vec<(&'static str, String)> {
    vec![
        ("accounts.get", format!("@\"{mark}1000\"")),
        ("journal.get", format!("@\"{mark}e0\"")),
        ("balances.get", format!("@\"{mark}1000\" (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)")),
        ("workers.get-name", format!("@\"{mark}w1\"")),
        ("workers.get-compensation", format!("@\"{mark}w1\" {DAY}")),
        ("workers.get-bank-account", format!("@\"{mark}w1\"")),
        ("items.get", format!("@\"{mark}laptop\"")),
        ("stock.get-valuation", format!("@\"{mark}laptop\"")),
        (
            "stock.list-on-hand",
            format!(
                "@\"{mark}laptop\" (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 9)"
            ),
        ),
    ]
}

fn reading() -> Vec<Row> {
    let mut rows = Vec::new();
    for (function, operands) in readers("x-") {
        rows.push(Row::refused(
            format!("{function} of another company"),
            &answers(function, &operands),
            NotFound,
            "not-found",
        ));
    }
    // The same of its own is there: the rows above do not fail for another reason.
    for (function, operands) in readers("") {
        let run = answers(function, &operands);
        rows.push(Row::harmless(format!("{function} of its own company"), &Guest { run: &run, ..Guest::default() }, 0));
    }
    rows
}

/// Every field of a form that names something.
fn naming() -> Vec<Row> {
    let entry = |account: &str| {
        format!(
            "(call $lines) (call $text (i32.const 1024) @\"{account}\") {}",
            answers("journal.post", &format!("@\"e1\" {DAY} @\"A test\" (i32.const 1024) (i32.const 2)"))
        )
    };
    let moved = |at: u32, name: &str| {
        format!(
            "(call $move) (call $text (i32.const {at}) @\"{name}\") {}",
            answers("stock.post-move", "(i32.const 1024)")
        )
    };
    let worker = format!(
        "(call $move) (i32.store8 (i32.const 1120) (i32.const 1)) (call $text (i32.const 1124) @\"x-w1\") {}",
        answers("stock.post-move", "(i32.const 1024)")
    );
    let benefit = format!(
        "(call $benefit) (call $text (i32.const 1032) @\"x-w1\") {}",
        answers("benefits.record", "(i32.const 1024)")
    );
    let its_entry = format!(
        "(call $benefit) (i32.store8 (i32.const 1080) (i32.const 1)) (call $text (i32.const 1084) @\"x-e0\") {}",
        answers("benefits.record", "(i32.const 1024)")
    );
    vec![
        Row::refused("an entry on another company's account", &entry("x-6100"), NotFound, "account-not-found"),
        Row::refused("a move of another company's item", &moved(1036, "x-laptop"), NotFound, "item-not-found"),
        Row::refused("a move out of another company's stock", &moved(1064, "x-stock"), NotFound, "location-not-found"),
        Row::refused("a move into another company's stock", &moved(1072, "x-stock"), NotFound, "location-not-found"),
        Row::refused("a move to another company's worker", &worker, NotFound, "worker-not-found"),
        Row::refused("a benefit for another company's worker", &benefit, NotFound, "worker-not-found"),
        Row::refused(
            "a benefit carried by another company's entry",
            &its_entry,
            backroom_domain::Class::Refused,
            "entry-missing",
        ),
    ]
}

/// Without a grant the answer is the same, whether there is such a thing here, elsewhere or nowhere.
fn without_a_grant() -> Vec<Row> {
    let mut rows = Vec::new();
    for (whose, mark) in [("its own", ""), ("another", "x-"), ("no", "none-")] {
        for (function, operands) in readers(mark) {
            // An entry is known by its id, and its accounts are what a grant is for.
            if function == "journal.get" {
                continue;
            }
            let code = match function.split('.').next() {
                Some("workers") => "hr-read-denied",
                Some("accounts" | "balances") => "ledger-read-denied",
                _ => "inventory-read-denied",
            };
            let run = answers(function, &operands);
            let bytes = with_manifest(Guest { run: &run, ..Guest::default() }.component(), &manifest(""));
            rows.push(Row::new(
                format!("{function} of {whose} company without a grant"),
                bytes,
                End::Refused(Denied, code),
            ));
        }
    }
    rows
}

/// A denial that the guest swallows hides nothing that comes after it.
fn denied_before() -> Row {
    let run = format!(
        "(call $workers.get-name @\"w1\" (i32.const 512)) (if (i32.eqz (i32.load8_u (i32.const 512))) (then unreachable))
         (call $accounts.get @\"1000\" (i32.const 512)) (if (i32.load8_u (i32.const 512)) (then unreachable)) {}",
        answers("accounts.get", "@\"nobody\"")
    );
    let wants = manifest("[[wants]]\nwhy = \"Reads.\"\n[wants.ledger]\nread = [\"*\"]\n");
    let bytes = with_manifest(Guest { run: &run, ..Guest::default() }.component(), &wants);
    Row::new("a denied call, one that is allowed, and one that fails", bytes, End::Refused(NotFound, "not-found"))
}

/// Ids that another company used are free here.
fn taking() -> Vec<Row> {
    let entry = format!(
        "(call $lines) {}",
        answers("journal.post", &format!("@\"x-e0\" {DAY} @\"A test\" (i32.const 1024) (i32.const 2)"))
    );
    let benefit = format!(
        "(call $benefit) (call $text (i32.const 1024) @\"x-b0\") {}",
        answers("benefits.record", "(i32.const 1024)")
    );
    let fine = |name, run: &str| Row::harmless(name, &Guest { run, ..Guest::default() }, 1);
    vec![fine("an entry with another company's id", &entry), fine("a benefit with another company's id", &benefit)]
}

/// A run's id is its company's own as well, and so is what an installation of the same name kept.
#[test]
fn runs_and_state_of_another_company_are_not_known() {
    let service = Service::new();
    let keeps = answers("state.set", "@\"key\" @\"secret\"");
    service.install(service.other, "same", &Guest { run: &keeps, ..Guest::default() }.plugin(), LIMITS);
    let there = service.run(service.other, "same", Some("x-run"), Mode::Commit, "{}");
    assert_eq!((there.status, there.effects.len()), (Status::Committed, 1));

    // Found nothing under the key, or it would trap; another input, so a known id would be a conflict.
    let looks = format!(
        "(call $state.get @\"key\" (i32.const 512))
         (if (i32.or (i32.load8_u (i32.const 512)) (i32.load8_u (i32.const 516))) (then unreachable)) {}",
        answers("state.set", "@\"key\" @\"own\"")
    );
    service.install(service.tenant, "same", &Guest { run: &looks, ..Guest::default() }.plugin(), LIMITS);
    let here = service.run(service.tenant, "same", Some("x-run"), Mode::Commit, "[1]");
    assert_eq!((here.status, here.replayed, here.effects.len()), (Status::Committed, false, 1), "{here:#?}");
    // And each has its own on record.
    for (tenant, input, hash) in [(service.other, "{}", &there.hash), (service.tenant, "[1]", &here.hash)] {
        let again = service.run(tenant, "same", Some("x-run"), Mode::Commit, input);
        assert_eq!((again.replayed, &again.hash), (true, hash));
    }
    // Another installation of the same company has a state of its own, too.
    service.install(service.tenant, "neighbour", &Guest { run: &looks, ..Guest::default() }.plugin(), LIMITS);
    assert_eq!(service.run(service.tenant, "neighbour", None, Mode::Commit, "{}").status, Status::Committed);
    service.install(service.tenant, "clerk", clerk(), LIMITS);
    assert_eq!(service.run(service.tenant, "clerk", None, Mode::Commit, "{}").status, Status::Committed);
}
