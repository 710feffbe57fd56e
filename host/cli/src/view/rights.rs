//! What a plugin wants beside what it is granted.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::figures::money;
use crate::output::{Grid, Out, left, text_of};

/// Shows both, one right a line. Rights that neither names are left out.
pub(crate) fn wanted_and_granted(out: Out, wanted: &Value, granted: &Value) {
    let (wanted, granted) = (flat(wanted), flat(granted));
    let mut grid = Grid::new(&[left("Right"), left("Wanted by the plugin"), left("Granted")]);
    let mut names: Vec<&String> = wanted.keys().chain(granted.keys()).collect();
    names.sort();
    names.dedup();
    for name in &names {
        let text = |rights: &BTreeMap<String, String>| rights.get(*name).cloned().unwrap_or_else(|| "-".to_owned());
        grid.row([(*name).clone(), text(&wanted), text(&granted)]);
    }
    if names.is_empty() {
        out.line("No rights are wanted, and none granted.");
    } else {
        out.table(&grid);
    }
}

/// `{"ledger": {"read": ["61*"]}}` as `ledger.read` = `61*`; what allows nothing is left out.
fn flat(rights: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![(String::new(), rights)];
    while let Some((name, value)) = open.pop() {
        match value {
            Value::Object(fields) => {
                let dot = if name.is_empty() { "" } else { "." };
                open.extend(fields.iter().map(|(field, value)| (format!("{name}{dot}{field}"), value)));
            }
            Value::Null | Value::Bool(false) => {}
            Value::Bool(true) => drop(found.insert(name, "yes".to_owned())),
            Value::Array(items) if items.is_empty() => {}
            other => {
                let text = text_of(other);
                let shown = text.parse().map_or(text, money);
                found.insert(name, shown);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_one_a_line() {
        let rights = serde_json::json!({
            "ledger": { "read": ["1000", "61*"], "post": [], "max-entry": "5000.00 USD" }, "administer": false, "state": true,
        });
        let flat: Vec<(String, String)> = flat(&rights).into_iter().collect();
        let rows = [("ledger.max-entry", "5,000.00 USD"), ("ledger.read", "1000, 61*"), ("state", "yes")];
        assert_eq!(flat, rows.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }
}
