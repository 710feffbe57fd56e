//! Whether an entry on record is one that could have been posted.

use std::collections::BTreeMap;

use crate::ledger::Line;
use crate::{Currency, Side};

/// Debits and credits.
type Sums = (u128, u128);

/// Why the lines do not balance, if they do not: in each currency, and in the base currency of the book over all lines. Of a book with a
/// base currency it is the base column that counts there, as exchange differences keep the amounts apart.
pub fn why_unbalanced(lines: &[Line], base: Option<Currency>) -> Option<String> {
    let (mut sums, mut column) = (BTreeMap::<Currency, Sums>::new(), Sums::default());
    let add = |sums: &mut Sums, side: Side, minor: u64| match side {
        Side::Debit => sums.0 = sums.0.saturating_add(minor.into()),
        Side::Credit => sums.1 = sums.1.saturating_add(minor.into()),
    };
    for line in lines {
        if base != Some(line.amount.currency) {
            add(sums.entry(line.amount.currency).or_default(), line.side, line.amount.minor);
        }
        let own = (base == Some(line.amount.currency)).then_some(line.amount);
        match (base, own.or_else(|| line.base())) {
            (None, _) => {}
            (Some(_), Some(worth)) => add(&mut column, line.side, worth.minor),
            (Some(_), None) => return Some(format!("a line on {} has no amount in the base currency", line.account)),
        }
    }
    let apart = sums.into_iter().find(|(_, (debits, credits))| debits != credits);
    let apart = apart.or_else(|| base.filter(|_| column.0 != column.1).map(|base| (base, column)));
    apart.map(|(currency, (debits, credits))| format!("debits of {debits} and credits of {credits} in {currency}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::LineDetails;
    use crate::{Id, Money};

    fn currency(text: &str) -> Currency {
        Currency::parse(text, "c").unwrap()
    }

    fn line(side: Side, minor: u64, of: &str, base: Option<u64>) -> Line {
        let amount = Money { minor, currency: currency(of) };
        let base = base.map(|minor| Money { minor, currency: currency("EUR") });
        let details = base.map(|_| Box::new(LineDetails { base, ..LineDetails::default() }));
        Line { details, ..Line::new(Id::parse("1000", "a").unwrap(), side, amount) }
    }

    #[test]
    fn both_columns_are_added_up() {
        use Side::{Credit, Debit};
        let euro = Some(currency("EUR"));
        let rows: [(Vec<Line>, Option<Currency>, bool); 6] = [
            (vec![line(Debit, 5, "USD", None), line(Credit, 5, "USD", None)], None, true),
            (vec![line(Debit, 5, "USD", None), line(Credit, 4, "USD", None)], None, false),
            (vec![line(Debit, 5, "USD", Some(4)), line(Credit, 5, "USD", Some(4))], euro, true),
            (vec![line(Debit, 5, "USD", Some(4)), line(Credit, 5, "USD", Some(3))], euro, false),
            // An exchange difference.
            (
                vec![line(Debit, 5, "USD", Some(4)), line(Credit, 5, "USD", Some(3)), line(Credit, 1, "EUR", None)],
                euro,
                true,
            ),
            (vec![line(Debit, 5, "USD", None), line(Credit, 5, "USD", Some(4))], euro, false),
        ];
        for (i, (lines, base, balanced)) in rows.into_iter().enumerate() {
            assert_eq!(why_unbalanced(&lines, base).is_none(), balanced, "row {i}");
        }
    }
}
