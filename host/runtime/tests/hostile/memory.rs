//! Memory: more of it than allowed, in every way to get it; and what others left in it.

use backroom_runtime::FaultKind::{Memory, Trap};

use crate::guest::Guest;
use crate::harness::{End, Row};
use crate::raw::{self, Raw};

const EAT: &str =
    "(block $full (loop $more (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1))) (br $more)))";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = grown();
    rows.extend(declared());
    rows.extend(nested());
    rows.extend(left_over());
    rows
}

fn grown() -> Vec<Row> {
    let give_up = format!("{EAT} unreachable");
    let live_with_it = format!("{EAT} (call $ok)");
    let table = "(loop $more (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable";
    let tables: String = (0..12).map(|n| format!("(table $t{n} 1 funcref) ")).collect();
    let many: String =
        (0..12).map(|n| format!("(drop (table.grow $t{n} (ref.null func) (i32.const 99000)))")).collect();
    let many = format!("{many} unreachable");
    let start = format!("(func $start {EAT} unreachable) (start $start)");
    let at_once = "(drop (memory.grow (i32.const 65000))) unreachable";
    let guests = [
        ("growth page by page", Guest { run: &give_up, ..Guest::default() }),
        ("growth at once", Guest { run: at_once, ..Guest::default() }),
        ("growth of a table", Guest { fields: "(table $t 1 funcref)", run: table, pages: 124, ..Guest::default() }),
        ("growth of many tables", Guest { fields: &tables, run: &many, ..Guest::default() }),
        ("growth in the start function", Guest { fields: &start, ..Guest::default() }),
        ("growth in the reallocation", Guest { realloc: Some(&give_up), ..Guest::default() }),
        ("growth in post-return", Guest { post: &give_up, ..Guest::default() }),
    ];
    let mut rows: Vec<_> = guests.iter().map(|(name, guest)| Row::fault(*name, guest, Memory, "8192 KiB")).collect();
    let lives = Guest { run: &live_with_it, ..Guest::default() };
    rows.push(Row::harmless("a guest that lives with what it gets", &lives, 0));
    rows
}

fn declared() -> Vec<Row> {
    let memories =
        |count: usize, pages: u32| (0..count).map(|n| format!("(memory $m{n} {pages}) ")).collect::<String>();
    let two = memories(1, 1);
    let tables: String = (0..12).map(|n| format!("(table $t{n} 99000 funcref) ")).collect();
    let too_many_tables: String = (0..17).map(|n| format!("(table $t{n} 1 funcref) ")).collect();
    let fields = |fields| Guest { fields, ..Guest::default() };
    let pages = |pages| Guest { pages, ..Guest::default() };
    let not_taken =
        |name: &str, guest: Guest<'_>, part| Row::not_taken(name, guest.plugin(), "plugin-not-compiled", part);
    vec![
        Row::fault("a memory larger than the limit from the beginning", &pages(129), Memory, "8192 KiB"),
        Row::fault("a memory as large as the pool has them", &pages(4_096), Memory, "8192 KiB"),
        Row::fault("many tables, each below the limit", &fields(&tables), Memory, "8192 KiB"),
        Row::fault("data beyond the memory", &fields("(data (i32.const 262143) \"ab\")"), Trap, "out of bounds"),
        Row::fault(
            "elements beyond the table",
            &fields("(table $t 1 funcref) (elem (table $t) (i32.const 1) func $ok)"),
            Trap,
            "out of bounds",
        ),
        Row::fault(
            "a read beyond the end",
            &Guest { run: "(i32.load (i32.const -4))", ..Guest::default() },
            Trap,
            "out of bounds",
        ),
        Row::fault(
            "a write just beyond the end",
            &Guest { run: "(i32.store (i32.const 262141) (i32.const 0)) unreachable", ..Guest::default() },
            Trap,
            "out of bounds",
        ),
        Row::fault(
            "an offset that wraps around",
            &Guest { run: "(i32.load offset=4294967295 (i32.const 17))", ..Guest::default() },
            Trap,
            "out of bounds",
        ),
        not_taken("a memory larger than the pool has", pages(4_097), "memory"),
        not_taken("two memories in one module", fields(&two), "memor"),
        not_taken("more tables than the pool has", fields(&too_many_tables), "table"),
        not_taken("a table larger than the pool has", fields("(table $t 100001 funcref)"), "table"),
    ]
}

/// Memories of all modules and of nested components count together.
fn nested() -> Vec<Row> {
    let inner = r#"(component $inner (core module $m (memory 45)) (core instance (instantiate $m)))
        (instance (instantiate $inner)) (instance (instantiate $inner)) (instance (instantiate $inner))"#;
    let modules = |count: usize, pages: u32| {
        format!("(core module $m (memory {pages})) {}", "(core instance (instantiate $m)) ".repeat(count))
    };
    let empty = format!("(core module $m) {}", "(core instance (instantiate $m)) ".repeat(64));
    let second = r#"(core module $b (memory 1) (func (export "grow") (result i32) (memory.grow (i32.const 1))))
        (core instance $b (instantiate $b)) (alias core export $b "grow" (core func $grow))"#;
    let in_turns = "(loop $more (br_if $more (i32.and
        (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (i32.ne (call $grow) (i32.const -1))))) unreachable";
    let turns = Raw {
        before: second,
        env: r#"(export "grow" (func $grow))"#,
        fields: r#"(import "env" "grow" (func $grow (result i32)))"#,
        run: in_turns,
    };
    let raw = |before: &str| Raw { before, run: raw::OK, ..Raw::default() }.plugin();
    let fault = |name: &str, bytes| Row::new(name, bytes, End::Fault(Memory, "8192 KiB"));
    vec![
        fault("a component in three instances, each below the limit", raw(inner)),
        fault("three modules, each below the limit", raw(&modules(3, 45))),
        fault("growth of two memories in turns", turns.plugin()),
        Row::not_taken("more memories than the pool has", raw(&modules(4, 1)), "plugin-not-compiled", "memor"),
        Row::not_taken("more modules than the pool has", raw(&empty), "plugin-not-compiled", ""),
    ]
}

/// The second run of a guest gets the place of the first: nothing of that may be left.
fn left_over() -> Vec<Row> {
    let dirty = r#"(local $at i32) (local.set $at (i32.const 131072))
        (loop $next (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
          (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 262136))))
        (if (i32.ne (global.get $mark) (i32.const 0)) (then unreachable)) (global.set $mark (i32.const 1))
        (if (i32.eqz (ref.is_null (table.get $t (i32.const 9)))) (then unreachable))
        (table.set $t (i32.const 9) (ref.func $ok))
        (memory.fill (i32.const 131072) (i32.const 170) (i32.const 131072)) (call $ok)"#;
    let fields = "(global $mark (mut i32) (i32.const 0)) (table $t 10 funcref) (elem declare func $ok)";
    let grown = r#"(local $at i32) (local.set $at (i32.mul (memory.grow (i32.const 60)) (i32.const 65536)))
        (loop $next (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
          (i64.store (local.get $at) (i64.const -1))
          (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 4194304))))
        (call $ok)"#;
    vec![
        Row::harmless("memory, globals and tables are as new", &Guest { fields, run: dirty, ..Guest::default() }, 0),
        Row::harmless("grown memory is empty", &Guest { run: grown, ..Guest::default() }, 0),
    ]
}
