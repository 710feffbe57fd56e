use serde_json::{Value, json};

use super::expect::{Match, compare};
use super::file::{Effects, Scenario};
use super::junit::escaped;

fn differences(expected: &Value, actual: &Value, how: Match) -> Vec<String> {
    let mut found = Vec::new();
    compare("x", expected, actual, how, &mut found);
    found.into_iter().map(|difference| difference.at).collect()
}

#[test]
fn a_difference_is_told_by_its_place() {
    let there = json!({ "a": 1, "list": [{ "b": 2, "c": 3 }, { "b": 4 }], "none": null });
    let rows = [
        (there.clone(), Match::Whole, vec![]),
        (json!({ "a": 2 }), Match::Named, vec!["x.a"]),
        (json!({ "a": 1 }), Match::Named, vec![]),
        (json!({ "a": 1 }), Match::Whole, vec!["x.list"]),
        (json!({ "list": [{ "b": 2 }, { "b": 5 }] }), Match::Named, vec!["x.list[1].b"]),
        (json!({ "list": [{ "b": 2 }] }), Match::Named, vec!["x.list[1]"]),
        (json!({ "list": [{}, {}, {}] }), Match::Named, vec!["x.list[2]"]),
        (json!({ "d": 1 }), Match::Named, vec!["x.d"]),
        (json!([1]), Match::Named, vec!["x"]),
    ];
    for (expected, how, places) in rows {
        assert_eq!(differences(&expected, &there, how), places, "{expected} {how:?}");
    }
}

#[test]
fn a_scenario_is_read_strictly() {
    let good = "[[step]]\nrun = { account = \"1110\" }\n[step.then]\neffects = [{ kind = \"entry-posted\" }]\n";
    let scenario = Scenario::parse(good).unwrap();
    assert_eq!(scenario.steps[0].run, json!({ "account": "1110" }));
    assert!(matches!(&scenario.steps[0].then.effects, Some(Effects::List(list)) if list.len() == 1));
    let kept = Scenario::parse("[[step]]\n[step.then]\neffects = \"snapshot\"\n").unwrap();
    assert!(matches!(kept.steps[0].then.effects, Some(Effects::Kept(_))));
    for (wrong, why) in [
        ("", "step"),
        ("step = []", "[[step]]"),
        ("[[step]]\nthen = { outptu = 1 }", "outptu"),
        ("[[step]]\nthen = { effects = \"snapshto\" }", "snapshot"),
        ("[[step]]\nthen = { refused = \"x\", failed = \"fuel\" }", "not both"),
        ("[given]\nnow = \"yesterday\"\n[[step]]", "now"),
        ("[[step]]\nmode = \"perhaps\"", "commit"),
    ] {
        let error = Scenario::parse(wrong).unwrap_err();
        assert!(error.contains(why), "{wrong}: {error}");
    }
}

#[test]
fn what_xml_cannot_have_is_replaced() {
    assert_eq!(escaped("a<b & \"c\"\n\u{1b}[0m"), "a&lt;b &amp; &quot;c&quot;&#10;\u{fffd}[0m");
}
