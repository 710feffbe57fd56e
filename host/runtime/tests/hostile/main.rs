//! The corpus of hostile guests: each in a few lines, each with its own end, nothing of it kept, and nobody else disturbed.
//!
//! A row is a plugin and how it must end. [`harness`] uploads it, runs it in both modes on a service with two companies, compares
//! both, looks at what the log has of it, and does a clean run behind it on the same runtime.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod amounts;
mod books;
mod budgets;
mod components;
mod contract;
mod cursors;
mod floods;
mod guest;
mod handles;
mod harness;
mod logs;
mod loops;
mod memory;
mod names;
mod probes;
mod raw;
mod reentry;
mod returns;
mod stack;
mod tenants;
mod values;

/// A table of rows, and the test that all of them hold.
macro_rules! tables {
    ($($table:ident: $what:ident;)*) => {
        $(#[test]
        fn $what() {
            harness::check($table::rows());
        })*

        fn all() -> Vec<harness::Row> {
            let mut all = Vec::new();
            $(all.extend($table::rows());)*
            all
        }
    };
}

tables! {
    loops: loops_end;
    memory: memory_is_bounded_and_empty;
    stack: stacks_end;
    floods: floods_dry_up;
    values: values_are_checked;
    returns: returns_are_checked;
    names: names_and_texts_are_checked;
    amounts: amounts_and_days_are_checked;
    logs: words_play_no_tricks;
    cursors: cursors_show_nothing_of_others;
    handles: handles_cannot_be_forged;
    reentry: nobody_calls_at_the_wrong_time;
    components: what_is_no_plugin_is_refused;
    tenants: other_companies_do_not_exist;
    probes: the_machine_is_not_seen;
}

#[test]
fn the_corpus_is_as_large_as_it_was() {
    let all = all();
    let names: std::collections::HashSet<&str> = all.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "two rows have the same name");
    println!("{} rows", all.len());
    assert!(all.len() >= 100, "{} rows", all.len());
}
