//! The corpus of hostile guests: each in a few lines, each with its own end, nothing of it kept, and nobody else disturbed.
//!
//! A row is a plugin and how it must end. [`harness`] uploads it, runs it in both modes on a service with two companies, compares
//! both, looks at what the log has of it, and does a clean run behind it on the same runtime.
#![allow(clippy::unwrap_used, reason = "what these tests set up is valid by construction")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "a failed helper is a failed test")]

mod amounts;
mod books;
mod budgets;
mod ceilings;
mod components;
mod contract;
mod crowd;
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

/// Tables, how many rows each has, and the test that all of them hold.
macro_rules! tables {
    ($($table:ident: $count:literal, $what:ident;)*) => {
        $(#[test]
        fn $what() {
            harness::check($table::rows(), $count);
        })*

        const _: () = assert!(0 $(+ $count)* >= 500, "the corpus became smaller");
    };
}

tables! {
    loops: 17, loops_end;
    memory: 27, memory_is_bounded_and_empty;
    stack: 11, stacks_end;
    floods: 114, floods_dry_up;
    values: 46, values_are_checked;
    returns: 36, returns_are_checked;
    names: 54, names_and_texts_are_checked;
    amounts: 53, amounts_and_days_are_checked;
    logs: 16, words_play_no_tricks;
    cursors: 63, cursors_show_nothing_of_others;
    handles: 19, handles_cannot_be_forged;
    reentry: 7, nobody_calls_at_the_wrong_time;
    components: 83, what_is_no_plugin_is_refused;
    tenants: 52, other_companies_do_not_exist;
    probes: 9, the_machine_is_not_seen;
}
