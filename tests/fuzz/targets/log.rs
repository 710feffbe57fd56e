//! Entries of the commit log: any bytes are an entry or an error, and what is an entry is told the same way again.
#![no_main]

use backroom_office::runs::RunDetail;
use backroom_store::Entry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(entry) = Entry::decode(1, bytes) {
        let again = Entry::decode(1, bytes).map(|again| format!("{again:?}"));
        assert_eq!(again.ok(), Some(format!("{entry:?}")));
        if let Some(detail) = entry.detail.as_deref() {
            check(detail);
        }
    }
    check(bytes);
});

/// What a run says of itself is the same when it is written and read again.
fn check(bytes: &[u8]) {
    if let Ok(detail) = RunDetail::decode(bytes) {
        let again = RunDetail::decode(&detail.encode()).map(|again| format!("{again:?}"));
        assert_eq!(again.ok(), Some(format!("{detail:?}")));
    }
}
