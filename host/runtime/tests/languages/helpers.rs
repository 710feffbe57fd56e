//! The helpers of the SDKs (money, decimals, dates, months) against the rules of the service and against each other: random questions, the same
//! to each language, in one run.
//!
//! Where `domain` has the same rule, it says what is right; of the rest the languages have to say the same.
//! `BACKROOM_SEED=17` asks the questions of a run before again.

use backroom_domain::{BusinessDate, Currency, Decimal, MAX_MINOR, Money, Rounding, mul_div};
use backroom_kit::{Built, Language};
use backroom_runtime::Mode;
use serde_json::{Value, json};

use crate::conformance::{folder, short};
use crate::ground::Ground;

/// Questions of each run.
const QUESTIONS: usize = 1_500;

/// Of every number of decimals there is one, and words that are no currency.
const CURRENCIES: [&str; 12] = ["USD", "EUR", "JPY", "KRW", "KWD", "TND", "CLF", "UYW", "XAF", "usd", "US", "ÄÖÜ"];

/// A question: what is called, and the answer where `domain` knows it.
struct Question {
    call: &'static str,
    args: Vec<Value>,
    right: Option<Value>,
}

/// Numbers that follow from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    /// Of any size, often at an edge.
    fn number(&mut self) -> u64 {
        match self.below(8) {
            0 => MAX_MINOR - self.below(3),
            1 => self.below(4),
            _ => self.next() >> (11 + self.below(53)),
        }
    }

    /// A number as somebody may write it, right or nearly.
    fn written(&mut self) -> String {
        let whole = match self.below(10) {
            0 => "90071992547409".to_owned(),
            1 => "9007199254740991".to_owned(),
            2 => "99999999999999999999999".to_owned(),
            3 => format!("000{}", self.below(100)),
            4 => String::new(),
            _ => (self.next() >> (20 + self.below(44))).to_string(),
        };
        let decimals: String =
            (0..self.below(11)).map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap())).collect();
        let odd = self.one(&["-1", "+1", "1e3", "1,5", " 1", "1 ", "1.2.3", "1.", ".", "٣", "0x1", "1_0", "NaN"]);
        match self.below(8) {
            0 => odd.to_owned(),
            1 | 2 => whole,
            _ => format!("{whole}.{}", decimals.get(..decimals.len().min(self.one(&[1, 2, 2, 3, 9, 10]))).unwrap()),
        }
    }

    fn month(&mut self) -> String {
        let (year, month) = (1895 + self.below(1110), self.below(14));
        match self.below(8) {
            0 => self.one(&["1900-01", "2999-12", "2024-02", "2100-02", "2026-12", "2026-01"]).to_owned(),
            1 => self
                .one(&["2026-6", "26-06", "2026/06", "june", "2026-06-01", "2026-06 ", "2026-06\0", "+026-06", ""])
                .to_owned(),
            _ => format!("{year}-{month:02}"),
        }
    }

    fn date(&mut self) -> String {
        match self.below(8) {
            0 => self.one(&["2024-02-29", "2100-02-29", "2000-02-29", "2999-12-31", "1900-01-01"]).to_owned(),
            1 => self.one(&["2026-6-30", "30.6.2026", "2026-06-3x", "2026-06-030", "2026-06", ""]).to_owned(),
            _ => format!("{}-{:02}", self.month(), self.below(33)),
        }
    }
}

/// The answers of `domain`: `{"ok": ...}`, or `{"err": ...}` with the code of the SDKs.
fn ok<E>(answer: Result<Value, E>, code: &str) -> Option<Value> {
    Some(answer.map_or_else(|_| json!({ "err": code }), |value| json!({ "ok": value })))
}

fn date_json(date: BusinessDate) -> Value {
    json!({ "year": date.year(), "month": date.month(), "day": date.day() })
}

fn question(chance: &mut Chance) -> Question {
    match chance.below(4) {
        0 => amounts(chance),
        1 => sums(chance),
        2 => decimals(chance),
        _ => days(chance),
    }
}

fn amounts(chance: &mut Chance) -> Question {
    let (text, code) = (chance.written(), chance.one(&CURRENCIES));
    let wrong = "invalid: amount-invalid at amount";
    match chance.below(4) {
        0 => {
            let money = format!("{text} {code}");
            let right = ok(money.parse::<Money>().map(|money| json!(money)), wrong);
            Question { call: "sdk.parse-money", args: vec![json!(money)], right }
        }
        1 => {
            let parsed = Currency::parse(code, "c").and_then(|currency| Money::parse_amount(&text, currency, "a"));
            let right = ok(parsed.map(|money| json!(money)), wrong);
            Question { call: "sdk.parse-amount", args: vec![json!(text), json!(code)], right }
        }
        2 => {
            let digits = Currency::parse(code, "c").map_or(2, Currency::exponent);
            Question { call: "sdk.minor-digits", args: vec![json!(code)], right: Some(json!({ "ok": digits })) }
        }
        _ => {
            let currency = Currency::parse(chance.one(&CURRENCIES[..9]), "c").unwrap();
            let money = Money::new(chance.number(), currency, "m").unwrap();
            let (call, shown) = match chance.below(2) {
                0 => ("sdk.show-money", money.to_string()),
                _ => ("sdk.show-amount", money.amount_text()),
            };
            Question { call, args: vec![json!(money)], right: Some(json!({ "ok": shown })) }
        }
    }
}

fn sums(chance: &mut Chance) -> Question {
    let usd = |minor: u64| json!({ "minor": minor, "currency": "USD" });
    let (one, other, third) = (chance.number(), chance.number(), chance.number());
    let (call, args, made) = match chance.below(3) {
        0 => ("sdk.plus", vec![usd(one), usd(other)], one.checked_add(other)),
        1 => ("sdk.times", vec![usd(one), json!(other)], one.checked_mul(other)),
        _ => {
            // Ties come from even wholes.
            let (part, whole) = (other, chance.one(&[0, 1, 2, 30, 31, 365, third]));
            let made = mul_div(one, part, whole, Rounding::HalfEven);
            ("sdk.share", vec![usd(one), json!(part), json!(whole)], made)
        }
    };
    let made = made.filter(|minor| *minor <= MAX_MINOR).ok_or(());
    Question { call, args, right: ok(made.map(usd), "refused: overflow") }
}

fn decimals(chance: &mut Chance) -> Question {
    if chance.below(2) == 0 {
        let text = chance.written();
        let right = Decimal::parse(&text, "d").map(|d| json!({ "mantissa": d.mantissa, "scale": d.scale }));
        let right = ok(right, "invalid: decimal-invalid at decimal");
        return Question { call: "sdk.parse-decimal", args: vec![json!(text)], right };
    }
    let decimal = Decimal::new(chance.number(), u8::try_from(chance.below(10)).unwrap(), "d").unwrap();
    let arg = json!({ "mantissa": decimal.mantissa, "scale": decimal.scale });
    Question { call: "sdk.show-decimal", args: vec![arg], right: Some(json!({ "ok": decimal.to_string() })) }
}

fn days(chance: &mut Chance) -> Question {
    if chance.below(2) == 0 {
        let call = chance.one(&[
            "sdk.parse-month",
            "sdk.month-first",
            "sdk.month-last",
            "sdk.month-next",
            "sdk.month-previous",
        ]);
        let text = chance.month();
        let first = BusinessDate::parse(&format!("{text}-01"), "date");
        let wrong = "invalid: month-invalid at month";
        let right = match call {
            "sdk.parse-month" => ok(first.map(|_| json!(text)), wrong),
            "sdk.month-first" => ok(first.map(date_json), wrong),
            "sdk.month-last" => ok(first.map(|first| date_json(first.last_of_month())), wrong),
            // The languages have to say the same.
            _ => None,
        };
        return Question { call, args: vec![json!(text)], right };
    }
    let call = chance.one(&["sdk.date", "sdk.show-date", "sdk.first-of-month", "sdk.last-of-month", "sdk.month-of"]);
    let text = chance.date();
    let right = BusinessDate::parse(&text, "date").map(|date| match call {
        "sdk.date" => date_json(date),
        "sdk.first-of-month" => date_json(date.first_of_month()),
        "sdk.last-of-month" => date_json(date.last_of_month()),
        "sdk.month-of" => json!(text.get(..7)),
        _ => json!(text),
    });
    Question { call, args: vec![json!(text)], right: ok(right, "invalid: date-invalid at date") }
}

/// Random questions about the helpers, for all languages the same.
pub(crate) struct Questions {
    seed: u64,
    all: Vec<Question>,
    /// What the language before said.
    before: Option<(Language, Vec<Value>)>,
}

impl Questions {
    /// From the seed of `BACKROOM_SEED`, or the usual one; printed.
    pub(crate) fn new() -> Self {
        let seed = match std::env::var("BACKROOM_SEED") {
            Ok(text) => text.parse().expect("BACKROOM_SEED is a number"),
            Err(_) => 20_261_126,
        };
        eprintln!("helpers of the SDKs: repeat with BACKROOM_SEED={seed}");
        let mut chance = Chance(seed);
        Self { seed, all: (0..QUESTIONS).map(|_| question(&mut chance)).collect(), before: None }
    }

    /// Asks a language, and adds what is wrong with its answers to `wrong`.
    pub(crate) fn ask(&mut self, built: &Built, wrong: &mut Vec<String>) {
        let ground = Ground::new(&built.bytes, &folder().join("installation.toml"), |_| {});
        let calls: Vec<Value> = self.all.iter().map(|one| json!({ "call": one.call, "args": one.args })).collect();
        let report = ground.run("helpers", Mode::DryRun, &json!({ "calls": calls }).to_string(), 0);
        let output: Value =
            serde_json::from_str(report.output.as_ref().unwrap_or_else(|| panic!("{report:?}")).get()).unwrap();
        let answers: Vec<Value> = output["answers"].as_array().unwrap().iter().map(without_words).collect();
        assert_eq!(answers.len(), self.all.len());
        let mut tell = |number: usize, who: &str, said: &Value| {
            let (Question { call, args, .. }, seed, language) = (&self.all[number], self.seed, built.language);
            wrong.push(format!(
                "BACKROOM_SEED={seed}: {call}({}): {language} says {}, {who} {said}",
                json!(args),
                answers[number]
            ));
        };
        for (number, question) in self.all.iter().enumerate() {
            if let Some(right) = question.right.as_ref().filter(|right| **right != answers[number]) {
                tell(number, "the service", right);
            }
            if let Some((other, said)) = &self.before
                && said[number] != answers[number]
            {
                tell(number, other.word(), &said[number]);
            }
        }
        self.before = Some((built.language, answers));
    }
}

/// Messages are each SDK's own.
fn without_words(answer: &Value) -> Value {
    answer.get("err").map_or_else(|| answer.clone(), |error| json!({ "err": short(error) }))
}
