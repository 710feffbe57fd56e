//! Stated balances (L18).

use backroom_domain::Side;
use backroom_domain::ledger::reports::Net;
use backroom_office::ledger::reports::assert_balance;
use proptest::prelude::*;

use crate::books::sequences;
use crate::model::Model;
use crate::script::{CHART, DAYS, day, id, money, units};
use crate::{play, work};

/// Of which row of the chart, on which day, how far from the truth, how far it may be.
type Stated = (usize, u8, i64, u64);

fn stated() -> impl Strategy<Value = Vec<Stated>> {
    let row = (0..CHART.len()).prop_filter("no header", |row| CHART[*row].0 != "head");
    prop::collection::vec((row, 0..=DAYS, -3..=3_i64, 0..4_u64), 1..12)
}

fn net(value: i128) -> Net {
    let side = if value < 0 { Side::Credit } else { Side::Debit };
    Net { side, minor: value.unsigned_abs() }
}

fn balance(model: &Model, code: &str, until: u8) -> i128 {
    let sums = model.counters(code, Some(until), None);
    sums.debits - sums.credits
}

proptest! {
    #![proptest_config(sequences())]

    #[test]
    fn a_stated_balance_holds_or_says_by_how_much_it_does_not(units in units(), stated in stated()) {
        let (store, model) = play(&units, false)?;
        let work = work(&store, &model);
        for (row, until, off, tolerance) in stated {
            let (code, currency, ..) = CHART[row];
            let books = balance(&model, code, until);
            let says = books + i128::from(off);
            let Net { side, minor } = net(says);
            let amount = money(u64::try_from(minor).unwrap(), currency);
            let got = assert_balance(&work, &id(code), day(until), (side, amount), tolerance).unwrap();
            prop_assert_eq!(got.holds, off.unsigned_abs() <= tolerance, "{} is {}, stated {}", code, books, says);
            prop_assert_eq!((got.balance, got.difference), (net(books), net(books - says)), "{}", code);
        }
    }
}
