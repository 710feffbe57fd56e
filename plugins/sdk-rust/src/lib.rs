//! Workflows for Backroom in Rust.
//!
//! A workflow is a type that implements [`Workflow`] and is named in [`workflow!`]. Its `run` gets the input, calls the
//! service through [`ledger`], [`hr`], [`inventory`] and [`host`], and returns the output. Everything that it changed is
//! kept if it returns `Ok`, and nothing if it returns `Err`. Calls fail with [`Error`], which is what `run` returns as
//! well, so that `?` is all it takes to give up.
//!
//! In input and output [`Money`] is a text such as `1234.50 USD`, [`Decimal`] one such as `1.5`, [`BusinessDate`] one such as `2026-06-30`
//! and [`Month`] one such as `2026-06`. Nothing is ever a float.
//!
//! ```no_run
//! use backroom_sdk::{Error, Workflow, ledger::balances, workflow};
//!
//! #[derive(serde::Deserialize)]
//! struct Input { account: String }
//!
//! #[derive(serde::Serialize)]
//! struct Output { debits: u64, credits: u64 }
//!
//! struct Balance;
//!
//! impl Workflow for Balance {
//!     type Input = Input;
//!     type Output = Output;
//!
//!     fn run(input: Input) -> Result<Output, Error> {
//!         let balance = balances::get(&input.account, None)?;
//!         Ok(Output { debits: balance.debits, credits: balance.credits })
//!     }
//! }
//!
//! workflow!(Balance);
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserializer, Serialize};

#[cfg(all(target_family = "wasm", feature = "arena"))]
mod arena;
mod date;
mod decimal;
mod error;
mod input;
mod money;
mod month;

/// What is generated from the contract. [`workflow!`] needs it; everything else has a shorter name.
#[doc(hidden)]
#[allow(missing_docs, reason = "generated; the contract has the documentation")]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "backroom:workflow/workflow",
        generate_all,
        pub_export_macro: true,
        default_bindings_module: "backroom_sdk::bindings",
        additional_derives: [PartialEq, Eq],
        additional_type_attributes: {
            "backroom:types/types@0.1.0/money": [#[derive(Hash)]],
            "backroom:types/types@0.1.0/business-date": [#[derive(PartialOrd, Ord, Hash)]],
            "backroom:types/types@0.1.0/instant": [#[derive(PartialOrd, Ord, Hash)]],
        },
    });
}

pub use bindings::backroom::types::types::{BusinessDate, Currency, Decimal, Error, Id, Instant, Money, Problem, Side};
pub use bindings::backroom::{host, hr, inventory, ledger};
pub use error::{invalid, refused};
pub use money::{MAX_MINOR, minor_digits};
pub use month::Month;

/// One workflow: what a plugin is for.
pub trait Workflow {
    /// What the caller passes, as JSON.
    type Input: DeserializeOwned;
    /// What the caller gets, as JSON.
    type Output: Serialize;

    /// Does the work. The books keep all of it or, after an error, nothing.
    fn run(input: Self::Input) -> Result<Self::Output, Error>;
}

/// Makes the type that implements [`Workflow`] the plugin's own. Once in a plugin.
#[macro_export]
macro_rules! workflow {
    ($workflow:ty) => {
        const _: () = {
            struct Export;
            impl $crate::bindings::Guest for Export {
                fn run(input: ::std::string::String) -> ::std::result::Result<::std::string::String, $crate::Error> {
                    $crate::run::<$workflow>(&input)
                }
            }
    $crate::bindings::export!(Export with_types_in $crate::bindings);
        };
    };
}

/// A value that is written as a text in JSON; `wanted` says what it is, for people.
fn from_text<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D, wanted: &str) -> Result<T, D::Error> {
    deserializer.deserialize_str(Text { wanted, read: PhantomData })
}

/// Reads the text where it stands, so that what is wrong with it has its place.
struct Text<'a, T> {
    wanted: &'a str,
    read: PhantomData<T>,
}

impl<T: FromStr> Visitor<'_> for Text<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}", self.wanted)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_| E::custom(format!("{text:?} is no {}", self.wanted)))
    }
}

/// What [`workflow!`] exports: JSON in, JSON out; a panic leaves its message in the run's log.
#[doc(hidden)]
pub fn run<W: Workflow>(input: &str) -> Result<String, Error> {
    std::panic::set_hook(Box::new(|info| {
        host::log::write(host::log::Level::Error, &info.to_string().replace('\n', " "));
    }));
    let output = W::run(input::read(input)?)?;
    serde_json::to_string(&output).map_err(|error| refused("output-invalid", error))
}
