//! Bodies of requests: good ones for each route that takes any, and what becomes of them.

use arbitrary::{Arbitrary as _, Result, Unstructured};
use serde_json::{Value, json};

/// The end of a route's path, and a body that it takes.
const GOOD: &[(&str, &str)] = &[
    ("/v1/tenants", r#"{"id":"other","name":"Other"}"#),
    ("/v1/keys", r#"{"name":"k1","role":"reader","tenant":"acme"}"#),
    ("/file-quotas", r#"{"tenant":"acme","folder":"in","bytes":100}"#),
    ("/tenant-limits", r#"{"tenant":"acme","limits":{"fuel":1000000}}"#),
    ("/secrets/{name}", r#"{"value":"s3cr3t"}"#),
    ("/erasure", r#"{"reason":"left"}"#),
    (
        "/installations/{name}",
        r#"{"release":"00","grants":[{"why":"x","ledger":{"read":["1*"],"post":["type=expense"],"max-entry":"5.00 USD"}}],"config":{"a":"b"},"limits":{"fuel":1000},"accept-rights":true}"#,
    ),
    ("/runs", r#"{"id":"r1","mode":"commit","date":"2026-06-30","input":{"a":1},"queued":true}"#),
    (
        "/accounts",
        r#"{"code":"5000","name":"n","type":"expense","currency":"USD","posting":true,"stock-control":false,"rules":{"min-available":{"minor":0},"required-dimensions":["project"]}}"#,
    ),
    ("/accounts/{code}", r#"{"expected-version":1,"name":"n","rules":{"manual":false,"max-available":{"minor":100}}}"#),
    ("/close", r#"{"reason":"r","sweep":{"to":"1000","entry":"e9"}}"#),
    ("/reopen", "{}"),
    ("/books", r#"{"id":"us","name":"US","base":"USD","year-start":7,"exchange-gain":"us/7"}"#),
    (
        "/entries",
        r#"{"id":"e1","date":"2026-06-30","description":"x","details":{"kind":"sales","guards":[{"account":"1000","balance":"available","op":"ge","value":{"minor":1}}]},"lines":[{"account":"6100","side":"debit","amount":{"minor":100,"currency":"USD"},"dimensions":[{"name":"p","value":"v"}],"details":{"party":"c1","due":"2026-07-30"}},{"account":"1000","side":"credit","amount":{"minor":100,"currency":"USD"}}]}"#,
    ),
    (
        "/entries",
        r#"{"id":"e2","date":"2026-06-30","description":"x","lines":[{"account":"eu/1100","side":"debit","amount":{"minor":100,"currency":"USD"},"details":{"rate":"0.5"}},{"account":"eu/1000","side":"credit","amount":{"minor":50,"currency":"EUR"}}]}"#,
    ),
    (
        "/batches",
        r#"{"mode":"all-or-nothing","items":[{"group":1,"entry":{"id":"e1","date":"2026-06-30","description":"x","lines":[{"account":"6100","side":"debit","amount":{"minor":100,"currency":"USD"}},{"account":"1000","side":"credit","amount":{"minor":100,"currency":"USD"}}]}}]}"#,
    ),
    ("/reversals", r#"{"of":"e0","entry":"r1","reason":"x","force":true}"#),
    (
        "/holds",
        r#"{"timeout-seconds":60,"entry":{"id":"h1","date":"2026-06-30","description":"x","lines":[{"account":"1000","side":"debit","amount":{"minor":100,"currency":"USD"}},{"account":"4000","side":"credit","amount":{"minor":100,"currency":"USD"}}]}}"#,
    ),
    ("/settlements", r#"{"hold":"h0","entry":"p1","amount":{"minor":50,"currency":"USD"},"final":true}"#),
    ("/releases", r#"{"hold":"h0","amount":{"minor":50,"currency":"USD"}}"#),
    ("/period-locks", r#"{"book":"main","scope":"all","kind":"soft","until":"2026-05-31"}"#),
    ("/period-locks", r#"{"book":"eu","scope":"all","kind":"soft","until":"2025-12-31"}"#),
    ("/period-reopenings", r#"{"book":"main","scope":"all","from":"2026-05-01","reason":"x"}"#),
    ("/future-limit", r#"{"book":"main","days":3}"#),
    (
        "/lock-exceptions",
        r#"{"book":"main","exception":{"id":"x1","scope":"all","holder":"everyone","until":"2036-07-10T18:00:00Z","reason":"x"}}"#,
    ),
    ("/revocation", r#"{"book":"main"}"#),
    ("/year-closings", r#"{"book":"eu","closing":{"id":"c1","year":2025,"retained-earnings":["eu/3200"]}}"#),
    (
        "/revaluations",
        r#"{"book":"eu","revaluation":{"id":"v1","as-of":"2026-06-30","accounts":["eu/1100"],"reverse":true}}"#,
    ),
    ("/rates", r#"{"book":"eu","rates":[{"date":"2026-06-30","from":"USD","to":"EUR","type":"spot","rate":"0.5"}]}"#),
    (
        "/budgets",
        r#"{"book":"main","budget":{"id":"b1","account":"4000","periods":[{"first":"2026-01-01","last":"2026-12-31","amount":{"minor":5,"currency":"USD"}}],"action":"stop"}}"#,
    ),
    (
        "/matches",
        r#"{"id":"m1","date":"2026-06-30","pairs":[{"debit":{"entry":"e0","line":0},"credit":{"entry":"e1","line":1},"minor":100}],"write-off":{"item":{"entry":"e0","line":0},"account":"4000","minor":1},"tolerance":5,"entry":"me1"}"#,
    ),
    ("/undoing", r#"{"reason":"x","entry":"u1"}"#),
    (
        "/bank-statements",
        r#"{"id":"s1","account":"6100","opening":{"minor":0},"closing":{"minor":100},"lines":[{"id":"L1","date":"2026-06-30","side":"debit","minor":100,"reference":"e0"}]}"#,
    ),
    ("/confirmation", r#"{"item":{"entry":"e0","line":0}}"#),
];

/// Files that are imported, and rows that they can have.
const FILES: &[(&str, &str)] = &[
    ("accounts.csv", "code,name,type,parent,currency,posting,stock-control\n5000,Rent,expense,,USD,yes,no\n"),
    (
        "opening-balances.csv",
        "account,date,debit,credit,currency\n1000,2026-01-01,10.00,,USD\n3200,2026-01-01,,10.00,USD\n",
    ),
    ("workers.csv", "id,name,email,bank-account\nw2,Ada,a@b.example,DE00\n"),
    (
        "employments.csv",
        "worker,first-day,last-day,position,place,cost-center,salary,currency\nw2,2026-01-01,,CPA,remote,CC-1,7.00,USD\n",
    ),
    ("items.csv", "id,name,unit,decimals,tracking,stock-account\nchair,Chair,each,0,lot,1400\n"),
    ("locations.csv", "id,name,usage\nback,Back,internal\n"),
    ("lots.csv", "id,item,expiry\nL9,chair,2027-01-01\n"),
    ("stock.csv", "item,location,lot,quantity,value,currency,source\nlaptop,stock,,2,20.00,USD,vendor\n"),
    (
        "books.journal",
        "account assets:cash  ; type: A\ncommodity $1,000.00\n2026-01-02 * Rent | x  ; id:j1\n    expenses:rent  $5.00\n    assets:cash  $-5.00 = $-5.00\n",
    ),
];

/// A good body for the route, if there is one, with a few changes.
///
/// # Errors
/// If the bytes are used up.
pub fn near(u: &mut Unstructured<'_>, path: &str) -> Result<Option<Value>> {
    let fitting: Vec<_> = GOOD.iter().filter(|(end, _)| path.ends_with(end)).collect();
    if fitting.is_empty() {
        return Ok(None);
    }
    let mut body: Value = serde_json::from_str(u.choose(&fitting)?.1).unwrap();
    for _ in 0..u.int_in_range(0..=3)? {
        change(u, &mut body)?;
    }
    Ok(Some(body))
}

/// A multipart body with one or two files, nearly good.
///
/// # Errors
/// If the bytes are used up.
pub fn files(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    for _ in 0..u.int_in_range(1..=2)? {
        let (name, text) = u.choose(FILES)?;
        let mut text = text.as_bytes().to_vec();
        for _ in 0..u.int_in_range(0..=3)? {
            let at = u.choose_index(text.len())?;
            match u.int_in_range(0..=3)? {
                0 => drop(text.splice(at..at, Vec::arbitrary(u)?)),
                1 => drop(text.remove(at)),
                2 => text[at] = *u.choose(b",;\"\n 0-.@={")?,
                _ => text.extend_from_within(at..),
            }
            if text.is_empty() {
                break;
            }
        }
        let head = format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), &text, b"\r\n"].concat());
    }
    body.extend(b"--x--\r\n");
    Ok(body)
}

/// Changes one thing somewhere in it.
fn change(u: &mut Unstructured<'_>, value: &mut Value) -> Result<()> {
    match value {
        Value::Object(fields) if !fields.is_empty() && !u.ratio(1, 16)? => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = u.choose(&names)?;
            if u.ratio(1, 12)? {
                fields.remove(name);
            } else if let Some(field) = fields.get_mut(name) {
                change(u, field)?;
            }
        }
        Value::Array(items) if !items.is_empty() && !u.ratio(1, 8)? => {
            let at = u.choose_index(items.len())?;
            match u.int_in_range(0..=7)? {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => change(u, &mut items[at])?,
            }
        }
        leaf => *leaf = other(u)?,
    }
    Ok(())
}

/// A value that may stand anywhere.
fn other(u: &mut Unstructured<'_>) -> Result<Value> {
    const WORDS: &[&str] = &[
        "acme",
        "1000",
        "1400",
        "2000",
        "4000",
        "6100",
        "eu/1000",
        "eu/1100",
        "e0",
        "e1",
        "e2",
        "h0",
        "USD",
        "EUR",
        "debit",
        "credit",
        "2026-06-30",
        "2025-12-31",
        "2026-02-30",
        "w1",
        "laptop",
        "stock",
        "vendor",
        "in",
        "a",
        "0.5",
        "5.00 USD",
        "all",
        "hard",
        "",
    ];
    Ok(match u.int_in_range(0..=7)? {
        0 => Value::Null,
        1 => json!(bool::arbitrary(u)?),
        2 => json!(u.choose(&[0_u64, 1, 50, 100, 101, (1 << 53) - 1, 1 << 53, u64::MAX])?),
        3 => json!(i64::arbitrary(u)?),
        4 => json!(String::arbitrary(u)?),
        5 => json!([u.choose(WORDS)?, u.choose(WORDS)?]),
        _ => json!(u.choose(WORDS)?),
    })
}
