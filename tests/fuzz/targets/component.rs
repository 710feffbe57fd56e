//! What a stranger uploads: any bytes are inspected or refused with a reason.
#![no_main]

use backroom_runtime::{PluginError, inspect};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match inspect(bytes) {
        Ok(inspection) => {
            // What is shown to operators is the contract's own, or was refused.
            let text = format!("{inspection:?}");
            assert!(!text.contains('\u{1b}'), "a terminal would obey it: {text}");
        }
        Err(PluginError::Compiler(why)) => panic!("it is not the compiler's fault: {why}"),
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
});
