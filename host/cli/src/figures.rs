//! Figures as people read them: every decimal of the currency, thousands in groups.

use backroom_domain::{Currency, Decimal, Money};

/// `1,234.50 USD`.
pub(crate) fn money(money: Money) -> String {
    format!("{} {}", amount(i128::from(money.minor), money.currency), money.currency)
}

/// Minor units as `1,234.50`, with a minus sign where there is one.
pub(crate) fn amount(minor: i128, currency: Currency) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let places = usize::try_from(currency.exponent()).unwrap_or(2);
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = places + 1);
    let (whole, decimals) = digits.split_at(digits.len() - places);
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{}{point}{decimals}", grouped(whole))
}

/// A column that is left empty where nothing stands: debit or credit.
pub(crate) fn amount_or_blank(minor: u128, currency: Currency) -> String {
    if minor == 0 { String::new() } else { amount(i128::try_from(minor).unwrap_or(i128::MAX), currency) }
}

/// `1,234.5`.
pub(crate) fn quantity(quantity: Decimal) -> String {
    let text = quantity.to_string();
    match text.split_once('.') {
        Some((whole, decimals)) => format!("{}.{decimals}", grouped(whole)),
        None => grouped(&text),
    }
}

/// `12,345`.
pub(crate) fn count(number: impl Into<u128>) -> String {
    grouped(&number.into().to_string())
}

/// One or many: `1 entry`, `2 entries`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_exact_and_grouped() {
        let currency = |code: &str| Currency::parse(code, "c").unwrap();
        let rows = [
            (0, "USD", "0.00"),
            (5, "USD", "0.05"),
            (100_000, "USD", "1,000.00"),
            (-123_456_789, "USD", "-1,234,567.89"),
            (1_234, "JPY", "1,234"),
            (1_234, "KWD", "1.234"),
            (i128::from(backroom_domain::MAX_MINOR), "USD", "90,071,992,547,409.91"),
        ];
        for (minor, code, text) in rows {
            assert_eq!(amount(minor, currency(code)), text);
        }
        assert_eq!(quantity(Decimal::parse("12345.50", "q").unwrap()), "12,345.50");
        assert_eq!(quantity(Decimal::parse("7", "q").unwrap()), "7");
        assert_eq!(count(1_000_000_u64), "1,000,000");
        assert_eq!(amount_or_blank(0, currency("USD")), "");
    }
}
