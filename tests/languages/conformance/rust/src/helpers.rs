//! The SDK's own helpers, beside the functions of the contract.

use backroom_sdk::{BusinessDate, Decimal, Error, Money, Month, minor_digits};
use serde_json::{Value, json};

use crate::contract::{
    read_types_decimal, read_types_money, write_types_business_date, write_types_decimal, write_types_money,
};

pub fn call(name: &str, args: &[Value]) -> Result<Value, Error> {
    let text = |at: usize| args[at].as_str().unwrap();
    let number = |at: usize| args[at].as_u64().unwrap();
    let money = |at: usize| read_types_money(&args[at]);
    let month = || text(0).parse::<Month>();
    let date = || text(0).parse::<BusinessDate>();
    Ok(match name {
        "sdk.plus" => write_types_money(&money(0).plus(&money(1))?),
        "sdk.times" => write_types_money(&money(0).times(number(1))?),
        "sdk.share" => write_types_money(&money(0).share(number(1), number(2))?),
        "sdk.minor-digits" => json!(minor_digits(text(0))),
        "sdk.parse-money" => write_types_money(&text(0).parse::<Money>()?),
        "sdk.parse-amount" => write_types_money(&Money::parse_amount(text(0), text(1))?),
        "sdk.show-money" => json!(money(0).to_string()),
        "sdk.show-amount" => json!(money(0).amount()),
        "sdk.parse-decimal" => write_types_decimal(&text(0).parse::<Decimal>()?),
        "sdk.show-decimal" => json!(read_types_decimal(&args[0]).to_string()),
        "sdk.date" => write_types_business_date(&date()?),
        "sdk.show-date" => json!(date()?.to_string()),
        "sdk.first-of-month" => write_types_business_date(&date()?.first_of_month()),
        "sdk.last-of-month" => write_types_business_date(&date()?.last_of_month()),
        "sdk.month-of" => json!(Month::of(date()?).to_string()),
        "sdk.parse-month" => json!(month()?.to_string()),
        "sdk.month-first" => write_types_business_date(&month()?.first()),
        "sdk.month-last" => write_types_business_date(&month()?.last()),
        "sdk.month-next" => json!(month()?.next()?.to_string()),
        "sdk.month-previous" => json!(month()?.previous()?.to_string()),
        other => panic!("{other} is no helper of the SDK"),
    })
}
