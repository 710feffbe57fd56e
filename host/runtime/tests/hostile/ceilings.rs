//! Limits beside those of the corpus, each broken by a guest that breaks just that one: time in host calls, size and depth of the
//! output, the fuel of a day, what a tenant is bounded by, what may be staged.

use std::sync::Arc;

use backroom_domain::rights::{Grant, LedgerRights, Pattern, Rights};
use backroom_domain::{Currency, Instant, Money};
use backroom_office::limits::Ceilings;
use backroom_office::{MAX_LIMITS, NewInstallation};
use backroom_runtime::FaultKind::{self, DayFuel, Effects, Fuel, HostTime, OutputDepth, OutputSize};
use backroom_runtime::{Mode, RunReport, RunRequest, Status};
use backroom_store::TenantNo;
use backroom_store::records::{DayTotal, Limits};

use crate::books::{NOW, Service, id};
use crate::guest::{Guest, OK, answer, manifest, with_manifest};

/// Limits that nothing here comes near to, but the one that a row lowers.
const WIDE: Limits = Limits { day_fuel: None, ..MAX_LIMITS };

const DAY: u64 = 86_400_000_000;

fn run_at(service: &Service, tenant: TenantNo, name: &str, mode: Mode, input: &str, now: Instant) -> RunReport {
    let request = RunRequest {
        tenant,
        actor: "anna".to_owned(),
        rights: Arc::new(Rights::all()),
        installation: id(name),
        id: None,
        input: input.into(),
        date: None,
        mode,
        now,
    };
    service.runner.run_durably(request).unwrap()
}

fn fault(report: &RunReport) -> Option<FaultKind> {
    report.fault.as_ref().map(|fault| fault.kind)
}

/// Executed again it ends in the same way, whatever it was.
fn replays(service: &Service, report: &RunReport) {
    let tenant = service.office.tenant(&id("acme")).unwrap();
    let replayed = service.runner.replay(&tenant, &report.id, &mut |_| {}).unwrap();
    assert!(replayed.identical, "{replayed:#?}");
}

fn says(text: &str) -> Vec<u8> {
    Guest { run: &format!("(call $text (i32.const 68) @\"{text}\") (i32.const 64)"), ..Guest::default() }.plugin()
}

#[test]
fn output_is_bounded_in_size_and_depth() {
    let service = Service::new();
    let nested = says("[[1]]");
    let rows = [
        (Limits { output: 4, ..WIDE }, Some(OutputSize), "more than 4 bytes"),
        (Limits { output: 5, ..WIDE }, None, ""),
        (Limits { depth: 1, ..WIDE }, Some(OutputDepth), "deeper than 1"),
        (Limits { depth: 2, ..WIDE }, None, ""),
        (Limits { depth: 0, output: 0, ..WIDE }, Some(OutputSize), "more than 0 bytes"),
    ];
    for (limits, kind, part) in rows {
        service.install(service.tenant, "test", &nested, limits);
        for mode in [Mode::DryRun, Mode::Commit] {
            let report = run_at(&service, service.tenant, "test", mode, "{}", NOW);
            assert_eq!(fault(&report), kind, "{limits:?}");
            assert!(report.fault.as_ref().is_none_or(|fault| fault.message.contains(part)), "{report:?}");
            if mode == Mode::Commit {
                replays(&service, &report);
            }
        }
    }
    let faults = service.runner.runtime().run_figures().faults;
    assert!(faults["output-size"] >= 4 && faults["output-depth"] >= 2, "{faults:?}");
}

#[test]
fn time_in_host_calls_is_a_budget_of_its_own() {
    let service = Service::new();
    let flood = "(loop $more (call $state.get @\"key\" (i32.const 512)) (br $more)) unreachable";
    let bytes = Guest { run: flood, ..Guest::default() }.plugin();
    service.install(service.tenant, "test", &bytes, Limits { host_ms: 3, ..WIDE });
    for mode in [Mode::DryRun, Mode::Commit] {
        let report = run_at(&service, service.tenant, "test", mode, "{}", NOW);
        assert_eq!(fault(&report), Some(HostTime), "{report:?}");
    }
    // Time that the guest takes for itself is not counted.
    let spin = "(local $n i32) (local.set $n (i32.const 50000000))
        (loop $w (br_if $w (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (call $ok)";
    service.install(
        service.tenant,
        "test",
        &Guest { run: spin, ..Guest::default() }.plugin(),
        Limits { host_ms: 0, ..WIDE },
    );
    let report = run_at(&service, service.tenant, "test", Mode::Commit, "{}", NOW);
    assert_eq!(report.status, Status::Committed, "{report:?}");
    assert!(service.runner.runtime().run_figures().faults["host-time"] >= 2);
}

#[test]
fn the_fuel_of_a_day_is_counted_for_an_installation() {
    let service = Service::new();
    let bytes = says("{}");
    service.install(service.tenant, "test", &bytes, WIDE);
    let once = run_at(&service, service.tenant, "test", Mode::DryRun, "{}", NOW).fuel;
    service.install(service.tenant, "test", &bytes, Limits { day_fuel: Some(once * 2), ..WIDE });
    let run = |mode, now| run_at(&service, service.tenant, "test", mode, "{}", now);
    for _ in 0..3 {
        assert_eq!(run(Mode::DryRun, NOW).status, Status::Ok, "a plan adds nothing");
    }
    let reports = [(); 4].map(|()| run(Mode::Commit, NOW));
    assert_eq!(reports.each_ref().map(fault), [None, None, Some(DayFuel), Some(DayFuel)]);
    assert_eq!(fault(&run(Mode::DryRun, NOW)), Some(DayFuel));
    reports.iter().for_each(|report| replays(&service, report));
    // Another day, another installation, another company.
    assert_eq!(fault(&run(Mode::Commit, Instant(NOW.0 + DAY))), None);
    service.install(service.tenant, "second", &bytes, Limits { day_fuel: Some(once), ..WIDE });
    assert_eq!(fault(&run_at(&service, service.tenant, "second", Mode::Commit, "{}", NOW)), None);
    assert_eq!(fault(&run_at(&service, service.tenant, "second", Mode::Commit, "{}", NOW)), Some(DayFuel));
    service.install(service.other, "test", &bytes, WIDE);
    assert_eq!(fault(&run_at(&service, service.other, "test", Mode::Commit, "{}", NOW)), None);
    assert!(service.runner.runtime().run_figures().faults["day-fuel"] >= 4);
}

#[test]
fn what_a_tenant_is_bounded_by_holds_for_all_that_it_installs() {
    let service = Service::new();
    let bytes = says("{}");
    for name in ["first", "second"] {
        service.install(service.tenant, name, &bytes, WIDE);
        service.install(service.other, name, &bytes, WIDE);
    }
    let run = |tenant, name: &str| run_at(&service, tenant, name, Mode::Commit, "{}", NOW);
    let bound = |ceilings| {
        let set = service.office.set_tenant_limits("admin", NOW, service.tenant, ceilings).unwrap();
        set.ticket.unwrap().wait().unwrap();
    };
    let once = run(service.tenant, "first").fuel;
    bound(Ceilings { day_fuel: Some(once * 2), ..Ceilings::default() });
    let reports = ["first", "second", "first", "second"].map(|name| run(service.tenant, name));
    assert_eq!(reports.each_ref().map(fault), [None, None, Some(DayFuel), Some(DayFuel)]);
    reports.iter().for_each(|report| replays(&service, report));
    assert_eq!(fault(&run(service.other, "first")), None);
    bound(Ceilings { fuel: Some(1), ..Ceilings::default() });
    assert_eq!(fault(&run(service.tenant, "first")), Some(Fuel));
    bound(Ceilings { output: Some(1), ..Ceilings::default() });
    assert_eq!(fault(&run(service.tenant, "first")), Some(OutputSize));
    bound(Ceilings::default());
    assert_eq!(fault(&run(service.tenant, "first")), None);
    // What was in force then counts for a replay, not what is now.
    reports.iter().for_each(|report| replays(&service, report));
}

/// What `append` reads and stages anew counts as well.
#[test]
fn appending_without_end_ends() {
    let service = Service::new();
    let file = "@\"in\" @\"large\"";
    let first = answer("files.write", &format!("{file} (i32.const 131072) (i32.const 0)"));
    let next = answer(
        "files.append",
        &format!("{file} (i64.extend_i32_u (local.get $at)) (i32.const 131072) (i32.const 900000)"),
    );
    // The file has all that a file can have by then, and there is room for no other.
    let other = answer("files.write", "@\"in\" @\"second\" (i32.const 131072) (i32.const 900000)");
    let run = format!(
        "(local $at i32) {first}
         (loop $more {next} (local.set $at (i32.add (local.get $at) (i32.const 900000)))
           (br_if $more (i32.lt_u (local.get $at) (i32.const 16200000))))
         {other} {OK}"
    );
    let wants = "[[wants]]\nwhy = \"Writes.\"\n[wants.files]\nread = [\"*\"]\nwrite = [\"*\"]\n";
    let guest = Guest { run: &run, pages: 40, ..Guest::default() };
    service.install(service.tenant, "test", &with_manifest(guest.component(), &manifest(wants)), WIDE);
    for mode in [Mode::DryRun, Mode::Commit] {
        let report = run_at(&service, service.tenant, "test", mode, "{}", NOW);
        assert_eq!(fault(&report), Some(Effects), "{report:?}");
        assert!(report.fault.unwrap().message.contains("16 MiB of changes"));
    }
}

/// What an installation may debit in a day, through a guest: committed runs count, plans see it and do not, and a replay sees what
/// was there then.
#[test]
fn the_ceiling_of_a_day_holds_over_runs() {
    let service = Service::new();
    let operands = "(i32.add (local.get $input) (i32.const 1)) (i32.sub (local.get $length) (i32.const 2))
        (i32.const 2026) (i32.const 6) (i32.const 30) @\"A test\" (i32.const 1024) (i32.const 2)";
    let run = format!("(call $lines) {} {OK}", answer("journal.post", operands));
    let release = service.runner.upload("admin", NOW, &Guest { run: &run, ..Guest::default() }.plugin()).unwrap();
    let usd = Currency::parse("USD", "currency").unwrap();
    let ledger = LedgerRights {
        post: vec![Pattern::parse("*").unwrap().into()],
        max_day: Some(Money { minor: 250, currency: usd }),
        ..LedgerRights::default()
    };
    let new = NewInstallation {
        name: id("test"),
        release: release.digest,
        grants: Grant { ledger, ..Grant::default() }.into(),
        config: [].into(),
        limits: WIDE,
        accept_rights: true,
    };
    service.office.install("admin", NOW, service.tenant, new).unwrap().ticket.unwrap().wait().unwrap();
    let run = |mode, entry: &str, now| run_at(&service, service.tenant, "test", mode, &format!("\"{entry}\""), now);
    let code = |report: &RunReport| report.error.as_ref().map(|error| error.code().to_owned());
    for _ in 0..4 {
        assert_eq!(run(Mode::DryRun, "e1", NOW).status, Status::Ok, "a plan adds nothing");
    }
    let (first, second) = (run(Mode::Commit, "e1", NOW), run(Mode::Commit, "e2", NOW));
    assert_eq!([&first, &second].map(|report| report.status), [Status::Committed; 2], "{first:?} {second:?}");
    assert_eq!(code(&run(Mode::DryRun, "e3", NOW)).as_deref(), Some("ledger-day-amount-denied"));
    let third = run(Mode::Commit, "e3", NOW);
    assert_eq!((third.status, code(&third).as_deref()), (Status::Refused, Some("ledger-day-amount-denied")));
    let tomorrow = run(Mode::Commit, "e3", Instant(NOW.0 + DAY));
    assert_eq!(tomorrow.status, Status::Committed, "{tomorrow:?}");
    for report in [&first, &second, &third, &tomorrow] {
        replays(&service, report);
    }
    let tx = service.runner.store().read(service.tenant).unwrap();
    let sums: Vec<_> =
        tx.scan::<DayTotal>(&id("test"), None, 9).unwrap().into_iter().map(|(_, sum)| sum.sum()).collect();
    assert_eq!(sums, [200, 100]);
}
