//! JSON Schema of what is written as text. The types with fields derive theirs, so that a schema says what serde does.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::files::FilePath;
use crate::ledger::Fraction;
use crate::rights::{Accounts, Operations, Pattern};
use crate::{BusinessDate, Currency, Decimal, Id, Instant};

/// Money written as text in grants: `500.00 USD`.
pub(crate) struct MoneyText;

macro_rules! texts {
    ($($type:ty, $name:literal, $pattern:literal, $description:literal;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "description": $description })
            }
        }
    )*};
}

texts! {
    Id, "Id", "^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$",
        "A name that the caller gives to a thing, and the idempotency key of its creation: 1 to 64 characters.";
    Currency, "Currency", "^[A-Z]{3}$", "An ISO 4217 code.";
    BusinessDate, "BusinessDate", "^(19|2[0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}$",
        "A calendar date of the books, without a time zone, from 1900-01-01 to 2999-12-31.";
    Instant, "Instant", "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", "A moment, RFC 3339; answers are in UTC.";
    Decimal, "Decimal", "^[0-9]+(\\.[0-9]+)?$",
        "An exact decimal that is never negative: at most 9 decimals, digits that make at most 2^53 - 1.";
    Fraction, "Fraction", "^[0-9]", "A part of a whole, from 0 to 1: `1/3`, `0.125`, `12.5%`.";
    FilePath, "FilePath", "^[^/]+(/[^/]+){0,7}$", "The path of a file in its folder: 1 to 8 segments, 255 bytes in all.";
    Pattern, "Pattern", "^.+$", "A set of ids: one, those that begin so (`61*`), a range (`6100..6199`), or all (`*`).";
    Accounts, "Accounts", "^.+$", "A set of accounts: of codes, of a type (`type=expense`), or both (`61* type=expense`).";
    MoneyText, "MoneyText", "^[0-9]+(\\.[0-9]+)? [A-Z]{3}$", "An amount as text: `500.00 USD`.";
}

impl JsonSchema for Operations {
    fn schema_name() -> Cow<'static, str> {
        "Operations".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = crate::rights::Operation::NAMED.iter().map(|operation| operation.name()).collect();
        let description = "Functions of the contract, at least one.";
        json_schema!({ "type": "array", "minItems": 1, "items": { "enum": names }, "description": description })
    }
}
