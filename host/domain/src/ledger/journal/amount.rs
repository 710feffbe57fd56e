//! Numbers with marks, and amounts.

use super::scan::Scan;
use super::{Amount, Fault};

/// The most digits of a number; 10^30 fits into 127 bits and leaves room to multiply by small powers of ten.
const MAX_DIGITS: usize = 30;

/// An exact decimal with a sign: `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exact {
    /// All digits.
    pub mantissa: i128,
    /// How many of them stand behind the mark.
    pub scale: u32,
}

impl Exact {
    /// The mantissa at a larger scale. `None` if 128 bits do not hold it, or if the scale is smaller.
    pub(super) fn at_scale(self, scale: u32) -> Option<i128> {
        self.mantissa.checked_mul(10_i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Some(Self { mantissa: self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?, scale })
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(other.mantissa)?;
        Some(Self { mantissa, scale: self.scale.checked_add(other.scale)? }.short())
    }

    pub(super) fn negated(self) -> Self {
        Self { mantissa: self.mantissa.saturating_neg(), ..self }
    }

    /// Without zeros at the end of the decimals.
    pub(super) fn short(mut self) -> Self {
        while self.scale > 0 && self.mantissa.checked_rem(10) == Some(0) {
            self.mantissa = self.mantissa.checked_div(10).unwrap_or(0);
            self.scale = self.scale.saturating_sub(1);
        }
        self
    }

    /// In units of `10^-exponent`, if it is a whole number of them.
    pub(super) fn minor(self, exponent: u32) -> Option<i128> {
        let short = self.short();
        if short.scale <= exponent { short.at_scale(exponent) } else { None }
    }

    /// Is it at most half of `10^-exponent` away from nothing?
    pub(super) fn rounds_to_zero(self, exponent: u32) -> bool {
        let short = self.short();
        if short.scale <= exponent {
            return short.mantissa == 0;
        }
        let unit = short.scale.checked_sub(exponent).and_then(|scale| 10_u128.checked_pow(scale));
        unit.is_none_or(|unit| short.mantissa.unsigned_abs().saturating_mul(2) <= unit)
    }
}

/// What is known about how numbers and commodities are written at a place of the text.
#[derive(Debug, Clone, Default)]
pub(super) struct Styles {
    /// `decimal-mark`: of everything behind it.
    pub(super) mark: Option<char>,
    /// The decimal mark of each declared commodity; none if its format shows none.
    pub(super) marks: std::collections::BTreeMap<String, char>,
    /// `D`: the commodity of amounts that have none.
    pub(super) default: Option<String>,
}

impl Styles {
    fn mark_of(&self, commodity: &str) -> Option<char> {
        self.mark.or_else(|| self.marks.get(commodity).copied())
    }
}

/// An amount: a sign, a commodity on one side, a number.
pub(super) fn amount(scan: &mut Scan<'_>, styles: &Styles) -> Result<Amount, Fault> {
    let at = scan.at();
    let mut negative = sign(scan);
    scan.blanks();
    let left = commodity(scan)?;
    if left.is_some() {
        scan.blanks();
        negative ^= sign(scan);
        scan.blanks();
    }
    let number_at = scan.at();
    let digits = digits(scan);
    if !digits.contains(|c: char| c.is_ascii_digit()) {
        return Err(number_at.fault("amount-invalid", "here an amount is expected, such as 10.00 USD or $10"));
    }
    if scan.rest().starts_with(['e', 'E'])
        && scan.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit() || "+-".contains(c))
    {
        return Err(scan.at().fault("amount-invalid", "numbers with an exponent are not read; write all digits"));
    }
    let symbol = match left {
        Some(symbol) => Some(symbol),
        None => {
            let mut ahead = scan.clone();
            ahead.blanks();
            let right = commodity(&mut ahead)?;
            if right.is_some() {
                *scan = ahead;
            }
            right
        }
    };
    let symbol = symbol.or_else(|| styles.default.clone()).unwrap_or_default();
    let (quantity, doubt) =
        number(digits, styles.mark_of(&symbol)).map_err(|reason| number_at.fault("number-invalid", reason))?;
    let quantity = if negative { quantity.negated() } else { quantity };
    Ok(Amount { at, quantity, commodity: symbol, doubt })
}

/// Moves behind a sign; `true` if it is a minus.
fn sign(scan: &mut Scan<'_>) -> bool {
    let minus = scan.take("-");
    if !minus {
        scan.take("+");
    }
    minus
}

/// A symbol: in quotes, or without digits, blanks and what has a meaning of its own.
pub(super) fn commodity(scan: &mut Scan<'_>) -> Result<Option<String>, Fault> {
    let at = scan.at();
    if scan.take("\"") {
        let symbol = scan.take_while(|c| c != '"').to_owned();
        return if scan.take("\"") && !symbol.is_empty() {
            Ok(Some(symbol))
        } else {
            Err(at.fault("commodity-invalid", "the quotes around this commodity do not close, or nothing is in them"))
        };
    }
    let symbol =
        scan.take_while(|c| !c.is_ascii_digit() && !c.is_whitespace() && !"+-.,;@*^=&!?/(){}[]<>|\"".contains(c));
    Ok((!symbol.is_empty()).then(|| symbol.to_owned()))
}

/// Digits and marks. A blank belongs to them if a group of three digits follows.
pub(super) fn digits<'a>(scan: &mut Scan<'a>) -> &'a str {
    let text = scan.rest();
    let mut end = 0;
    let mut rest = text;
    loop {
        let here = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(rest.len());
        end = here.saturating_add(end);
        rest = text.get(end..).unwrap_or_default();
        let group = rest.strip_prefix(' ').unwrap_or_default();
        let group = group.find(|c: char| !c.is_ascii_digit()).unwrap_or(group.len());
        if here == 0 || group != 3 {
            return scan.take_bytes(end);
        }
        end = end.saturating_add(4);
        rest = text.get(end..).unwrap_or_default();
    }
}

/// The number that digits with marks mean, and the mark if it could be read in two ways.
pub(super) fn number(text: &str, mark: Option<char>) -> Result<(Exact, Option<char>), String> {
    let found: Vec<char> = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let decimal = match mark {
        Some(mark) => found.contains(&mark).then_some(mark),
        None => guess(text, &found)?,
    };
    let (whole, decimals) = match decimal {
        Some(mark) => text.rsplit_once(mark).unwrap_or((text, "")),
        None => (text, ""),
    };
    let wrong = || format!("{text:?} has its marks in a way that is no number");
    let groups: Vec<char> = whole.chars().filter(|c| !c.is_ascii_digit()).collect();
    let one_kind = groups.iter().all(|c| Some(c) == groups.first() && Some(*c) != decimal);
    if !decimals.bytes().all(|b| b.is_ascii_digit()) || !one_kind || (groups.first() == mark.as_ref() && mark.is_some())
    {
        return Err(wrong());
    }
    let mut parts = whole.split(|c: char| !c.is_ascii_digit());
    let first = parts.next().unwrap_or_default();
    if !groups.is_empty() && (first.is_empty() || parts.any(|part| part.len() < 2 || part.len() > 4)) {
        return Err(wrong());
    }
    let both_ways = mark.is_none() && found.len() == 1 && decimals.len() == 3 && first.len() <= 3;
    let doubt = decimal.filter(|_| both_ways && !first.trim_start_matches('0').is_empty());
    let all: String = whole.chars().filter(char::is_ascii_digit).chain(decimals.chars()).collect();
    if all.len() > MAX_DIGITS {
        return Err(format!("a number has at most {MAX_DIGITS} digits"));
    }
    let mantissa = all.parse().map_err(|_| wrong())?;
    Ok((Exact { mantissa, scale: u32::try_from(decimals.len()).unwrap_or(0) }, doubt))
}

/// The decimal mark of a number of which nothing is declared: the last of two kinds of mark, or one that is there once.
fn guess(text: &str, found: &[char]) -> Result<Option<char>, String> {
    let Some(last) = found.last().copied() else { return Ok(None) };
    let once = found.iter().filter(|c| **c == last).count() == 1;
    match last {
        '.' | ',' if once => Ok(Some(last)),
        _ if found.iter().all(|c| *c == last) => Ok(None),
        _ => Err(format!("{text:?} has its marks in a way that is no number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_every_mark() {
        let rows: [(&str, Option<char>, &str); 16] = [
            ("1", None, "1 0"),
            ("1.5", None, "15 1"),
            ("1,50", None, "150 2"),
            ("1,234.50", None, "123450 2"),
            ("1.234,5", None, "12345 1"),
            ("1,234,567", None, "1234567 0"),
            ("12,34,567.8", None, "12345678 1"),
            ("1 000 000", None, "1000000 0"),
            ("1.000", Some(','), "1000 0"),
            ("1,000", Some('.'), "1000 0"),
            ("1.000", Some('.'), "1000 3"),
            (".5", None, "5 1"),
            ("5.", None, "5 0"),
            ("0.125", None, "125 3"),
            ("1,000", None, "1000 3?"),
            ("1.234", None, "1234 3?"),
        ];
        for (text, mark, want) in rows {
            let (got, doubt) = number(text, mark).unwrap();
            let doubt = if doubt.is_some() { "?" } else { "" };
            assert_eq!(format!("{} {}{doubt}", got.mantissa, got.scale), want, "{text} {mark:?}");
        }
        for bad in ["1,2,3.4.5", "1.2,3.4", "1,,2", "1 000,000 000", ",1,2"] {
            assert!(number(bad, None).is_err(), "{bad}");
        }
        assert!(number("1.0.0", Some('.')).is_err());
    }

    #[test]
    fn amounts_are_read_with_signs_and_symbols_on_both_sides() {
        let read = |text: &str| {
            let mut scan = Scan::new(1, text);
            let amount = amount(&mut scan, &Styles::default());
            amount.map(|a| format!("{} {} {} {:?}", a.quantity.mantissa, a.quantity.scale, a.commodity, scan.rest()))
        };
        let rows = [
            ("$10", "10 0 $ \"\""),
            ("-$10.00", "-1000 2 $ \"\""),
            ("$-10", "-10 0 $ \"\""),
            ("-10 USD  ; x", "-10 0 USD \"  ; x\""),
            ("10USD@2", "10 0 USD \"@2\""),
            ("USD 10", "10 0 USD \"\""),
            ("1 000,50 €", "100050 2 € \"\""),
            ("+5 \"a 1\" = 3", "5 0 a 1 \" = 3\""),
            ("- 10", "-10 0  \"\""),
        ];
        for (text, want) in rows {
            assert_eq!(read(text).unwrap(), want, "{text}");
        }
        for bad in ["", "USD", "abc def", "\"x 10", "1E3", "1e-3 USD"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn exact_numbers_are_rounded_by_no_step() {
        let exact = |mantissa, scale| Exact { mantissa, scale };
        assert_eq!(exact(15, 1).plus(exact(-150, 2)).unwrap().short(), exact(0, 0));
        assert_eq!(exact(12345, 3).minor(2), None);
        assert_eq!(exact(12340, 3).minor(2), Some(1234));
        assert_eq!(exact(3, 0).minor(2), Some(300));
        assert!(exact(5, 3).rounds_to_zero(2) && exact(-5, 3).rounds_to_zero(2) && !exact(6, 3).rounds_to_zero(2));
        assert!(!exact(1, 2).rounds_to_zero(2) && exact(0, 9).rounds_to_zero(2));
        assert_eq!(exact(i128::MAX, 0).times(exact(2, 0)), None);
    }
}
