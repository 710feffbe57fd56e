//! What stands in the commit log: entries, and in them effects, records, and what a run says of itself. Any bytes are one or are
//! refused; what was read and is written again reads the same.
#![no_main]

use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use backroom_domain::outbound::Method;
use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Class, Error, Id};
use backroom_fuzz::{NOW, TENANT, acme};
use backroom_office::calls::{Answer, Exchange, Request, Response};
use backroom_office::effects::decode_all;
use backroom_office::runs::{Fault, FaultKind, LogLevel, LogLine, RunDetail};
use backroom_store::engine::{Change, Engine as _, LogItem, Memory, Sealed};
use backroom_store::records::RunStatus;
use backroom_store::records::sql::TABLES;
use backroom_store::{Entry, Head, Meta, Store, split_key};
use libfuzzer_sys::fuzz_target;

/// A store with the keys that the people of the seeds were sealed with.
static LOG: LazyLock<(Store, Vec<Vec<u8>>)> = LazyLock::new(|| {
    let engine = Arc::new(Memory::new());
    let store = Store::with_engine(engine.clone());
    acme(&store).unwrap();
    let mut payloads = Vec::new();
    let read = engine.read_log(1, &mut |item| {
        if let LogItem::Entry { payload, .. } = item {
            payloads.push(payload.to_vec());
        }
        ControlFlow::Continue(())
    });
    read.unwrap();
    (store, payloads)
});

// The first byte says what the others are to be.
fuzz_target!(init: backroom_fuzz::seeds::write("log", seeds()), |bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind {
        0 => entry(bytes),
        1 => detail(bytes),
        2 => effects(&[bytes.to_vec()]),
        after => record(*after - 3, bytes),
    }
});

fn entry(bytes: &[u8]) {
    let Ok(entry) = Entry::decode(1, bytes) else { return };
    if let Some(bytes) = entry.detail.as_deref() {
        detail(bytes);
    }
    effects(&entry.effects);
    for (key, value) in &entry.changes {
        if let (Some((_, space, _)), Some(value)) = (split_key(key), value) {
            record(space, value);
        }
    }
    again(entry);
}

/// The entry as it is when it is written anew: the encoding may differ from the one that was read, the entry does not.
fn again(mut entry: Entry) {
    let Some(before) = entry.number.checked_sub(1) else { return };
    let change = |(key, value): &(Vec<u8>, Option<Vec<u8>>)| Change {
        key: key.as_slice().into(),
        value: value.as_deref().map(Arc::from),
    };
    let changes = entry.changes.iter().map(change).collect();
    let follows = Head { number: before, hash: entry.prev };
    let Ok(sealed) = Sealed::new(entry.tenant, follows, &Meta::from(entry.clone()), changes) else { return };
    entry.hash = sealed.head.hash;
    assert_eq!(Entry::decode(1, &sealed.payload).unwrap(), entry);
}

/// What a run says of itself is the same when it is written and read again.
fn detail(bytes: &[u8]) {
    if let Ok(detail) = RunDetail::decode(bytes) {
        assert_eq!(RunDetail::decode(&detail.encode()).unwrap(), detail);
    }
}

fn effects(bytes: &[Vec<u8>]) {
    let tx = LOG.0.read(TENANT).unwrap();
    for effect in bytes {
        if let Ok(effects) = decode_all(std::slice::from_ref(effect), tx.seals()) {
            // As they are shown.
            serde_json::to_string(&effects).unwrap();
        }
    }
}

/// A record becomes the row that it is in SQL, or an error.
fn record(space: u8, bytes: &[u8]) {
    let Some(table) = TABLES.iter().find(|table| table.space == space) else { return };
    if let Ok(columns) = (table.extract)(bytes) {
        assert_eq!(columns.len(), table.columns.len(), "{}", table.name);
    }
}

/// The entries of the log, and what is in them one by one.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    let mut add = |name: String, kind: u8, bytes: &[u8]| seeds.push((name, [&[kind], bytes].concat()));
    for (number, payload) in LOG.1.iter().enumerate() {
        add(format!("entry-{number}"), 0, payload);
        let entry = Entry::decode(1, payload).unwrap();
        for (at, effect) in entry.effects.iter().enumerate() {
            add(format!("effect-{number}-{at}"), 2, effect);
        }
        for (at, (key, value)) in entry.changes.iter().enumerate() {
            if let (Some((_, space, _)), Some(value)) = (split_key(key), value) {
                add(format!("record-{number}-{at}"), space + 3, value);
            }
        }
    }
    add("run".to_owned(), 1, &run().encode());
    seeds
}

/// A run that says all that one can.
fn run() -> RunDetail {
    let request = Request {
        method: Method::Post,
        url: "https://bank.example/v1".to_owned(),
        headers: vec![("authorization".to_owned(), "{{secret:bank}}".to_owned())],
        body: b"{}".to_vec(),
        timeout_ms: 1_000,
    };
    let response = Response { status: 200, headers: vec![("x".to_owned(), "y".to_owned())], body: b"ok".to_vec() };
    let error = Error::new(Class::Unavailable, "http-timeout", "it took longer than it may");
    RunDetail {
        installation: Id::parse("pay", "id").unwrap(),
        release: "00".repeat(32),
        date: BusinessDate::parse("2026-06-30", "date").unwrap(),
        now: NOW,
        input: "{}".to_owned(),
        rights: Rights::all(),
        actor: "ann".to_owned(),
        status: RunStatus::Failed,
        output: Some("{}".to_owned()),
        error: Some(error.clone()),
        fault: Some(Fault::new(FaultKind::Fuel, "too long")),
        fuel: 7,
        host_calls: 3,
        log: vec![LogLine { level: LogLevel::Warn, message: "hm".to_owned() }],
        log_dropped: 1,
        calls: vec![Exchange { request: request.clone(), answer: Answer::Response(response) }],
        abandoned: vec![Exchange { request, answer: Answer::Error(error) }],
    }
}
