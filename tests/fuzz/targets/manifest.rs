//! `plugin.toml` as authors write it: parsed, or refused with a reason; what was parsed is the same when it is read again.
#![no_main]

use backroom_kit::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Manifest::parse(text, "plugin.toml") {
        Ok(manifest) => {
            let again = Manifest::parse(text, "plugin.toml").map(|again| format!("{again:?}"));
            assert_eq!(again.ok(), Some(format!("{manifest:?}")));
        }
        Err(refused) => assert!(refused.to_string().contains("plugin.toml"), "it does not say where: {refused}"),
    }
});
