//! Amounts as text, and shares of them.

use backroom_sdk::Money;

/// Digits after the decimal point (ISO 4217 "minor unit"): 2 unless listed.
fn exponent(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// Reads `500.00 USD`: no sign, no grouping, no more decimals than the currency has.
pub fn parse(text: &str) -> Option<Money> {
    let (number, currency) = text.split_once(' ')?;
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) || number.ends_with('.') {
        return None;
    }
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let places = exponent(currency);
    if whole.is_empty() || decimals.len() > places || !digits(whole) || !digits(decimals) {
        return None;
    }
    let minor: u64 = format!("{whole}{decimals:0<places$}").parse().ok()?;
    (minor <= backroom_sdk::MAX_MINOR).then(|| Money::new(minor, currency))
}

/// `500.00`, with all decimals of the currency.
pub fn digits(money: &Money) -> String {
    let places = exponent(&money.currency);
    if places == 0 {
        return money.minor.to_string();
    }
    let digits = format!("{:0>width$}", money.minor, width = places + 1);
    let (whole, decimals) = digits.split_at(digits.len() - places);
    format!("{whole}.{decimals}")
}

/// `500.00 USD`.
pub fn text(money: &Money) -> String {
    format!("{} {}", digits(money), money.currency)
}

/// `amount * part / whole`, rounded once to whole minor units; a tie goes to the even neighbour. `whole` is not zero.
pub fn share(amount: u64, part: u8, whole: u8) -> u64 {
    let (product, whole) = (u128::from(amount) * u128::from(part), u128::from(whole));
    let (quotient, rest) = (product / whole, product % whole);
    let up = rest * 2 > whole || (rest * 2 == whole && quotient % 2 == 1);
    // A part of at most 31 out of at least 28: 2^53 stays far below 2^64.
    (quotient + u128::from(up)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_with_the_decimals_of_their_currency() {
        for (given, minor, written) in [
            ("500 USD", 50_000, "500.00 USD"),
            ("500.5 USD", 50_050, "500.50 USD"),
            ("0.05 USD", 5, "0.05 USD"),
            ("500 JPY", 500, "500 JPY"),
            ("1.234 KWD", 1_234, "1.234 KWD"),
        ] {
            let money = parse(given).unwrap();
            assert_eq!((money.minor, text(&money).as_str()), (minor, written));
        }
        for wrong in
            ["", "500", "500USD", "500.001 USD", "-5 USD", "5. USD", ".5 USD", "5 usd", "5 US", "1,5 USD", "1.0 JPY"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse("90071992547409.91 USD").map(|m| m.minor), Some(backroom_sdk::MAX_MINOR));
        assert_eq!(parse("90071992547409.92 USD"), None);
    }

    #[test]
    fn shares_are_rounded_half_to_even() {
        // 500.00 for 15, 20, 10 of 30 days; then ties: 0.5 to 0, 1.5 to 2, 2.5 to 2.
        let rows = [
            (50_000, 15, 30, 25_000),
            (50_000, 20, 30, 33_333),
            (50_000, 10, 30, 16_667),
            (50_000, 31, 31, 50_000),
            (1, 15, 30, 0),
            (3, 15, 30, 2),
            (5, 15, 30, 2),
            (backroom_sdk::MAX_MINOR, 28, 28, backroom_sdk::MAX_MINOR),
        ];
        for (amount, part, whole, want) in rows {
            assert_eq!(share(amount, part, whole), want, "{amount} * {part} / {whole}");
        }
    }
}
