//! JSON becomes the input of a workflow; what is wrong with it is told with its place.

use serde::de::DeserializeOwned;

use crate::{Error, invalid};

/// Reads the input. Errors: `input-invalid`, with the place as the other SDKs write it: `input.lines[2].amount`.
pub(crate) fn read<T: DeserializeOwned>(input: &str) -> Result<T, Error> {
    serde_json::from_str(input).map_err(|error| {
        // The service wrote the text out anew: a column of it says nothing to whoever wrote the input.
        let shown = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let message = shown.strip_suffix(&position).unwrap_or(&shown);
        let mut place = place(upto(input, error.line(), error.column()));
        if let Some((name, _)) = message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`')) {
            place = format!("{place}.{name}");
        }
        invalid("input-invalid", &place, message)
    })
}

/// What stands before a position as serde_json counts it: lines from 1, columns in bytes.
fn upto(input: &str, line: usize, column: usize) -> &[u8] {
    let lines = input.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
    let begin = std::iter::once(0).chain(lines).nth(line.saturating_sub(1)).unwrap_or(0);
    &input.as_bytes()[..(begin + column).min(input.len())]
}

/// A member of an object (none yet: empty), or an item of a list.
enum Step {
    Member(String),
    Item(usize),
}

/// The value that JSON which breaks off at the end is in the middle of, or has just come to the end of.
fn place(json: &[u8]) -> String {
    let (mut steps, mut is_name, mut at) = (Vec::new(), false, 0);
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'{' => steps.push(Step::Member(String::new())),
            b'[' => steps.push(Step::Item(0)),
            b'}' | b']' => drop(steps.pop()),
            b'"' => {
                let text = string(&json[at..]);
                at += text.len() + 1;
                if let (true, Some(Step::Member(name))) = (is_name, steps.last_mut()) {
                    *name = String::from_utf8_lossy(text).into_owned();
                }
            }
            b',' => match steps.last_mut() {
                Some(Step::Item(number)) => *number += 1,
                Some(Step::Member(name)) => name.clear(),
                None => {}
            },
            _ => {}
        }
        let begins = matches!(byte, b'{' | b',') && matches!(steps.last(), Some(Step::Member(_)));
        is_name = begins || (is_name && byte.is_ascii_whitespace());
    }
    steps.iter().fold("input".to_owned(), |place, step| match step {
        Step::Member(name) if name.is_empty() => place,
        Step::Member(name) => format!("{place}.{name}"),
        Step::Item(number) => format!("{place}[{number}]"),
    })
}

/// The text up to its quotation mark.
fn string(json: &[u8]) -> &[u8] {
    let mut escaped = false;
    let end = json.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    &json[..end.unwrap_or(json.len())]
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{BusinessDate, Money};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input {
        #[serde(rename = "name")]
        _name: String,
        #[serde(default, rename = "lines")]
        _lines: Vec<Line>,
        #[serde(default, rename = "last")]
        _last: Option<Money>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[serde(rename = "count")]
        _count: u8,
        #[serde(rename = "day")]
        _day: BusinessDate,
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let line = r#"{"count":1,"day":"2026-06-30"}"#;
        let rows = [
            (r#"{"name":7}"#, "input.name", "invalid type: integer `7`, expected a string"),
            (r#"{"name":["a"],"last":"1.00 USD"}"#, "input.name", "invalid type: sequence, expected a string"),
            (r#"{}"#, "input.name", "missing field `name`"),
            (r#"{"last":"1.00 USD"}"#, "input.name", "missing field `name`"),
            (r#"{"name":"a","nom":"b"}"#, "input.nom", "unknown field `nom`, expected one of `name`, `lines`, `last`"),
            (r#"{"name":"a","last":"1.005 USD"}"#, "input.last", "\"1.005 USD\" is no amount such as 500.00 USD"),
            ("{\"name\":\"a\",\n \"last\" : \"5\"\n}", "input.last", "\"5\" is no amount such as 500.00 USD"),
            (r#"[]"#, "input", "invalid length 0, expected struct Input with 3 elements"),
        ];
        for (text, place, message) in rows {
            told(text, place, message);
        }
        let wrong = |more: &str| format!(r#"{{"last":null,"name":"a \" }},{{","lines":[{line},{line},{more}]}}"#);
        told(&wrong(r#"{"count":300}"#), "input.lines[2].count", "invalid value: integer `300`, expected u8");
        told(&wrong(r#"{"count":3}"#), "input.lines[2].day", "missing field `day`");
        let february = wrong(r#"{"count":3,"day":"2026-02-30"}"#);
        told(&february, "input.lines[2].day", "\"2026-02-30\" is no date such as 2026-06-30");
    }

    fn told(text: &str, place: &str, message: &str) {
        let error = read::<Input>(text).unwrap_err();
        let Error::Invalid(problems) = &error else { panic!("{error:?}") };
        let found = problems.iter().map(|one| (one.code.as_str(), one.field.as_deref(), one.message.as_str()));
        assert_eq!(found.collect::<Vec<_>>(), [("input-invalid", Some(place), message)], "{text}");
    }
}
