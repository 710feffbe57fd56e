//! Every function of the contract, called with values of any kind; for the fuzzer `values` (`tests/fuzz`) alone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a finding")]

mod calls;
mod near;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};

use arbitrary::Unstructured;
use backroom_domain::rights::Rights;
use backroom_domain::{BusinessDate, Id, Instant};
use backroom_office::{Caller, Failure, Work, inventory, ledger};
use backroom_store::records::Limits;
use backroom_store::{Meta, Store, TenantNo};

use self::calls::{Answer, CALLS};
use crate::error::HostError;
use crate::state::RunState;

const NOW: Instant = Instant(1_782_777_600_000_000);
/// Calls of one run: enough for one to build on others.
const MOST: usize = 24;

/// The functions that are called, as `interface.function`.
pub fn functions() -> Vec<&'static str> {
    CALLS.iter().map(|(name, _)| *name).collect()
}

/// Runs calls made of `bytes` in one unit of work of the tenant, and commits it if the rules of its end allow.
///
/// # Panics
/// On a finding: books that do not balance, a panic of a host function.
pub fn calls(store: &Store, tenant: TenantNo, bytes: &[u8]) {
    let work = || work(store, tenant);
    let mut state = RunState::new(work(), Arc::default(), Limits::default());
    let mut u = Unstructured::new(bytes);
    for _ in 0..MOST {
        let Ok((name, call)) = u.choose(CALLS) else { break };
        // No bytes are left.
        let Ok(answer) = call(&mut state, &mut u) else { break };
        reached(name, &answer);
        match answer {
            Ok(()) => {}
            // A typed "no", after which a guest goes on.
            Err(HostError::Business(error)) => assert!(!error.problems.is_empty(), "a refusal without a reason"),
            // The run ends, and nothing is kept.
            Err(HostError::Fault(_)) => return,
        }
    }
    match state.work.seal() {
        Ok(sealed) => sealed.commit(Meta::default()).unwrap().ticket.wait().unwrap(),
        Err(Failure::Business(_)) => {}
        Err(Failure::Store(why)) => panic!("{why}"),
    }
    let trial = ledger::trial_balance(&work(), None).unwrap();
    assert!(trial.totals.iter().all(|total| total.debits == total.credits), "{trial:?}");
    let control = inventory::stock_control(&work()).unwrap();
    assert!(control.iter().all(|row| row.ledger == row.stock), "{control:?}");
}

/// A unit of work that may do anything.
fn work(store: &Store, tenant: TenantNo) -> Work {
    let id = |text| Id::parse(text, "id").ok();
    let layers = vec![Arc::new(Rights::all())];
    let caller = Caller { actor: "fuzz".into(), layers, installation: id("fuzz"), run: id("r1") };
    Work::new(store.write(tenant).unwrap(), caller, NOW, BusinessDate::parse("2026-06-30", "date").unwrap())
}

/// With `BACKROOM_FUZZ_REACH` set, says what each function answered, each answer once: whether calls get anywhere.
fn reached(name: &'static str, answer: &Answer) {
    static ASKED: OnceLock<bool> = OnceLock::new();
    static SEEN: Mutex<BTreeSet<(&'static str, String)>> = Mutex::new(BTreeSet::new());
    #[expect(clippy::disallowed_methods, reason = "of whoever runs the fuzzer, not of the service")]
    let asked = *ASKED.get_or_init(|| std::env::var_os("BACKROOM_FUZZ_REACH").is_some());
    if !asked {
        return;
    }
    let answer = match answer {
        Ok(()) => "ok".to_owned(),
        Err(HostError::Business(error)) => error.code().to_owned(),
        Err(HostError::Fault(fault)) => format!("ends: {}", fault.kind.as_str()),
    };
    if SEEN.lock().unwrap().insert((name, answer.clone())) {
        #[expect(clippy::print_stderr, reason = "what it is asked for")]
        {
            eprintln!("reached {name}: {answer}");
        }
    }
}
