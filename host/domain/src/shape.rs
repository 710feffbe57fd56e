//! Checks of form that several domains share. A check adds its problem to a list, so that all are reported together.

use crate::{Error, MAX_MINOR, Money, Problem, Result};

/// The most problems one answer carries; a list of a thousand bad lines helps nobody.
const MAX_PROBLEMS: usize = 100;

/// Would this character do more than show itself? Control characters (of terminals, of files) do, those that end a line where
/// there is none, and those that make what is behind them run the other way, so that `001` is read as `100`.
pub fn plays_tricks(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The problems that were found with the form of a request.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem. `field` and `message` are only called for if it will be reported.
    pub(crate) fn add(&mut self, code: &'static str, field: impl FnOnce() -> String, message: impl FnOnce() -> String) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(Error::problem(code, field(), message()));
        }
    }

    /// `text-invalid` unless `text` has `min` to `max` characters (Unicode scalar values).
    pub(crate) fn text(&mut self, field: impl FnOnce() -> String, text: &str, min: usize, max: usize) {
        // Counting stops one above the bound: the text may be as long as the transport lets it be.
        let count = text.chars().take(max.saturating_add(1)).count();
        if count < min || count > max {
            self.add("text-invalid", field, || match count {
                0 => format!("is empty; {min} to {max} characters are needed"),
                _ => format!("is too long; at most {max} characters"),
            });
        }
    }

    /// As [`Problems::text`], for what plugins write and people read in lists: in one line, and without what plays tricks there.
    pub(crate) fn line(&mut self, field: impl Fn() -> String, text: &str, min: usize, max: usize) {
        let found = self.0.len();
        self.text(&field, text, min, max);
        if self.0.len() == found && text.contains(plays_tricks) {
            self.add("text-invalid", field, || {
                "has a control character in it; write plain text in one line".to_owned()
            });
        }
    }

    /// `amount-too-large` above the largest amount of the contract.
    pub(crate) fn amount(&mut self, field: impl FnOnce() -> String, amount: Money) {
        if amount.minor > MAX_MINOR {
            self.add("amount-too-large", field, || "amounts are at most 2^53 - 1 minor units".to_owned());
        }
    }

    /// `amount-zero` or `amount-too-large` unless more than zero and at most the largest amount of the contract.
    pub(crate) fn positive_amount(&mut self, field: impl FnOnce() -> String, amount: Money) {
        if amount.minor == 0 {
            self.add("amount-zero", field, || "must be more than zero; the side says the direction".to_owned());
        } else {
            self.amount(field, amount);
        }
    }

    /// `Ok` if nothing was found.
    pub(crate) fn finish(self) -> Result<()> {
        Error::all(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_plain_and_within_their_bounds() {
        let rows = [
            ("Zahlung für Mai – 10 €, paid ✓", true),
            ("שכר מאי", true),
            ("", false),
            ("123456789012345678901234567890123", false),
            ("a\u{1b}[31m", false),
            ("one\ntwo", false),
            ("a\tb", false),
            ("a\u{0}", false),
            ("a\u{9b}1m", false),
            ("a\u{202e}001", false),
            ("a\u{2066}b\u{2069}", false),
            ("a\u{2028}b", false),
        ];
        for (text, fine) in rows {
            let mut problems = Problems::default();
            problems.line(|| "memo".to_owned(), text, 1, 32);
            let checked = problems.finish();
            assert_eq!(checked.is_ok(), fine, "{text:?}");
            if let Err(error) = checked {
                assert_eq!(error.code(), "text-invalid");
            }
        }
    }
}
