//! What a run costs in each language: one piece of work, JSON of 1 KiB and five host calls, always in a fresh instance with fuel,
//! epochs and the checks of grants. The languages take turns, so that each meets the machine in the same states. The table is printed
//! (`--nocapture`); nothing is asserted on time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backroom_domain::BusinessDate;
use backroom_domain::rights::{Grant, Rights};
use backroom_kit::{Built, Language};
use backroom_office::{Caller, Work};
use backroom_runtime::{Execution, Outcome, Plugin, Setup};
use backroom_store::records::Limits;
use backroom_store::{Store, TenantNo};
use serde_json::{Value, json};

use crate::common::{NOW, id};
use crate::conformance::LANGUAGES;
use crate::ground::{fill, runtime};
use crate::{make, root};

/// Rounds, in each of which every language has its turn of so many runs or so much time, whichever ends first.
const ROUNDS: usize = 20;
const RUNS: usize = 100;
const TIME: Duration = Duration::from_millis(250);

/// What was seen of a language.
struct Figures {
    plugin: Arc<Plugin>,
    layers: [Arc<Rights>; 3],
    size: u64,
    imports: usize,
    compiled: Duration,
    first: Duration,
    times: Vec<Duration>,
    fuel: u64,
    memory: u64,
}

fn plugin(language: Language) -> Option<Built> {
    match language {
        // The guest that `backroom bench run` measures.
        Language::Rust => make::built(&root().join("tests/guests/order"), language),
        _ => make::plugin("order", language, &[]),
    }
}

/// The accounts that the order names.
fn store() -> Store {
    let store = Store::memory();
    let account = |code: &str| json!({"code": code, "name": code, "type": "asset", "currency": "USD", "posting": true, "stock-control": false});
    let none = json!([]);
    let accounts: Vec<Value> = ["1000", "1100", "2200", "4000", "5000"].map(account).into();
    let records = json!({
        "accounts": accounts, "books": none, "workers": none, "employments": none, "items": none, "locations": none, "lots": none,
    });
    let mut work = Work::new(store.write(TenantNo(1)).unwrap(), caller(vec![Arc::new(Rights::all())]), NOW, day());
    fill(&mut work, &records);
    work.seal().unwrap().commit(Default::default()).unwrap().ticket.wait().unwrap();
    store
}

fn day() -> BusinessDate {
    BusinessDate::parse("2026-06-30", "date").unwrap()
}

fn caller(layers: Vec<Arc<Rights>>) -> Caller {
    Caller { actor: "anna".into(), layers, installation: Some(id("test")), run: Some(id("run")) }
}

fn run(store: &Store, plugin: &Plugin, layers: &[Arc<Rights>], input: &Arc<str>) -> (Execution, Duration) {
    let setup = Setup { config: Arc::default(), limits: Limits::default(), input: Arc::clone(input), apart: false };
    let began = Instant::now();
    let work = Work::new(store.read(TenantNo(1)).unwrap(), caller(layers.to_vec()), NOW, day());
    let execution = runtime().execute(plugin, work, setup);
    let took = began.elapsed();
    (execution, took)
}

fn output(execution: &Execution) -> Value {
    match &execution.outcome {
        Outcome::Ok { output } => serde_json::from_str(output).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Makes it ready and runs it once.
fn begin(built: &Built, store: &Store) -> (Figures, Value) {
    let began = Instant::now();
    let plugin = runtime().load(&built.bytes).unwrap();
    let compiled = began.elapsed();
    let all: Rights = Grant { administer: false, ..Grant::all() }.into();
    let layers = [Arc::new(Rights::all()), Arc::clone(&plugin.manifest().wants), Arc::new(all)];
    let (execution, first) = run(store, &plugin, &layers, &input());
    let told = output(&execution);
    let (fuel, memory, times) = (execution.fuel, execution.peak_memory, Vec::new());
    let (size, imports) = (built.size, built.imports.len());
    (Figures { plugin, layers, size, imports, compiled, first, times, fuel, memory }, told)
}

fn input() -> Arc<str> {
    std::fs::read_to_string(root().join("tests/guests/order/order.json")).unwrap().into()
}

/// One turn. Every run gives the same, for the same fuel.
fn turn(figures: &mut Figures, store: &Store, input: &Arc<str>) {
    let began = Instant::now();
    for _ in 0..RUNS {
        let (execution, took) = run(store, &figures.plugin, &figures.layers, input);
        assert_eq!((execution.fuel, execution.host_calls), (figures.fuel, 5));
        figures.times.push(took);
        if began.elapsed() > TIME {
            break;
        }
    }
}

#[test]
fn figures_of_the_same_work() {
    let store = store();
    let mut first: Option<(Language, Value)> = None;
    let mut all = Vec::new();
    for language in LANGUAGES {
        let Some(built) = plugin(language) else { continue };
        let (figures, told) = begin(&built, &store);
        all.push((language, figures));
        match &first {
            None => first = Some((language, told)),
            Some((other, those)) => assert_eq!(&told, those, "{language} and {other} differ"),
        }
    }
    let input = input();
    for _ in 0..ROUNDS {
        for (_, figures) in &mut all {
            turn(figures, &store, &input);
        }
    }
    let rows: Vec<String> = all.iter_mut().map(|(language, figures)| row(*language, figures)).collect();
    let head =
        "| language | bytes | imports | compile ms | first run us | p50 us | p99 us | fuel | memory KiB | runs |";
    eprintln!("\n{head}\n|{}\n{}\n", " --- |".repeat(10), rows.join("\n"));
}

fn row(language: Language, figures: &mut Figures) -> String {
    let Figures { size, imports, compiled, first, times, fuel, memory, .. } = figures;
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_micros();
    let (compiled, first, memory) = (compiled.as_millis(), first.as_micros(), *memory / 1024);
    let (p50, p99, runs) = (at(50), at(99), times.len());
    format!("| {language} | {size} | {imports} | {compiled} | {first} | {p50} | {p99} | {fuel} | {memory} | {runs} |")
}
