//! `plugin.toml` as authors write it: parsed, or refused with a reason. The rights in what was parsed are the same in every form
//! that they are kept in, as wide as themselves, and can be told in words.
#![no_main]

use backroom_domain::rights::{Change, Rights, beyond, in_words, missing, operations_of};
use backroom_kit::Manifest;
use libfuzzer_sys::fuzz_target;

const SEEDS: [&str; 4] = [
    include_str!("../src/seed.toml"),
    include_str!("../../../plugins/remote-allowance/plugin.toml"),
    include_str!("../../guests/clerk/plugin.toml"),
    include_str!("../../guests/order/plugin.toml"),
];

fuzz_target!(
    init: backroom_fuzz::seeds::write("manifest", (0..).map(|n| format!("{n}.toml")).zip(SEEDS.map(Into::into))),
    |text: &str| {
        match Manifest::parse(text, "plugin.toml") {
            Ok(manifest) => check(&manifest.wants),
            Err(refused) => assert!(refused.to_string().contains("plugin.toml"), "it does not say where: {refused}"),
        }
    }
);

fn check(wants: &Rights) {
    let json = serde_json::to_string(wants).unwrap();
    assert_eq!(&serde_json::from_str::<Rights>(&json).unwrap(), wants, "{json}");
    let bytes = minicbor::to_vec(wants).unwrap();
    assert_eq!(&minicbor::decode::<Rights>(&bytes).unwrap(), wants, "{json}");
    assert!(beyond(wants, wants).is_empty() && missing(wants, wants).is_empty(), "wider than itself: {json}");
    assert!(Change::between(wants, wants).is_none(), "other than itself: {json}");
    let granted = !beyond(wants, &Rights::default()).is_empty();
    assert!(granted || operations_of(wants).is_empty(), "it allows what nobody is told of: {json}");
    for words in in_words(wants) {
        let shown = words.allows.concat();
        assert!(!shown.chars().any(char::is_control), "a terminal would obey it: {shown:?}");
    }
}
